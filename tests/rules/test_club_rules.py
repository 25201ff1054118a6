"""A club's own rules in a running worker: followed without a restart, tried in shadow, and never half in force."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.rules.engine.facts import MOST_EVENTS_A_WINDOW
from services.rules.rulebook import Governing, GoverningRules, install
from services.rules.sweep import sweep
from shared.contracts.overrides import Override, RuleText
from tests.rules.test_shell import ADA, CLUB, PACKS, START, Shell, shell, workout

__all__ = ["shell"]
RUN = """
pack: own
version: 1
rules:
  - id: a-word-on-runs
    category: variety
    severity: info
    each: workout.completed
    where: {activity: run}
    params: {word: "Well"}
    when: "true"
    advise: {title: A run, message: "{{ params.word }} run."}
    expires: 24h
    evidence: heuristic
    sources: [the coach]
"""
EVENING = START + timedelta(hours=18)
DAILY = (
    RUN.replace("each: workout.completed", 'daily: "19:30"')
    .replace("    where: {activity: run}\n", "")
    .replace("{{ params.word }} run.", "It is seven.")
)


@pytest.fixture
def club(shell: Shell) -> Shell:
    shell.go_to(EVENING)
    return shell


def lay(
    shell: Shell, text: str = RUN, mode: str = "live", params: dict[str, dict[str, float]] | None = None
) -> Override:
    shell.clock.instant += timedelta(minutes=1)  # what falls due at the very instant is governed by the new
    history = shell.store.overrides.history(CLUB)
    files = (RuleText("own.yaml", text),) if text else ()
    wanted = Override(0, "shadow" if mode == "shadow" else "live", shell.clock.instant, files, params or {})
    added = shell.store.overrides.add(CLUB, wanted, after=history[-1].version if history else 0)
    assert added is not None
    return added


def run_at(shell: Shell, name: str, hours: float) -> None:
    start = EVENING + timedelta(hours=hours)
    shell.go_to(start + timedelta(minutes=45))
    shell.post(workout(name, start))


def said(shell: Shell) -> list[str]:
    return [message for rule, message in shell.standing().values() if rule == "a-word-on-runs"]


def test_a_running_worker_follows_new_rules_of_a_club(club: Shell) -> None:
    run_at(club, "before", 0)
    lay(club)
    run_at(club, "after", 2)
    assert said(club) == ["Well run."]


def test_a_new_version_governs_what_falls_due_after_it_and_leaves_the_rest(club: Shell) -> None:
    lay(club)
    run_at(club, "first", 0)
    lay(club, RUN.replace('"Well"', '"Nicely"'))
    run_at(club, "second", 2)
    assert sorted(said(club)) == ["Nicely run.", "Well run."]


def test_whoever_lays_rules_and_dies_leaves_the_rest_to_the_tick(club: Shell) -> None:
    club.shell.evaluate([(CLUB, ADA)])
    assert club.store.outlook.at(EVENING).waiting == 0
    lay(club, DAILY)  # and no more: nobody has made the athletes due
    sweep(club.store, club.app, club.clock.instant)
    club.shell.evaluate([(CLUB, ADA)])
    club.go_to(EVENING + timedelta(hours=1))
    assert said(club) == ["It is seven."]


class Overtaken(GoverningRules):
    """Rules that are replaced just after a worker has asked for them."""

    def current(self, club: str) -> Governing:
        found = super().current(club)
        if not self.store.overrides.history(club):
            wanted = Override(0, "live", EVENING, (RuleText("own.yaml", DAILY),))
            assert self.store.overrides.add(club, wanted, after=0) is not None
            self.store.due.mark_changed(EVENING)
        return found


def test_rules_that_come_while_an_athlete_is_loaded_are_those_that_count(club: Shell) -> None:
    club.shell = replace(club.shell, rules=Overtaken(club.store))
    club.post(workout("run", EVENING - timedelta(hours=1)))
    club.go_to(EVENING + timedelta(hours=1))
    assert said(club) == ["It is seven."]


def test_what_is_rolled_back_speaks_no_more_of_what_comes(club: Shell) -> None:
    lay(club)
    run_at(club, "first", 0)
    lay(club, "")
    run_at(club, "second", 2)
    assert said(club) == ["Well run."]


def test_a_trial_tells_nobody_and_is_told_of(club: Shell) -> None:
    lay(club)
    lay(club, RUN.replace('"Well"', '"Nicely"'), mode="shadow")
    run_at(club, "run", 0)
    assert said(club) == ["Well run."]
    (would,) = club.store.overrides.shadowed(CLUB)
    assert (would.rule, would.message, would.athlete_id) == ("a-word-on-runs", "Nicely run.", ADA)


def test_a_trial_that_fails_holds_nothing_back(club: Shell) -> None:
    lay(club)
    broken = RUN.replace('when: "true"', "when: 1 / (anchor.duration_s - anchor.duration_s) > 0")
    lay(club, broken, mode="shadow")
    run_at(club, "run", 0)
    assert said(club) == ["Well run."]
    assert club.store.rulebook.errors(CLUB)["a-word-on-runs"] >= 1
    club.store.timelines.append(
        CLUB,
        [(ADA, replace(workout("run", EVENING), data={"activity": "ride", "duration_s": 2700}, revision=1))],
    )
    club.shell.evaluate([(CLUB, ADA)])
    assert said(club) == []


def test_a_trial_that_moves_a_rules_time_takes_nothing_from_the_live_one(club: Shell) -> None:
    lay(club, RUN.replace("each: workout.completed", "each: workout.completed\n    delay: 3h"))
    lay(club, RUN, mode="shadow")
    run_at(club, "run", 0)
    lay(club, RUN.replace("each: workout.completed", "each: workout.completed\n    delay: 3h"))
    club.go_to(EVENING + timedelta(hours=5))
    assert said(club) == ["Well run."]


def test_another_clubs_athletes_hear_nothing_of_it(club: Shell) -> None:
    club.store.overrides.add("clb_other", Override(0, "live", EVENING, (RuleText("own.yaml", RUN),)), after=0)
    run_at(club, "run", 0)
    assert said(club) == []


def test_a_club_compiles_only_what_it_changes_and_shares_the_rest(club: Shell) -> None:
    lay(club, params={"no-sprint-after-strength": {"min_gap_h": 8}})
    lay(
        club,
        RUN.replace('"Well"', '"Nicely"'),
        mode="shadow",
        params={"no-sprint-after-strength": {"min_gap_h": 9}},
    )
    [shared] = club.shell.rules.current("clb_other")[0]
    own = club.shell.rules.current(CLUB)[0][-1].rule_set.rules
    theirs = {rule.id: rule for rule in shared.rule_set.rules}
    assert {rule.id for rule in own if theirs.get(rule.id) is not rule} == {
        "a-word-on-runs", "no-sprint-after-strength",
    }  # fmt: skip


def test_two_writers_cannot_both_be_the_next_version(club: Shell) -> None:
    lay(club)
    assert club.store.overrides.add(CLUB, Override(0, "live", EVENING), after=0) is None


def test_shared_rules_that_own_params_no_longer_fit_leave_what_was_good(club: Shell, tmp_path: Path) -> None:
    lay(club, params={"no-sprint-after-strength": {"min_gap_h": 8}})
    club.clock.instant += timedelta(minutes=1)
    (tmp_path / "only.yaml").write_text(RUN.replace("a-word-on-runs", "another"), encoding="utf-8")
    install([tmp_path], club.store, club.clock.instant)
    run_at(club, "run", 1)
    rulebook, *_ = club.shell.rules.current(CLUB)
    assert "no-sprint-after-strength" in {rule.id for rule in rulebook[-1].rule_set.rules}
    assert said(club) == ["Well run."]
    install([PACKS], club.store, club.clock.instant)
    assert len(club.shell.rules.current(CLUB)[0]) > 1


def test_the_version_that_speaks_outlives_any_number_of_trials(club: Shell) -> None:
    live = lay(club)
    for _ in range(60):
        lay(club, mode="shadow")
    history = club.store.overrides.history(CLUB)
    assert (history[0], history[-1].version) == (live, 61)


def test_a_window_of_more_events_than_a_rule_may_look_at_is_an_error_that_names_it(club: Shell) -> None:
    text = RUN.replace('when: "true"', "facts: {runs: {count: workout.completed}}\n    when: runs > 0.0")
    lay(club, text)
    start = EVENING - timedelta(hours=1)
    many = [
        (ADA, workout(f"run-{number}", start, 1, activity="walk")) for number in range(MOST_EVENTS_A_WINDOW)
    ]
    club.store.timelines.append(CLUB, many)
    run_at(club, "run", 0)
    assert said(club) == []
    assert club.store.rulebook.errors(CLUB)["a-word-on-runs"] >= 1
