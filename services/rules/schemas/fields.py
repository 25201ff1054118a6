"""How a marshmallow field or schema reads in JSON Schema."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from marshmallow import Schema, fields

from services.rules.language.schema import Duration, Expression
from services.rules.schemas.descriptions import DESCRIPTIONS
from shared.contracts.athlete_schema import ParamsField
from shared.contracts.wire_fields import Flag, JsonValue, Number, Part, Records, Text, Texts, Whole
from shared.contracts.wire_times import ClockTime, LocalDate, Zone

Json: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

# Beyond these, a field says in its metadata what it allows.
_TYPES: Mapping[type[fields.Field[Any]], Json] = {
    Text: {"type": "string"},
    Number: {"type": "number"},
    Whole: {"type": "integer"},
    Flag: {"type": "boolean"},
    Zone: {"type": "string", "minLength": 1},
    LocalDate: {"type": "string", "pattern": DATE},
    ClockTime: {},
    Duration: {},
    Expression: {},
}


def of_schema(schema: Schema, **known: Json) -> Json:
    """Return the JSON Schema of a mapping; `known` says of fields of any JSON value what they may hold."""
    name = type(schema).__name__
    properties = {key: known.get(key) or of_field(part) for key, part in schema.load_fields.items()}
    for key, document in properties.items():
        if said := DESCRIPTIONS.get(f"{name}.{key}"):
            properties[key] = {"description": said, **document}
    required = [key for key, part in schema.load_fields.items() if part.required]
    found: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {})


def of_field(field: fields.Field[Any]) -> Json:
    """Return the JSON Schema of what one field accepts. A kind of field that is not known here is an error."""
    said: Json = dict(field.metadata)
    for kind, document in _TYPES.items():
        if isinstance(field, kind):
            return {**document, **said}
    match field:
        case Records():
            return {"type": "array", "items": of_schema(_schema_of(field)), **said}
        case Part():
            return {**of_schema(_schema_of(field)), **said}
        case Texts():
            return {"type": "array", "items": of_field(field.inner), **said}
        case ParamsField():
            return {"type": "object", "additionalProperties": {"type": "object"}, **said}
    if type(field) is JsonValue:
        return {"not": {"type": "null"}, **said}
    raise TypeError(f"{type(field).__name__} has no JSON Schema; give it one here")


def _schema_of(field: fields.Nested) -> Schema:
    found = field.schema
    assert isinstance(found, Schema)  # noqa: S101 - marshmallow types it as one or its class
    return found


def one_of_keys(keys: tuple[str, ...]) -> Json:
    """Exactly one of the keys is there."""
    return {"oneOf": [{"required": [key]} for key in keys]}


def at_most_one_of(keys: tuple[str, ...]) -> Json:
    """Return what each key rules out: the others."""
    return {key: refusing(*(other for other in keys if other != key)) for key in keys}


def refusing(*keys: str) -> Json:
    """None of the keys is there."""
    return {"properties": dict.fromkeys(keys, False)}
