"""Bad input is refused with the field, what was found, and what is allowed."""

import json

import pytest

from shared.contracts.event_schema import MAX_ID_LENGTH
from tests.ingest.door import RUN, Door, event, fault, problem

DATA = RUN["data"]


@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        ({"data": {**DATA, "distance_km": 5}}, "data.distance_km", "did you mean distance_m (metres)?"),
        ({"data": {**DATA, "duration_min": 5}}, "data.duration_min", "did you mean duration_s (seconds)?"),
        ({"data": {**DATA, "avg_hr": 150}}, "data.avg_hr", "did you mean avg_hr_bpm (beats a minute)?"),
        ({"data": {**DATA, "muscel_groups": []}}, "data.muscel_groups", "did you mean muscle_groups?"),
        ({"data": {**DATA, "rpe": "7"}}, "data.rpe", "a number from 0 to 10"),
        ({"data": {**DATA, "rpe": True}}, "data.rpe", "a number from 0 to 10"),
        ({"data": {**DATA, "rpe": 10.5}}, "data.rpe", "a number from 0 to 10"),
        ({"data": {**DATA, "rpe": None}}, "data.rpe", "leave the field out"),
        ({"data": {"activity": "run"}}, "data.duration_s", "is required"),
        ({"data": {**DATA, "duration_s": 200_000}}, "data.duration_s", "from 0 to 172800"),
        ({"data": {**DATA, "activity": "runn"}}, "data.activity", "did you mean run?"),
        ({"data": {**DATA, "muscle_groups": "core"}}, "data.muscle_groups", "a list"),
        ({"data": {**DATA, "muscle_groups": ["core", 5]}}, "data.muscle_groups[1]", "one of chest"),
        ({"data": {**DATA, "sets": [{"reps": 3}]}}, "data.sets[0].exercise", "is required"),
        (
            {"data": {**DATA, "sets": [{"exercise": "Squat", "reps": 3.5}]}},
            "data.sets[0].reps",
            "a whole number",
        ),
        (
            {"data": {**DATA, "sets": [{"exercise": "Squat", "weight_lb": 3}]}},
            "data.sets[0].weight_lb",
            "did you mean weight_kg (kilograms)?",
        ),
        ({"data": {**DATA, "title": "bell \x07"}}, "data.title", "control characters"),
        ({"data": []}, "data", "a JSON object"),
        ({"time": "2026-03-02T17:00:00"}, "time", "has no offset"),
        ({"time": "2026-03-02"}, "time", "has no offset"),
        ({"time": "2026-02-30T17:00:00Z"}, "time", "no time that exists"),
        ({"time": "9999-12-31T23:59:59-12:00"}, "time", "no time that exists"),
        ({"time": "2026-03-02T17:00:00+24:00"}, "time", "no time that exists; it must be an RFC 3339 time"),
        ({"time": 1772467200}, "time", "RFC 3339"),
        ({"time": "2026-03-03T20:00:00Z"}, "time", "15 minutes ahead"),
        ({"time": "1999-12-31T23:59:59Z"}, "time", "before 2000"),
        ({"type": "workout.complete"}, "type", "did you mean workout.completed?"),
        ({"type": ["workout.completed"]}, "type", "one of workout.completed"),
        ({"subject": "ann b"}, "subject", "A-Z a-z 0-9"),
        ({"subject": "änn"}, "subject", "A-Z a-z 0-9"),
        ({"subject": "a" * 129}, "subject", "1 to 128"),
        ({"subject": ""}, "subject", "1 to 128"),
        ({"id": "x" * 5000}, "id", f"1 to {MAX_ID_LENGTH}"),
        ({"id": "a\nb"}, "id", "control characters"),
        ({"id": 7}, "id", f"1 to {MAX_ID_LENGTH}"),
        ({"source": "a\x1fb"}, "source", "control characters"),
        ({"source": ""}, "source", f"1 to {MAX_ID_LENGTH}"),
        ({"revision": 2**31}, "revision", "0 to 2147483647"),
        ({"revision": 1.5}, "revision", "whole number"),
        ({"revision": "1"}, "revision", "whole number"),
        ({"revison": 1}, "revison", "did you mean revision?"),
        ({"energy_kcal": 300}, "energy_kcal", "belongs inside data"),
        ({"x" * 300: 1}, f"{'x' * 80}... (300 characters)", "not a known field"),
    ],
)
def test_a_wrong_event_is_refused_with_the_field_and_what_is_allowed(
    door: Door, changes: dict[str, object], where: str, message: str
) -> None:
    assert message in fault(door.post_events(event(**changes)), where)["message"]
    assert door.store.due.backlog() == 0


