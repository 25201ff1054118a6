"""The engine's laws, over random packs and months."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.rules.engine.advise import advise
from services.rules.engine.horizon import horizon
from services.rules.engine.timeline import resolve
from services.rules.language.model import Before, Daily, During, Each, Rule, Rulebook, Weekly
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event
from tests.rules.engine.diary import ANN, at, event, lift, meal, plan, run, workout
from tests.rules.engine.random_months import MONTH, athletes, instants, months, packs
from tests.rules.engine.rulebooks import TODAY, count, rule, rulebook


@given(packs(), athletes(), months(), instants(), st.randoms(use_true_random=False))
def test_any_permutation_of_a_month_gives_the_same_advice(
    book: Rulebook, athlete: Athlete, events: list[Event], now: datetime, random: Random
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert advise(book, athlete, shuffled, now) == advise(book, athlete, events, now)


@given(months(), st.data(), st.randoms(use_true_random=False))
def test_revisions_repeats_and_deletions_leave_the_same_timeline_in_any_order(
    events: list[Event], data: st.DataObject, random: Random
) -> None:
    arrivals = list(events)
    for each in events:
        kind = data.draw(st.sampled_from(["once", "twice", "revised", "deleted"]))
        if kind == "twice":
            arrivals.append(each)
        elif kind == "revised":
            arrivals.append(replace(each, revision=1, start=each.start + timedelta(hours=1)))
        elif kind == "deleted":
            arrivals.append(event("event.deleted", each.start, id=f"gone {each.id}", event_id=each.id))
    left = resolve(arrivals)
    random.shuffle(arrivals)
    assert resolve(arrivals) == left
    assert left == sorted(left, key=lambda each: each.order)


def test_a_deletion_from_another_source_takes_nothing_away() -> None:
    mine = lift("2026-03-02T08:00Z", id="a")
    theirs = event("event.deleted", "2026-03-02T09:00Z", id="x", source="other", event_id="a")
    assert resolve([mine, theirs]) == [mine]


def test_a_deletion_that_comes_first_takes_all_revisions() -> None:
    gone = event("event.deleted", "2026-03-02T09:00Z", id="x", event_id="a")
    assert resolve([gone, lift("2026-03-02T08:00Z", id="a", revision=7)]) == []


@given(packs(), athletes(), months(), instants(), st.data())
def test_nothing_changes_before_the_next_due_time(
    book: Rulebook, athlete: Athlete, events: list[Event], now: datetime, data: st.DataObject
) -> None:
    found = advise(book, athlete, events, now)
    until = min(found.next_due or now + MONTH, now + MONTH)
    assert until > now
    moments = st.integers(0, int((until - now) / timedelta(milliseconds=1)) - 1)
    between = now + timedelta(milliseconds=data.draw(moments, "ms later"))
    last = until - timedelta(milliseconds=1)
    for later in (between, last):
        again = advise(book, athlete, events, later)
        assert (again.active, again.held, again.next_due) == (found.active, found.held, found.next_due)


@given(packs(), athletes(), months(days=90), instants(days=90))
def test_the_horizon_holds_all_that_matters(
    book: Rulebook, athlete: Athlete, events: list[Event], now: datetime
) -> None:
    reach = horizon(book)
    # What may lie ahead: plans, and what was posted up to a quarter of an hour early.
    known = [
        each for each in events if each.type == "workout.planned" or each.start <= now + timedelta(minutes=15)
    ]
    assume(all(each.start <= now + reach.ahead for each in known))
    since = reach.since(now)
    near = [
        each for each in known if each.type in since and since[each.type] <= each.start <= now + reach.ahead
    ]
    whole, part = advise(book, athlete, known, now), advise(book, athlete, near, now)
    assert (part.active, part.held) == (whole.active, whole.held)
    # What no rule reads may still ask for an evaluation when it ends; that one finds nothing new.
    read = advise(book, athlete, [each for each in known if each.type in since], now)
    assert part.next_due == read.next_due


NOW = at("2026-06-30T12:00Z")
DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    ("tested", "events"),
    [
        (
            rule("a session of long ago", Each("workout.completed", delay=DAYS * 5), expires=DAYS * 30),
            [workout("hike", NOW - DAYS * 37 + timedelta(minutes=1), 48 * 60)],
        ),
        (
            replace(
                rule("a session that counts for its day", Each("workout.completed", delay=DAYS * 30)),
                most_a_day=1,
            ),
            [lift(NOW - DAYS * 30 - DAYS / 4)],
        ),
        (
            rule(
                "what came before it",
                Each("workout.completed"),
                "n > 0.0",
                facts=[count("n", "meal.logged", Before(DAYS * 60))],
                expires=DAYS * 30,
            ),
            [lift(NOW - DAYS * 29), meal(NOW - DAYS * 89)],
        ),
        (
            rule(
                "two weeks before",
                Daily(time(20, 30)),
                "n > 0.0",
                facts=[count("n", "meal.logged", During("last_week"))],
                expires=DAYS * 30,
            ),
            [meal(at("2026-05-18T00:00Z"))],
        ),
        (
            rule("the week", Weekly(7, time(23, 0)), "week.energy_in_kcal > 0.0", expires=DAYS * 30),
            [meal(at("2026-06-01T00:00Z"))],
        ),
        (
            rule("undone", Each("workout.planned", lead=DAYS), expires=DAYS * 2),
            [plan("run", NOW + DAYS / 2, id="p"), run(NOW - DAYS * 59, plan_id="p")],
        ),
        (
            rule(
                "plans of last week",
                Each("workout.completed"),
                "n > 0.0",
                facts=[count("n", "workout.planned", Before(DAYS * 7))],
            ),
            [lift(NOW - DAYS), plan("run", NOW - DAYS * 7, id="p"), run(NOW - DAYS * 66, plan_id="p")],
        ),
    ],
    ids=lambda value: value.id if isinstance(value, Rule) else "",
)
def test_the_oldest_event_that_matters_lies_within_the_horizon(tested: Rule, events: list[Event]) -> None:
    assert_the_oldest_matters_and_is_near(rulebook(tested), events)


def test_what_muted_advice_that_is_over_rested_on_lies_within_the_horizon() -> None:
    sessions = Each("workout.completed", delay=DAYS * 30)
    muting = rule(
        "muting",
        sessions,
        "n > 0.0",
        facts=[count("n", "meal.logged", Before(DAYS * 60))],
        expires=DAYS * 12,
        supersedes=["muted"],
    )
    muted = replace(rule("muted", sessions, expires=DAYS / 24), most_a_day=1)
    counted = replace(rule("counted", Daily(time(13, 0))), most_a_day=1)
    session = lift(NOW - DAYS * 30 - DAYS / 6)
    events = [session, meal(session.start - DAYS * 60)]
    assert_the_oldest_matters_and_is_near(rulebook(muting, muted, counted), events)


def assert_the_oldest_matters_and_is_near(book: Rulebook, events: list[Event]) -> None:
    oldest = min(events, key=lambda each: each.start)
    others = [each for each in events if each is not oldest]
    assert advise(book, ANN, events, NOW).active != advise(book, ANN, others, NOW).active
    assert oldest.start >= horizon(book).since(NOW)[oldest.type]


@given(packs(), athletes(), months(), instants())
def test_advice_stands_only_in_its_span_and_has_one_name(
    book: Rulebook, athlete: Athlete, events: list[Event], now: datetime
) -> None:
    found = advise(book, athlete, events, now)
    assert all(each.due <= now < each.expires_at for each in found.active.values())
    assert all(name == each.id for name, each in found.active.items())
    assert len({(each.rule, each.because.anchor.key) for each in found.active.values()}) == len(found.active)


@given(months(), instants(), athletes())
def test_a_late_event_withdraws_the_advice_that_it_refutes(
    events: list[Event], now: datetime, athlete: Athlete
) -> None:
    never_lifted = rule(
        "lift-too",
        Each("workout.completed"),
        "lifts == 0.0",
        facts=[count("lifts", "checkin.recorded", TODAY)],
        expires=timedelta(hours=48),
    )
    anchor = run(now - timedelta(minutes=30), 30, id="the run")
    before = advise(rulebook(never_lifted), athlete, [*events, anchor], now)
    late = event("checkin.recorded", anchor.start, id="late", fatigue=1.0)
    after = advise(rulebook(never_lifted), athlete, [*events, anchor, late], now)
    gone = {each.id for each in before.active.values()} - after.active.keys()
    on_that_day = {each.id for each in before.active.values() if each.because.anchor.key == anchor.key}
    assert on_that_day <= gone
    assert after.active.keys() <= before.active.keys()
