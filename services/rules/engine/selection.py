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


@dataclass(frozen=True, slots=True)
class Older:
    """What is known of the events before `until`, which were not read: their extent, and perhaps a column."""

    until: datetime
    extent: Extent | None
    column: Column | None

    def between(self, since: datetime, until: datetime) -> tuple[int, int]:
        """Return which of the column start in [since, until); (-1, -1) when that cannot be told."""
        if since >= self.until or self.extent is None or self.extent.start < to_ms(since):
            return 0, 0
        if self.column is None:
            return _UNREAD, _UNREAD
        return self.column.before(since), self.column.before(until)


class Selection:
    """Events in timeline order, with their local days and their fields as columns, each made when it is asked for."""

    def __init__(self, events: Sequence[Event], calendar: Calendar, older: Older | None = None) -> None:
        self.events = events
        self.calendar = calendar
        self.older = older
        self._starts = [event.start for event in events]
        self._days: list[date] | None = None
        self._columns: dict[str, list[float | None]] = {}

    @property
    def days(self) -> list[date]:
        """The local day that each event starts in."""
        if self._days is None:
            self._days = [self.calendar.day(start) for start in self._starts]
        return self._days

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
        span = Span(self, bisect_left(self._starts, since), bisect_left(self._starts, until))
        return span if self.older is None else span.after(*self.older.between(since, until))

    def on(self, first: date, last: date) -> "Span":
        """Return the events that start on the local days `first` to `last`."""
        # No zone is a whole day from UTC, so a local day lies within the same date's neighbours there.
        since, until, days = midnight(first) - _DAY, midnight(last) + _DAY * 2, self.days
        low, high = bisect_left(self._starts, since), bisect_left(self._starts, until)
        while low < high and not first <= days[low] <= last:
            low += 1
        while low < high and not first <= days[high - 1] <= last:
            high -= 1
        inside = Span(self, low, high)
        if self.older is not None and since < self.older.until:
            if self.calendar.travelled:
                raise NotReadError
            inside = inside.after(*self.older.between(self._start_of(first), self._start_of(last + _DAY)))
        if self.calendar.travelled:
            # Who crosses the date line may live a day twice, with another between.
            return inside.keep(lambda event: first <= self.calendar.day(event.start) <= last)
        return inside

    def of(self, events: Sequence[Event]) -> "Selection":
        """Return a selection of these events, which are some of this one's."""
        return Selection(events, self.calendar)

    def older_days(self, low: int, high: int) -> set[date]:
        """Return the local days on which those of the column start that lie from `low` up to `high`."""
        found: set[date] = set()
        column = self.older.column if self.older is not None else None
        while column is not None and low < high:
            day = self.calendar.day(from_ms(column.starts[low]))
            found.add(day)
            low = max(low + 1, column.before(self._start_of(day + _DAY)))
        return found

    def _start_of(self, day: date) -> datetime:
        """Return when the local day begins, or the next one where the date line took it out."""
        while True:
            instant = self.calendar.begins(day)
            if instant is not None:
                return instant
            day += _DAY


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a selection from position `low` up to `high`, after that part of its older column, if any."""

    selection: Selection
    low: int
    high: int
    older_low: int = 0
    older_high: int = 0

    def after(self, low: int, high: int) -> "Span":
        """Return the span with what lies from `low` up to `high` of the older column before it."""
        return self if low == high == 0 else Span(self.selection, self.low, self.high, low, high)

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
        found = set(self.selection.days[self.low : self.high])
        return (
            found | self.selection.older_days(self.older_low, self.older_high) if self.older_high else found
        )

    def numbers(self, field: str) -> list[float]:
        """Return the numbers of the events that have one in `field`."""
        self._must_be_known()
        column = self.selection.column(field)[self.low : self.high]
        older = self.selection.older
        if self.older_high > self.older_low and older is not None and older.column is not None:
            column = older.column.numbers[field][self.older_low : self.older_high] + column
        return [each for each in column if each is not None]

    def _must_be_known(self) -> None:
        if self.older_low == _UNREAD:
            raise NotReadError
