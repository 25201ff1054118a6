from collections.abc import Sequence

import pytest

from services.rules.engine.advise import advise
from services.rules.engine.calendar import Calendar
from services.rules.engine.facts import MOST_EVENTS_A_WINDOW
from services.rules.engine.judge import Verdict
from services.rules.engine.timeline import Timeline
from services.rules.engine.where import matches
from services.rules.language.model import (
    After,
    Aggregate,
    Before,
    Condition,
    Daily,
    During,
    Each,
    Fact,
    LastDays,
    Pick,
    Rule,
)
from shared.contracts.athletes import ZoneChange
from shared.contracts.events import PLAN_HORIZON, Event, Value
from tests.rules.engine.diary import ANN, at, event, lift, meal, plan, run
from tests.rules.engine.rulebooks import count, hours, last, of, rule, rulebook

RUN = Each("workout.completed", (Condition("activity", "in", ("run",)),))
STRENGTH = (Condition("activity", "in", ("strength",)),)


def verdict(tested: Rule, events: Sequence[Event], now: str, anchor: Event | None = None) -> Verdict:
    """Return the one verdict at `now`, or that on `anchor`."""
    found = advise(rulebook(tested), ANN, events, at(now)).verdicts
    (only,) = (
        each for each in found if each.outcome != "pending" and (anchor is None or each.due.event == anchor)
    )
    return only


def value(fact: Fact, events: Sequence[Event], now: str, anchor: Event) -> object:
    tested = rule("r", Each(anchor.type), facts=[fact], expires=hours(500))
    return verdict(tested, events, now, anchor).known.names.get(fact.name)


@pytest.mark.parametrize(
    ("operator", "wanted", "data", "meets"),
    [
        ("in", ("run", "ride"), {"f": "run"}, True),
        ("in", "run", {"f": "run"}, True),
        ("in", ("run",), {"f": "walk"}, False),
        ("in", (30.0,), {"f": 30}, True),
        ("in", ("chest", "back"), {"f": ["arms", "back"]}, True),
        ("in", ("chest",), {"f": ["arms", "back"]}, False),
        ("in", ("chest",), {"f": []}, False),
        ("ne", "run", {"f": "walk"}, True),
        ("ne", "run", {"f": "run"}, False),
        ("ne", "chest", {"f": ["arms", "chest"]}, False),
        ("ne", "chest", {"f": ["arms", "back"]}, True),
        ("gte", 30.0, {"f": 30.0}, True),
        ("gt", 30.0, {"f": 30.0}, False),
        ("lt", 60.0, {"f": 59.9}, True),
        ("lte", 60.0, {"f": 60.0}, True),
        ("lte", 60.0, {"f": 60.1}, False),
        ("gte", 30.0, {"f": 29.9}, False),
        ("gt", 30.0, {"f": 30.1}, True),
        ("lt", 60.0, {"f": 60.0}, False),
        ("ne", "run", {}, False),
        ("lt", 60.0, {}, False),
        ("in", (True,), {"f": True}, True),
    ],
)
def test_where_compares_a_field_and_never_meets_one_that_is_not_there(
    operator: str, wanted: Value, data: dict[str, Value], *, meets: bool
) -> None:
    where = (Condition("f", operator, wanted),)  # type: ignore[arg-type]  # parametrize hands texts
    assert matches(where, event("workout.completed", "2026-03-02", **data)) is meets


def test_before_takes_its_first_instant_in_and_leaves_the_anchor_out() -> None:
    anchor = lift("2026-03-04T18:00Z")
    events = [
        anchor,
        lift("2026-03-04T12:00Z"),
        lift("2026-03-04T11:59:59.999Z", id="too early"),
        lift("2026-03-04T18:00Z", id="at the same time"),
    ]
    fact = count("n", "workout.completed", Before(hours(6)))
    assert value(fact, events, "2026-03-05", anchor) == 1


def test_a_window_may_hold_as_many_events_as_the_bound_and_no_more() -> None:
    many = [meal("2026-03-04T12:00Z", id=f"m{number}") for number in range(MOST_EVENTS_A_WINDOW + 1)]
    tested = rule("r", Each("workout.completed"), "n == 5000.0", facts=[count("n", "meal.logged")])
    for number, outcome in ((MOST_EVENTS_A_WINDOW, "holds"), (MOST_EVENTS_A_WINDOW + 1, "error")):
        events = [lift("2026-03-04T18:00Z"), *many[:number]]
        assert verdict(tested, events, "2026-03-04T20:00Z").outcome == outcome


