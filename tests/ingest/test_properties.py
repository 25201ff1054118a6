"""Whatever is posted, the answer is one of those that are documented, and says what it must."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.event_schema import EARLIEST, read_event
from shared.contracts.events import EVENT_TYPES, Field
from shared.contracts.faults import InvalidError
from tests.ingest.door import NOW, Door, event

one_door = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["id", "source", "type", "subject", "time", "revision", "data", "specversion", "data_base64"]
)


@given(
    body=anything | st.lists(st.dictionaries(names, anything), max_size=5) | st.dictionaries(names, anything)
)
@one_door
def test_any_json_is_answered_and_never_with_a_500(door: Door, body: object) -> None:
    for content_type in (
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ):
        answer = door.post_text(json.dumps(body), content_type)
        assert answer.status_code in {202, 400, 422}, answer.text
        json.loads(answer.data.decode("utf-8"))


@given(body=st.binary(max_size=200))
@one_door
def test_any_bytes_are_answered_and_never_with_a_500(door: Door, body: bytes) -> None:
    assert door.post_text(body).status_code in {400, 422}


@given(place=st.sampled_from(sorted(event())), value=anything)
@one_door
def test_one_wrong_field_is_the_one_that_is_named(door: Door, place: str, value: object) -> None:
    answer = door.post_text(json.dumps(event(**{place: value})))
    assert answer.json is not None
    if answer.status_code == 422:
        assert {error["field"].partition(".")[0].partition("[")[0] for error in answer.json["errors"]} <= {
            place,
            "data",
        }
    else:
        assert answer.status_code in {202, 400, 409}, answer.text


def values(spec: Field) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one a kind
    """Return values that the definition of a field allows."""
    if spec.choices:
        choice = st.sampled_from(spec.choices)
        return st.lists(choice, max_size=5) if spec.kind == "texts" else choice
    match spec.kind:
        case "number":
            return st.floats(spec.minimum, spec.maximum)
        case "integer":
            return st.integers(int(spec.minimum or 0), int(spec.maximum or 0))
        case "flag":
            return st.booleans()
        case "date":
            return st.dates(EARLIEST.date(), NOW.date()).map(str)
        case "records":
            return st.lists(fields(spec.records), max_size=3)
        case _:
            plain = st.characters(exclude_categories=["Cc", "Cs"])
            return st.text(plain, min_size=1, max_size=min(spec.max_length, 30))


def fields(specs: Mapping[str, Field]) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: values(spec) for name, spec in specs.items() if spec.required}
    optional = {name: values(spec) for name, spec in specs.items() if not spec.required}
    return st.fixed_dictionaries(required, optional=optional)


events = st.sampled_from(sorted(EVENT_TYPES)).flatmap(
    lambda name: st.fixed_dictionaries(
        {
            "id": st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=256),
            "type": st.just(name),
            "subject": st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True),
            "time": st.datetimes(datetime(2000, 1, 2), datetime(2026, 3, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis wants naive bounds
                datetime.isoformat
            ),
            "revision": st.integers(0, 2**31 - 1),
            "data": fields(EVENT_TYPES[name].fields).filter(
                lambda data: bool(data) or not EVENT_TYPES[name].at_least_one
            ),
        }
    )
)


@given(raw=events)
def test_every_event_that_the_definition_allows_is_read_without_loss(raw: dict[str, Any]) -> None:
    posted = read_event(raw, default_source="key", now=NOW)
    read = posted.event
    assert (posted.athlete, read.id, read.type, read.revision) == (
        raw["subject"],
        raw["id"],
        raw["type"],
        raw["revision"],
    )
    assert timedelta(0) <= datetime.fromisoformat(raw["time"]) - read.start < timedelta(milliseconds=1)
    assert read.start.microsecond % 1000 == read.end.microsecond % 1000 == 0
    assert {**read.data, **raw["data"]} == read.data
    assert read_event(json.loads(json.dumps(raw)), default_source="key", now=NOW) == posted


@given(raw=events, change=st.sampled_from(["drop", "null", "text"]), data=st.data())
def test_every_required_field_is_required(raw: dict[str, Any], change: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["id", "type", "subject", "time", "data"]))
    wrong = {key: value for key, value in raw.items() if key != name or change != "drop"}
    if change != "drop":
        wrong[name] = None if change == "null" else ""
    with pytest.raises(InvalidError) as refused:
        read_event(wrong, default_source="key", now=NOW)
    assert any(fault.field == name for fault in refused.value.faults)
