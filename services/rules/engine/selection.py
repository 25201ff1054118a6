"""The events of one choice in order, as windows cut them: chosen once, however many rules ask."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.rules.engine.calendar import Calendar, midnight
from services.rules.engine.digest import Column, Extent, NotReadError, number
from shared.contracts.events import Event
from shared.contracts.instants import from_ms, to_ms

_DAY = timedelta(days=1)
_UNREAD = -1


@dataclass(slots=True)
class Older:
    """What is known of the events before `until`, which were not read: their extent, and perhaps a column."""

    until: datetime
    extent: Extent | None
    column: Column | None

    def between(self, since: datetime, until: datetime) -> tuple[int, int]:
        """Return which of the column start in [since, until); (-1, -1) when that cannot be told."""
        if since >= self.until or self.extent is None:
            return 0, 0
        first = to_ms(since)
        if self.extent.start < first:
            return 0, 0
        if self.column is None:
            return _UNREAD, _UNREAD
        high = len(self.column.starts) if until >= self.until else self.column.before(to_ms(until))
        return self.column.before(first), high


class Selection:
    """Events in timeline order, with their local days and their fields as columns, each made when it is asked for."""

    __slots__ = ("_columns", "_starts", "calendar", "events", "older")

    def __init__(self, events: Sequence[Event], calendar: Calendar, older: Older | None = None) -> None:
        self.events = events
        self.calendar = calendar
        self.older = older
        self._starts = [event.start for event in events]
        self._columns: dict[str, list[float | None]] = {}

    def column(self, field: str) -> list[float | None]:
        """Return each event's number in `field`, or None where it has none."""
        found = self._columns.get(field)
        if found is None:
            found = self._columns[field] = [number(event, field) for event in self.events]
        return found

    def since(self, instant: datetime) -> Sequence[Event]:
        """Return the events that start at `instant` or later."""
        if self.older is not None and self.older.between(instant, self.older.until) != (0, 0):
            raise NotReadError
        return self.events[bisect_left(self._starts, instant) :]

    def between(self, since: datetime, until: datetime) -> "Span":
        """Return the events that start in [since, until)."""
        low, high = bisect_left(self._starts, since), bisect_left(self._starts, until)
        if self.older is None:
            return Span(self, low, high)
        return Span(self, low, high, *self.older.between(since, until))

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
        return {self.calendar.day(start) for start in self._starts[low:high]}

    def older_days(self, low: int, high: int) -> set[date]:
        """Return the local days on which those of the column start that lie from `low` up to `high`."""
        found: set[date] = set()
        column = self.older.column if self.older is not None else None
        if column is None or low == high:
            return found
        if self.calendar.travelled:
            return {self.calendar.day(from_ms(start)) for start in column.starts[low:high]}
        day = self.calendar.day(from_ms(column.starts[low]))
        while low < high:
            following = day + _DAY
            after = bisect_left(column.starts, self.calendar.starts_ms(following), low, high)
            if after > low:
                found.add(day)
            low, day = after, following
        return found


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

    def days(self) -> set[date]:
        """Return the local days on which the events start."""
        self._must_be_known()
        selection = self.selection
        return selection.days(self.low, self.high) | selection.older_days(self.older_low, self.older_high)

    def numbers(self, field: str) -> list[float]:
        """Return the numbers of the events that have one in `field`."""
        self._must_be_known()
        column = self.selection.column(field)[self.low : self.high] if self.high > self.low else []
        older = self.selection.older
        if self.older_high > self.older_low and older is not None and older.column is not None:
            column = older.column.numbers[field][self.older_low : self.older_high] + column
        return [each for each in column if each is not None]

    def _must_be_known(self) -> None:
        if self.older_low == _UNREAD:
            raise NotReadError
