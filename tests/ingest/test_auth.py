"""Who may do what: keys, scopes, and the wall between clubs."""

import pytest

from tests.ingest.door import NOW, Door, event, problem

SCOPES = ("events:write", "advice:read", "admin")
OPERATIONS = [
    ("POST", "/v1/events", "events:write"),
    ("PUT", "/v1/athletes/ann", "events:write"),
    ("GET", "/v1/athletes/ann", "advice:read"),
    ("GET", "/v1/athletes", "advice:read"),
    ("GET", "/v1/athletes/ann/advice", "advice:read"),
    ("GET", "/v1/athletes/ann/trace", "advice:read"),
    ("GET", "/v1/advice/adv_x", "advice:read"),
    ("POST", "/v1/advice/adv_x/feedback", "advice:read"),
    ("GET", "/v1/rules", "advice:read"),
    ("GET", "/v1/rules/shadow", "advice:read"),
    ("GET", "/v1/rules/overrides", "advice:read"),
    ("GET", "/v1/rules/overrides/versions", "advice:read"),
    ("PUT", "/v1/rules/overrides", "admin"),
    ("POST", "/v1/rules/overrides/promote", "admin"),
    ("POST", "/v1/rules/overrides/rollback", "admin"),
    ("GET", "/v1/subscriptions", "admin"),
    ("POST", "/v1/subscriptions", "admin"),
    ("GET", "/v1/subscriptions/sub_x", "admin"),
    ("PUT", "/v1/subscriptions/sub_x", "admin"),
    ("PATCH", "/v1/subscriptions/sub_x", "admin"),
    ("DELETE", "/v1/subscriptions/sub_x", "admin"),
    ("POST", "/v1/subscriptions/sub_x/test", "admin"),
    ("POST", "/v1/subscriptions/sub_x/rotate-secret", "admin"),
    ("GET", "/v1/subscriptions/sub_x/deliveries", "admin"),
    ("GET", "/v1/deliveries/dlv_x", "admin"),
    ("POST", "/v1/deliveries/dlv_x/redeliver", "admin"),
    ("GET", "/v1/keys", "admin"),
    ("POST", "/v1/keys", "admin"),
    ("DELETE", "/v1/keys/key_x", "admin"),
]


def test_every_route_under_v1_is_listed_here(door: Door) -> None:
    routed = {
        (method, rule.rule.replace("<athlete>", "ann").split("<")[0])
        for rule in door.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/") and "unsubscribe" not in rule.rule  # a page for people, by a link
    }
    prefixes = ("adv_x", "sub_x", "dlv_x", "key_x")
    listed = set()
    for method, path, _ in OPERATIONS:
        cut = next((path.index(prefix) for prefix in prefixes if prefix in path), len(path))
        listed.add((method, path[:cut]))
    assert listed == routed


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_an_operation_needs_its_scope(door: Door, method: str, path: str, scope: str) -> None:
    for other in SCOPES:
        answer = door.call(method, path, json={}, headers=door.key(other))  # type: ignore[arg-type] # one of SCOPES
        if other in {scope, "admin"}:
            assert answer.status_code not in {401, 403}
        else:
            assert scope in problem(answer, 403)["detail"]
            assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_an_operation_needs_a_key(door: Door, method: str, path: str, scope: str) -> None:
    answer = door.app.test_client().open(path, method=method, json={})
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tandem"', scope


@pytest.mark.parametrize(
    "header", ["Bearer tnd_wrong", "Bearer " + "x" * 10_000, "Basic dTpw", "Bearer", "tnd_x"]
)
def test_another_credential_is_refused(door: Door, header: str) -> None:
    problem(door.post_events(event(), headers={"Authorization": header}), 401)


def test_the_scheme_is_read_in_any_case(door: Door) -> None:
    assert door.get("/v1/rules", headers={"Authorization": f"bearer {door.token}"}).status_code == 200


def test_a_revoked_key_is_refused_at_once(door: Door) -> None:
    key, token = door.store.clubs.issue_key(door.club, "old phone", ("events:write",), NOW)
    headers = {"Authorization": f"Bearer {token}"}
    assert door.post_events(event(), headers=headers).status_code == 202
    assert door.call("DELETE", f"/v1/keys/{key.id}").status_code == 204
    answer = door.post_events(event(), headers=headers)
    problem(answer, 401)
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_club_never_sees_anothers_data(door: Door) -> None:
    door.call("PUT", "/v1/athletes/ann", json={"timezone": "UTC"})
    door.post_events(event())
    other = door.store.clubs.create("Rivals", NOW)
    _, token = door.store.clubs.issue_key(other.id, "watch-sync", ("admin",), NOW)
    theirs = {"Authorization": f"Bearer {token}"}
    problem(door.get("/v1/athletes/ann", headers=theirs), 404)
    assert door.get("/v1/athletes", headers=theirs).json == {"items": [], "next_cursor": None}
    assert len(door.get("/v1/keys", headers=theirs).json["items"]) == 1  # type: ignore[index] # a list answer
    # The same event of another club is another event.
    assert door.post_events(event(), headers=theirs).json == {"accepted": 1, "duplicates": 0, "rejected": []}


def test_a_key_does_not_reach_the_log(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    door.post_events(event())
    door.post_events(event(), headers={"Authorization": "Bearer tnd_guessed"})
    logged = capsys.readouterr()
    assert "http.request" in logged.out + logged.err
    assert "tnd_" not in logged.out + logged.err
