"""Which test files an editor takes for right: the JSON Schema of a file of rule tests."""

from typing import Any

from marshmallow import Schema, fields

from services.rules.language.schema import Duration
from services.rules.schemas.descriptions import DESCRIPTIONS
from services.rules.schemas.fields import DIALECT, Json, of_field, of_schema
from services.rules.testing.diary import OF_EVENT
from services.rules.testing.files import (
    MAX_TESTS,
    ExpectationSchema,
    ExpectedSchema,
    ScenarioSchema,
    TestFileSchema,
)
from shared.contracts.athlete_schema import AthleteSchema
from shared.contracts.event_schema import event_schemas
from shared.contracts.events import EVENT_TYPES

# Any way of ISO 8601 in which a time begins with its day; whether the day exists, the runner says.
_INSTANT: Json = {"type": "string", "pattern": "^[0-9]{4}-?(W[0-9]{2}|[0-9]{2}-?[0-9]{2})"}
_LENGTH = "duration_s"


def test_file_schema() -> Json:
    """Return the JSON Schema of a file of tests."""
    pack: Json = {"anyOf": [{"type": "string"}, _list({"type": "string"})]}
    expected = of_schema(ExpectedSchema())
    expectation = {
        **of_schema(ExpectationSchema(), at=_INSTANT, advice=_list(expected, least=0)),
        "anyOf": [{"required": ["advice"]}, {"required": ["withdrawn"]}],
    }
    athlete = of_schema(AthleteSchema())
    scenario = of_schema(
        ScenarioSchema(),
        athlete={
            key: value for key, value in athlete.items() if key != "required"
        },  # the zone is UTC, unless given
        events=_list({"$ref": "#/$defs/event"}, least=0),
        expect=_list(expectation),
    )
    return {
        "$schema": DIALECT,
        "title": "Tandem rule tests",
        **of_schema(TestFileSchema(), pack=pack, tests=_list(scenario)),
        "$defs": {"event": _event(), **{name: _of_type(name) for name in EVENT_TYPES}},
    }


def _event() -> Json:
    """Which type it is decides all the rest."""
    return {
        "type": "object",
        "properties": {
            "type": {"description": DESCRIPTIONS["event.type"], "enum": list(EVENT_TYPES)},
            "at": {"description": DESCRIPTIONS["event.at"], **_INSTANT},
        },
        "required": ["type", "at"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in EVENT_TYPES
        ],
    }


def _of_type(name: str) -> Json:
    """Return what an event of the type holds: its data stand beside what every event has."""
    envelope = event_schemas()[name].load_fields
    known: dict[str, Json] = {
        "at": _INSTANT, "arrives": _INSTANT, "for": of_field(Duration()), "type": {"const": name},
    }  # fmt: skip
    frame = {
        key: {"description": DESCRIPTIONS[f"event.{key}"], **(known.get(key) or _plain(envelope[key]))}
        for key in sorted(OF_EVENT)
    }
    data = of_schema(_data(envelope["data"]))
    required = [key for key in data.get("required", ()) if key != _LENGTH]
    found: Json = {
        "type": "object",
        "properties": {**frame, **data["properties"]},
        "additionalProperties": False,
        "required": ["type", "at", *required],
    }
    spoken = list(data["properties"]) if EVENT_TYPES[name].at_least_one else []
    if _LENGTH in data["properties"]:
        spoken = ["for", _LENGTH]
    else:
        del found["properties"]["for"]
    return found | ({"anyOf": [{"required": [key]} for key in spoken]} if spoken else {})


def _data(part: "fields.Field[Any]") -> Schema:
    assert isinstance(part, fields.Nested)  # noqa: S101 - so is `data` of every type that is known
    assert isinstance(part.schema, Schema)  # noqa: S101 - marshmallow types it as one or its class
    return part.schema


def _plain(field: "fields.Field[Any]") -> Json:
    return {key: value for key, value in of_field(field).items() if key != "description"}


def _list(items: Json, *, least: int = 1) -> Json:
    return {"type": "array", "minItems": least, "maxItems": MAX_TESTS, "items": items}
