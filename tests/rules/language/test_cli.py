"""`tandem rules check` as a person or CI runs it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.rules.cli import rules
from tests.rules.language.examples import EVENING, SPRINT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sprint.yaml").write_text(SPRINT, "utf-8")
    (tmp_path / "evening.yaml").write_text(EVENING, "utf-8")
    return tmp_path


def test_good_files_are_counted(folder: Path) -> None:
    result = CliRunner().invoke(rules, ["check", str(folder)])
    said = "5 rules in 2 files: all right, 17 warnings (1 shadow)\n"  # they have no tests, among other things
    assert (result.exit_code, result.stdout) == (0, said)
    assert result.stderr.count("warning [") == 17


def test_the_faults_of_bad_files_go_to_stderr_with_exit_code_2(folder: Path) -> None:
    (folder / "sprint.yaml").write_text(SPRINT.replace("lift.end", "lift.edn"), "utf-8")
    (folder / "evening.yaml").write_text(EVENING.replace("delay: 2h", "delay: 2"), "utf-8")
    result = CliRunner().invoke(rules, ["check", str(folder)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{folder / 'evening.yaml'}:47:12: delay must be a duration" in result.stderr
    assert f"{folder / 'sprint.yaml'}:12:40: " in result.stderr
    assert "did you mean 'end'?" in result.stderr
    assert result.stderr.endswith("\n2 faults\n")


def test_a_path_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    result = CliRunner().invoke(rules, ["check", str(tmp_path / "gone")])
    assert result.exit_code == 2
    assert "there is no such file or folder" in result.stderr
