"""The marshmallow fields that every wire schema is made of: strict about types, and saying what is allowed."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from marshmallow import RAISE, Schema, ValidationError, fields

from shared.contracts.faults import nearest

# Control characters have no place in text that ends up in mail headers, logs and chat; a line break and a tab may
# stand in a note. Lone surrogates cannot be encoded, so no store or receiver could hold them.
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WITHOUT_OFFSET = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?)?", re.ASCII)
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LEAP_SECOND = "60"
_AN_INSTANT = 'must be an RFC 3339 time with an offset, such as "2026-03-02T17:00:00+01:00"'

MISSING_MESSAGES: dict[str, Any] = {
    "required": "is required",
    "null": "must not be null; leave the field out instead",
}


class StrictSchema(Schema):
    """Refuses names that it does not know, and says which known name is nearest."""

    class Meta:
        """Unknown names are errors; a typo must not lose a field silently."""

        unknown = RAISE

    error_messages: dict[str, str] = {
        "type": "must be a JSON object",
        "unknown": "is not a known field",
    }

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **_: Any) -> None:
        """Add the nearest known name to each message about an unknown one."""
        if not isinstance(error.messages, dict):
            return
        places = error.messages.items() if many else [(None, error.messages)]
        for place, messages in places:
            record = data[place] if isinstance(place, int) else data
            if isinstance(messages, dict) and isinstance(record, Mapping):
                self._hint(messages, record)

    def _hint(self, messages: dict[Any, Any], record: Mapping[Any, Any]) -> None:
        for name in messages:
            if name in record and name not in self.load_fields:
                messages[name] = [f"is not a known field{nearest(str(name), sorted(self.load_fields))}"]


class Text(fields.String):
    """A text of 1 to `max_length` characters, one of `choices` if given; `lines` lets it hold line breaks."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(
        self,
        *,
        choices: Sequence[str] = (),
        max_length: int = 200,
        pattern: str | None = None,
        allowed: str = "",
        lines: bool = False,
        **options: Any,
    ) -> None:
        documented: dict[str, Any] = (
            {"enum": list(choices)} if choices else {"minLength": 1, "maxLength": max_length}
        )
        if pattern is not None:
            documented["pattern"] = f"^{pattern}$"
        super().__init__(metadata={**documented, **options.pop("metadata", {})}, **options)
        self._choices = tuple(choices)
        self._max_length = max_length
        self._pattern = re.compile(pattern, re.ASCII) if pattern is not None else None
        self._allowed = allowed or f"must be text of 1 to {max_length} characters"
        self._forbidden = _NOT_IN_TEXT if lines else _NOT_IN_A_LINE

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if self._choices:
            if type(value) is not str or value not in self._choices:
                hint = nearest(value, self._choices) if isinstance(value, str) else ""
                raise ValidationError(f"must be one of {', '.join(self._choices)}{hint}")
            return value
        if type(value) is not str or not 1 <= len(value) <= self._max_length:
            raise ValidationError(self._allowed)
        if self._forbidden.search(value):
            raise ValidationError("must not hold control characters or lone surrogates")
        if self._pattern is not None and not self._pattern.fullmatch(value):
            raise ValidationError(self._allowed)
        return value


class Number(fields.Float):
    """A JSON number within bounds, as a float. Neither a boolean nor a text is a number."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, *, minimum: float, maximum: float, **options: Any) -> None:
        super().__init__(
            metadata={"minimum": minimum, "maximum": maximum, **options.pop("metadata", {})}, **options
        )
        self._minimum, self._maximum = minimum, maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if type(value) not in {int, float} or not self._minimum <= value <= self._maximum:
            raise ValidationError(f"must be a number from {self._minimum:g} to {self._maximum:g}")
        return float(value) + 0.0  # -0.0 becomes 0.0: equal values have one form


class Whole(fields.Integer):
    """A whole JSON number within bounds. `3.0` is one, as JSON knows no other numbers; `"3"` and true are not."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, *, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(
            metadata={"minimum": minimum, "maximum": maximum, **options.pop("metadata", {})}, **options
        )
        self._minimum, self._maximum = minimum, maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if (
            type(value) not in {int, float}
            or not self._minimum <= value <= self._maximum
            or (type(value) is float and not value.is_integer())
        ):
            raise ValidationError(f"must be a whole number from {self._minimum} to {self._maximum}")
        return int(value)


class Flag(fields.Boolean):
    """true or false, and nothing that merely resembles them."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError("must be true or false")
        return value


class Texts(fields.List[str]):
    """A list of up to `most` texts."""

    default_error_messages: dict[str, Any] = {
        **MISSING_MESSAGES,
        "invalid": "must be a list of texts",
    }

    def __init__(self, inner: Text, *, most: int, **options: Any) -> None:
        super().__init__(inner, metadata={"maxItems": most, **options.pop("metadata", {})}, **options)
        self._most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> list[str | None]:
        if isinstance(value, list) and len(value) > self._most:
            raise ValidationError(f"must be a list of at most {self._most}")
        return super()._deserialize(value, attr, data, **options)


class Records(fields.Nested):
    """A list of up to `most` objects of one schema."""

    default_error_messages: dict[str, Any] = {
        **MISSING_MESSAGES,
        "type": "must be a list of objects",
    }

    def __init__(self, schema: type[Schema], *, most: int, **options: Any) -> None:
        super().__init__(schema, many=True, metadata={"maxItems": most}, **options)
        self._most = most

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, partial: Any = None, **options: Any
    ) -> Any:
        if not isinstance(value, list):
            raise ValidationError("must be a list of objects")
        if len(value) > self._most:
            raise ValidationError(f"must be a list of at most {self._most}")
        return super()._deserialize(value, attr, data, partial, **options)


class Part(fields.Nested):
    """One object of another schema."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES


class Instant(fields.DateTime):
    """RFC 3339 with an offset; inside, an aware UTC datetime in whole milliseconds (more digits are cut off)."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        if type(value) is not str or not _RFC_3339.fullmatch(value):
            if isinstance(value, str) and _WITHOUT_OFFSET.fullmatch(value):
                raise ValidationError(f"has no offset, so it names no instant; it {_AN_INSTANT}")
            raise ValidationError(_AN_INSTANT)
        leap = value[17:19] == _LEAP_SECOND
        try:
            instant = datetime.fromisoformat(f"{value[:17]}59{value[19:]}" if leap else value).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError(f"is no time that exists ({error}); it {_AN_INSTANT}") from error
        if leap:
            # Leap seconds are put in at the end of a UTC day; here the day ends a second before them.
            if (instant.hour, instant.minute) != (23, 59):
                raise ValidationError("has 60 seconds, which happens only at 23:59 UTC")
            instant = instant.replace(microsecond=999_000)
        return instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else instant_text(value)


class LocalDate(fields.Date):
    """A local calendar day, `2026-03-02`; inside, that text (events keep JSON values)."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
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


class JsonValue(fields.Raw):
    """Any JSON value: nothing can be said of it before something else is known."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES


def is_plain_text(text: str) -> bool:
    """Whether `text` is one line without control characters and lone surrogates."""
    return not _NOT_IN_A_LINE.search(text)


def instant_text(instant: datetime) -> str:
    """`2026-03-02T16:00:00.000Z`: the one form in which Tandem writes an instant."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
