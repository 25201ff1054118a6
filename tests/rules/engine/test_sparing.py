"""How much an athlete is told on one local day: the pack's bound by severity, as a pure function of the day."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from services.rules.engine.advise import Evaluation, advise
from services.rules.language.model import Daily, Each, Rule
from shared.contracts.advice import Category
from tests.rules.engine.diary import ANN, at, lift, run
from tests.rules.engine.rulebooks import count, edited, hours, rule, rulebook

DAY = "2026-03-02"
SESSIONS = [lift(f"{DAY}T08:00Z"), run(f"{DAY}T09:00Z"), run(f"{DAY}T10:00Z")]
"""They end at 9:00, 9:30 and 10:30."""


def bounded(made: Rule, most: int = 2, *, category: Category = "ordering") -> Rule:
    return replace(made, most_a_day=most, category=category)


def anchors(found: Evaluation) -> list[str]:
    return sorted(each.because.anchor.key for each in found.active.values())


def test_what_comes_after_as_many_as_the_pack_says_is_kept_back_and_the_trace_says_why() -> None:
    book = rulebook(bounded(rule("r", Each("workout.completed"))))
    found = advise(book, ANN, SESSIONS, at(f"{DAY}T11:00Z"))
    assert anchors(found) == sorted(each.key for each in SESSIONS[:2])
    assert list(found.unsaid.values()) == [
        "test gives at most 2 suggestion messages a day, and that many came before it"
    ]
    assert [each.outcome for each in found.verdicts] == ["holds"] * 3


def test_advice_whose_time_is_over_still_counts_for_its_day() -> None:
    book = rulebook(bounded(rule("r", Each("workout.completed"), expires=hours(1))))
    assert anchors(advise(book, ANN, SESSIONS, at(f"{DAY}T11:00Z"))) == []
    free = rulebook(bounded(rule("r", Each("workout.completed"), expires=hours(1)), 3))
    assert anchors(advise(free, ANN, SESSIONS, at(f"{DAY}T11:00Z"))) == [SESSIONS[2].key]


def test_over_advice_that_its_evidence_no_longer_bears_leaves_room() -> None:
    short = rule("r", Each("workout.completed"), "anchor.duration_s < 3600.0", expires=hours(1))
    assert anchors(advise(rulebook(bounded(short)), ANN, SESSIONS, at(f"{DAY}T11:00Z"))) == [SESSIONS[2].key]


def test_the_bound_is_of_one_local_day() -> None:
    book = rulebook(bounded(rule("r", Each("workout.completed"), expires=hours(48)), 1))
    # 22:30 and 23:30 in UTC are the 2nd and the 3rd of March in Berlin.
    late = [run(f"{DAY}T22:00Z"), run(f"{DAY}T23:00Z")]
    assert anchors(advise(book, ANN, late, at("2026-03-03T08:00Z"))) == sorted(each.key for each in late)
    same = [run(f"{DAY}T21:00Z"), run(f"{DAY}T22:00Z")]
    assert anchors(advise(book, ANN, same, at("2026-03-03T08:00Z"))) == [same[0].key]


def test_at_one_instant_the_order_of_claims_decides() -> None:
    daily = Daily(time(20, 0))
    said = [
        bounded(rule("a-supplement", daily), 1, category="supplement"),
        bounded(rule("b-food", daily), 1, category="surplus"),
        bounded(rule("c-order", daily), 1, category="ordering"),
    ]
    for rules, expected in ((said, "c-order"), (said[:2], "b-food")):
        found = advise(rulebook(*rules), ANN, [], at(f"{DAY}T19:30Z"))
        assert [each.rule for each in found.active.values()] == [expected]


def test_what_is_said_for_safety_is_never_kept_back_and_takes_no_room() -> None:
    safety = bounded(rule("safety", Each("workout.completed")), 1, category="safety")
    other = bounded(rule("other", Each("workout.completed")), 1)
    found = advise(rulebook(safety, other), ANN, SESSIONS, at(f"{DAY}T11:00Z"))
    assert sorted(each.rule for each in found.active.values()) == ["other", "safety", "safety", "safety"]


def test_muted_and_shadowed_advice_takes_no_room() -> None:
    first = bounded(rule("first", Each("workout.completed"), "anchor.rpe > 5.0", supersedes=["second"]), 1)
    second = bounded(rule("second", Each("workout.completed")), 1)
    shadow = bounded(rule("shadow", Daily(time(6, 0)), mode="shadow"), 1)
    found = advise(
        rulebook(shadow, first, second), ANN, [lift(f"{DAY}T08:00Z", rpe=8.0)], at(f"{DAY}T09:30Z")
    )
    assert [each.rule for each in found.active.values()] == ["first"]
    over = at(f"{DAY}T09:30Z") + timedelta(days=1)
    assert advise(rulebook(shadow, first, second), ANN, [lift(f"{DAY}T08:00Z", rpe=8.0)], over).active == {}


def test_a_bound_of_nothing_says_nothing() -> None:
    book = rulebook(bounded(rule("r", Each("workout.completed")), 0))
    assert advise(book, ANN, SESSIONS, at(f"{DAY}T11:00Z")).active == {}


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_on_a_day_on_which_the_bound_was_edited_the_wider_one_holds(before: int, after: int) -> None:
    made = rule("r", Each("workout.completed"))
    book = edited((None, [bounded(made, before)]), (at(f"{DAY}T09:15Z"), [bounded(made, after)]))
    assert len(anchors(advise(book, ANN, SESSIONS, at(f"{DAY}T11:00Z")))) == 3


def test_a_late_event_takes_the_room_of_what_opened_after_it() -> None:
    book = rulebook(bounded(rule("r", Each("workout.completed"), facts=[count("n", "workout.completed")]), 1))
    now = at(f"{DAY}T11:00Z")
    assert anchors(advise(book, ANN, SESSIONS[1:], now)) == [SESSIONS[1].key]
    assert anchors(advise(book, ANN, SESSIONS, now)) == [SESSIONS[0].key]


def test_what_was_muted_while_it_stood_takes_no_room_when_its_time_is_over() -> None:
    first = bounded(rule("first", Each("workout.completed"), expires=hours(1), supersedes=["second"]))
    second = bounded(rule("second", Each("workout.completed"), expires=hours(1)))
    third = bounded(rule("third", Daily(time(12, 0))))
    noon = at(f"{DAY}T11:30Z")
    assert anchors(advise(rulebook(first, second, third), ANN, SESSIONS[:1], noon)) == [DAY]
    unmuted = replace(first, supersedes=frozenset[str]())
    assert anchors(advise(rulebook(unmuted, second, third), ANN, SESSIONS[:1], noon)) == []