def test_rules_that_ask_the_same_of_an_anchor_have_the_same_answer_each_under_its_own_name() -> None:
    one, other = (
        rule(
            name,
            Each("workout.completed"),
            f"{fact} > 1.0",
            facts=[of(fact, "avg", "meal.logged.energy_kcal")],
            expires=hours(50),
        )
        for name, fact in (("one", "eaten"), ("other", "kcal"))
    )
    third = rule("third", Each("workout.completed"), facts=[count("eaten", "meal.logged")], expires=hours(50))
    lifted = [lift("2026-03-04T18:00Z"), lift("2026-03-05T18:00Z")]
    meals = [meal("2026-03-04T12:00Z", 400), meal("2026-03-04T13:00Z", 800)]
    found = advise(rulebook(one, other, third), ANN, [*lifted, *meals], at("2026-03-05T20:00Z"))
    told = {
        (each.rule.id, each.due.start.day): (each.known.names, each.known.missing) for each in found.verdicts
    }
    assert told == {
        ("one", 4): ({"eaten": 600.0}, {}),
        ("other", 4): ({"kcal": 600.0}, {}),
        ("third", 4): ({"eaten": 2.0}, {}),
        ("one", 5): ({}, {"eaten": "meal.logged.energy_kcal"}),
        ("other", 5): ({}, {"kcal": "meal.logged.energy_kcal"}),
        ("third", 5): ({"eaten": 0.0}, {}),
    }


def test_rules_that_ask_the_same_of_too_many_events_fail_each_for_itself() -> None:
    one, other = (
        rule(name, Each("workout.completed"), f"{name} > 0.0", facts=[count(name, "meal.logged")])
        for name in ("few", "many")
    )
    meals = [meal("2026-03-04T12:00Z", id=f"m{number}") for number in range(MOST_EVENTS_A_WINDOW + 1)]
    found = advise(rulebook(one, other), ANN, [lift("2026-03-04T18:00Z"), *meals], at("2026-03-04T20:00Z"))
    assert [(each.rule, each.message.split(" holds")[0]) for each in found.faults] == [
        ("few", "the window of few"),
        ("many", "the window of many"),
    ]


def test_an_anchor_of_no_length_is_left_out_of_what_comes_after_it() -> None:
    anchor = meal("2026-03-04T18:00Z")
    events = [anchor, meal("2026-03-04T18:00Z", id="with it")]
    assert value(count("n", "meal.logged", After(hours(2))), events, "2026-03-05", anchor) == 1


def test_after_begins_at_the_anchors_end_and_leaves_its_last_instant_out() -> None:
    anchor = lift("2026-03-04T18:00Z", 60)
    meals = [meal(f"2026-03-04T{clock}Z") for clock in ("18:30", "19:00", "20:59", "21:00")]
    assert value(count("n", "meal.logged", After(hours(2))), [anchor, *meals], "2026-03-05", anchor) == 2


@pytest.mark.parametrize(
    ("span", "starts"),
    [
        # ANN lives in Berlin, an hour ahead of UTC in March; the anchor is on Wednesday 4 March.
        ("today", ["2026-03-03T23:00Z", "2026-03-04T17:00Z", "2026-03-04T22:59Z"]),
        ("yesterday", ["2026-03-02T23:00Z", "2026-03-03T22:59Z"]),
        ("this_week", ["2026-03-01T23:00Z", "2026-03-02T23:00Z", "2026-03-03T22:59Z", "2026-03-03T23:00Z",
                       "2026-03-04T17:00Z", "2026-03-04T22:59Z", "2026-03-08T22:59Z"]),
        ("last_week", ["2026-02-22T23:00Z", "2026-03-01T22:59Z"]),
    ],
)  # fmt: skip
def test_days_and_weeks_are_local_and_the_anchor_counts(span: str, starts: list[str]) -> None:
    everything = [
        "2026-02-22T22:59Z", "2026-02-22T23:00Z", "2026-03-01T22:59Z", "2026-03-01T23:00Z", "2026-03-02T23:00Z",
        "2026-03-03T22:59Z", "2026-03-03T23:00Z", "2026-03-04T17:00Z", "2026-03-04T22:59Z", "2026-03-08T22:59Z",
        "2026-03-08T23:00Z",
    ]  # fmt: skip
    events = [lift(start, 0) for start in everything]
    anchor = next(each for each in events if each.start == at("2026-03-04T17:00Z"))
    fact = count("n", "workout.completed", During(span))  # type: ignore[arg-type]  # parametrize hands texts
    tested = rule("r", Each("workout.completed"), facts=[fact], expires=hours(500))
    found = verdict(tested, events, "2026-03-10", anchor)
    assert sorted(each.start for each in found.known.events().values()) == [at(start) for start in starts]


