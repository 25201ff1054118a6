"""`tandem rules test --coverage` names what no test has seen; `--watch` runs the tests again when a file changes."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.rules.cli import rules as command

RULES = """\
pack: club
version: 1
rules:
  - id: long-session
    category: recovery
    severity: info
    each: workout.completed
    params: {most_min: 90}
    facts:
      lasted_min: anchor.duration_s / 60
    when: lasted_min > params.most_min && (anchor.activity == "run" || anchor.activity == "ride")
    advise: {title: Long, message: "{{ lasted_min | round }} min"}
    evidence: heuristic
    sources: [none]
  - id: forgotten
    category: recovery
    severity: info
    daily: "20:00"
    when: day.sessions > 3
    advise: {title: Many, message: Many}
    evidence: heuristic
    sources: [none]
"""
TESTS = """\
pack: club.yaml
only: [long-session]
tests:
  - name: two hours on foot
    events: [{type: workout.completed, at: "2026-03-02T10:00", for: 2h, activity: run}]
    expect: [{at: "2026-03-02T12:00", advice: [{rule: long-session}]}]
"""
SHORT = """\
  - name: one hour on the bike
    events: [{type: workout.completed, at: "2026-03-02T10:00", for: 1h, activity: ride}]
    expect: [{at: "2026-03-02T11:00", advice: []}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "club.yaml").write_text(RULES)
    (tmp_path / "club.test.yaml").write_text(TESTS)
    return tmp_path


def test_what_no_test_has_seen_is_named_rule_by_rule_and_side_by_side(folder: Path) -> None:
    found = CliRunner().invoke(command, ["test", "--coverage", str(folder)])
    assert found.exit_code == 0
    assert found.output.splitlines()[-10:-1] == [
        "forgotten: no test in which it speaks",
        "forgotten: no test in which it keeps still",
        "forgotten: never true: day.sessions > 3",
        "forgotten: never false: day.sessions > 3",
        "long-session: no test in which it keeps still",
        "long-session: never false: lasted_min > params.most_min",
        'long-session: never false: anchor.activity == "run"',
        'long-session: never true: anchor.activity == "ride"',
        "covered: 0 of 2 rules both speaking and still, 3 of 8 sides of conditions",
    ]


def test_a_test_of_the_other_side_covers_it(folder: Path) -> None:
    (folder / "club.test.yaml").write_text(TESTS + SHORT)
    found = CliRunner().invoke(command, ["test", "--coverage", str(folder)])
    assert "long-session: no test" not in found.output
    assert "long-session: never" not in found.output
    assert "covered: 1 of 2 rules both speaking and still, 6 of 8 sides of conditions" in found.output


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Have what is started be interruptible: who is run in the background of a script hands on that it is not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_watching_runs_again_when_a_file_changes_and_ends_with_the_latest_outcome(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "rules", "test", "--watch", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert "1 test in 1 file: 1 held" in next(line for line in lines if "in 1 file" in line)
        assert "watching" in next(lines)
        # The watch begins a moment after it is told of, so the change is made again until it is seen.
        seen = threading.Event()
        writer = threading.Thread(target=change_until, args=(folder / "club.test.yaml", seen), daemon=True)
        writer.start()
        saw = next(line for line in lines if "1 failed" in line)
        seen.set()
        writer.join()
        assert "1 test in 1 file" in saw
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1


def change_until(file: Path, seen: threading.Event) -> None:
    for attempt in range(100):
        file.write_text(TESTS.replace("[{rule: long-session}]", "[]") + "#" * attempt)
        if seen.wait(0.5):
            return
