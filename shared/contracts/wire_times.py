"""The marshmallow fields of time: instants, local days, times of day and zones."""

# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

import re
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields

from shared.contracts.faults import nearest
from shared.contracts.wire_fields import MISSING_MESSAGES, Checked

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WITHOUT_OFFSET = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?)?", re.ASCII)
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LEAP_SECOND = "60"
_AN_INSTANT = 'must be an RFC 3339 time with an offset, such as "2026-03-02T17:00:00+01:00"'


class Instant(Checked, fields.DateTime):
    """RFC 3339 with an offset; inside, an aware UTC datetime in whole milliseconds (more digits are cut off)."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def read(self, value: Any) -> datetime:
        """Return the instant in UTC."""
        if type(value) is not str or not _RFC_3339.fullmatch(value):
            if isinstance(value, str) and _WITHOUT_OFFSET.fullmatch(value):
                raise ValidationError(f"has no offset, so it names no instant; it {_AN_INSTANT}")
            raise ValidationError(_AN_INSTANT)
        leap = value[17:19] == _LEAP_SECOND
        try:
            instant = datetime.fromisoformat(f"{value[:17]}59{value[19:]}" if leap else value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(f"is no time that exists; it {_AN_INSTANT}") from None
        if leap:
            # Leap seconds are put in at the end of a UTC day; here the day ends a second before them.
            if (instant.hour, instant.minute) != (23, 59):
                raise ValidationError("has 60 seconds, which happens only at 23:59 UTC")
            instant = instant.replace(microsecond=999_000)
        return instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else instant_text(value)


class LocalDate(Checked, fields.Date):
    """A local calendar day, `2026-03-02`; inside, that text (events keep JSON values)."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def read(self, value: Any) -> str:
        """Return the day's text as it came."""
        if type(value) is not str or not _is_date(value):
            raise ValidationError('must be a date that exists, such as "2026-03-02"')
        return value


class ClockTime(fields.Field[time]):
    """A local time of day, `07:30`; inside, a naive `time`."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> time:
        if type(value) is not str or not _CLOCK_TIME.fullmatch(value):
            raise ValidationError('must be a time from "00:00" to "23:59"')
        return time.fromisoformat(value)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else f"{value:%H:%M}"


class Zone(fields.String):
    """The name of an IANA time zone."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if type(value) is not str or value not in _zones():
            hint = nearest(value, sorted(_zones())) if isinstance(value, str) else ""
            raise ValidationError(f'must be an IANA time zone such as "Europe/Berlin"{hint}')
        return value


def instant_text(instant: datetime) -> str:
    """`2026-03-02T16:00:00.000Z`: the one form in which Tandem writes an instant."""
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
