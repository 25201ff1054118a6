"""The events of one choice in order, as windows cut them: chosen once, however many rules ask."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import filterfalse
from math import fsum, isnan
from typing import cast

from services.rules.engine.calendar import Calendar, days_in, midnight
from services.rules.engine.digest import Column, Digest, NotReadError, numbers
from services.rules.language.model import Choice
from shared.contracts.events import Event
from shared.contracts.instants import from_ms, to_ms

_DAY = timedelta(days=1)
_UNREAD = -1
_NO_NUMBERS = array("d")


class Older:
    """What is known of the events before `until`, which were not read: their extent, and perhaps a column."""

    __slots__ = ("_added", "_choice", "_columns", "_days", "_read", "extent", "until")

    def __init__(self, digest: Digest, kind: str, choice: Choice | None = None) -> None:
        """Of a `choice` there may be a column, which few windows ask for; of all events of a type there is none."""
        self.until = digest.until
        self.extent = digest.extents.get(kind)
        self._choice = choice
        self._columns = digest.columns
        self._read: Column | None = None
        # Anchors of one day look back to the same older events mostly, and rules ask for the same sums.
        self._added: dict[tuple[str, int, int], Sequence[float]] = {}
        self._days: dict[tuple[int, int], frozenset[date]] = {}

    @property
    def column(self) -> Column | None:
        """The column, if there is one."""
        if self._read is None and self._choice is not None:
            self._read, self._choice = self._columns.get(self._choice), None
        return self._read

    def between(self, since: datetime, until: datetime) -> tuple[int, int]:
        """Return which of the column start in [since, until); (-1, -1) when that cannot be told."""
        extent = self.extent
        if since >= self.until or extent is None:
            return 0, 0
        first = to_ms(since)
        if extent.start < first:
            return 0, 0
        column = self._read or self.column
        if column is None:
            return _UNREAD, _UNREAD
        starts, base = column.starts, column.base
        high = len(starts) if until >= self.until else bisect_left(starts, to_ms(until) - base)
        return bisect_left(starts, first - base, 0, high), high

    def numbers(self, field: str, low: int, high: int) -> "array[float]":
        """Return the numbers in `field` of those of the column that lie from `low` up to `high`, NaN for none."""
        column = self.column
        return _NO_NUMBERS if column is None else cast("array[float]", column.numbers[field])[low:high]

    def addends(self, field: str, low: int, high: int) -> Sequence[float]:
        """Return what adds up exactly to the numbers of those of the column: one number, where they are whole."""
        found = self._added.get((field, low, high))
        if found is None:
            values = self.numbers(field, low, high)
            # Of fewer than two million whole numbers of four bytes a double has room for the sum.
            found = self._added[field, low, high] = values if values.typecode == "d" else (sum(values),)
        return found

    def days(self, low: int, high: int, calendar: Calendar) -> frozenset[date]:
        """Return the local days on which those of the column start that lie from `low` up to `high`."""
        found = self._days.get((low, high))
        if found is None:
            found = self._days[low, high] = self._found_days(low, high, calendar)
        return found

    def _found_days(self, low: int, high: int, calendar: Calendar) -> frozenset[date]:
        column = self.column
        if column is None:
            return frozenset()
        starts, base, zone = column.starts, column.base, calendar.only
        if zone is None:
            return frozenset(calendar.day(from_ms(base + start)) for start in starts[low:high])
        found: set[date] = set()
        for day, following in days_in(zone, base + starts[low], base + starts[high - 1]):
            after = bisect_left(starts, following - base, low, high)
            if after > low:
                found.add(day)
                low = after
        return frozenset(found)


class Selection:
    """Events in timeline order, with their local days and their fields as columns, each made when it is asked for."""

    __slots__ = ("_columns", "_starts", "_turns", "answers", "calendar", "events", "older")

    def __init__(
        self,
        events: Sequence[Event],
        calendar: Calendar,
        older: Older | None = None,
        starts: Sequence[datetime] | None = None,
    ) -> None:
        """`starts` are those of the events, where they are known already."""
        self.events = events
        self.calendar = calendar
        self.older = older
        self._starts = [event.start for event in events] if starts is None else starts
        self._columns: dict[str, array[float]] = {}
        self._turns: tuple[list[int], list[date]] | None = None
        self.answers: dict[tuple[str, str, int, int, int, int], float | None] = {}
        """What was asked of its spans before."""

    def column(self, field: str) -> "array[float]":
        """Return each event's number in `field`, NaN where it has none."""
        found = self._columns.get(field)
        if found is None:
            kind = self.events[0].type if self.events else ""
            found = self._columns[field] = numbers(kind, self.events, field)
        return found

    def since(self, instant: datetime) -> Sequence[Event]:
        """Return the events that start at `instant` or later."""
        if self.older is not None and self.older.between(instant, self.older.until) != (0, 0):
            raise NotReadError
        return self.events[bisect_left(self._starts, instant) :]

    def between(self, since: datetime, until: datetime) -> "Span":
        """Return the events that start in [since, until)."""
        older = self.older
        if older is not None and since < older.until:  # and so before all that was read
            return Span(self, 0, bisect_left(self._starts, until), *older.between(since, until))
        low = bisect_left(self._starts, since)
        return Span(self, low, bisect_left(self._starts, until, low))

    def on(self, first: date, last: date) -> "Span":
        """Return the events that start on the local days `first` to `last`."""
        if not self.calendar.travelled:
            return self.between(self.calendar.start_of(first), self.calendar.start_of(last + _DAY))
        # No zone is a whole day from UTC, so a local day lies within the same date's neighbours there.
        since, until = midnight(first) - _DAY, midnight(last) + _DAY * 2
        if self.older is not None and since < self.older.until:
            raise NotReadError
        # Who crosses the date line may live a day twice, with another between.
        near = Span(self, bisect_left(self._starts, since), bisect_left(self._starts, until))
        return near.keep(lambda event: first <= self.calendar.day(event.start) <= last)

    def of(self, events: Sequence[Event]) -> "Selection":
        """Return a selection of these events, which are some of this one's."""
        return Selection(events, self.calendar)

    def days(self, low: int, high: int) -> set[date]:
        """Return the local days on which the events start that lie from `low` up to `high`."""
        if low >= high:
            return set()
        if self._turns is None:
            self._turns = self._found_turns()
        places, days = self._turns
        return set(days[bisect_right(places, low) - 1 : bisect_left(places, high)])

    def _found_turns(self) -> tuple[list[int], list[date]]:
        """Return the places at which another local day begins than that of the event before, and these days."""
        starts, calendar = self._starts, self.calendar
        places: list[int] = []
        days: list[date] = []
        place = 0
        while place < len(starts):
            day = calendar.day(starts[place])
            if not days or days[-1] != day:
                places.append(place)
                days.append(day)
            if calendar.travelled:
                place += 1
            else:
                place = bisect_left(starts, calendar.start_of(day + _DAY), place)
        return places, days


