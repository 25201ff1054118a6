"""What lies further back than the events that are read one by one: for each choice of facts, starts and numbers.

A digest gives the same sums, counts and means as the events that it was made of, and nothing else of them. Whoever
asks it for more is told so by `NotReadError`, and reads the events.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from services.rules.engine.energy import session_load
from services.rules.engine.where import predicate
from services.rules.language.model import Aggregate, Choice, Precision, Rulebook, Where
from shared.contracts.events import Event, Value
from shared.contracts.instants import to_ms

_FORM = 2
"""Of what is kept of a digest: one of another form is not read."""
_KNOWN: Mapping[Precision, frozenset[str]] = {
    "any": frozenset({"exact", "slot", "day"}),
    "slot": frozenset({"exact", "slot"}),
    "exact": frozenset({"exact"}),
}


class NotReadError(Exception):
    """An evaluation asked for an event that was only summed up."""


def knows_when(event: Event, precision: Precision) -> bool:
    """Whether the event's time is known as well as that."""
    return event.data.get("time_precision", "exact") in _KNOWN[precision]


def chosen(events: Iterable[Event], where: Where, precision: Precision) -> list[Event]:
    """Return the events that meet `where` and whose time is known well enough."""
    if where:
        events = filter(predicate(where), events)
    if precision == "any":
        return list(events)
    known = _KNOWN[precision]
    return [event for event in events if event.data.get("time_precision", "exact") in known]


def number(event: Event, name: str) -> float | None:
    """Return the event's number in a field, or None where it has none."""
    if name == "session_load" and event.type == "workout.completed":
        return session_load(event)
    found: Value = event.data.get(name)
    return None if found is None else float(found)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a rulebook's facts add up: for each choice the fields. `version` names it."""

    fields: Mapping[Choice, tuple[str, ...]]
    version: str
    places: Mapping[Choice, int] = field(init=False, repr=False, compare=False)
    """Where in it each choice stands."""

    def __post_init__(self) -> None:
        """Number the choices."""
        object.__setattr__(self, "places", {choice: place for place, choice in enumerate(self.fields)})


@dataclass(frozen=True, slots=True)
class Column:
    """The events of one choice: when each starts, in milliseconds since 1970 and in order, and its fields' numbers."""

    starts: list[int] = field(default_factory=list)
    numbers: dict[str, list[float | None]] = field(default_factory=dict)

    def before(self, instant: int) -> int:
        """Return how many start before `instant` (ms since 1970)."""
        return bisect_left(self.starts, instant)


class Extent(NamedTuple):
    """Of all summed-up events of a type: how many, the latest start and the latest end (ms since 1970)."""

    events: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Digest:
    """All events that start before `until`, as far back as the rules look. All had ended."""

    until: datetime
    extents: Mapping[str, Extent] = field(default_factory=dict)
    columns: Mapping[Choice, Column] = field(default_factory=dict)


def layout(rulebook: Rulebook, back: Mapping[str, timedelta]) -> Layout:
    """Return what the facts of all generations add up, as far `back` as they look for each type.

    Plans are no part of it: a session can undo them any time.
    """
    wanted: dict[Choice, set[str]] = {}
    for generation in rulebook:
        for rule in generation.rule_set.rules:
            for fact in rule.facts:
                if isinstance(fact, Aggregate) and fact.type != "workout.planned":
                    fields = wanted.setdefault(fact.choice, set())
                    fields.update([fact.field] if fact.field else [])
    ordered = {choice: tuple(sorted(wanted[choice])) for choice in sorted(wanted, key=repr)}
    name = repr((_FORM, ordered, sorted(back.items())))
    return Layout(ordered, blake2b(name.encode(), digest_size=6).hexdigest())


def digested(
    layout: Layout,
    known: Digest | None,
    events: Sequence[Event],
    since: Mapping[str, datetime],
    until: datetime,
) -> Digest:
    """Return `known` with those of `events` that start before `until`, without what starts before its type's `since`.

    `events` are, in timeline order, all that start from `known.until` on; without `known`, all that matter.
    """
    added = [event for event in events if event.start < until and event.type != "workout.planned"]
    by_type: dict[str, list[Event]] = {}
    for event in added:
        by_type.setdefault(event.type, []).append(event)
    columns = {}
    for choice, fields in layout.fields.items():
        kind, where, precision = choice
        old = known.columns[choice] if known is not None else Column(numbers={name: [] for name in fields})
        new = chosen(by_type.get(kind, ()), where, precision)
        stale = old.before(to_ms(since[kind])) if kind in since else 0
        columns[choice] = Column(
            [*old.starts[stale:], *(to_ms(event.start) for event in new)],
            {name: [*old.numbers[name][stale:], *(number(event, name) for event in new)] for name in fields},
        )
    extents = dict(known.extents) if known is not None else {}
    for kind, found in by_type.items():
        last = extents.get(kind, Extent(0, 0, 0))
        extents[kind] = Extent(
            last.events + len(found),
            max(last.start, to_ms(found[-1].start)),
            max([last.end, *(to_ms(event.end) for event in found)]),
        )
    return Digest(until, extents, columns)
