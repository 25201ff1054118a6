"""How an instant becomes a number and back: whole milliseconds since 1970, which is all that Tandem keeps of it."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, exact: whole milliseconds are all that Tandem keeps."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_ms(milliseconds: float) -> datetime:
    """Undo `to_ms`."""
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