@dataclass(slots=True)  # one a fact: a frozen one takes three times as long to make
class Span:
    """The part of a selection from position `low` up to `high`, after that part of its older column, if any."""

    selection: Selection
    low: int
    high: int
    older_low: int = 0
    older_high: int = 0

    def __len__(self) -> int:
        """Return how many events there are."""
        self._must_be_known()
        return self.high - self.low + self.older_high - self.older_low

    def events(self) -> Sequence[Event]:
        """Return the events, in timeline order."""
        if self.older_low == _UNREAD or self.older_high > self.older_low:
            raise NotReadError
        return self.selection.events[self.low : self.high]

    def last(self) -> Sequence[Event]:
        """Return the last event, if there is any."""
        return self.selection.events[self.high - 1 : self.high] if self.high > self.low else self.events()

    def keep(self, wanted: Callable[[Event], bool]) -> "Span":
        """Return the span of those events that are wanted."""
        events = self.events()
        kept = [event for event in events if wanted(event)]
        return self if len(kept) == len(events) else Span(self.selection.of(kept), 0, len(kept))

    def aggregate(self, operation: str, field: str) -> float | None:
        """Return the number that a fact asks for, None when there is nothing to take it of.

        Of `days` and `sum` there always is. A `sum` is exact and rounded once: it hangs neither on the order of the
        events nor on who adds them up.
        """
        if operation == "count":
            return float(len(self))
        # Anchors that lie near each other see the same of what is not new between them.
        asked = (operation, field, self.low, self.high, self.older_low, self.older_high)
        answers = self.selection.answers
        if asked in answers:
            return answers[asked]
        self._must_be_known()
        found = answers[asked] = _AGGREGATES[operation](self, field)
        return found

    def numbers(self, field: str) -> list[float]:
        """Return the numbers that the events have in `field`."""
        self._must_be_known()
        older = self.selection.older
        found = [] if older is None else [*map(float, older.numbers(field, self.older_low, self.older_high))]
        return list(filterfalse(isnan, [*found, *self.read(field)]))

    def read(self, field: str) -> "array[float]":
        """Return the number in `field` of each event that was read, NaN for none."""
        return self.selection.column(field)[self.low : self.high] if self.high > self.low else _NO_NUMBERS

    def _must_be_known(self) -> None:
        if self.older_low == _UNREAD:
            raise NotReadError


def _days(span: Span, _: str) -> float:
    selection = span.selection
    days = selection.days(span.low, span.high)
    if span.older_high > span.older_low and selection.older is not None:
        days |= selection.older.days(span.older_low, span.older_high, selection.calendar)
    return float(len(days))


def _sum(span: Span, field: str) -> float:
    found: Sequence[float] = span.read(field)
    if span.older_high > span.older_low and span.selection.older is not None:
        found = (*found, *span.selection.older.addends(field, span.older_low, span.older_high))
    added = fsum(found)
    return added if added == added else fsum(filterfalse(isnan, found))  # noqa: PLR0124 - NaN alone is not itself


def _avg(span: Span, field: str) -> float | None:
    values = span.numbers(field)
    return fsum(values) / len(values) if values else None


_AGGREGATES: Mapping[str, Callable[[Span, str], float | None]] = {
    "days": _days,
    "sum": _sum,
    "avg": _avg,
    "min": lambda span, field: min(span.numbers(field), default=None),
    "max": lambda span, field: max(span.numbers(field), default=None),
}
