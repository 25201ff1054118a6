"""`tandem rules test`, on real files: what holds, what fails and why, and what is wrong with a file."""
# ruff: noqa: E501 - the example of the rule language stands here verbatim

import io
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent, indent

import pytest
from click.testing import CliRunner
from rich.console import Console

from services.rules.cli import rules as command
from services.rules.testing import replay, run_tests
from shared.contracts.events import Event

RULES = """\
pack: concurrent-training
version: 1
rules:
  - id: no-sprint-after-strength
    category: ordering            # ordering, recovery, surplus, supplement, variety, hydration, safety
    severity: warning             # info, suggestion, warning
    each: workout.completed       # the anchor: evaluated once for every such event
    where: {activity: run, intensity: [hard, sprint]}
    params: {min_gap_h: 6}        # a club may override params without copying the rule
    facts:
      lift: {last: workout.completed, where: {activity: strength}, before: 24h}
      gap_h: hours(anchor.start - lift.end)
    when: lift.found && gap_h < params.min_gap_h
    advise:
      title: Keep the run after lifting relaxed
      message: >-
        You ran hard {{ gap_h | round(1) }} h after strength training. Tired legs and a tired head make a sprint
        the wrong choice: an easy run now, intervals on another day.
    expires: 24h                  # after the due time; never issued or delivered later
    settle: 0s                    # after the due time, wait this long for late events
    evidence: moderate            # strong, moderate, contested, heuristic, safety
    sources: ["Robineau 2016, J Strength Cond Res 30:672"]
"""
TESTS = """\
pack: ordering.yaml
tests:
  - name: a sprint two hours after lifting
    athlete: {timezone: Europe/Berlin, goal: build_muscle, body_mass_kg: 80}
    events:
      - {type: workout.completed, at: "2026-03-02T17:00", for: 60m, activity: strength}
      - {type: workout.completed, at: "2026-03-02T20:00", for: 20m, activity: run, intensity: sprint}
    expect:
      - at: "2026-03-02T20:30"
        advice: [{rule: no-sprint-after-strength, severity: warning, message: "2.0 h after"}]
      - at: "2026-03-04T00:00"
        advice: []                # `only: [rule-id, ...]` in a test, or beside `pack` for all, limits which rules are looked at
"""
EXPECTED = '[{rule: no-sprint-after-strength, severity: warning, message: "2.0 h after"}]'
MORE_RULES = """
  - id: dinner
    category: surplus
    severity: suggestion
    daily: "20:00"
    facts:
      kcal: {sum: meal.logged.energy_kcal}
    when: kcal < 1000
    advise: {title: Eat, message: "{{ kcal | round | int }} kcal so far"}
    expires: 12h
    evidence: moderate
    sources: [Slater 2019]
  - id: mass
    category: safety
    severity: info
    daily: "20:00"
    mode: shadow
    when: athlete.body_mass_kg > 70
    advise: {title: Mass, message: Mass}
    evidence: safety
    sources: [none]
  - id: plan-ahead
    category: ordering
    severity: info
    each: workout.planned
    lead: 24h
    when: "true"
    advise: {title: Planned, message: "{{ anchor.activity }}"}
    evidence: heuristic
    sources: [none]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ordering.yaml").write_text(RULES)
    return tmp_path


def played(*paths: Path) -> tuple[int, str]:
    out = io.StringIO()
    code = run_tests(paths, Console(file=out, width=80, force_terminal=False))
    return code, out.getvalue()


def scenario(folder: Path, body: str, *, more: bool = True, top: str = "") -> tuple[int, str]:
    """Play one test, whose `events` and `expect` are `body`."""
    (folder / "ordering.yaml").write_text(RULES + (MORE_RULES if more else ""))
    test = folder / "ordering.test.yaml"
    test.write_text(
        f"pack: ordering.yaml\n{top}tests:\n  - name: one\n{indent(dedent(body).strip(), ' ' * 4)}\n"
    )
    return played(test)


@pytest.mark.parametrize("path", ["ordering.test.yaml", "ordering.yaml", "."])
def test_the_example_of_the_rule_language_holds_however_it_is_named(folder: Path, path: str) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS)
    code, out = played(folder / path)
    assert code == 0, out
    assert "a sprint two hours after lifting" in out
    assert "1 test in 1 file: 1 held" in out


def test_a_file_that_is_named_twice_is_played_once(folder: Path) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS)
    code, out = played(folder, folder / "ordering.yaml")
    assert (code, "1 test in 1 file: 1 held" in out) == (0, True)


def test_a_difference_shows_both_sides(folder: Path) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS.replace("2.0 h after", "3.0 h after"))
    code, out = played(folder)
    assert code == 1
    assert "- expected   no-sprint-after-strength, severity 'warning', message '3.0 h after'" in out
    assert '+ found      no-sprint-after-strength, warning, "Keep the run after lifting relaxed"' in out
    assert "You ran hard 2.0 h after strength training." in out
    assert "why not" not in out
    assert "at 2026-03-02T20:30 (" in out
    assert "ordering.test.yaml:9)" in out
    assert "1 test in 1 file: 0 held, 1 failed" in out


def test_advice_that_nobody_expected_fails(folder: Path) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS.replace(EXPECTED, "[]"))
    code, out = played(folder)
    assert code == 1
    assert "+ found      no-sprint-after-strength, warning" in out


def test_a_silent_rule_says_what_it_found(folder: Path) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS.replace("T17:00", "T10:00"))
    code, out = played(folder)
    assert code == 1
    assert "why not    2026-03-02: does not hold" in out
    assert "gap_h 9" in out
    assert "params.min_gap_h 6" in out


SILENT = """
    athlete: {{timezone: Europe/Berlin}}
    expect:
      - {{at: "2026-03-02T{at}", advice: [{{rule: {rule}}}]}}
    only: [{rule}]
