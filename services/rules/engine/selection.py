"""The events of one type that meet one `where`, and the numbers they carry: chosen once, however many rules ask."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.rules.engine.calendar import Calendar, midnight
from services.rules.engine.energy import session_load
from shared.contracts.events import Event, Value

_DAY = timedelta(days=1)


class Selection:
    """Events in timeline order, with their local days and their fields as columns, each made when it is asked for."""

    def __init__(self, events: Sequence[Event], calendar: Calendar) -> None:
        self.events = events
        self._calendar = calendar
        self._starts = [event.start for event in events]
        self._days: list[date] | None = None
        self._columns: dict[str, list[float | None]] = {}

    @property
    def days(self) -> list[date]:
        """The local day that each event starts in."""
        if self._days is None:
            self._days = [self._calendar.day(start) for start in self._starts]
        return self._days

    def column(self, field: str) -> list[float | None]:
        """Return each event's number in `field`, or None where it has none."""
        found = self._columns.get(field)
        if found is None:
            found = self._columns[field] = [_number(event, field) for event in self.events]
        return found

    def since(self, instant: datetime) -> Sequence[Event]:
        """Return the events that start at `instant` or later."""
        return self.events[bisect_left(self._starts, instant) :]

    def between(self, since: datetime, until: datetime) -> "Span":
        """Return the events that start in [since, until)."""
        return Span(self, bisect_left(self._starts, since), bisect_left(self._starts, until))

    def on(self, first: date, last: date) -> "Span":
        """Return the events that start on the local days `first` to `last`."""
        # No zone is a whole day from UTC, so a local day lies within the same date's neighbours there.
        near = self.between(midnight(first) - _DAY, midnight(last) + _DAY * 2)
        low, high, days = near.low, near.high, self.days
        while low < high and not first <= days[low] <= last:
            low += 1
        while low < high and not first <= days[high - 1] <= last:
            high -= 1
        inside = Span(self, low, high)
        if self._calendar.travelled:
            # Who crosses the date line may live a day twice, with another between.
            return inside.keep(lambda event: first <= self._calendar.day(event.start) <= last)
        return inside

    def of(self, events: Sequence[Event]) -> "Selection":
        """Return a selection of these events, which are some of this one's."""
        return Selection(events, self._calendar)


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a selection from position `low` up to `high`."""

    selection: Selection
    low: int
    high: int

    def __len__(self) -> int:
        """Return how many events there are."""
        return self.high - self.low

    def events(self) -> Sequence[Event]:
        """Return the events, in timeline order."""
        return self.selection.events[self.low : self.high]

    def keep(self, wanted: Callable[[Event], bool]) -> "Span":
        """Return the span of those events that are wanted."""
        kept = [event for event in self.events() if wanted(event)]
        return self if len(kept) == len(self) else Span(self.selection.of(kept), 0, len(kept))

    def days(self) -> set[date]:
        """Return the local days on which the events start."""
        return set(self.selection.days[self.low : self.high])

    def numbers(self, field: str) -> list[float]:
        """Return the numbers of the events that have one in `field`."""
        column = self.selection.column(field)[self.low : self.high]
        return [number for number in column if number is not None]


def _number(event: Event, field: str) -> float | None:
    if field == "session_load" and event.type == "workout.completed":
        return session_load(event)
    found: Value = event.data.get(field)
    return None if found is None else float(found)
