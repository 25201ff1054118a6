from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.anchors import anchors
from services.rules.engine.calendar import Calendar
from services.rules.engine.evidence import MOST_EVENTS
from services.rules.engine.timeline import Timeline
from services.rules.language.model import (
    Before,
    Condition,
    Daily,
    During,
    Each,
    LastDays,
    Rule,
    Rulebook,
    Weekly,
)
from shared.contracts.advice import EventRef, advice_id
from shared.contracts.athletes import Athlete, Param, ZoneChange
from shared.contracts.events import Event
from tests.rules.engine.diary import ANN, at, event, lift, meal, plan, run
from tests.rules.engine.rulebooks import count, edited, hours, last, rule, rulebook

STRENGTH = (Condition("activity", "in", ("strength",)),)
RUN = (Condition("activity", "in", ("run",)),)
SPRINT = rule(
    "no-sprint-after-strength",
    Each("workout.completed", (*RUN, Condition("intensity", "in", ("hard", "sprint")))),
    "lift.found && gap_h < params.min_gap_h",
    params={"min_gap_h": 6},
    facts=[
        last("lift", "workout.completed", Before(hours(24)), STRENGTH),
        ("gap_h", "hours(anchor.start - lift.end)"),
    ],
    message="You ran hard {{ gap_h | round(1) }} h after strength training.",
)


def evaluate(book: Rulebook | Rule, events: Sequence[Event], now: str, athlete: Athlete = ANN) -> Evaluation:
    return advise(rulebook(book) if isinstance(book, Rule) else book, athlete, events, at(now))


def told(found: Evaluation) -> list[str]:
    return sorted(advice.rule for advice in found.active.values())


def span(book: Rule, events: Sequence[Event], since: str, until: str) -> tuple[datetime, datetime] | None:
    """Return when its advice stands, [from, to), found by following `next_due` alone."""
    now: datetime | None = at(since)
    stands: list[datetime] = []
    while now is not None and now < at(until):
        active = bool(advise(rulebook(book), ANN, events, now).active)
        if active != bool(len(stands) % 2):
            stands.append(now)
        now = advise(rulebook(book), ANN, events, now).next_due
    return (stands[0], stands[1]) if stands else None


def test_a_sprint_soon_after_lifting_is_advised_on_when_it_ends() -> None:
    events = [lift("2026-03-02T16:00Z"), run("2026-03-02T19:00Z", 20, intensity="sprint")]
    assert told(evaluate(SPRINT, events, "2026-03-02T19:19:59.999Z")) == []
    (advice,) = evaluate(SPRINT, events, "2026-03-02T19:20Z").active.values()
    assert advice.message == "You ran hard 2.0 h after strength training."
    assert advice.due == at("2026-03-02T19:20Z")
    assert advice.expires_at == at("2026-03-03T19:20Z")
    assert advice.id == advice_id("clb_1", "ann", "no-sprint-after-strength", events[1].key)
    assert told(evaluate(SPRINT, events, "2026-03-03T19:19:59.999Z")) == ["no-sprint-after-strength"]
    assert told(evaluate(SPRINT, events, "2026-03-03T19:20Z")) == []


def test_a_late_strength_session_withdraws_the_order_advice() -> None:
    tested = rule(
        "strength-first",
        Each("workout.completed", RUN),
        "lifts == 0.0",
        facts=[count("lifts", "workout.completed", During("today"), STRENGTH)],
    )
    events = [run("2026-03-02T08:00Z")]
    assert told(evaluate(tested, events, "2026-03-02T09:00Z")) == ["strength-first"]
    assert told(evaluate(tested, [*events, lift("2026-03-02T06:00Z")], "2026-03-02T09:00Z")) == []


def test_a_later_event_of_the_day_is_seen_when_its_time_comes_and_withdraws() -> None:
    tested = rule(
        "eat",
        Each("workout.completed", STRENGTH),
        "meals == 0.0",
        facts=[count("meals", "meal.logged", During("today"))],
    )
    events = [lift("2026-03-02T08:00Z"), meal("2026-03-02T12:00Z")]
    found = evaluate(tested, events, "2026-03-02T09:00Z")
    assert told(found) == ["eat"]
    assert found.next_due == at("2026-03-02T12:00Z")
    assert told(evaluate(tested, events, "2026-03-02T12:00Z")) == []


