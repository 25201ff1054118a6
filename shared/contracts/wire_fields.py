"""The marshmallow fields that every wire schema is made of: strict about types, and saying what is allowed."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

import re
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_dump

from shared.contracts.faults import nearest

# Control characters have no place in text that ends up in mail headers, logs and chat; a line break and a tab may
# stand in a note. Lone surrogates cannot be encoded, so no store or receiver could hold them.
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

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


class SparseSchema(StrictSchema):
    """Leaves out of an answer what is not there: absent is absent, never null, so an answer can be put back."""

    @post_dump
    def without_absent(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what is not there."""
        return {name: value for name, value in data.items() if value is not None}


class Checked:
    """A field whose whole check is `read`: of a value that is there, whatever it is, and of nothing around it."""

    def read(self, value: Any) -> Any:
        """Return what `value` is inside. Raise `ValidationError` saying what is allowed."""
        raise NotImplementedError

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.read(value)


class Text(Checked, fields.String):
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

    def read(self, value: Any) -> str:
        """Return the text as it came."""
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


class Number(Checked, fields.Float):
    """A JSON number within bounds, as a float. Neither a boolean nor a text is a number."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, *, minimum: float, maximum: float, **options: Any) -> None:
        super().__init__(
            metadata={"minimum": minimum, "maximum": maximum, **options.pop("metadata", {})}, **options
        )
        self._minimum, self._maximum = minimum, maximum

    def read(self, value: Any) -> float:
        """Return the number as a float."""
        if type(value) not in {int, float} or not self._minimum <= value <= self._maximum:
            raise ValidationError(f"must be a number from {self._minimum:g} to {self._maximum:g}")
        return float(value) + 0.0  # -0.0 becomes 0.0: equal values have one form


class Whole(Checked, fields.Integer):
    """A whole JSON number within bounds. `3.0` is one, as JSON knows no other numbers; `"3"` and true are not."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, *, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(
            metadata={"minimum": minimum, "maximum": maximum, **options.pop("metadata", {})}, **options
        )
        self._minimum, self._maximum = minimum, maximum

    def read(self, value: Any) -> int:
        """Return the number as an int."""
        if (
            type(value) not in {int, float}
            or not self._minimum <= value <= self._maximum
            or (type(value) is float and not value.is_integer())
        ):
            raise ValidationError(f"must be a whole number from {self._minimum} to {self._maximum}")
        return int(value)


class Flag(Checked, fields.Boolean):
    """true or false, and nothing that merely resembles them."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def read(self, value: Any) -> bool:
        """Return the flag as it came."""
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
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> list[str | None]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"must be a list of at most {self.most}")
        return super()._deserialize(value, attr, data, **options)


class Records(fields.Nested):
    """A list of up to `most` objects of one schema."""

    default_error_messages: dict[str, Any] = {
        **MISSING_MESSAGES,
        "type": "must be a list of objects",
    }

    def __init__(self, schema: type[Schema], *, most: int, **options: Any) -> None:
        super().__init__(schema, many=True, metadata={"maxItems": most}, **options)
        self.most = most

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, partial: Any = None, **options: Any
    ) -> Any:
        if not isinstance(value, list):
            raise ValidationError("must be a list of objects")
        if len(value) > self.most:
            raise ValidationError(f"must be a list of at most {self.most}")
        return super()._deserialize(value, attr, data, partial, **options)


class Part(fields.Nested):
    """One object of another schema."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES


class JsonValue(fields.Raw):
    """Any JSON value: nothing can be said of it before something else is known."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES


def is_plain_text(text: str) -> bool:
    """Whether `text` is one line without control characters and lone surrogates."""
    return not _NOT_IN_A_LINE.search(text)