"""


def test_a_rule_in_shadow_is_tested_as_if_it_were_live(folder: Path) -> None:
    body = """
        athlete: {body_mass_kg: 80}
        expect:
          - {at: "2026-03-02T20:30", advice: [{rule: mass}]}
          - {at: "2026-03-03T20:00", advice: [{rule: mass}]}
        only: [mass]
    """
    assert scenario(folder, body)[0] == 0


def test_one_piece_of_advice_does_not_meet_two_lines_of_a_test(folder: Path) -> None:
    body = """
        athlete: {body_mass_kg: 80}
        expect:
          - {at: "2026-03-02T20:30", advice: [{rule: mass}, {rule: mass, title: Mass}]}
        only: [mass]
    """
    code, out = scenario(folder, body)
    assert code == 1
    assert "holds, and meets another line of this test" in out


def test_a_long_path_is_not_broken(folder: Path) -> None:
    deep = folder / ("long-" * 15) / ("name-" * 15)
    deep.mkdir(parents=True)
    (deep / "ordering.yaml").write_text(RULES)
    (deep / "ordering.test.yaml").write_text(TESTS)
    assert str(deep / "ordering.test.yaml") in played(folder)[1].splitlines()


@pytest.mark.parametrize(
    ("rule", "at", "reason"),
    [
        ("mass", "20:30", "insufficient data, for want of athlete.body_mass_kg"),
        ("dinner", "19:59", "2026-03-02: pending until 2026-03-02 19:00 UTC"),
        ("no-sprint-after-strength", "20:00", "it has no anchor whose time has come and is not over"),
    ],
)
def test_silence_has_a_reason(folder: Path, rule: str, at: str, reason: str) -> None:
    code, out = scenario(folder, SILENT.format(rule=rule, at=at))
    assert code == 1
    assert reason in out


def test_only_limits_which_rules_are_looked_at(folder: Path) -> None:
    body = """
        expect:
          - {at: "2026-03-02T20:30", advice: []}
    """
    assert scenario(folder, body)[0] == 1
    assert scenario(folder, body, top="only: [no-sprint-after-strength]\n")[0] == 0
    assert scenario(folder, "only: [plan-ahead]\n" + dedent(body))[0] == 0


LATE_MEAL = """
    athlete: {{timezone: Europe/Berlin}}
    only: [dinner]
    events:
      - {{type: meal.logged, at: "2026-03-02T12:00", energy_kcal: 1200, arrives: "{arrives}"}}
    expect:
      - {{at: "2026-03-02T20:30", advice: [{{rule: dinner, message: "0 kcal"}}]}}
      - {{at: "2026-03-02T22:00", advice: [{rule}], withdrawn: [{withdrawn}]}}