@pytest.mark.parametrize(
    ("kind", "data", "where", "message"),
    [
        ("checkin.recorded", {}, "data", "at least one of sleep_h"),
        ("checkin.recorded", {"pain": "some"}, "data.pain", "none, minor, major"),
        ("meal.logged", {}, "data.energy_kcal", "is required"),
        ("meal.logged", {"energy_kj": 900}, "data.energy_kj", "energy_kcal (kilocalories)"),
        ("day.closed", {"date": "2026-02-30", "nutrition_complete": True}, "data.date", "a date that exists"),
        ("day.closed", {"date": "2026-03-09", "nutrition_complete": True}, "data.date", "today"),
        (
            "day.closed",
            {"date": "2026-03-02", "nutrition_complete": 1},
            "data.nutrition_complete",
            "true or false",
        ),
        ("supplement.taken", {"kind": "whey"}, "data.kind", "protein, bcaa"),
        ("event.deleted", {}, "data.event_id", "is required"),
        ("event.deleted", {"event_id": "x" * 257}, "data.event_id", "1 to 256"),
    ],
)
def test_each_type_has_rules_of_its_own(
    door: Door, kind: str, data: dict[str, object], where: str, message: str
) -> None:
    assert message in fault(door.post_events(event(type=kind, data=data)), where)["message"]


def test_all_faults_are_told_at_once(door: Door) -> None:
    answer = door.post_events({"id": "x", "data": {"rpe": 11}, "type": "workout.completed"})
    assert {error["field"] for error in problem(answer, 422)["errors"]} == {
        "subject",
        "time",
        "data.activity",
        "data.duration_s",
        "data.rpe",
    }


def test_what_was_found_is_shown_short_and_printable(door: Door) -> None:
    assert fault(door.post_events(event(id="x" * 5000)), "id")["found"] == f"{'x' * 80}... (5000 characters)"
    assert fault(door.post_events(event(id=10**400)), "id")["found"].endswith("(401 characters)")


@pytest.mark.parametrize("where", ["id", "source", "subject"])
def test_a_lone_surrogate_is_refused_naming_the_field(door: Door, where: str) -> None:
    told = fault(door.post_text(json.dumps(event(**{where: "a\ud800"}))), where)
    assert told["found"] == "a\\ud800"


def test_a_lone_surrogate_in_a_name_or_a_note_is_refused_too(door: Door) -> None:
    answer = door.post_text(json.dumps(event(data={**DATA, "title": "\udfff", "\ud800": 1})))
    assert {error["field"] for error in problem(answer, 422)["errors"]} == {"data.title", "data.\\ud800"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "empty"),
        ("not json", "line 1, column 1"),
        ('{"id": 1,}', "not JSON"),
        ('{"id": NaN}', "NaN"),
        ('{"id": Infinity}', "Infinity"),
        ('{"id": -Infinity}', "-Infinity"),
        ('{"id": "a", "id": "b"}', "id twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"id": ' + "9" * 5000 + "}", "a number of too many digits"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_not_json_is_a_400_that_says_why(door: Door, body: str | bytes, message: str) -> None:
    assert message in problem(door.post_text(body), 400)["detail"]


def test_a_number_too_large_for_json_readers_is_refused(door: Door) -> None:
    body = json.dumps(event()).replace("1800", "1e999")
    assert fault(door.post_text(body), "data.duration_s")["found"] == "inf"


@pytest.mark.parametrize("body", ["5", "null", '"event"', "true"])
def test_json_that_is_no_event_is_a_422(door: Door, body: str) -> None:
    assert fault(door.post_text(body), "body")["message"] == "must be a JSON object"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "", "application/cloudevents+xml", "application/json; charset=utf-16"],
)
def test_another_content_type_is_a_415(door: Door, content_type: str) -> None:
    problem(door.post_text(json.dumps(RUN), content_type), 415)


def test_a_compressed_body_is_a_415_that_says_what_is_taken(door: Door) -> None:
    answer = door.post_events(event(), headers={"Content-Encoding": "gzip"})
    problem(answer, 415)
    assert answer.headers["Accept-Encoding"] == "identity"


def test_a_body_over_one_mebibyte_is_a_413(door: Door) -> None:
    limit = 1024 * 1024
    text = json.dumps([event()])
    assert door.post_text(text + " " * (limit - len(text))).status_code == 202
    problem(door.post_text(text + " " * (limit - len(text) + 1)), 413)


def test_a_body_with_a_byte_order_mark_is_read(door: Door) -> None:
    assert door.post_text(b"\xef\xbb\xbf" + json.dumps(RUN).encode()).status_code == 202
