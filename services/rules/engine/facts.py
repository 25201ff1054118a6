"""What a rule knows at an anchor: its facts, evaluated in order over the athlete's timeline, and what they rest on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import fsum

from services.rules.engine.anchors import Due
from services.rules.engine.digest import knows_when
from services.rules.engine.selection import Selection, Span
from services.rules.engine.timeline import Timeline
from services.rules.language.model import (
    AbsentError,
    After,
    Aggregate,
    Before,
    Bound,
    Computed,
    During,
    EvaluationError,
    LastDays,
    Local,
    Pick,
    Record,
    Rule,
    Window,
)
from shared.contracts.events import Event

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_EXTREME: Mapping[str, Callable[[Sequence[float]], float]] = {"min": min, "max": max}
INEXACT_ANCHOR = "anchor.time_precision"
"""What is missing when a window of less than a day is asked about an anchor whose time is not exact."""
MOST_EVENTS_A_WINDOW = 5_000
"""What one fact may look at. A year of ten meals a day is less; a fact over more is an error, never cut short."""


@dataclass(slots=True)
class Knowledge:
    """The names that are bound so far, for each absent fact what was missing, and where the others were looked for."""

    names: dict[str, Bound]
    missing: dict[str, str] = field(default_factory=dict)
    looked: tuple[Rule, Timeline, Due] | None = field(default=None, compare=False)

    def behind(self) -> dict[str, Sequence[Event]]:
        """Return for each fact over events those that it was taken of: found again, for few verdicts are asked."""
        if self.looked is None:
            return {}
        rule, timeline, due = self.looked
        return {
            fact.name: _behind(fact, timeline, due)
            for fact in rule.facts
            if not isinstance(fact, Computed)
            and (fact.name in self.names or self.missing.get(fact.name, INEXACT_ANCHOR) != INEXACT_ANCHOR)
        }

    def events(self) -> dict[str, Event]:
        """Return all events behind the facts, by key."""
        return {event.key: event for events in self.behind().values() for event in events}

    def root_of(self, absent: str) -> str:
        """Return what was missing in the first place when reading `absent` failed."""
        return self.missing.get(absent) or self.missing.get(absent.partition(".")[0], absent)


def learn(rule: Rule, known: Knowledge, timeline: Timeline, due: Due, local: Local) -> None:
    """Bind each fact's value in turn. A fact that is absent stays unbound; raise `EvaluationError` on a faulty one."""
    known.looked = (rule, timeline, due)
    loose = due.event if due.event is not None and "time_precision" in due.event.data else None
    for fact in rule.facts:
        if isinstance(fact, Computed):
            try:
                known.names[fact.name] = fact.expression.evaluate(known.names, local)
            except AbsentError as error:
                known.missing[fact.name] = known.root_of(error.missing)
            continue
        if loose is not None and not knows_when(loose, fact.precision):
            known.missing[fact.name] = INEXACT_ANCHOR
            continue
        if timeline.total > MOST_EVENTS_A_WINDOW:
            _must_be_bounded(fact, timeline, due)
        found = _within(timeline.chosen(fact.choice), fact.window, due)
        if isinstance(fact, Pick):
            events = _picked(fact, found)
            known.names[fact.name] = (
                timeline.record(events[0]) if events else Record(fact.type, {"found": False})
            )
            continue
        value = _aggregate(fact, found)
        if value is None:
            known.missing[fact.name] = f"{fact.type}.{fact.field}"
        else:
            known.names[fact.name] = value


def _behind(fact: Aggregate | Pick, timeline: Timeline, due: Due) -> Sequence[Event]:
    found = _within(timeline.chosen(fact.choice), fact.window, due)
    return _picked(fact, found) if isinstance(fact, Pick) else found.events()


def _picked(fact: Pick, found: Span) -> Sequence[Event]:
    return found.last() if fact.which == "last" else found.events()[:1]


def _must_be_bounded(fact: Aggregate | Pick, timeline: Timeline, due: Due) -> None:
    if timeline.size(fact.type) <= MOST_EVENTS_A_WINDOW:
        return
    size = len(_within(timeline.of(fact.type), fact.window, due))
    if size > MOST_EVENTS_A_WINDOW:
        raise EvaluationError(
            f"the window of {fact.name} holds {size:,} events of {fact.type};"
            f" at most {MOST_EVENTS_A_WINDOW:,} are allowed: give it a shorter window"
        )


def _within(selection: Selection, window: Window, due: Due) -> Span:
    """Return those events that start in the window around the anchor; the anchor itself only in whole days."""
    anchor = due.event
    if isinstance(window, Before):
        found = selection.between(due.start - window.span, due.start)
        if anchor is None or anchor.start >= due.start:
            return found
    elif isinstance(window, After):
        found = selection.between(due.end, due.end + window.span)
    else:
        return selection.on(*days_of(window, due.day))
    return found if anchor is None else found.keep(lambda event: event.key != anchor.key)


def days_of(window: During | LastDays, day: date) -> tuple[date, date]:
    """Return the first and last local day of a window of whole days."""
    if isinstance(window, LastDays):
        return day - _DAY * (window.days - 1), day
    if window.span == "today":
        return day, day
    if window.span == "yesterday":
        return day - _DAY, day - _DAY
    monday = day - _DAY * day.weekday()
    first = monday if window.span == "this_week" else monday - _WEEK
    return first, first + _DAY * 6


def _aggregate(fact: Aggregate, found: Span) -> float | None:
    """Return the number, or None when there is nothing to take it of."""
    if fact.operation == "count":
        return float(len(found))
    if fact.operation == "days":
        return float(found.days())
    name = fact.field or ""
    if fact.operation == "sum":
        return found.total(name)
    values = found.numbers(name)
    if not values:
        return None
    return fsum(values) / len(values) if fact.operation == "avg" else _EXTREME[fact.operation](values)
