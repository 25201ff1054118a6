"""What a rule knows at an anchor: its facts, evaluated in order over the athlete's timeline, and what they rest on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import fmean as mean

from services.rules.engine.anchors import Due
from services.rules.engine.energy import session_load
from services.rules.engine.timeline import Timeline
from services.rules.engine.where import matches
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
from shared.contracts.events import Event, Value

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
INEXACT_ANCHOR = "anchor.time_precision"
"""What is missing when a window of less than a day is asked about an anchor whose time is not exact."""
MOST_EVENTS_A_WINDOW = 5_000
"""What one fact may look at. A year of ten meals a day is less; a fact over more is an error, never cut short."""


@dataclass(slots=True)
class Knowledge:
    """The names that are bound so far, the events behind them, and for each absent fact what was missing."""

    names: dict[str, Bound]
    events: dict[str, Event] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    behind: dict[str, Sequence[Event]] = field(default_factory=dict)
    """For each fact over events, those that it was taken of."""

    def rest_on(self, events: Iterable[Event]) -> None:
        """Note that something rests on `events`."""
        self.events.update((event.key, event) for event in events)

    def root_of(self, absent: str) -> str:
        """Return what was missing in the first place when reading `absent` failed."""
        return self.missing.get(absent) or self.missing.get(absent.partition(".")[0], absent)


def learn(rule: Rule, known: Knowledge, timeline: Timeline, due: Due, local: Local) -> None:
    """Bind each fact's value in turn. A fact that is absent stays unbound; raise `EvaluationError` on a faulty one."""
    for fact in rule.facts:
        if isinstance(fact, Computed):
            try:
                known.names[fact.name] = fact.expression.evaluate(known.names, local)
            except AbsentError as error:
                known.missing[fact.name] = known.root_of(error.missing)
            continue
        if due.event is not None and not _precise_enough(due.event, fact.window):
            known.missing[fact.name] = INEXACT_ANCHOR
            continue
        found = in_window(timeline, fact.type, fact.window, due)
        if len(found) > MOST_EVENTS_A_WINDOW:
            raise EvaluationError(
                f"the window of {fact.name} holds {len(found):,} events of {fact.type};"
                f" at most {MOST_EVENTS_A_WINDOW:,} are allowed: give it a shorter window"
            )
        events = [
            event for event in found if matches(fact.where, event) and _precise_enough(event, fact.window)
        ]
        if isinstance(fact, Pick):
            events = events[:1] if fact.which == "first" else events[-1:]
            known.names[fact.name] = (
                event_record(events[0], timeline.day(events[0]))
                if events
                else Record(fact.type, {"found": False})
            )
        else:
            value = _aggregate(fact, events, timeline)
            if value is None:
                known.missing[fact.name] = f"{fact.type}.{fact.field}"
            else:
                known.names[fact.name] = value
        known.rest_on(events)
        known.behind[fact.name] = events


def in_window(timeline: Timeline, kind: str, window: Window, due: Due) -> Sequence[Event]:
    """Return the events of type `kind` that start in the window around the anchor, in timeline order."""
    if isinstance(window, During | LastDays):
        return timeline.on(kind, *_days(window, due.day))
    if isinstance(window, Before):
        found = timeline.between(kind, due.start - window.span, due.start)
    else:
        found = timeline.between(kind, due.end, due.end + window.span)
    return [event for event in found if due.event is None or event.key != due.event.key]


def event_record(event: Event, day: date) -> Record:
    """Return what a rule sees of an event: `found`, `start`, `end`, `id`, `source`, `date` (local) and its data.

    Numbers are doubles. A `day.closed` has a date of its own in its data, and keeps that.
    """
    fields: dict[str, Bound] = {"date": day.isoformat()}
    fields |= {name: _bound(value) for name, value in event.data.items() if value is not None}
    fields |= {"found": True, "start": event.start, "end": event.end, "id": event.id, "source": event.source}
    return Record(event.type, fields)


def _bound(value: Value) -> Bound:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, Mapping):
        return Record("set", {name: _bound(each) for name, each in value.items() if each is not None})
    return [_bound(each) for each in value]


def _days(window: During | LastDays, day: date) -> tuple[date, date]:
    """Return the first and last local day of a window of whole days."""
    if isinstance(window, LastDays):
        return day - _DAY * (window.days - 1), day
    monday = day - _DAY * day.weekday()
    return {
        "today": (day, day),
        "yesterday": (day - _DAY, day - _DAY),
        "this_week": (monday, monday + _DAY * 6),
        "last_week": (monday - _WEEK, monday - _DAY),
    }[window.span]


def _precise_enough(event: Event, window: Window) -> bool:
    """An inexact time never feeds a window shorter than a day; a day's precision only feeds whole days."""
    precision = event.data.get("time_precision", "exact")
    if precision == "exact" or not isinstance(window, Before | After):
        return True
    return precision == "slot" and window.span >= _DAY


def _aggregate(fact: Aggregate, events: Sequence[Event], timeline: Timeline) -> float | None:
    """Return the number, or None when there is nothing to take it of."""
    if fact.operation == "count":
        return float(len(events))
    if fact.operation == "days":
        return float(len({timeline.day(event) for event in events}))
    found = (_number(event, fact.field) for event in events)
    values = [float(value) for value in found if value is not None]
    if not values:
        return 0.0 if fact.operation == "sum" else None
    over: dict[str, Callable[[list[float]], float]] = {"sum": sum, "min": min, "max": max, "avg": mean}
    return float(over[fact.operation](values))


def _number(event: Event, field: str | None) -> Value:
    if field == "session_load" and event.type == "workout.completed":
        return session_load(event)
    return event.data.get(field or "")
