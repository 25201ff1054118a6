"""A digest stands for the events that it was made of: where it answers at all, the answer is theirs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.digest import UNDIGESTED, Digest, NotReadError, digested, layout
from services.rules.engine.horizon import horizon
from services.rules.language.model import Aggregate, Before, Daily, Each, LastDays, Pick, Rulebook, Window
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event
from tests.rules.engine.diary import ANN, at, lift, meal, plan, run
from tests.rules.engine.random_months import athletes, instants, months, packs, types
from tests.rules.engine.rulebooks import count, rule, rulebook

DAY = timedelta(days=1)
NOW = at("2026-03-14T17:00Z")


def midnight_before(now: datetime, days: int) -> datetime:
    return datetime(now.year, now.month, now.day, tzinfo=UTC) - DAY * days


def split(
    book: Rulebook, events: Sequence[Event], now: datetime, untils: Sequence[datetime]
) -> tuple[Digest, list[Event]]:
    """Return a digest that has grown day by day up to the last of `untils`, and the events that are left to read."""
    wanted = layout(book, horizon(book).back)
    digest: Digest | None = None
    for until in untils:
        digest = digested(wanted, digest, left(events, digest), horizon(book).since(now), until)
    assert digest is not None
    return digest, left(events, digest)


def left(events: Sequence[Event], digest: Digest | None) -> list[Event]:
    """Return the events that a digest does not stand for."""
    return [
        each for each in events if digest is None or each.start >= digest.until or each.type in UNDIGESTED
    ]


def with_digest(
    book: Rulebook, athlete: Athlete, events: Sequence[Event], now: datetime, ages: Sequence[int]
) -> Evaluation | None:
    """Evaluate with a digest that has grown to these ages, in days; None when it asks for the events."""
    untils = [midnight_before(now, age) for age in sorted(ages, reverse=True)]
    digest, rest = split(book, sorted(events, key=lambda each: each.order), now, untils)
    try:
        found = advise(book, athlete, rest, now, digest=digest)
    except NotReadError:
        note("asked for the events")
        return None
    note("answered")
    return found


@given(
    packs(),
    athletes(),
    months(),
    instants(),
    st.lists(st.integers(0, 20), min_size=1, max_size=3, unique=True),
)
def test_a_digest_gives_the_same_advice_as_its_events_or_asks_for_them(
    book: Rulebook, athlete: Athlete, events: list[Event], now: datetime, ages: list[int]
) -> None:
    whole = advise(book, athlete, events, now)
    found = with_digest(book, athlete, events, now, ages)
    if found is None:
        return
    assert (found.active, found.held, found.unsaid) == (whole.active, whole.held, whole.unsaid)
    assert [(each.rule, each.due, each.outcome, each.missing) for each in found.verdicts] == [
        (each.rule, each.due, each.outcome, each.missing) for each in whole.verdicts
    ]


wide = st.one_of(st.integers(7, 28).map(LastDays), st.integers(7, 28).map(lambda days: Before(DAY * days)))


@given(
    st.lists(st.tuples(types, wide), min_size=1, max_size=4),
    months(20),
    instants(6),
    st.lists(st.integers(0, 20), min_size=1, max_size=3, unique=True),
)
@settings(max_examples=300)
def test_what_is_counted_is_counted_alike_with_a_digest(
    wanted: list[tuple[str, Window]], events: list[Event], more: datetime, ages: list[int]
) -> None:
    now = more + DAY * 16
    facts = [count(f"n{place}", kind, window) for place, (kind, window) in enumerate(wanted)]
    book = rulebook(rule("counts", Daily(time(12)), "n0 < 0.0", facts=facts))
    whole = advise(book, ANN, events, now)
    found = with_digest(book, ANN, events, now, ages)
    if found is None:
        return
    assert [each.known.names for each in found.verdicts] == [each.known.names for each in whole.verdicts]


def totals(window: Window) -> tuple[Aggregate, ...]:
    load = Aggregate("load", "sum", "workout.completed", "session_load", (), window)
    return (
        count("n", "meal.logged", window),
        replace(load, name="days", operation="days", field=None),
        load,
        Aggregate("kcal", "avg", "meal.logged", "energy_kcal", (), window),
    )


FORTNIGHT: list[Event] = sorted(
    [
        each
        for day in range(14)
        for each in (
            meal(NOW - DAY * day - timedelta(hours=5), 400 + day / 10),
            run(NOW - DAY * day - timedelta(hours=3), rpe=4.1),
        )
    ],
    key=lambda each: each.order,
)


@pytest.mark.parametrize("window", [Before(DAY * 9), LastDays(9)], ids=["before", "last days"])
def test_sums_counts_means_and_days_over_weeks_need_no_event_but_the_latest(window: Window) -> None:
    book = rulebook(
        rule("sums", Each("workout.completed"), "n + days + load + kcal < 0.0", facts=totals(window))
    )
    digest, rest = split(book, FORTNIGHT, NOW, [midnight_before(NOW, 2)])
    assert len(rest) < len(FORTNIGHT) / 3
    [found] = advise(book, ANN, rest, NOW, digest=digest).verdicts
    [whole] = advise(book, ANN, FORTNIGHT, NOW).verdicts
    assert {name: found.known.names[name] for name in ("n", "days", "load", "kcal")} == {
        name: whole.known.names[name] for name in ("n", "days", "load", "kcal")
    }
    assert found.outcome == whole.outcome == "does_not_hold"


def test_advice_that_rests_on_summed_up_events_asks_for_them() -> None:
    book = rulebook(rule("sums", Each("workout.completed"), "n > 0.0", facts=totals(Before(DAY * 9))))
    digest, rest = split(book, FORTNIGHT, NOW, [midnight_before(NOW, 2)])
    with pytest.raises(NotReadError):
        advise(book, ANN, rest, NOW, digest=digest)


def test_the_last_of_its_kind_is_found_among_the_latest_events_or_asked_for() -> None:
    last = Pick("last", "last", "workout.completed", (), Before(DAY * 9))
    book = rulebook(rule("again", Each("meal.logged"), "last.found", facts=[last]))
    digest, rest = split(book, FORTNIGHT, NOW, [midnight_before(NOW, 2)])
    assert advise(book, ANN, rest, NOW, digest=digest).active
    with pytest.raises(NotReadError):
        advise(book, ANN, [each for each in rest if each.type == "meal.logged"], NOW, digest=digest)


def test_a_digest_of_a_session_that_is_not_over_is_not_used() -> None:
    book = rulebook(rule("sums", Each("meal.logged"), "n > 9.0", facts=totals(Before(DAY * 9))))
    hike = lift(NOW - DAY * 2, 46 * 60)
    digest, rest = split(book, [hike], NOW, [NOW - DAY])
    assert advise(book, ANN, rest, NOW, digest=digest).active == {}
    with pytest.raises(NotReadError):
        advise(book, ANN, rest, NOW - timedelta(hours=3), digest=digest)


def test_plans_are_seen_however_old_and_sessions_take_them_though_they_are_summed_up() -> None:
    days = count("days", "workout.completed", Before(DAY * 9))
    missed = count("missed", "workout.planned", Before(DAY * 9))
    book = rulebook(rule("missed", Each("meal.logged"), "missed + days < 0.0", facts=[missed, days]))
    plans = [plan("run", NOW - DAY * day, id=f"plan {day}") for day in range(1, 8)]
    runs = [run(NOW - DAY * day + timedelta(hours=1), plan_id=f"plan {day}") for day in (1, 5, 7)]
    events = sorted([*plans, *runs, meal(NOW - timedelta(hours=1))], key=lambda each: each.order)
    digest, rest = split(book, events, NOW, [midnight_before(NOW, 6), midnight_before(NOW, 2)])
    assert digest.taken.keys() == {"plan 5", "plan 7"}
    [found] = advise(book, ANN, rest, NOW, digest=digest).verdicts
    assert found.known.names == {"missed": 4.0, "days": 3.0}


def test_what_took_a_plan_is_forgotten_when_sessions_of_then_matter_no_more() -> None:
    facts = [count("missed", "workout.planned", Before(DAY)), count("n", "workout.completed", Before(DAY))]
    book = rulebook(rule("missed", Each("meal.logged"), facts=facts))
    first, _ = split(book, [run(NOW - DAY * 60, plan_id="old"), run(NOW - DAY, plan_id="new")], NOW, [NOW])
    assert first.taken.keys() == {"old", "new"}
    later = NOW + DAY * 20
    grown = digested(layout(book, horizon(book).back), first, [], horizon(book).since(later), NOW)
    assert grown.taken.keys() == {"new"}
