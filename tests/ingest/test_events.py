"""What becomes of posted events: every status of design section 3, and what each stores."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.events import TIMELINE_TYPES, Event
from shared.contracts.partitions import partition_of_athlete
from tests.ingest.door import NOW, RUN, Door, event, fault, problem


def timeline(door: Door, athlete: str = "ann") -> tuple[Event, ...]:
    return door.store.timelines.load(
        door.club, athlete, dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=60)), NOW + timedelta(days=60)
    ).events


def test_an_event_is_stored_before_it_is_acknowledged(door: Door) -> None:
    answer = door.post_events(event(source="garmin"))
    assert answer.status_code == 202
    assert answer.json == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert timeline(door) == (
        Event(
            source="garmin",
            id="run-1",
            type="workout.completed",
            start=datetime(2026, 3, 2, 16, tzinfo=UTC),
            end=datetime(2026, 3, 2, 16, 30, tzinfo=UTC),
            data={"activity": "run", "duration_s": 1800.0},
        ),
    )


def test_the_source_of_an_event_that_names_none_is_the_keys_name(door: Door) -> None:
    door.post_events(event())
    assert [found.source for found in timeline(door)] == ["watch-sync"]


def test_an_acknowledged_event_waits_for_evaluation_and_wakes_who_evaluates(door: Door) -> None:
    door.post_events(event())
    assert door.store.due.backlog() == 1
    assert door.woken() == [partition_of_athlete(door.club, "ann")]


def test_the_same_event_again_is_a_duplicate(door: Door) -> None:
    door.post_events(event())
    answer = door.post_events(event())
    assert (answer.status_code, answer.json) == (202, {"accepted": 0, "duplicates": 1, "rejected": []})
    assert len(timeline(door)) == 1


def test_one_value_in_two_json_forms_is_the_same_content(door: Door) -> None:
    door.post_text(json.dumps(RUN))
    answer = door.post_text(json.dumps(RUN).replace("1800", "1.8e3").replace("+01:00", ".0009+01:00"))
    assert answer.json == {"accepted": 0, "duplicates": 1, "rejected": []}


def test_the_same_revision_with_other_content_is_a_conflict(door: Door) -> None:
    door.post_events(event())
    other = event(data={"activity": "run", "duration_s": 1801})
    told = fault(door.post_events(other), "revision", status=409)
    assert told["message"] == "0 is known with other content; a change needs a higher revision"
    assert told["found"] == 0


def test_a_higher_revision_replaces_and_a_lower_one_does_not(door: Door) -> None:
    door.post_events(event(revision=2, data={"activity": "run", "duration_s": 60}))
    assert door.post_events(event(revision=1, data={"activity": "run", "duration_s": 30})).status_code == 202
    assert [found.data["duration_s"] for found in timeline(door)] == [60.0]


def test_one_name_for_events_of_two_athletes_is_a_conflict(door: Door) -> None:
    door.post_events(event())
    told = fault(door.post_events(event(subject="ben")), "subject", status=409)
    assert told["found"] == "ben"


def test_a_batch_is_accepted_in_one_request(door: Door) -> None:
    answer = door.post_events([event(id=f"run-{n}", subject=f"athlete-{n % 7}") for n in range(500)])
    assert (answer.status_code, answer.json) == (202, {"accepted": 500, "duplicates": 0, "rejected": []})
    assert door.store.due.backlog() == 7


def test_the_same_event_twice_in_one_batch_is_accepted_once(door: Door) -> None:
    answer = door.post_events([event(), event()])
    assert (answer.status_code, answer.json) == (202, {"accepted": 1, "duplicates": 1, "rejected": []})


def test_an_empty_batch_is_no_error(door: Door) -> None:
    answer = door.post_events([])
    assert (answer.status_code, answer.json) == (202, {"accepted": 0, "duplicates": 0, "rejected": []})


def test_a_batch_of_which_some_are_wrong_says_which_and_stores_the_rest(door: Door) -> None:
    answer = door.post_events([event(), event(id="b", time="yesterday"), 5, event(id="d")])
    assert answer.status_code == 207
    assert answer.json is not None
    assert (answer.json["accepted"], answer.json["duplicates"]) == (2, 0)
    first, second = answer.json["rejected"]
    assert (first["index"], first["id"], first["errors"][0]["field"]) == (1, "b", "time")
    assert (second["index"], second["id"], second["errors"][0]["field"]) == (2, None, "body")
    assert {found.id for found in timeline(door)} == {"run-1", "d"}


def test_a_conflict_in_a_batch_is_a_rejection(door: Door) -> None:
    other = event(data={"activity": "ride", "duration_s": 60})
    answer = door.post_events([event(), other])
    assert answer.status_code == 207
    assert answer.json is not None
    assert [(one["index"], one["errors"][0]["field"]) for one in answer.json["rejected"]] == [(1, "revision")]


def test_a_batch_of_which_all_are_wrong_is_a_problem(door: Door) -> None:
    told = problem(door.post_events([event(id="a", subject="a b"), event(id="b", revision=-1)]), 422)
    assert (told["accepted"], told["duplicates"]) == (0, 0)
    assert [(one["index"], one["id"], one["errors"][0]["field"]) for one in told["rejected"]] == [
        (0, "a", "subject"),
        (1, "b", "revision"),
    ]


def test_a_batch_of_more_than_500_is_refused_whole(door: Door) -> None:
    told = fault(door.post_events([event(id=str(n)) for n in range(501)]), "body")
    assert "500" in told["message"]
    assert timeline(door) == ()


def test_a_deletion_takes_an_event_off_the_timeline(door: Door) -> None:
    door.post_events(event())
    deletion = event(id="gone", type="event.deleted", data={"event_id": "run-1"})
    assert door.post_events(deletion).status_code == 202
    assert timeline(door) == ()


def test_a_deletion_that_arrives_first_still_deletes(door: Door) -> None:
    deletion = event(id="gone", type="event.deleted", data={"event_id": "run-1"})
    assert door.post_events([deletion, event()]).status_code == 202
    assert timeline(door) == ()


def test_a_plan_may_lie_sixty_days_ahead_and_no_further(door: Door) -> None:
    def plan(days: int) -> dict[str, object]:
        start = NOW + timedelta(days=days, minutes=-1)
        return event(id=f"plan-{days}", type="workout.planned", time=start.isoformat())

    assert door.post_events(plan(60)).status_code == 202
    assert "60 days" in fault(door.post_events(plan(61)), "time")["message"]


def test_fifteen_minutes_of_a_fast_clock_are_forgiven(door: Door) -> None:
    ahead = (NOW + timedelta(minutes=15)).isoformat()
    further = (NOW + timedelta(minutes=15, milliseconds=1)).isoformat()
    assert door.post_events(event(time=ahead)).status_code == 202
    assert "15 minutes" in fault(door.post_events(event(id="b", time=further)), "time")["message"]


def test_a_leap_second_is_the_end_of_its_day(door: Door) -> None:
    assert door.post_events(event(time="2016-12-31T23:59:60Z")).status_code == 202
    told = fault(door.post_events(event(id="b", time="2016-12-31T22:59:60Z")), "time")
    assert "60 seconds" in told["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_events_are_posted_and_nothing_else(door: Door, method: str) -> None:
    answer = door.call(method, "/v1/events")
    problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
