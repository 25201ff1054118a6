"""How a record that is in order is read: by the schema's own fields, without marshmallow's way around them.

Nine tenths of what `Schema.load` costs go into being able to say what is wrong. A record with which nothing is wrong
needs each field's own check alone, and those are here the very objects that `load` asks. A record that this reading
does not take is marshmallow's to judge: so there is one definition of the contract, and one voice that refuses.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from marshmallow import Schema, ValidationError, fields, missing

from shared.contracts.wire_fields import Checked, Part, Records, StrictSchema, Texts

_Read: TypeAlias = Callable[[Any], Any]


def straight(schema: Schema) -> Callable[[object], dict[str, Any] | None]:
    """Return a function that gives what `schema.load` returns, or None: ask `load`.

    Raise `TypeError` for a schema that does more than its fields' own checks.
    """
    read = _object(schema)

    def attempt(raw: object) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = read(raw)
        except (KeyError, ValidationError):  # KeyError: a name that the schema does not know
            return None
        return found

    return attempt


def _object(schema: Schema) -> _Read:
    if not isinstance(schema, StrictSchema) or any(schema._hooks.values()):  # noqa: SLF001 - nothing public tells of them
        raise TypeError(f"{schema!r} does more than check its fields: it has no straight reading")
    reads = {name: _reading(name, field) for name, field in schema.load_fields.items()}
    required = {name for name, field in schema.load_fields.items() if field.required}
    defaults = {
        name: field.load_default
        for name, field in schema.load_fields.items()
        if field.load_default is not missing
    }

    def read(raw: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON held
        if type(raw) is not dict or not required <= raw.keys():
            raise ValidationError("")
        found = {name: reads[name](value) for name, value in raw.items()}
        return {**defaults, **found} if defaults else found

    return read


def _reading(name: str, field: fields.Field[Any]) -> _Read:
    more = field.validators or field.pre_load or field.post_load or field.data_key or field.attribute
    if more or field.allow_none or callable(field.load_default):
        raise TypeError(f"{name} does more than check its value: it has no straight reading")
    match field:
        case Checked():
            return field.read
        case Texts(inner=Checked() as inner):
            return _list(inner.read, field.most)
        case Records():
            return _list(_object(field.schema), field.most)
        case Part():
            return _object(field.schema)
        case _:
            raise TypeError(f"{name} is a {type(field).__name__}, which has no straight reading")


def _list(read: _Read, most: int) -> _Read:
    def read_all(raw: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON held
        if type(raw) is not list or len(raw) > most:
            raise ValidationError("")
        return [read(each) for each in raw]

    return read_all