def test_absence_is_looked_for_when_its_delay_is_over() -> None:
    tested = rule(
        "protein",
        Each("workout.completed", STRENGTH, delay=hours(2)),
        "meals == 0.0",
        facts=[count("meals", "meal.logged", During("today"))],
        expires=hours(3),
        settle=timedelta(minutes=15),
    )
    events = [lift("2026-03-02T08:00Z")]
    assert span(tested, events, "2026-03-02T00:00", "2026-03-05") == (
        at("2026-03-02T11:15Z"),
        at("2026-03-02T14:00Z"),
    )
    (pending,) = evaluate(tested, events, "2026-03-02T11:14Z").verdicts
    assert pending.outcome == "pending"


@pytest.mark.parametrize(
    ("expires", "since", "until"),
    [
        (hours(48), "2026-03-03T06:00Z", "2026-03-04T18:00Z"),  # at its start at the latest
        (hours(24), "2026-03-03T06:00Z", "2026-03-04T06:00Z"),
    ],
)
def test_a_plan_is_due_before_it_starts_and_never_stands_after(
    expires: timedelta, since: str, until: str
) -> None:
    tested = rule("planned", Each("workout.planned", lead=hours(36)), expires=expires)
    events = [plan("run", "2026-03-04T18:00Z")]
    assert span(tested, events, "2026-03-01", "2026-03-09") == (at(since), at(until))


def test_a_plan_that_is_posted_late_is_due_already() -> None:
    tested = rule("planned", Each("workout.planned", lead=hours(36)), expires=hours(36))
    assert told(evaluate(tested, [plan("run", "2026-03-04T18:00Z")], "2026-03-04T17:00Z")) == ["planned"]


def test_advice_on_a_plan_goes_with_the_session_that_names_it() -> None:
    tested = rule("planned", Each("workout.planned", lead=hours(36)), expires=hours(36))
    events = [plan("run", "2026-03-04T18:00Z", id="p"), run("2026-03-04T07:00Z", 30, plan_id="p")]
    assert span(tested, events, "2026-03-01", "2026-03-09") == (
        at("2026-03-03T06:00Z"),
        at("2026-03-04T07:30Z"),
    )


def test_a_daily_rule_speaks_once_a_local_day_at_its_local_time() -> None:
    tested = rule("evening", Daily(time(20, 30)), expires=hours(3))
    found = evaluate(tested, [], "2026-03-28T19:30Z")  # Berlin, the evening before clocks go forward
    (advice,) = found.active.values()
    assert advice.because.anchor.key == "2026-03-28"
    assert found.next_due == at("2026-03-28T22:30Z")
    after = evaluate(tested, [], "2026-03-28T22:30Z")
    assert (told(after), after.next_due) == ([], at("2026-03-29T18:30Z"))


def test_a_daily_rule_that_outlasts_its_day_stands_for_several_days_at_once() -> None:
    tested = rule("evening", Daily(time(20, 30)), expires=timedelta(days=2))
    keys = sorted(
        each.because.anchor.key for each in evaluate(tested, [], "2026-03-10T20:00Z").active.values()
    )
    assert keys == ["2026-03-09", "2026-03-10"]


def test_a_weekly_rule_speaks_of_the_iso_week() -> None:
    tested = rule(
        "summary",
        Weekly(7, time(18, 0)),
        expires=hours(12),
        facts=[count("n", "workout.completed", During("this_week"))],
    )
    events = [lift("2025-12-28T22:59Z", 0), lift("2025-12-29T10:00Z"), run("2026-01-04T10:00Z")]
    (advice,) = evaluate(tested, events, "2026-01-04T17:00Z").active.values()
    assert advice.because.anchor.key == "2026-W01"
    assert advice.because.facts["n"] == 2
    assert evaluate(tested, events, "2026-01-05T05:00Z").next_due == at("2026-01-11T17:00Z")


def test_a_day_in_two_zones_has_one_anchor() -> None:
    tested = rule("evening", Daily(time(20, 30)), expires=hours(48))
    west = (ZoneChange(None, "Europe/Berlin"), ZoneChange(at("2026-06-01T20:00Z"), "America/New_York"))
    found = evaluate(tested, [], "2026-06-02T12:00Z", replace(ANN, zones=west))
    assert sorted(each.because.anchor.key for each in found.active.values()) == ["2026-05-31", "2026-06-01"]
    assert found.next_due == at("2026-06-02T18:30Z")  # that of 31 May, 20:30 in Berlin, ends


