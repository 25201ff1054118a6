"""Advice is listed, read with why and how it was delivered, and answered."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

from shared.contracts.advice import (
    Advice,
    AdviceRecord,
    AnchorRef,
    Because,
    Category,
    EventRef,
    State,
    advice_id,
)
from shared.contracts.advice_schema import advice_event
from shared.contracts.events import TIMELINE_TYPES
from shared.contracts.ids import delivery_id
from shared.contracts.subscriptions import Delivery, DeliveryItem
from shared.store.advice import Changes
from tests.ingest.door import NOW, Door, event, fault, problem


def record(club: str, rule: str, category: Category = "ordering", state: State = "active") -> AdviceRecord:
    """Return what rules would commit for Ann's run."""
    anchor = AnchorRef("each", "watch\x1frun-1", NOW, "workout.completed", NOW - timedelta(hours=1), NOW)
    evidence = EventRef("watch", "run-1", 0, "workout.completed", NOW - timedelta(hours=1), NOW)
    return AdviceRecord(
        advice=Advice(
            id=advice_id(club, "ann", rule, anchor.key),
            club=club,
            athlete="ann",
            rule=rule,
            rule_version=1,
            rule_hash="abc",
            category=category,
            severity="warning",
            title="Keep the run relaxed",
            message="Intervals on another day.",
            due=NOW,
            expires_at=NOW + timedelta(hours=24),
            because=Because(anchor, (evidence,), {"gap_h": 2.0, "lift": {"found": True}}),
            evidence="moderate",
            sources=("Robineau 2016",),
        ),
        revision=1,
        state=state,
        issued_at=NOW,
        changed_at=NOW,
    )


def commit(door: Door, *records: AdviceRecord) -> None:
    door.post_events(event())
    snapshot = door.store.timelines.load(
        door.club, "ann", dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1)), NOW + timedelta(days=1)
    )
    assert door.store.advice.commit(snapshot, Changes(records), None).taken


def rules(door: Door, query: str = "") -> list[str]:
    listed = door.get(f"/v1/athletes/ann/advice{query}").json
    assert listed is not None
    return sorted(one["rule"] for one in listed["items"])


def test_advice_says_what_it_rests_on(door: Door) -> None:
    commit(door, record(door.club, "no-sprint"))
    listed = door.get("/v1/athletes/ann/advice").json
    assert listed is not None
    (told,) = listed["items"]
    assert (told["state"], told["revision"], told["message"]) == ("active", 1, "Intervals on another day.")
    assert told["because"] == {
        "anchor": {
            "kind": "each",
            "source": "watch",
            "id": "run-1",
            "type": "workout.completed",
            "due": "2026-03-02T20:00:00.000Z",
            "start": "2026-03-02T19:00:00.000Z",
            "end": "2026-03-02T20:00:00.000Z",
        },
        "events": [
            {
                "source": "watch",
                "id": "run-1",
                "revision": 0,
                "type": "workout.completed",
                "start": "2026-03-02T19:00:00.000Z",
                "end": "2026-03-02T20:00:00.000Z",
            }
        ],
        "facts": {"gap_h": 2.0, "lift": {"found": True}},
        "left_out": 0,
    }
    assert (told["evidence"], told["sources"]) == ("moderate", ["Robineau 2016"])


def test_advice_is_chosen_by_state_and_category(door: Door) -> None:
    commit(
        door,
        record(door.club, "a", "ordering", "active"),
        record(door.club, "b", "recovery", "active"),
        record(door.club, "c", "recovery", "withdrawn"),
        record(door.club, "d", "safety", "expired"),
    )
    assert rules(door) == ["a", "b", "c", "d"]
    assert rules(door, "?state=active") == ["a", "b"]
    assert rules(door, "?state=withdrawn,expired") == ["c", "d"]
    assert rules(door, "?state=withdrawn&state=expired") == ["c", "d"]
    assert rules(door, "?category=recovery&state=active") == ["b"]
    assert rules(door, "?state=") == ["a", "b", "c", "d"]