def test_last_days_counts_the_anchors_day_and_those_before_it() -> None:
    anchor = lift("2026-03-08T10:00Z")
    events = [
        anchor,
        lift("2026-03-01T22:59Z", 0),
        lift("2026-03-01T23:00Z", 0),
        lift("2026-03-08T23:00Z", 0),
    ]
    fact = count("n", "workout.completed", LastDays(7))
    assert value(fact, events, "2026-03-10", anchor) == 2


def test_an_event_belongs_to_the_local_day_of_the_zone_in_force_when_it_started() -> None:
    tested = rule(
        "r", Daily(at("2026-03-04T21:00").time()), facts=[count("n", "meal.logged")], expires=hours(20)
    )
    travelled = (*ANN.zones, ZoneChange(at("2026-03-04T20:30Z"), "Asia/Tokyo"))
    athlete = type(ANN)("clb_1", "ann", zones=travelled)
    # In Berlin it was 4 March until 21:30; on arrival in Tokyo it is 05:30 on the 5th, so 21:00 came at 20:00 UTC.
    events = [meal("2026-03-04T20:29Z"), meal("2026-03-04T20:31Z"), meal("2026-03-05T14:59Z")]
    found = advise(rulebook(tested), athlete, events, at("2026-03-05T15:00Z")).verdicts
    by_day = {each.due.day.isoformat(): each.known.names["n"] for each in found if each.outcome == "holds"}
    assert by_day == {"2026-03-04": 1, "2026-03-05": 2}


def test_numbers_over_events_pass_over_what_is_absent() -> None:
    anchor = lift("2026-03-04T18:00Z", 0)
    events = [
        anchor,
        meal("2026-03-04T08:00Z", 300, protein_g=10.0),
        meal("2026-03-04T12:00Z", 700),
        meal("2026-03-04T15:00Z", 500, protein_g=30),
    ]
    made = {
        name: value(of("n", name, "meal.logged.protein_g"), events, "2026-03-05", anchor)
        for name in ("sum", "min", "max", "avg")
    }
    assert made == {"sum": 40.0, "min": 10.0, "max": 30.0, "avg": 20.0}


def test_of_nothing_the_sum_is_zero_and_the_others_are_absent() -> None:
    anchor = lift("2026-03-04T18:00Z", 0)
    events = [anchor, meal("2026-03-04T12:00Z")]
    assert value(of("n", "sum", "meal.logged.protein_g"), events, "2026-03-05", anchor) == 0.0
    for name in ("min", "max", "avg"):
        fact = Aggregate("n", name, "meal.logged", "protein_g", (), During("today"))
        assert value(fact, events, "2026-03-05", anchor) is None


def test_days_are_distinct_local_days() -> None:
    anchor = lift("2026-03-04T18:00Z", 0)
    events = [
        anchor,
        *(meal(start) for start in ("2026-03-03T22:59Z", "2026-03-03T23:00Z", "2026-03-04T12:00Z")),
    ]
    assert (
        value(Aggregate("n", "days", "meal.logged", None, (), LastDays(7)), events, "2026-03-05", anchor) == 2
    )


def test_first_and_last_break_ties_by_source_and_then_id() -> None:
    anchor = lift("2026-03-04T18:00Z", 0)
    tied = [
        run("2026-03-04T10:00Z", id="a", source="watch"),
        run("2026-03-04T10:00Z", id="z", source="app"),
        run("2026-03-04T10:00Z", id="b", source="app"),
    ]
    tested = rule(
        "r",
        Each("workout.completed", STRENGTH),
        facts=[
            Pick("one", "first", "workout.completed", (), Before(hours(24))),
            Pick("two", "last", "workout.completed", (), Before(hours(24))),
        ],
        message="{{ one.id }} {{ two.id }}",
    )
    found = verdict(tested, [*tied, anchor], "2026-03-04T19:00")
    assert found.advice is not None
    assert found.advice.message == "b a"


def test_a_pick_shows_the_events_own_fields_times_and_local_date() -> None:
    anchor = lift("2026-03-04T18:00Z", 0)
    earlier = run("2026-03-03T23:30Z", 30, id="r1", rpe=7)
    tested = rule(
        "r", Each("workout.completed", STRENGTH), facts=[last("p", "workout.completed", Before(hours(24)))]
    )
    found = verdict(tested, [earlier, anchor], "2026-03-04T19:00")
    assert found.facts() == {
        "p": {
            "activity": "run", "date": "2026-03-04", "duration_s": 1800.0, "end": "2026-03-04T00:00:00.000Z",
            "found": True, "id": "r1", "rpe": 7.0, "source": "app", "start": "2026-03-03T23:30:00.000Z",
        }
    }  # fmt: skip


