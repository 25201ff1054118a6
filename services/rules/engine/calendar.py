"""The athlete's own calendar: the local day of an instant, the instant of a local time, through DST and travel."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.contracts.athletes import ZoneChange
from shared.contracts.instants import to_ms

_EVER = datetime.min.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
_FIRST_DAY = date(1970, 1, 1)
_MIDNIGHT = time()


class Calendar:
    """Local time under a history of zones: at any instant, the zone in force then."""

    def __init__(self, zones: Sequence[ZoneChange]) -> None:
        self._history = tuple(zones)
        self._since = [zone.since or _EVER for zone in zones]
        self._zones = [_zone(zone.timezone) for zone in zones]
        self.only = self._zones[0] if self._since == [_EVER] else None
        """The zone of one who has lived in no other."""
        self._latest = (_EVER, _EVER, date.min)
        self._days: dict[datetime, date] = {}
        self._instants: dict[tuple[date, time], datetime | None] = {}

    @property
    def travelled(self) -> bool:
        """Whether there has been more than one zone."""
        return len(self._zones) > 1

    def timezone(self, instant: datetime) -> str:
        """Return the IANA name of the zone in force at `instant`."""
        return str(self._zone_at(instant).key)

    def zones(self, first: datetime, last: datetime) -> tuple[ZoneChange, ...]:
        """Return the zones in force from `first` to `last`, each with its own time."""
        return self._history[max(0, bisect_right(self._since, first) - 1) : bisect_right(self._since, last)]

    def local(self, instant: datetime) -> datetime:
        """Return `instant` in the zone in force then."""
        return instant.astimezone(self.only or self._zone_at(instant))

    def day(self, instant: datetime) -> date:
        """Return the local day that `instant` belongs to."""
        if self.only is not None:
            begins, ends, day = self._latest  # who asks for one day of an athlete asks for it again
            if not begins <= instant < ends:
                day = instant.astimezone(self.only).date()
                self._latest = (self.start_of(day), self.start_of(day + _DAY), day)
            return day
        found = self._days.get(instant)
        if found is None:
            found = self._days[instant] = self.local(instant).date()
        return found

    def start_of(self, day: date) -> datetime:
        """Return the UTC instant at which the local day begins, or the next one where the date line took it out."""
        if self.only is not None:
            return _start_in(self.only, day)
        while (instant := self.instant(day, _MIDNIGHT)) is None:
            day += _DAY
        return instant

    def instant(self, day: date, at: time) -> datetime | None:
        """Return the UTC instant at which it is `at` on local day `day`.

        A time that occurs twice gives the first. One that a change of clocks or a journey skips gives the first
        instant after the gap, even when that is past midnight. None when the day itself was skipped (the date line).
        """
        if self.only is not None:
            return _instant_in(self.only, day, at)
        if (day, at) not in self._instants:  # rules ask for the same few times again
            passed = sorted(self._passed(datetime.combine(day, at)))
            self._instants[day, at] = next(
                (
                    instant
                    for instant in passed
                    if day in {self.day(instant), self.day(instant - _MILLISECOND)}
                ),
                None,
            )
        return self._instants[day, at]

    def _passed(self, wall: datetime) -> Iterator[datetime]:
        """Yield the instants at which local clocks come to show `wall`, or jump over it."""
        for index, zone in enumerate(self._zones):
            instant = _resolve(wall, zone)
            if self._since[index] <= instant and not self._ends_by(index, instant):
                yield instant
            start = self._since[index]
            # The journey to this zone may begin at the time, or jump over it: then it is due on arrival.
            if index and self._wall(index - 1, start) <= wall <= self._wall(index, start):
                yield start

    def _zone_at(self, instant: datetime) -> ZoneInfo:
        return self._zones[max(0, bisect_right(self._since, instant) - 1)]

    def _ends_by(self, index: int, instant: datetime) -> bool:
        return index + 1 < len(self._since) and self._since[index + 1] <= instant

    def _wall(self, index: int, instant: datetime) -> datetime:
        return instant.astimezone(self._zones[index]).replace(tzinfo=None)


def days_in(zone: ZoneInfo, first: int, last: int) -> Sequence[tuple[date, int]]:
    """Return each day in the zone from that of `first` to that of `last` (ms since 1970), with when the next begins.

    There may be one more at either end.
    """
    return _days_in(zone, first // _DAY_MS - 1, last // _DAY_MS + 1)


def midnight(day: date) -> datetime:
    """Return the instant at which `day` begins in UTC."""
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=16_384)
def _instant_in(zone: ZoneInfo, day: date, at: time) -> datetime | None:
    """Return what `Calendar.instant` does for all who have lived in no other zone."""
    instant = _resolve(datetime.combine(day, at), zone)
    shown = {each.astimezone(zone).date() for each in (instant, instant - _MILLISECOND)}
    return instant if day in shown else None


@lru_cache(maxsize=16_384)
def _start_in(zone: ZoneInfo, day: date) -> datetime:
    """Return what `Calendar.start_of` does for them."""
    while (instant := _instant_in(zone, day, _MIDNIGHT)) is None:
        day += _DAY
    return instant


@lru_cache(maxsize=1024)
def _days_in(zone: ZoneInfo, first: int, last: int) -> tuple[tuple[date, int], ...]:
    """Return what `days_in` does, for days by their number since 1970."""
    days = [_FIRST_DAY + _DAY * number for number in range(first, last + 1)]
    return tuple((day, to_ms(_start_in(zone, day + _DAY))) for day in days)


@lru_cache(maxsize=16_384)
def _resolve(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which clocks in `zone` show `wall`, or have just jumped over it."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # In a gap fold=0 reckons with the offset before the jump, and so lands after it; fold=1 lands before it.
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    before = low.astimezone(zone).utcoffset()
    while high - low > _MILLISECOND:
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)  # clocks jump at whole seconds
