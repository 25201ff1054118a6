"""CloudEvents 1.0 as a stranger sends them: built by the SDK, in structured, batch and binary mode."""

import base64
import json
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from werkzeug.test import TestResponse

from tests.ingest.door import NOW, RUN, Door, fault, problem
from tests.ingest.test_events import timeline

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def built(**attributes: Any) -> CloudEvent:
    """Return a run as the SDK builds it."""
    return CloudEvent(
        attributes={
            "id": "run-1",
            "source": "/watch/ö 7",
            "type": "workout.completed",
            "subject": "ann",
            "time": NOW,
            "datacontenttype": "application/json",
            **attributes,
        },
        data={"activity": "run", "duration_s": 1800, "title": "Abendlauf über 5 km"},
    )


def send(door: Door, message: HTTPMessage) -> TestResponse:
    return door.post("/v1/events", data=message.body, headers=dict(message.headers))


@pytest.mark.parametrize("mode", [to_structured_event, to_binary_event])
def test_what_the_sdk_builds_is_accepted(door: Door, mode: Any) -> None:
    assert send(door, mode(built())).json == {"accepted": 1, "duplicates": 0, "rejected": []}
    (found,) = timeline(door)
    assert (found.source, found.start, found.data["title"]) == ("/watch/ö 7", NOW, "Abendlauf über 5 km")


def test_both_modes_say_the_same(door: Door) -> None:
    send(door, to_structured_event(built()))
    assert send(door, to_binary_event(built())).json == {"accepted": 0, "duplicates": 1, "rejected": []}


def test_a_batch_of_what_the_sdk_builds_is_accepted(door: Door) -> None:
    events = [json.loads(JSONFormat().write(built(id=str(number)))) for number in range(3)]
    answer = door.post_text(json.dumps(events), BATCH)
    assert answer.json == {"accepted": 3, "duplicates": 0, "rejected": []}


@pytest.mark.parametrize("mode", [to_structured_event, to_binary_event])
def test_the_revision_is_an_extension_attribute(door: Door, mode: Any) -> None:
    send(door, mode(built(revision=3)))
    assert [found.revision for found in timeline(door)] == [3]


@pytest.mark.parametrize("mode", [to_structured_event, to_binary_event])
def test_other_extensions_are_ignored(door: Door, mode: Any) -> None:
    extended = built(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", sequence="7")
    assert send(door, mode(extended)).status_code == 202


@pytest.mark.parametrize("mode", [to_structured_event, to_binary_event])
def test_an_extension_that_is_all_but_an_attribute_is_a_typo(door: Door, mode: Any) -> None:
    told = fault(send(door, mode(built(revison=3))), "revison")
    assert told["message"].endswith("did you mean revision?")


def test_data_in_base64_is_read(door: Door) -> None:
    encoded = base64.b64encode(json.dumps(RUN["data"]).encode()).decode()
    sent = {name: value for name, value in RUN.items() if name != "data"}
    answer = door.post_text(json.dumps({**sent, "specversion": "1.0", "data_base64": encoded}), STRUCTURED)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("encoded", "message"), [("?", "base64"), ("", "empty"), (5, "base64"), ("bm8=", "JSON")]
)
def test_data_in_bad_base64_is_refused(door: Door, encoded: object, message: str) -> None:
    sent = {name: value for name, value in RUN.items() if name != "data"}
    answer = door.post_text(json.dumps({**sent, "specversion": "1.0", "data_base64": encoded}), STRUCTURED)
    assert message in fault(answer, "data_base64")["message"]


def test_data_may_be_given_once(door: Door) -> None:
    answer = door.post_text(json.dumps({**RUN, "specversion": "1.0", "data_base64": "e30="}), STRUCTURED)
    assert "beside data" in fault(answer, "data_base64")["message"]


def test_plain_json_with_a_specversion_is_a_cloudevent(door: Door) -> None:
    extended = {**RUN, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    problem(door.post_events(extended), 422)
    assert door.post_events({**extended, "specversion": "1.0"}).status_code == 202


@pytest.mark.parametrize("version", ["0.3", "1.1", 1.0, None])
def test_another_version_is_refused(door: Door, version: object) -> None:
    fault(door.post_text(json.dumps({**RUN, "specversion": version}), STRUCTURED), "specversion")


def test_a_structured_event_must_say_its_version(door: Door) -> None:
    assert "is required" in fault(door.post_text(json.dumps(RUN), STRUCTURED), "specversion")["message"]


def test_a_list_is_no_structured_event_and_an_object_no_batch(door: Door) -> None:
    one = {**RUN, "specversion": "1.0"}
    assert BATCH in fault(door.post_text(json.dumps([one]), STRUCTURED), "body")["message"]
    assert STRUCTURED in fault(door.post_text(json.dumps(one), BATCH), "body")["message"]


def test_an_empty_batch_is_no_error(door: Door) -> None:
    assert door.post_text("[]", BATCH).status_code == 202


def binary(door: Door, **headers: str) -> TestResponse:
    sent = {
        "ce-specversion": "1.0",
        "ce-id": "run-1",
        "ce-type": "workout.completed",
        "ce-subject": "ann",
        "ce-time": "2026-03-02T17:00:00Z",
        "Content-Type": "application/json",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return door.post("/v1/events", data=json.dumps(RUN["data"]), headers=sent)


def test_headers_are_unquoted_and_percent_decoded(door: Door) -> None:
    assert binary(door, ce_source='"a \\"b\\" %E2%82%AC"').status_code == 202
    assert [found.source for found in timeline(door)] == ['a "b" €']


def test_a_header_that_is_not_utf_8_is_refused(door: Door) -> None:
    assert "UTF-8" in fault(binary(door, ce_source="%FF"), "source")["message"]


@pytest.mark.parametrize("revision", ["two", "-1", "1.5", "²", "99999999999999999999999"])
def test_a_header_that_is_no_revision_is_refused(door: Door, revision: str) -> None:
    encoded = revision.encode().decode("latin-1")
    assert "whole number" in fault(binary(door, ce_revision=encoded), "revision")["message"]


def test_binary_data_must_be_json(door: Door) -> None:
    problem(binary(door, Content_Type="application/xml"), 415)
    answer = door.post("/v1/events", data="x", headers={"ce-specversion": "1.0", "ce-id": "a"})
    problem(answer, 400)


def test_a_binary_event_without_data_or_version_is_refused(door: Door) -> None:
    answer = door.post("/v1/events", headers={"ce-id": "a", "ce-type": "meal.logged", "ce-subject": "ann"})
    assert {error["field"] for error in problem(answer, 422)["errors"]} == {"specversion", "time", "data"}


@pytest.mark.parametrize("kind", ["text/json", "application/xml", "application/jsonx"])
def test_data_of_another_kind_is_refused(door: Door, kind: str) -> None:
    answer = door.post_text(json.dumps({**RUN, "specversion": "1.0", "datacontenttype": kind}), STRUCTURED)
    assert "application/json" in fault(answer, "datacontenttype")["message"]