def test_reading_an_unfound_event_is_insufficient_data_and_names_what_was_missing() -> None:
    tested = rule(
        "r",
        RUN,
        "gap_h < 6.0",
        facts=[
            last("lift", "workout.completed", Before(hours(24)), STRENGTH),
            ("gap", "anchor.start - lift.end"),
            ("gap_h", "hours(gap)"),
        ],
    )
    found = verdict(tested, [run("2026-03-04T18:00Z")], "2026-03-04T19:00")
    assert (found.outcome, found.missing) == ("insufficient_data", "lift.end")
    assert found.facts()["lift"] == {"found": False}


def test_asking_whether_it_was_found_is_an_answer() -> None:
    fact = last("lift", "workout.completed", Before(hours(24)), STRENGTH)
    tested = rule("r", RUN, "lift.found && hours(anchor.start - lift.end) < 6.0", facts=[fact])
    assert verdict(tested, [run("2026-03-04T18:00Z")], "2026-03-04T19:00").outcome == "does_not_hold"


def test_an_absent_number_names_the_field_that_was_missing() -> None:
    tested = rule(
        "r", RUN, "enough", facts=[of("least", "min", "meal.logged.protein_g"), ("enough", "least > 20.0")]
    )
    found = verdict(tested, [run("2026-03-04T18:00Z"), meal("2026-03-04T12:00Z")], "2026-03-04T19:00")
    assert (found.outcome, found.missing) == ("insufficient_data", "meal.logged.protein_g")


@pytest.mark.parametrize(
    ("precision", "window", "counted"),
    [
        ("exact", Before(hours(2)), 1),
        ("slot", Before(hours(23.99)), 0),
        ("slot", Before(hours(24)), 1),
        ("slot", During("today"), 1),
        ("day", Before(hours(48)), 0),
        ("day", During("today"), 1),
        ("day", LastDays(2), 1),
    ],
)
def test_an_inexact_time_feeds_no_window_shorter_than_a_day(
    precision: str, window: Before | During | LastDays, counted: int
) -> None:
    anchor = lift("2026-03-04T18:00Z", 0)
    eaten = meal("2026-03-04T17:00Z", time_precision=precision)
    assert value(count("n", "meal.logged", window), [anchor, eaten], "2026-03-05", anchor) == counted


def test_a_short_window_around_an_inexact_anchor_has_no_answer() -> None:
    eaten = meal("2026-03-04T17:00Z", time_precision="slot")
    tested = rule(
        "r", Each("meal.logged"), "n < 1.0", facts=[count("n", "workout.completed", Before(hours(2)))]
    )
    found = verdict(tested, [eaten], "2026-03-04T18:00")
    assert (found.outcome, found.missing) == ("insufficient_data", "anchor.time_precision")


def test_events_that_have_not_ended_are_not_seen_and_plans_are() -> None:
    anchor = lift("2026-03-04T12:00Z", 0)
    events = [anchor, run("2026-03-04T12:30Z", 60), plan("run", "2026-03-04T20:00Z")]
    sessions, plans = (
        rule("r", Each("workout.completed", STRENGTH), facts=[count("n", kind)])
        for kind in ("workout.completed", "workout.planned")
    )
    assert verdict(sessions, events, "2026-03-04T13:29").known.names["n"] == 1
    assert verdict(sessions, events, "2026-03-04T13:30").known.names["n"] == 2
    assert verdict(plans, events, "2026-03-04T12:00").known.names["n"] == 1


def test_a_plan_that_a_completed_session_names_is_gone() -> None:
    anchor = lift("2026-03-04T12:00Z", 0)
    planned = plan("run", "2026-03-04T20:00Z", id="p1")
    done = run("2026-03-04T13:00Z", 30, plan_id="p1")
    tested = rule("r", Each("workout.completed", STRENGTH), facts=[count("n", "workout.planned")])
    assert verdict(tested, [anchor, planned, done], "2026-03-04T13:29").known.names["n"] == 1
    assert verdict(tested, [anchor, planned, done], "2026-03-04T13:30").known.names["n"] == 0


def test_a_session_that_began_as_early_as_a_plan_can_be_made_takes_it_away_and_an_earlier_one_does_not() -> (
    None
):
    planned = plan("run", "2026-05-03T13:00", id="p1")
    for early, left in [(hours(0), []), (hours(1), [planned])]:
        done = run(planned.start - PLAN_HORIZON - early, plan_id="p1")
        timeline = Timeline([planned, done], Calendar(ANN.zones), at("2026-05-01"))
        assert list(timeline.of("workout.planned").events) == left
