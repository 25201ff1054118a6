"""What an earlier evaluation spares a later one changes nothing that is said, whatever comes between the two."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.earlier import Earlier
from services.rules.engine.timeline import resolve
from services.rules.language.model import Before, Each, Rulebook
from shared.contracts.athletes import Athlete
from shared.contracts.events import Change, Event
from tests.rules.engine.diary import ANN, at, event, lift, meal, run
from tests.rules.engine.random_months import athletes, instants, months, packs
from tests.rules.engine.rulebooks import count, rule, rulebook


def told(found: Evaluation) -> tuple[object, ...]:
    """Return all of an evaluation that anything hangs on."""
    return (found.active, found.held, found.next_due, found.unsaid, found.unsettled)


def left_by(found: Evaluation, now: datetime, changes: Iterable[Change]) -> Earlier:
    """Return what the evaluation at `now` leaves to the next one."""
    stood = {(advice.rule, advice.because.anchor.key): advice for advice in found.active.values()}
    return Earlier(now, stood, found.unsettled, tuple(changes))


def changed(before: Sequence[Event], after: Sequence[Event]) -> list[Change]:
    """Return where the two timelines differ."""
    old, new = ({each.key: each for each in events} for events in (before, after))
    keys = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    found = [side[key] for key in keys for side in (old, new) if key in side]
    return [Change(each.type, each.start, each.key) for each in found]


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[Event]]:
    """Return a month of events as it comes: in up to four parts, some revised or deleted in a later one."""
    parts: list[list[Event]] = [[] for _ in range(draw(st.integers(2, 4)))]
    for each in draw(months()):
        place = draw(st.integers(0, len(parts) - 1))
        parts[place].append(each)
        fate = draw(st.sampled_from(["stays", "stays", "stays", "moves", "goes"]))
        last = parts[draw(st.integers(place, len(parts) - 1))]
        if fate == "moves":
            start = draw(instants())
            last.append(replace(each, start=start, end=start + (each.end - each.start), revision=1))
        elif fate == "goes":
            last.append(event("event.deleted", each.start, id=f"d{each.id}", event_id=each.id))
    return parts


@given(packs(), athletes(), arrivals(), st.data())
def test_what_was_judged_before_need_not_be_judged_again(
    book: Rulebook, athlete: Athlete, parts: list[list[Event]], data: st.DataObject
) -> None:
    moments = sorted(data.draw(st.lists(instants(), min_size=len(parts), max_size=len(parts))))
    earlier, known, before = None, [], []
    for now, part in zip(moments, parts, strict=True):
        known += part
        timeline = resolve(known)
        if earlier is not None:
            earlier = replace(earlier, changes=tuple(changed(before, timeline)))
        whole = advise(book, athlete, timeline, now)
        assert told(advise(book, athlete, timeline, now, earlier)) == told(whole)
        earlier, before = left_by(whole, now, ()), timeline


NOW = at("2026-03-04T17:00Z")
SEVEN_DAYS = Before(timedelta(days=7))


def test_only_the_new_session_is_judged() -> None:
    book = rulebook(
        rule("any", Each("workout.completed"), "n > 0.0", facts=[count("n", "meal.logged", SEVEN_DAYS)])
    )
    first = [meal(NOW - timedelta(days=1)), lift(NOW - timedelta(hours=3), id="lift")]
    found = advise(book, ANN, first, NOW)
    second = [*first, run(NOW, 20, id="run")]
    later = NOW + timedelta(minutes=30)
    again = advise(book, ANN, second, later, left_by(found, NOW, changed(first, second)))
    assert [verdict.due.ref.key for verdict in again.verdicts] == [second[-1].key]
    assert again.active == advise(book, ANN, second, later).active


def test_a_late_meal_has_the_session_judged_again_whose_window_it_lies_in() -> None:
    book = rulebook(
        rule("any", Each("workout.completed"), "n == 0.0", facts=[count("n", "meal.logged", SEVEN_DAYS)])
    )
    first = [lift(NOW - timedelta(hours=3), id="lift")]
    found = advise(book, ANN, first, NOW)
    assert found.active
    second = [*first, meal(NOW - timedelta(days=1))]
    assert not advise(book, ANN, second, NOW, left_by(found, NOW, changed(first, second))).active
