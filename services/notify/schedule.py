"""When a delivery is tried: attempts, digests and quiet hours, as pure functions of time."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from shared.contracts.athletes import QuietHours
from shared.contracts.subscriptions import Schedule

ATTEMPTS = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""After the first attempt; a redelivery counts anew."""
JITTER = 0.1
"""Of the step to the next attempt, at most: so that an endpoint that comes back is not met by all at once."""
LONGEST_WAIT = timedelta(hours=24)


def next_attempt(
    delivery_id: str, first: datetime, made: int, now: datetime, retry_after: timedelta | None = None
) -> datetime | None:
    """Return when to try again after `made` attempts, the first at `first`; None when there are no more.

    The receiver's `retry_after` is honoured: never earlier than it asks, up to a day.
    """
    if made >= len(ATTEMPTS):
        return None
    step = ATTEMPTS[made] - ATTEMPTS[made - 1]
    due = first + ATTEMPTS[made] + step * JITTER * _fraction(f"{delivery_id}:{made}")
    if retry_after is not None:
        due = max(due, now + min(retry_after, LONGEST_WAIT))
    return max(due, now)


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Return the wait that a `Retry-After` header asks for, in seconds or as an HTTP date; None when it makes none."""
    if text is None:
        return None
    if text.strip().isdecimal() and text.isascii():
        return min(timedelta(seconds=min(int(text), 10**6)), LONGEST_WAIT)
    try:
        asked = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if asked.tzinfo is None:
        asked = asked.replace(tzinfo=UTC)
    return max(timedelta(), min(asked - now, LONGEST_WAIT))


def slot(schedule: Schedule, timezone: str, now: datetime) -> datetime:
    """Return when what comes up at `now` is to be sent: at once, at the next full hour, or at the next daily time."""
    if schedule.kind == "immediate":
        return now
    if schedule.kind == "hourly":
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    zone = ZoneInfo(timezone)
    day = now.astimezone(zone).date()
    while True:
        # fold=0: a time that occurs twice is its first; one that is skipped lands after the gap.
        due = datetime.combine(day, schedule.at or time(), zone).astimezone(UTC)
        if due > now:
            return due
        day += timedelta(days=1)


def after_quiet_hours(quiet: QuietHours | None, timezone: str, now: datetime) -> datetime:
    """Return `now`, or the end of the athlete's quiet hours when `now` lies in them."""
    if quiet is None or quiet.start == quiet.end:
        return now
    zone = ZoneInfo(timezone)
    local = now.astimezone(zone)
    at = local.time()
    overnight = quiet.start > quiet.end
    inside = (at >= quiet.start or at < quiet.end) if overnight else quiet.start <= at < quiet.end
    if not inside:
        return now
    day = local.date() + timedelta(days=1 if overnight and at >= quiet.start else 0)
    return max(now, datetime.combine(day, quiet.end, zone).astimezone(UTC))


def _fraction(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
