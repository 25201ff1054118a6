"""An event that is in order is read without marshmallow's way around it, and reads as marshmallow would have it."""

import json
import math
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, post_load, validate

from shared.contracts.event_schema import MAX_RECORDS, event_schemas
from shared.contracts.wire_fields import JsonValue, StrictSchema, Text
from shared.contracts.wire_straight import straight
from tests.ingest.door import event
from tests.ingest.test_properties import events

STRAIGHT = {name: straight(schema) for name, schema in event_schemas().items()}

odd_numbers = [
    0,
    -0.0,
    0.0,
    3.0,
    3.5,
    -1,
    2**31,
    2**53 + 1,
    10**400,
    1e-320,
    1e308,
    math.nan,
    math.inf,
    True,
    False,
]
odd_texts = [
    "",
    " ",
    "a",
    "x" * 129,
    "x" * 257,
    "é" * 256,
    "\x00",
    "a\nb",
    "\x85",
    "\ud800",
    "\u2028",
    "0",
    "true",
]
odd_times = [
    "2026-03-02T17:00:00+01:00", "2026-03-02t17:00:00z", "2026-03-02T17:00:00-23:59", "2026-03-02T17:00:00+24:00",
    "2026-03-02T17:00:00.1Z", "2026-03-02T17:00:00.0009999999Z", "2016-12-31T23:59:60Z", "2016-12-31T22:59:60-01:00",
    "2016-12-31T12:00:60Z", "2026-03-02T17:00:00", "2026-02-30T17:00:00Z", "0001-01-01T00:00:00+14:00", "2026-03-02",
]  # fmt: skip
odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], {}, *odd_numbers, *odd_texts, *odd_times]
) | st.recursive(
    st.integers() | st.floats() | st.text(st.characters(), max_size=5) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def exactly(value: object) -> object:
    """Return a form of `value` that is equal only for the same types, the same sign of zero and the same names."""
    match value:
        case dict():
            return {name: exactly(inner) for name, inner in value.items()}
        case list():
            return [exactly(inner) for inner in value]
        case _:
            return type(value), repr(value)


def places(raw: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each container in an event with each of its keys, and with one that it does not have."""
    todo: list[Any] = [raw]
    while todo:
        here = todo.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here))
        yield from ((here, key) for key in keys)
        if isinstance(here, dict):
            yield here, "elsewhere"
        todo += [here[key] for key in keys if isinstance(here[key], (dict, list))]


@given(raw=events)
def test_every_event_that_the_definition_allows_is_read_straight(raw: dict[str, Any]) -> None:
    for form in (raw, json.loads(json.dumps(raw))):
        found = STRAIGHT[raw["type"]](form)
        assert found is not None
        assert exactly(found) == exactly(event_schemas()[raw["type"]].load(form))


@given(raw=events, data=st.data())
def test_whatever_is_read_straight_is_what_marshmallow_reads(
    raw: dict[str, Any], data: st.DataObject
) -> None:
    schema = event_schemas()[raw["type"]]
    damaged = deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 2))):
        here, key = data.draw(st.sampled_from(list(places(damaged))))
        if data.draw(st.booleans()) or not isinstance(here, dict) or key not in here:
            here[key] = data.draw(odd)
        else:
            del here[key]
    found = STRAIGHT[raw["type"]](damaged)
    if found is None:
        with pytest.raises(ValidationError):  # else the contract has something that straight reading lacks
            schema.load(damaged)
    else:
        assert exactly(found) == exactly(schema.load(damaged))


@pytest.mark.parametrize("number", [MAX_RECORDS, MAX_RECORDS + 1])
def test_lists_have_the_same_longest_length(number: int) -> None:
    data = {"activity": "strength", "duration_s": 60, "sets": [{"exercise": "squat"}] * number}
    found = STRAIGHT["workout.completed"](event(data=data))
    assert (found is not None) == (number == MAX_RECORDS)


@pytest.mark.parametrize("raw", [None, [], "text", 1, [event()]])
def test_what_is_no_object_is_left_to_marshmallow(raw: object) -> None:
    assert STRAIGHT["workout.completed"](raw) is None


class _Afterwards(StrictSchema):
    """Does something with what it has read."""

    name = Text()

    @post_load
    def shout(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value.upper() for name, value in data.items()}


@pytest.mark.parametrize(
    "schema",
    [
        _Afterwards(),
        Schema.from_dict({"name": Text()})(),
        StrictSchema.from_dict({"name": Text(validate=validate.Length(1))})(),
        StrictSchema.from_dict({"name": Text(allow_none=True)})(),
        StrictSchema.from_dict({"name": Text(data_key="Name")})(),
        StrictSchema.from_dict({"name": Text(load_default=lambda: "now")})(),
        StrictSchema.from_dict({"name": fields.String()})(),
        StrictSchema.from_dict({"name": JsonValue()})(),
    ],
)
def test_a_schema_that_does_more_than_check_its_fields_has_no_straight_reading(schema: Schema) -> None:
    with pytest.raises(TypeError):
        straight(schema)
