"""`tandem rules check` warns of what is legal and probably wrong, under names that stay."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.rules.cli import rules as command

RULES = """\
pack: club
version: 1
rules:
  - id: long-session
    category: recovery
    severity: info
    each: workout.completed
    delay: 2h
    params: {most_min: 90, on: true}
    facts:
      eaten: {count: meal.logged, after: 2h}
      lasted_min: anchor.duration_s / 60
    when: params.on && lasted_min > params.most_min && eaten == 0
    advise: {title: Long, message: "{{ lasted_min | round }} min"}
    evidence: heuristic
    sources: [none]
"""
TESTS = """\
pack: club.yaml
tests:
  - name: two hours, then one
    events:
      - {type: workout.completed, id: w, at: "2026-03-02T10:00", for: 2h, activity: run}
      - {type: workout.completed, id: w, at: "2026-03-02T10:00", for: 1h, activity: run,
         revision: 1, arrives: "2026-03-02T15:00"}
    expect:
      - {at: "2026-03-02T14:00", advice: [{rule: long-session}]}
      - {at: "2026-03-02T15:00", advice: [], withdrawn: [long-session]}
"""


LATE = ',\n         revision: 1, arrives: "2026-03-02T15:00"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "club.yaml").write_text(RULES)
    (tmp_path / "club.test.yaml").write_text(TESTS)
    return tmp_path


def check(*words: str | Path) -> Result:
    return CliRunner().invoke(command, ["check", *map(str, words)])


def test_what_ships_has_no_warnings() -> None:
    found = check("--strict")
    assert (found.exit_code, found.output) == (0, "26 rules in 10 files: all right\n")


def test_a_rule_with_its_tests_is_all_right(folder: Path) -> None:
    assert check("--strict", folder).output == "1 rule in 1 file: all right\n"


@pytest.mark.parametrize(
    ("old", "new", "name", "line", "message"),
    [
        ("on: true", "on: false", "never-holds", 13, "when is false whatever happens"),
        (
            "when: params.on",
            "requires: has(athlete.body_mass_kg) && 1 > 2\n    when: params.on",
            "never-holds",
            13,
            "requires is false",
        ),
        ("when: params.on", "requires: 1 > 2\n    when: params.on", "never-holds", 13, "requires is false"),
        (" && eaten == 0", "", "unused-fact", 11, "the fact eaten is never used"),
        ("after: 2h", "after: 3h", "window-after-due", 11, "the window of eaten ends after the rule is due"),
    ],
)
def test_a_doubtful_rule_is_warned_of_by_name_and_place(
    folder: Path, old: str, new: str, name: str, line: int, message: str
) -> None:
    assert old in RULES
    (folder / "club.yaml").write_text(RULES.replace(old, new))
    found = check(folder)
    assert found.exit_code == 0
    assert f"club.yaml:{line}:" in found.output
    assert f"warning [{name}] {message}" in found.output
    assert "1 rule in 1 file: all right, 1 warning" in found.output
    assert check("--strict", folder).exit_code == 1
    (folder / "club.yaml").write_text(RULES.replace(old, new) + f"    allow: [{name}]\n")
    assert check("--strict", folder).exit_code == 0


def test_what_an_athlete_may_have_is_no_reason_to_warn(folder: Path) -> None:
    presence = "requires: has(athlete.body_mass_kg)\n    when: params.on"
    assert "when: params.on" in RULES
    (folder / "club.yaml").write_text(RULES.replace("when: params.on", presence))
    assert check("--strict", folder).exit_code == 0


@pytest.mark.parametrize("times", ["lead: 1h, settle: 2h", "lead: 1h, settle: 1h", "lead: 0s"])
def test_a_plans_rule_that_settles_until_the_session_starts_can_never_hold(
    tmp_path: Path, times: str
) -> None:
    rule = (
        "{id: r, category: variety, severity: info, each: workout.planned, when: 'true', expires: 24h,"
        f" advise: {{title: T, message: M}}, evidence: heuristic, sources: [s], {times}}}"
    )
    (tmp_path / "club.yaml").write_text(f"pack: p\nversion: 1\nrules:\n  - {rule}\n")
    assert "warning [never-holds] advice on a plan ends" in check(tmp_path).output
    longer = times.replace("lead: 1h", "lead: 3h").replace("lead: 0s", "lead: 1h")
    (tmp_path / "club.yaml").write_text(f"pack: p\nversion: 1\nrules:\n  - {rule.replace(times, longer)}\n")
    assert "never-holds" not in check(tmp_path).output


@pytest.mark.parametrize(
    ("tests", "names"),
    [
        (None, ["no-test-holding", "no-test-late", "no-test-silent"]),
        (TESTS.partition('      - {at: "2026-03-02T15:00"')[0], ["no-test-silent"]),
        (TESTS.replace(LATE, "").replace("id: w, at", "at"), ["no-test-late"]),
    ],
)  # fmt: skip
def test_each_kind_of_test_that_is_missing_is_named(
    folder: Path, tests: str | None, names: list[str]
) -> None:
    (folder / "club.test.yaml").unlink()
    if tests is not None:
        (folder / "club.test.yaml").write_text(tests)
    found = json.loads(check("--format", "json", folder).stdout)
    assert [each["name"] for each in found["findings"]] == names


def test_a_rule_that_changed_under_its_old_version_is_told_against_what_it_was(
    folder: Path, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "club.yaml").write_text(RULES.replace("{most_min: 90", "{most_min: 60"))
    now = folder / "club.yaml"
    assert (
        "warning [changed-unversioned] long-session is not what it was"
        in check(now, "--against", before).output
    )
    now.write_text(RULES.replace("version: 1", "version: 2"))
    assert "changed-unversioned" not in check(now, "--against", before).output
    now.write_text(RULES.replace("{most_min: 90", "{most_min:  60"))  # the same, laid out otherwise
    assert "changed-unversioned" not in check(now, "--against", before).output


def test_editors_are_told_in_json_where_each_fault_is(folder: Path) -> None:
    (folder / "club.yaml").write_text(
        RULES.replace("lasted_min >", "lasted_mn >").replace("severity", "sevrity")
    )
    found = check("--format", "json", folder / "club.yaml")
    assert found.exit_code == 2
    told = json.loads(found.stdout)
    assert told["rules"] == []
    places = {(each["line"], each["column"], each["severity"], each["name"]) for each in told["findings"]}
    assert {(6, 5, "error", "fault"), (13, 24, "error", "fault")} <= places
    assert "did you mean" in " ".join(each["hint"] for each in told["findings"])
    assert check("--format", "json", folder / "nowhere.yaml").exit_code == 2