def test_requires_not_met_is_insufficient_data() -> None:
    tested = rule(
        "r", Each("workout.completed"), requires="day.nutrition_complete", when="day.balance_kcal < 0.0"
    )
    found = evaluate(tested, [lift("2026-03-02T08:00Z")], "2026-03-02T10:00Z")
    (verdict,) = found.verdicts
    assert (verdict.outcome, verdict.missing) == ("insufficient_data", "day.nutrition_complete")
    assert found.active == {}


def test_a_profile_that_lacks_what_a_rule_reads_gives_silence_and_names_it() -> None:
    tested = rule("r", Each("workout.completed"), "athlete.body_mass_kg > 60.0")
    found = evaluate(tested, [lift("2026-03-02T08:00Z")], "2026-03-02T10:00Z", Athlete("clb_1", "bo"))
    (verdict,) = found.verdicts
    assert (verdict.outcome, verdict.missing, found.active) == (
        "insufficient_data",
        "athlete.body_mass_kg",
        {},
    )


def test_a_message_that_uses_what_is_absent_is_the_rules_error_and_holds_what_stands() -> None:
    broken = rule("broken", Each("workout.completed"), message="{{ anchor.distance_m }} m")
    sound = rule("sound", Each("workout.completed"))
    events = [lift("2026-03-02T08:00Z")]
    found = evaluate(rulebook(broken, sound), events, "2026-03-02T10:00Z")
    assert told(found) == ["sound"]
    (fault,) = found.faults
    assert (fault.rule, fault.anchor) == ("broken", events[0].key)
    assert "distance_m" in fault.message
    assert found.held == {advice_id("clb_1", "ann", "broken", events[0].key)} == {fault.advice_id}


def test_shadow_rules_are_traced_and_tell_nobody_and_rules_that_are_off_do_neither() -> None:
    shadow, off = (rule(mode, Each("workout.completed"), mode=mode) for mode in ("shadow", "off"))
    found = evaluate(rulebook(shadow, off), [lift("2026-03-02T08:00Z")], "2026-03-02T10:00Z")
    assert [(verdict.rule.id, verdict.outcome) for verdict in found.verdicts] == [("shadow", "holds")]
    assert found.active == {}


def test_a_superseded_rule_is_mute_on_that_local_day_alone() -> None:
    louder = rule(
        "louder", Daily(time(20, 0)), "day.sessions > 0.0", supersedes=["quieter"], expires=hours(48)
    )
    quieter = rule("quieter", Daily(time(8, 0)), expires=hours(48))
    found = evaluate(rulebook(louder, quieter), [lift("2026-03-02T08:00Z")], "2026-03-03T20:00Z")
    assert sorted((each.rule, each.because.anchor.key) for each in found.active.values()) == [
        ("louder", "2026-03-02"),
        ("quieter", "2026-03-03"),
    ]


def test_a_muted_rule_mutes_nobody() -> None:
    first = rule("first", Each("workout.completed"), "anchor.rpe > 5.0", supersedes=["second"])
    second = rule("second", Each("workout.completed"), supersedes=["third"])
    third = rule("third", Each("workout.completed"))
    book = rulebook(first, second, third)
    assert told(evaluate(book, [lift("2026-03-02T08:00Z", rpe=8.0)], "2026-03-02T10:00Z")) == [
        "first",
        "third",
    ]
    assert told(evaluate(book, [lift("2026-03-02T08:00Z", rpe=4.0)], "2026-03-02T10:00Z")) == ["second"]


def test_a_shadow_rule_mutes_nobody() -> None:
    shadow = rule("shadow", Each("workout.completed"), mode="shadow", supersedes=["live"])
    live = rule("live", Each("workout.completed"))
    assert told(evaluate(rulebook(shadow, live), [lift("2026-03-02T08:00Z")], "2026-03-02T10:00Z")) == [
        "live"
    ]