"""


def test_a_late_event_withdraws_what_it_refutes(folder: Path) -> None:
    code, out = scenario(folder, LATE_MEAL.format(arrives="2026-03-02T21:00", rule="", withdrawn="dinner"))
    assert code == 0, out


def test_what_still_stands_is_not_withdrawn(folder: Path) -> None:
    body = LATE_MEAL.format(arrives="2026-03-02T23:00", rule="{rule: dinner}", withdrawn="dinner")
    code, out = scenario(folder, body)
    assert code == 1
    assert "- expected   dinner to be withdrawn; it stands" in out


def test_a_withdrawal_that_is_not_listed_fails_where_the_list_is_given(folder: Path) -> None:
    code, out = scenario(folder, LATE_MEAL.format(arrives="2026-03-02T21:00", rule="", withdrawn=""))
    assert code == 1
    assert "+ found      dinner withdrawn" in out


def test_what_expired_was_not_withdrawn(folder: Path) -> None:
    code, out = scenario(
        folder,
        """
        only: [dinner]
        expect:
          - {at: "2026-03-02T20:30", advice: [{rule: dinner}]}
          - {at: "2026-03-03T08:00", advice: [], withdrawn: []}
        """,
    )
    assert code == 0, out


def test_withdrawal_is_seen_though_no_instant_before_it_was_asked_about(folder: Path) -> None:
    code, out = scenario(
        folder,
        """
        only: [plan-ahead]
        events:
          - {type: workout.planned, id: p, at: "2026-03-02T18:00", for: 1h, activity: run}
          - {type: workout.completed, at: "2026-03-02T12:00", for: 1h, activity: run, plan_id: p}
        expect:
          - {at: "2026-03-01T18:00", advice: [{rule: plan-ahead, title: Plan, category: ordering}]}
          - {at: "2026-03-02T13:00", advice: [], withdrawn: [plan-ahead]}
        """,
    )
    assert code == 0, out


def test_a_revision_and_a_deletion_act_when_they_arrive(folder: Path) -> None:
    code, out = scenario(
        folder,
        """
        only: [dinner]
        events:
          - {type: meal.logged, id: lunch, at: "2026-03-02T12:00", energy_kcal: 1200}
          - type: meal.logged
            id: lunch
            revision: 1
            at: "2026-03-02T12:00"
            energy_kcal: 120
            arrives: "2026-03-02T21:00"
          - {type: event.deleted, at: "2026-03-02T22:00", event_id: lunch}
        expect:
          - {at: "2026-03-02T20:30", advice: []}
          - {at: "2026-03-02T21:00", advice: [{rule: dinner, message: "120 kcal"}]}
          - {at: "2026-03-02T22:00", advice: [{rule: dinner, message: "0 kcal so far"}]}
        """,
    )
    assert code == 0, out


def test_expected_advice_is_matched_as_a_whole_and_in_any_order(folder: Path) -> None:
    code, out = scenario(
        folder,
        """
        only: [plan-ahead]
        events:
          - {type: workout.planned, at: "2026-03-02T18:00", for: 1h, activity: run}
          - {type: workout.planned, at: "2026-03-02T19:00", for: 1h, activity: swim}
        expect:
          - {at: "2026-03-02T12:00", advice: [{rule: plan-ahead}, {rule: plan-ahead, message: run}]}
          - {at: "2026-03-02T12:00", advice: [{rule: plan-ahead}, {rule: plan-ahead, message: swim}]}
        """,
    )
    assert code == 0, out


def test_a_time_with_an_offset_is_that_instant(folder: Path) -> None:
    code, out = scenario(
        folder,
        """
        athlete: {timezone: Europe/Berlin}
        only: [dinner]
        expect:
          - {at: "2026-03-02T18:59:59Z", advice: []}
          - {at: "2026-03-02T14:00:00-05:00", advice: [{rule: dinner}]}
        """,
    )
    assert code == 0, out


AT = 'at: "2026-03-02T17:00"'
LOCAL_GAP = '{type: supplement.taken, at: "2026-03-29T02:30", kind: bcaa}'
FAULTY = [
    ("expects: []", "expects is not a known key", "did you mean expect"),
    ("athlete: {timezone: Europe/Berlyn}", "timezone must be an IANA time zone", "Europe/Berlin"),
    ("athlete: {height: 180}", "height is not a known field", "did you mean height_cm"),
    (f"events: [{{type: workout.complete, {AT}}}]", "type must be one of", "did you mean workout.completed"),
    (f"events: [{{type: meal.logged, {AT}, energy: 3}}]", "energy is not a known field", "did you mean energy_kcal"),
    (f"events: [{{type: workout.completed, {AT}, activity: run}}]", "for is required", "how long it took"),
    (f"events: [{{type: workout.completed, {AT}, for: 3d, activity: run}}]", "for must be at most 48h", "for: 3d"),
    (f"events: [{{type: checkin.recorded, {AT}}}]", "must hold at least one of", "sleep_h"),
    ("events: [{type: supplement.taken, at: noon, kind: bcaa}]", "at must be a time", "2026-03-02T17:00"),
    ('events: [{type: supplement.taken, at: "2026-02-30T17:00"}]', "at must be a time", "2026-03-02T17:00"),
    (f"athlete: {{timezone: Europe/Berlin}}\nevents: [{LOCAL_GAP}]", "clocks jump over this time", "an offset"),
    (
        f"events: [{{type: meal.logged, id: a, {AT}, energy_kcal: 1}}, {{type: meal.logged, id: a, {AT}, energy_kcal: 2}}]",
        "has this id and revision", "higher `revision`",
    ),
    ("only: [diner]", "there is no rule diner in the pack", "did you mean dinner"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message", "hint"), FAULTY)
def test_a_fault_in_a_test_file_is_told_with_its_place(
    folder: Path, lines: str, message: str, hint: str
) -> None:
    expect = 'expect: [{at: "2026-03-02T12:00", advice: []}]'
    code, out = scenario(folder, f"{lines}\n{expect}")
    assert code == 2
    assert message in out
    assert hint in out
    assert "ordering.test.yaml:4:" in out or "ordering.test.yaml:5:" in out


@pytest.mark.parametrize(
    ("advice", "message"),
    [
        ("[{rule: diner}]", "there is no rule diner in the pack"),
        ("[{rule: dinner, sevrity: info}]", "sevrity is not a known key"),
        ("[{rule: dinner, severity: loud}]", "severity must be one of info, suggestion, warning"),
        ("dinner", "advice must be a list"),
        ("[], withdrawn: [diner]", "there is no rule diner in the pack"),
    ],
)
def test_a_fault_in_an_expectation_is_told(folder: Path, advice: str, message: str) -> None:
    code, out = scenario(folder, f'expect: [{{at: "2026-03-02T12:00", advice: {advice}}}]')
    assert code == 2
    assert message in out


def test_all_faults_come_at_once_and_the_other_files_are_played(folder: Path) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS)
    (folder / "wrong.test.yaml").write_text("pack: gone.yaml\ntest: []\n")
    code, out = played(folder)
    assert code == 2
    assert "gone.yaml" in out
    assert "test is not a known key" in out
    assert "did you mean tests?" in out
    assert "1 test in 1 file: 1 held" in out


def test_a_broken_pack_is_told_with_its_own_place(folder: Path) -> None:
    (folder / "ordering.yaml").write_text(RULES.replace("lift.found", "lift.fund"))
    (folder / "ordering.test.yaml").write_text(TESTS)
    code, out = played(folder)
    assert code == 2
    assert "ordering.yaml:13:" in out


@pytest.mark.parametrize("path", ["ordering.yaml", "gone.yaml", "gone.test.yaml", "."])
def test_no_tests_is_a_fault(folder: Path, path: str) -> None:
    code, out = played(folder / path)
    assert code == 2
    assert "no tests" in out or "no such file" in out.casefold()


def test_several_packs_are_loaded_together(folder: Path) -> None:
    (folder / "club.yaml").write_text(
        "pack: club\nversion: 1\nparams:\n  no-sprint-after-strength: {min_gap_h: 1}\n"
    )
    text = TESTS.replace("pack: ordering.yaml", "pack: [ordering.yaml, club.yaml]")
    (folder / "club.test.yaml").write_text(text)
    code, out = played(folder / "club.yaml")
    assert code == 1
    assert "params.min_gap_h 1" in out


def test_a_rule_that_fails_fails_its_test(folder: Path) -> None:
    (folder / "ordering.yaml").write_text(RULES.replace("{{ gap_h | round(1) }}", "{{ anchor.rpe }}"))
    (folder / "ordering.test.yaml").write_text(TESTS.replace(EXPECTED, "[]"))
    code, out = played(folder)
    assert code == 1
    assert "rule failed  no-sprint-after-strength" in out


def test_an_engine_that_hangs_on_the_order_of_arrival_is_found_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latest_wins(arrivals: Iterable[Event]) -> list[Event]:
        return list({event.key: event for event in arrivals}.values())

    body = """
        only: [dinner]
        events:
          - {type: meal.logged, id: lunch, at: "2026-03-02T12:00", energy_kcal: 120}
          - {type: meal.logged, id: lunch, revision: 1, at: "2026-03-02T12:00", energy_kcal: 1200}
        expect:
          - {at: "2026-03-02T20:30", advice: []}
    """
    assert scenario(folder, body)[0] == 0
    monkeypatch.setattr(replay, "resolve", latest_wins)
    code, out = scenario(folder, body)
    assert code == 1
    assert "when the events arrive in another order (the last first), the engine says: dinner" in out


def test_a_rule_that_another_supersedes_says_so(folder: Path) -> None:
    muting = MORE_RULES.replace("mode: shadow", "supersedes: [dinner]")
    (folder / "ordering.yaml").write_text(RULES + muting)
    (folder / "ordering.test.yaml").write_text(
        "pack: ordering.yaml\ntests:\n- name: one\n  athlete: {body_mass_kg: 80}\n"
        '  expect: [{at: "2026-03-02T20:30", advice: [{rule: dinner}, {rule: mass}]}]\n'
    )
    code, out = played(folder)
    assert code == 1
    assert "2026-03-02: holds, but mass supersedes it and is active for the same local day" in out
    assert "found" not in out


def test_files_out_of_sight_are_passed_over(folder: Path) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS)
    (folder / ".older").mkdir()
    (folder / ".older" / "ordering.test.yaml").write_text("pack: gone.yaml\n")
    assert played(folder)[0] == 0


@pytest.mark.parametrize(("at", "code"), [("T17:00", 0), ("T10:00", 1), ("T99:00", 2)])
def test_the_command_ends_with_what_was_found(folder: Path, at: str, code: int) -> None:
    (folder / "ordering.test.yaml").write_text(TESTS.replace("T17:00", at))
    result = CliRunner().invoke(command, ["test", str(folder)])
    assert result.exit_code == code, result.output
