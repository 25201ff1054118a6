"""Keys are made, listed and revoked; the rules in force are listed."""

from datetime import timedelta

import pytest

from shared.store.rulebook import RuleInfo, StoredGeneration
from tests.ingest.door import NOW, Door, event, fault, problem


def test_a_keys_token_is_shown_once(door: Door) -> None:
    door.store.clock.set(NOW + timedelta(seconds=1))
    made = door.post("/v1/keys", json={"name": "gym", "scopes": ["events:write", "events:write"]})
    assert made.status_code == 201
    assert made.json is not None
    token = made.json["token"]
    assert (made.json["name"], made.json["scopes"]) == ("gym", ["events:write"])
    assert door.post_events(event(), headers={"Authorization": f"Bearer {token}"}).status_code == 202
    listed = door.get("/v1/keys")
    assert token not in listed.text
    assert listed.json is not None
    assert [key["name"] for key in listed.json["items"]] == ["watch-sync", "gym"]


def test_a_revoked_key_is_listed_as_such(door: Door) -> None:
    door.store.clock.set(NOW + timedelta(seconds=1))
    made = door.post("/v1/keys", json={"name": "gym", "scopes": ["advice:read"]}).json
    assert made is not None
    assert door.call("DELETE", f"/v1/keys/{made['id']}").status_code == 204
    listed = door.get("/v1/keys?limit=1").json
    assert listed is not None
    assert "revoked_at" not in listed["items"][0]
    rest = door.get("/v1/keys", query_string={"cursor": listed["next_cursor"]}).json
    assert rest is not None
    assert [key["revoked_at"] for key in rest["items"]] == ["2026-03-02T20:00:01.000Z"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"scopes": ["admin"]}, "name"),
        ({"name": "a\nb", "scopes": ["admin"]}, "name"),
        ({"name": "gym"}, "scopes"),
        ({"name": "gym", "scopes": []}, "scopes"),
        ({"name": "gym", "scopes": ["root"]}, "scopes[0]"),
        ({"name": "gym", "scopes": ["admin"], "token": "tnd_mine"}, "token"),
    ],
)
def test_a_wrong_key_is_refused(door: Door, body: dict[str, object], where: str) -> None:
    fault(door.post("/v1/keys", json=body), where)


def test_anothers_key_cannot_be_revoked(door: Door) -> None:
    other = door.store.clubs.create("Rivals", NOW)
    key, token = door.store.clubs.issue_key(other.id, "key", ("admin",), NOW)
    problem(door.call("DELETE", f"/v1/keys/{key.id}"), 404)
    assert door.get("/v1/rules", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def rule(name: str) -> RuleInfo:
    return RuleInfo(
        name, "pack", 2, "abc", "Title", "ordering", "warning", "live", "moderate", ("Robineau 2016",)
    )


def test_the_rules_in_force_are_listed_with_their_errors(door: Door) -> None:
    assert door.get("/v1/rules").json == {"items": [], "next_cursor": None}
    door.store.rulebook.register(StoredGeneration(None, "h", (), (rule("b"), rule("a"))), NOW, NOW)
    door.store.rulebook.count_errors(door.club, {"b": 3})
    listed = door.get("/v1/rules").json
    assert listed is not None
    assert [(one["id"], one["errors"]) for one in listed["items"]] == [("a", 0), ("b", 3)]
    assert listed["items"][0] == {
        "id": "a",
        "pack": "pack",
        "version": 2,
        "hash": "abc",
        "title": "Title",
        "category": "ordering",
        "severity": "warning",
        "mode": "live",
        "evidence": "moderate",
        "sources": ["Robineau 2016"],
        "errors": 0,
        "issued": 0,
        "withdrawn": 0,
        "helpful": 0,
        "not_helpful": 0,
        "done": 0,
        "dismissed": 0,
    }