def test_an_edit_governs_anchors_due_after_it_and_no_others() -> None:
    old, new = (rule("r", Each("workout.completed"), message=f"version {n}", version=n) for n in (1, 2))
    book = edited((None, [old]), (at("2026-03-02T12:00Z"), [new]))
    events = [lift("2026-03-02T08:00Z"), lift("2026-03-02T11:00Z")]  # the second is due at 12:00
    found = evaluate(book, events, "2026-03-02T13:00Z")
    assert sorted((each.due.hour, each.message, each.rule_version) for each in found.active.values()) == [
        (9, "version 1", 1),
        (12, "version 2", 2),
    ]


def test_an_edit_that_moves_the_time_does_not_ask_about_the_same_day_again() -> None:
    early, late = (
        rule("r", Daily(time(hour)), message=f"at {hour}", expires=hours(4), version=hour) for hour in (8, 20)
    )
    book = edited((None, [early]), (at("2026-03-02T12:00Z"), [late]))
    assert evaluate(book, [], "2026-03-02T20:00Z").active == {}
    assert told(evaluate(book, [], "2026-03-03T20:00Z")) == ["r"]
    longer, later = (
        rule("r", Each("workout.completed", delay=hours(delay)), expires=hours(8), version=delay)
        for delay in (0, 6)
    )
    book = edited((None, [longer]), (at("2026-03-02T12:00Z"), [later]))
    [stands] = evaluate(book, [lift("2026-03-02T08:00Z")], "2026-03-02T16:00Z").active.values()
    assert stands.rule_version == 0


@pytest.mark.parametrize("moved", [Weekly(1, time(20)), Weekly(4, time(20))])
def test_an_edit_that_moves_a_weekly_time_does_not_ask_about_the_same_week_again(moved: Weekly) -> None:
    early, late = (rule("r", anchor, expires=hours(4)) for anchor in (Weekly(1, time(8)), moved))
    book = edited((None, [early]), (at("2026-03-02T12:00Z"), [late]))
    assert evaluate(book, [], f"2026-03-0{moved.weekday + 1}T20:00Z").active == {}
    assert told(evaluate(book, [], f"2026-03-{moved.weekday + 8:02}T20:00Z")) == ["r"]


def test_a_time_that_an_edit_took_away_before_it_came_does_not_count_as_asked() -> None:
    at_six, at_eight = (rule("r", Daily(time(hour))) for hour in (18, 20))
    noon, night = at("2026-03-02T12:00Z"), at("2026-03-02T19:15Z")
    book = edited((None, [at_six]), (noon, [at_eight]), (night, [at_eight]))
    assert told(evaluate(book, [], "2026-03-02T20:00Z")) == ["r"]


@pytest.mark.parametrize("anchor", [Daily(time(20)), Weekly(1, time(20))])
def test_of_times_that_open_later_the_next_alone_is_asked_for(anchor: Daily | Weekly) -> None:
    now = at("2026-03-02T20:00Z")  # due an hour ago, and settling for another
    found = anchors(rule("r", anchor, settle=hours(2)), Timeline([], Calendar(ANN.zones), now), now)
    assert [due.opens for due in found if due.opens > now] == [at("2026-03-02T21:00Z")]


@pytest.mark.parametrize(
    ("anchor", "following"),
    [(Daily(time(20)), "2026-03-03T21:00Z"), (Weekly(1, time(20)), "2026-03-09T21:00Z")],
)
def test_at_the_very_instant_at_which_one_time_opens_the_next_is_asked_for(
    anchor: Daily | Weekly, following: str
) -> None:
    now = at("2026-03-02T21:00Z")
    found = anchors(rule("r", anchor, settle=hours(2)), Timeline([], Calendar(ANN.zones), now), now)
    assert [due.opens for due in found if due.opens >= now] == [now, at(following)]


def test_a_message_names_the_sets_of_a_session() -> None:
    text = "{% for s in anchor.sets %}{{ s.exercise }} {{ s.weight_kg }}{% if not loop.last %}, {% endif %}{% endfor %}"
    sets = [{"exercise": "squat", "weight_kg": 100}, {"exercise": "row", "weight_kg": 62.5, "reps": None}]
    book = rulebook(rule("r", Each("workout.completed"), message=text))
    [said] = evaluate(book, [lift("2026-03-02T08:00Z", sets=sets)], "2026-03-02T12:00Z").active.values()
    assert said.message == "squat 100, row 62.5"