def test_advice_is_listed_page_by_page(door: Door) -> None:
    commit(door, *(record(door.club, name) for name in "abc"))
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        page = door.get("/v1/athletes/ann/advice", query_string=query).json
        assert page is not None
        seen += [one["rule"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("query", "where"),
    [("state=activ", "state[0]"), ("category=food", "category[0]"), ("cursor=x", "cursor")],
)
def test_a_wrong_choice_of_advice_is_refused(door: Door, query: str, where: str) -> None:
    fault(door.get(f"/v1/athletes/ann/advice?{query}"), where)


def test_who_is_unknown_has_no_advice(door: Door) -> None:
    assert door.get("/v1/athletes/nobody/advice").json == {"items": [], "next_cursor": None}


def test_one_piece_of_advice_lists_its_deliveries(door: Door) -> None:
    kept = record(door.club, "a")
    commit(door, kept)
    name = delivery_id("sub_1", "issue")
    item = DeliveryItem(kept.advice.id, "ann", 1, "advice.issued")
    door.store.deliveries.enqueue(Delivery(name, "sub_1", door.club, "advice", (item,), NOW, NOW))
    told = door.get(f"/v1/advice/{kept.advice.id}").json
    assert told is not None
    assert told["rule"] == "a"
    (delivery,) = told["deliveries"]
    assert (delivery["id"], delivery["state"], delivery["attempts"]) == (name, "pending", [])
    assert delivery["items"] == [
        {"advice_id": kept.advice.id, "athlete_id": "ann", "revision": 1, "type": "advice.issued"}
    ]


@pytest.mark.parametrize("name", ["adv_00nosuch", "nonsense", "adv_", "adv_{}"])
def test_unknown_advice_is_not_found(door: Door, name: str) -> None:
    problem(door.get(f"/v1/advice/{name}"), 404)
    problem(door.post(f"/v1/advice/{name}/feedback", json={"verdict": "done"}), 404)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        ("helpful", "acknowledged"),
        ("not_helpful", "acknowledged"),
        ("done", "acknowledged"),
        ("dismiss", "dismissed"),
    ],
)
def test_feedback_answers_standing_advice(door: Door, verdict: str, state: str) -> None:
    kept = record(door.club, "a")
    commit(door, kept)
    told = door.post(f"/v1/advice/{kept.advice.id}/feedback", json={"verdict": verdict}).json
    assert told is not None
    assert (told["state"], told["feedback"]) == (state, [verdict])


def test_feedback_does_not_revive_what_was_withdrawn(door: Door) -> None:
    kept = record(door.club, "a", state="withdrawn")
    commit(door, kept)
    told = door.post(f"/v1/advice/{kept.advice.id}/feedback", json={"verdict": "helpful"}).json
    assert told is not None
    assert (told["state"], told["feedback"]) == ("withdrawn", ["helpful"])


def test_an_unknown_verdict_is_refused(door: Door) -> None:
    kept = record(door.club, "a")
    commit(door, kept)
    answer = door.post(f"/v1/advice/{kept.advice.id}/feedback", json={"verdict": "dismissed"})
    assert "did you mean dismiss?" in fault(answer, "verdict")["message"]


def test_another_clubs_advice_is_not_found(door: Door) -> None:
    kept = record(door.club, "a")
    commit(door, kept)
    other = door.store.clubs.create("Rivals", NOW)
    _, token = door.store.clubs.issue_key(other.id, "key", ("admin",), NOW)
    headers = {"Authorization": f"Bearer {token}"}
    problem(door.get(f"/v1/advice/{kept.advice.id}", headers=headers), 404)
    assert door.get("/v1/athletes/ann/advice", headers=headers).json == {"items": [], "next_cursor": None}


def test_the_sdk_reads_the_cloudevent_that_tells_of_advice() -> None:
    kept = replace(record("clb_1", "a"), revision=2)
    sent = advice_event(kept, "advice.updated", "https://tandem.example", "dlv_1", NOW)
    read = from_structured_event(
        HTTPMessage({"content-type": "application/cloudevents+json"}, json.dumps(sent).encode())
    )
    assert (read.get_id(), read.get_type(), read.get_subject()) == ("dlv_1", "advice.updated", "ann")
    assert (read.get_source(), read.get_time()) == ("https://tandem.example", NOW)
    data = read.get_data()
    assert isinstance(data, dict)
    assert set(data) == {
        "advice_id", "revision", "athlete_id", "rule", "rule_version", "category", "severity", "title", "message",
        "issued_at", "expires_at", "because", "evidence", "sources",
    }  # fmt: skip
    assert data["revision"] == 2
