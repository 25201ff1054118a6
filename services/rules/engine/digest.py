"""What lies further back than the events that are read one by one: for each choice of facts, starts and numbers.

A digest gives the same sums, counts and means as the events that it was made of, and nothing else of them. Whoever
asks it for more is told so by `NotReadError`, and reads the events.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from math import nan
from typing import NamedTuple

from services.rules.engine.energy import session_load
from services.rules.engine.where import those
from services.rules.language.model import Aggregate, Choice, Precision, Rulebook
from shared.contracts.events import Event, Value
from shared.contracts.instants import to_ms

_FORM = (5, sys.byteorder)
"""Of what is kept of a digest: one of another form is not read."""
_WHOLE = {"b": 1 << 7, "h": 1 << 15, "i": 1 << 31}
"""Type codes of arrays of whole numbers, and what these are smaller than, either way."""
_FURTHEST = 1 << 32
UNDIGESTED = frozenset({"workout.planned"})
"""Types of which no digest stands for any event: a session can undo a plan any time."""
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


@lru_cache(maxsize=4096)
def picks(choice: Choice) -> Callable[[Sequence[Event]], Sequence[Event]]:
    """Return what picks the events of a choice out of those of its type."""
    if choice.precision == "any":
        return those(choice.where) if choice.where else lambda events: events
    known, meeting = _KNOWN[choice.precision], those(choice.where)
    return lambda events: [
        event for event in meeting(events) if event.data.get("time_precision", "exact") in known
    ]


def numbers(kind: str, events: Iterable[Event], name: str) -> "array[float]":
    """Return the number of each event of that type in a field, NaN where it has none."""
    found: list[Value]
    if name == "session_load" and kind == "workout.completed":
        found = [session_load(event) for event in events]
    else:
        found = [event.data.get(name) for event in events]
    return array("d", [nan if value is None else value for value in found])


@dataclass(frozen=True, slots=True)
class Layout:
    """What a rulebook's facts add up: for each choice the fields. `version` names it.

    `plans` says whether the rules look at plans, so that it matters which of them sessions have taken.
    """

    fields: Mapping[Choice, tuple[str, ...]]
    version: str
    plans: bool = False
    places: Mapping[Choice, int] = field(init=False, repr=False, compare=False)
    """Where in it each choice stands."""

    def __post_init__(self) -> None:
        """Number the choices."""
        object.__setattr__(self, "places", {choice: place for place, choice in enumerate(self.fields)})


class Column(NamedTuple):
    """The events of one choice, in order: when each starts, in milliseconds after `base`, and its fields' numbers.

    `base` is in milliseconds since 1970. Numbers are in as few bytes as hold them all: of type "d" where one is not
    whole or an event has none, which then is NaN.
    """

    base: int
    starts: "array[int]"
    numbers: "Mapping[str, array[float] | array[int]]"

    def before(self, instant: int) -> int:
        """Return how many start before `instant` (ms since 1970)."""
        return bisect_left(self.starts, instant - self.base)


def column(starts: Sequence[int], numbers: "Mapping[str, array[float]]") -> Column:
    """Return the column of events that start at these milliseconds since 1970, and have these numbers."""
    base = starts[0] if starts else 0
    code = "I" if not starts or starts[-1] - base < _FURTHEST else "q"
    after = array(code, [start - base for start in starts])
    return Column(base, after, {name: _narrowed(values) for name, values in numbers.items()})


def _narrowed(values: "array[float]") -> "array[float] | array[int]":
    if not all(map(float.is_integer, values)):
        return values
    most = max(map(abs, values), default=0)
    for code, limit in _WHOLE.items():
        if most < limit:
            return array(code, map(int, values))
    return values


class Extent(NamedTuple):
    """Of all summed-up events of a type: how many, the latest start and the latest end (ms since 1970)."""

    events: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Digest:
    """All events that start before `until`, as far back as the rules look, but for `UNDIGESTED`. All had ended.

    `taken` names the plans that sessions among them name, each with the start of the latest one (ms since 1970).
    """

    until: datetime
    extents: Mapping[str, Extent] = field(default_factory=dict)
    columns: Mapping[Choice, Column] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)


def layout(rulebook: Rulebook, back: Mapping[str, timedelta]) -> Layout:
    """Return what the facts of all generations add up, as far `back` as they look for each type."""
    wanted: dict[Choice, set[str]] = {}
    for generation in rulebook:
        for rule in generation.rule_set.rules:
            for fact in rule.facts:
                if isinstance(fact, Aggregate) and fact.type not in UNDIGESTED:
                    fields = wanted.setdefault(fact.choice, set())
                    fields.update([fact.field] if fact.field else [])
    ordered = {choice: tuple(sorted(wanted[choice])) for choice in sorted(wanted, key=repr)}
    name = repr((_FORM, ordered, sorted(back.items())))
    version = blake2b(name.encode(), digest_size=6).hexdigest()
    return Layout(ordered, version, not UNDIGESTED.isdisjoint(back))


def digested(
    layout: Layout,
    known: Digest | None,
    events: Sequence[Event],
    since: Mapping[str, datetime],
    until: datetime,
) -> Digest:
    """Return `known` with those of `events` that start before `until`, without what starts before its type's `since`.

    `events` are, in timeline order, all that start from `known.until` on, and older ones of `UNDIGESTED`; without
    `known`, all that matter.
    """
    added = [event for event in events if event.start < until and event.type not in UNDIGESTED]
    by_type: dict[str, list[Event]] = {}
    for event in added:
        by_type.setdefault(event.type, []).append(event)
    columns = {}
    for choice, fields in layout.fields.items():
        kind = choice.type
        new = picks(choice)(by_type.get(kind, ()))
        starts = [to_ms(event.start) for event in new]
        found = {name: numbers(kind, new, name) for name in fields}
        if known is not None:
            old = known.columns[choice]
            stale = old.before(to_ms(since[kind])) if kind in since else 0
            starts = [old.base + start for start in old.starts[stale:]] + starts
            found = {name: array("d", old.numbers[name][stale:]) + found[name] for name in fields}
        columns[choice] = column(starts, found)
    extents = dict(known.extents) if known is not None else {}
    for kind, gone in by_type.items():
        last = extents.get(kind, Extent(0, 0, 0))
        extents[kind] = Extent(
            last.events + len(gone),
            max(last.start, to_ms(gone[-1].start)),
            max([last.end, *(to_ms(event.end) for event in gone)]),
        )
    sessions = by_type.get("workout.completed", ()) if layout.plans else ()
    earliest = since.get("workout.completed")
    kept = {
        plan: start
        for plan, start in (known.taken if known is not None else {}).items()
        if earliest is None or start >= to_ms(earliest)
    }
    return Digest(until, extents, columns, plans_taken(sessions, kept))


def plans_taken(sessions: Iterable[Event], known: Mapping[str, int]) -> dict[str, int]:
    """Return the plans that sessions name, and the `known` ones, each with the latest such start (ms since 1970)."""
    taken = dict(known)
    for session in sessions:
        plan = session.data.get("plan_id")
        if plan is not None:
            taken[plan] = max(taken.get(plan, 0), to_ms(session.start))
    return taken