def test_a_rule_that_was_taken_out_keeps_what_it_issued() -> None:
    book = edited((None, [rule("r", Each("workout.completed"))]), (at("2026-03-02T12:00Z"), []))
    events = [lift("2026-03-02T08:00Z"), lift("2026-03-02T11:00Z")]  # the second is due as the rule goes
    assert [each.due for each in evaluate(book, events, "2026-03-02T14:00Z").active.values()] == [
        at("2026-03-02T09:00Z")
    ]


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({}, "6 low"),
        ({"gap_h": 3}, "3 low"),
        ({"gap_h": "three", "word": "high"}, "6 high"),
        ({"gap_h": True, "word": 4.0}, "6 low"),
        ({"unheard_of": 1.0}, "6 low"),
    ],
)
def test_an_athletes_params_override_those_of_the_same_name_and_kind(
    own: dict[str, Param], says: str
) -> None:
    tested = rule(
        "r",
        Each("workout.completed"),
        params={"gap_h": 6, "word": "low"},
        message="{{ params.gap_h }} {{ params.word }}",
    )
    athlete = replace(ANN, params={"r": own, "other": {"gap_h": 1.0}})
    (advice,) = evaluate(tested, [lift("2026-03-02T08:00Z")], "2026-03-02T10:00Z", athlete).active.values()
    assert advice.message == says


def test_lists_of_another_kind_do_not_override() -> None:
    tested = rule("r", Each("workout.completed"), params={"hours": (1.0, 2.0)}, message="{{ params.hours }}")
    events = [lift("2026-03-02T08:00Z")]
    for own, says in (((3.0,), "3"), (("a",), "1, 2")):
        athlete = replace(ANN, params={"r": {"hours": own}})
        (advice,) = evaluate(tested, events, "2026-03-02T10:00Z", athlete).active.values()
        assert advice.message == says


def test_advice_says_why() -> None:
    events = [
        lift("2026-03-02T16:00Z", id="l"),
        meal("2026-03-02T18:00Z", id="m"),
        run("2026-03-02T19:00Z", 20, id="r", intensity="sprint"),
    ]
    (advice,) = evaluate(SPRINT, events, "2026-03-02T20:00Z").active.values()
    anchor = advice.because.anchor
    assert (anchor.kind, anchor.key, anchor.type) == ("each", events[2].key, "workout.completed")
    assert (anchor.start, anchor.end, anchor.due) == (events[2].start, events[2].end, events[2].end)
    assert [each.id for each in advice.because.events] == ["l", "r"]
    assert advice.because.events[0] == EventRef(
        "app", "l", 0, "workout.completed", events[0].start, events[0].end
    )
    facts = advice.because.facts
    assert (facts["gap_h"], facts["lift"]["id"], facts["params.min_gap_h"]) == (2.0, "l", 6.0)


def test_advice_on_the_days_energy_rests_on_its_meals_and_sessions_and_says_how_they_were_reckoned() -> None:
    tested = rule(
        "r", Daily(time(20, 0)), "day.balance_kcal < 0.0", message="{{ day.balance_kcal | round | int }}"
    )
    events = [meal("2026-03-02T11:00Z", id="m"), lift("2026-03-02T08:00Z", id="l")]
    (advice,) = evaluate(tested, events, "2026-03-02T19:00Z").active.values()
    assert [each.id for each in advice.because.events] == ["l", "m"]
    assert advice.because.facts == {
        "day.balance_kcal": pytest.approx(600 - 1780 * 1.3 - 200),
        "day.training_method": "activity MET",
        "athlete.birth_year": 1996,
        "athlete.body_mass_kg": 80,
        "athlete.height_cm": 180,
        "athlete.sex": "male",
        "athlete.timezone": "Europe/Berlin",
    }


def test_of_many_events_the_latest_are_listed_and_the_anchor_always_and_the_others_are_counted() -> None:
    tested = rule("r", Each("checkin.recorded"), facts=[count("n", "meal.logged", LastDays(1))])
    anchor = event("checkin.recorded", "2026-03-02T05:00Z", fatigue=9.0)
    meals = [
        meal(at("2026-03-02T06:00Z") + timedelta(seconds=n), id=f"m{n:03d}") for n in range(MOST_EVENTS + 10)
    ]
    (advice,) = evaluate(tested, [anchor, *meals], "2026-03-02T10:00Z").active.values()
    listed = [each.id for each in advice.because.events]
    assert listed == [anchor.id, *(f"m{n:03d}" for n in range(11, MOST_EVENTS + 10))]
    assert (advice.because.facts["n"], advice.because.left_out) == (MOST_EVENTS + 10, 11)


def test_an_anchor_that_its_own_facts_count_is_listed_once() -> None:
    tested = rule(
        "r", Each("workout.completed"), "n == 1.0", facts=[count("n", "workout.completed", During("today"))]
    )
    anchor = lift("2026-03-02T16:00Z")
    (advice,) = evaluate(tested, [anchor], "2026-03-02T18:00Z").active.values()
    assert [listed.id for listed in advice.because.events] == [anchor.id]


def test_the_parts_of_a_condition_are_told_once_the_rule_has_looked() -> None:
    tested = rule("evening", Daily(time(20, 30)), "athlete.body_mass_kg > 70.0 && athlete.height_cm > 200.0")
    early, late = (evaluate(tested, [], f"2026-03-02T{clock}Z") for clock in ("12:00", "19:30"))
    waiting = [verdict for verdict in early.verdicts if verdict.outcome == "pending"]
    assert waiting
    assert all(verdict.conditions(early.local) == () for verdict in waiting)
    (looked,) = (verdict for verdict in late.verdicts if verdict.outcome == "does_not_hold")
    assert [part.held for part in looked.conditions(late.local)] == [True, False]


def test_numbers_in_evidence_have_six_decimals() -> None:
    tested = rule("r", Each("workout.completed"), facts=[("third", "anchor.duration_s / 7.0")])
    (advice,) = evaluate(tested, [lift("2026-03-02T08:00Z", 1 / 60)], "2026-03-02T10:00Z").active.values()
    assert advice.because.facts["third"] == 0.142857


def test_evidence_does_not_change_as_time_passes() -> None:
    events = [lift("2026-03-02T16:00Z"), run("2026-03-02T19:00Z", 20, intensity="sprint")]
    assert (
        evaluate(SPRINT, events, "2026-03-02T20:00Z").active
        == evaluate(SPRINT, events, "2026-03-03T10:00Z").active
    )


def test_a_rule_that_reads_now_is_looked_at_every_quarter_of_an_hour_while_it_may_speak() -> None:
    tested = rule(
        "r", Each("workout.completed"), "now - anchor.end >= duration('1h')", expires=timedelta(minutes=100)
    )
    events = [lift("2026-03-02T08:00Z", 60)]
    assert evaluate(tested, events, "2026-03-02T09:00Z").next_due == at("2026-03-02T09:15Z")
    assert evaluate(tested, events, "2026-03-02T09:17Z").next_due == at("2026-03-02T09:30Z")
    assert span(tested, events, "2026-03-02T08:00Z", "2026-03-03") == (
        at("2026-03-02T10:00Z"),
        at("2026-03-02T10:40Z"),
    )


def test_what_a_rule_reads_as_now_does_not_hang_on_when_the_engine_was_woken() -> None:
    tested = rule("r", Each("workout.completed"), message="{{ now | clock }}")
    events = [lift("2026-03-02T08:00Z", 60)]
    found = [
        evaluate(tested, events, f"2026-03-02T{clock}").active
        for clock in ("09:15Z", "09:17Z", "09:29Z", "09:30Z")
    ]
    assert found[0] == found[1] == found[2] != found[3]


def test_the_age_is_that_of_the_anchors_year_and_the_zone_that_of_its_start() -> None:
    tested = rule("r", Each("workout.completed"), message="{{ athlete.age | int }} {{ athlete.timezone }}")
    moved = replace(ANN, zones=(*ANN.zones, ZoneChange(at("2026-03-02T10:00Z"), "Asia/Tokyo")))
    events = [lift("2026-03-02T08:00Z"), lift("2026-03-02T10:00Z")]
    says = sorted(
        each.message for each in evaluate(tested, events, "2026-03-02T12:00Z", moved).active.values()
    )
    assert says == ["30 Asia/Tokyo", "30 Europe/Berlin"]


def test_with_nothing_to_come_there_is_no_next_time() -> None:
    tested = rule("r", Each("workout.completed"))
    assert evaluate(tested, [lift("2026-03-02T08:00Z")], "2026-03-20").next_due is None
