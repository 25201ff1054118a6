"""Subscriptions: made, changed, tested, rotated and ended; and what their deliveries say."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.subscriptions import Attempt, Delivery, Secret
from shared.store.claims import Outcome
from tests.ingest.door import NOW, Door, fault, open_door_on, problem

HOOK = {"channel": "webhook", "target": "http://127.0.0.1:9/hook"}


@pytest.fixture
def open_inside(store_url: str) -> Iterator[Door]:
    """Return a front door whose operator lets webhooks reach this machine, and has a mail server."""
    from ipaddress import ip_network  # noqa: PLC0415 - only here

    opened = open_door_on(
        store_url,
        webhook_allow_networks=(ip_network("127.0.0.0/8"),),
        smtp_url="smtp://127.0.0.1:25",
        mail_from="tandem@example.org",
    )
    yield opened
    opened.close()


def made(door: Door, **changes: object) -> dict[str, Any]:
    answer = door.post("/v1/subscriptions", json={**HOOK, **changes})
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return dict(answer.json)


def test_a_webhook_is_answered_with_its_secret_once(open_inside: Door) -> None:
    created = made(open_inside)
    secret = created.pop("secret")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert created == {
        "id": created["id"],
        "channel": "webhook",
        "target": HOOK["target"],
        "athletes": [],
        "categories": [],
        "min_severity": "info",
        "schedule": "immediate",
        "timezone": "UTC",
        "enabled": True,
        "created_at": "2026-03-02T20:00:00.000Z",
    }
    assert open_inside.get(f"/v1/subscriptions/{created['id']}").json == created
    assert open_inside.get("/v1/subscriptions").json == {"items": [created], "next_cursor": None}


def test_all_that_a_subscription_may_say_is_kept(open_inside: Door) -> None:
    wanted = {
        "athletes": ["ann", "ben"],
        "categories": ["safety", "ordering"],
        "min_severity": "warning",
        "schedule": "daily 07:30",
        "timezone": "Europe/Berlin",
        "description": "the coach's phone",
        "enabled": False,
    }
    created = made(open_inside, **wanted)
    assert {name: created[name] for name in wanted} == wanted


@pytest.mark.parametrize("channel", ["slack", "mattermost"])
def test_team_chat_has_no_secret(open_inside: Door, channel: str) -> None:
    assert "secret" not in made(open_inside, channel=channel)


@pytest.mark.parametrize("target", ["coach@example.org", "athlete"])
def test_mail_goes_to_an_address_or_to_each_athlete(open_inside: Door, target: str) -> None:
    assert made(open_inside, channel="email", target=target)["target"] == target


@pytest.mark.parametrize("target", ["coach", "http://127.0.0.1/", "a@b.org, c@d.org", "Ann <a@b.org>"])
def test_mail_goes_to_nothing_else(open_inside: Door, target: str) -> None:
    answer = open_inside.post("/v1/subscriptions", json={"channel": "email", "target": target})
    assert "e-mail address" in fault(answer, "target")["message"]


def test_mail_needs_a_mail_server(door: Door) -> None:
    answer = door.post("/v1/subscriptions", json={"channel": "email", "target": "athlete"})
    assert "TANDEM_SMTP_URL" in fault(answer, "channel")["message"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/",
        "ftp://203.0.113.1/",
        "not a url",
        "https://",
    ],
)
@pytest.mark.parametrize("channel", ["webhook", "slack", "mattermost"])
def test_a_target_that_reaches_inside_is_refused(door: Door, channel: str, target: str) -> None:
    answer = door.post("/v1/subscriptions", json={"channel": channel, "target": target})
    assert "found" not in fault(answer, "target")
    assert door.get("/v1/subscriptions").json == {"items": [], "next_cursor": None}


def test_a_change_of_target_is_guarded_too(open_inside: Door) -> None:
    created = made(open_inside)
    path = f"/v1/subscriptions/{created['id']}"
    for method, body in (
        ("PATCH", {"target": "http://10.0.0.1/"}),
        ("PUT", {**HOOK, "target": "http://[::1]/"}),
    ):
        fault(open_inside.call(method, path, json=body), "target")
    kept = open_inside.get(path).json
    assert kept is not None
    assert kept["target"] == HOOK["target"]


@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        ({"channel": "webhok"}, "channel", "did you mean webhook?"),
        ({"schedule": "daily"}, "schedule", "daily 07:30"),
        ({"schedule": "daily 25:00"}, "schedule", "daily 07:30"),
        ({"schedule": ["hourly"]}, "schedule", "immediate, hourly"),
        ({"min_severity": "urgent"}, "min_severity", "info, suggestion, warning"),
        ({"categories": ["food"]}, "categories[0]", "ordering"),
        ({"athletes": ["a b"]}, "athletes[0]", "1 to 128"),
        ({"athletes": "ann"}, "athletes", "a list"),
        ({"timezone": "Mars/Base"}, "timezone", "IANA"),
        ({"enabled": 1}, "enabled", "true or false"),
        ({"target": "http://127.0.0.1/" + "x" * 3000}, "target", "2048"),
        ({"filter": {}}, "filter", "not a known field"),
    ],
)
def test_a_wrong_subscription_is_refused(
    open_inside: Door, changes: dict[str, object], where: str, message: str
) -> None:
    assert message in fault(open_inside.post("/v1/subscriptions", json={**HOOK, **changes}), where)["message"]


def test_a_change_leaves_the_rest_and_a_replacement_does_not(open_inside: Door) -> None:
    path = f"/v1/subscriptions/{made(open_inside, athletes=['ann'], min_severity='warning')['id']}"
    changed = open_inside.call("PATCH", path, json={"schedule": "hourly"}).json
    assert changed is not None
    assert (changed["schedule"], changed["athletes"], changed["min_severity"]) == (
        "hourly",
        ["ann"],
        "warning",
    )
    replaced = open_inside.call("PUT", path, json=HOOK).json
    assert replaced is not None
    assert (replaced["schedule"], replaced["athletes"], replaced["min_severity"]) == ("immediate", [], "info")
    assert open_inside.store.subscriptions.of_club(open_inside.club)[0].secrets


def test_the_channel_stays(open_inside: Door) -> None:
    path = f"/v1/subscriptions/{made(open_inside)['id']}"
    assert (
        "webhook" in fault(open_inside.call("PATCH", path, json={"channel": "slack"}), "channel")["message"]
    )


def test_enabling_again_forgets_why_it_was_disabled(open_inside: Door) -> None:
    name = made(open_inside)["id"]
    open_inside.store.subscriptions.change(
        open_inside.club, name, lambda known: replace(known, enabled=False, disabled_reason="gone")
    )
    found = open_inside.get(f"/v1/subscriptions/{name}").json
    assert found is not None
    assert (found["enabled"], found["disabled_reason"]) == (False, "gone")
    changed = open_inside.call("PATCH", f"/v1/subscriptions/{name}", json={"enabled": True}).json
    assert changed is not None
    assert (changed["enabled"], "disabled_reason" in changed) == (True, False)


def test_a_deleted_subscription_is_gone(open_inside: Door) -> None:
    path = f"/v1/subscriptions/{made(open_inside)['id']}"
    answer = open_inside.call("DELETE", path)
    assert (answer.status_code, answer.data) == (204, b"")
    for method, more in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/rotate-secret"),
        ("GET", "/deliveries"),
    ):
        problem(open_inside.call(method, path + more), 404)
    problem(open_inside.call("PATCH", path, json={"enabled": True}), 404)
    problem(open_inside.call("PUT", path, json=HOOK), 404)


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(open_inside: Door) -> None:
    created = made(open_inside)
    answer = open_inside.post(f"/v1/subscriptions/{created['id']}/rotate-secret").json
    assert answer is not None
    assert answer["previous_until"] == "2026-03-03T20:00:00.000Z"
    kept = open_inside.store.subscriptions.get(open_inside.club, created["id"])
    assert kept is not None
    assert kept.secrets == (
        Secret(answer["secret"]),
        Secret(created["secret"], NOW + timedelta(hours=24)),
    )
    open_inside.post(f"/v1/subscriptions/{created['id']}/rotate-secret")
    again = open_inside.store.subscriptions.get(open_inside.club, created["id"])
    assert again is not None
    assert [secret.value for secret in again.secrets[1:]] == [answer["secret"]]


def test_only_webhooks_have_a_secret_to_rotate(open_inside: Door) -> None:
    created = made(open_inside, channel="slack")
    problem(open_inside.post(f"/v1/subscriptions/{created['id']}/rotate-secret"), 409)


def test_a_test_message_is_queued_and_can_be_followed(open_inside: Door) -> None:
    created = made(open_inside)
    answer = open_inside.post(f"/v1/subscriptions/{created['id']}/test")
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["kind"], answer.json["state"], answer.json["items"]) == ("test", "pending", [])
    assert open_inside.get(f"/v1/deliveries/{answer.json['id']}").json == answer.json
    listed = open_inside.get(f"/v1/subscriptions/{created['id']}/deliveries").json
    assert listed == {"items": [answer.json], "next_cursor": None}
    assert open_inside.messages("notify") == [{"subscriptions": [[open_inside.club, created["id"]]]}]
    (claimed,) = open_inside.store.deliveries.claim(open_inside.club, created["id"], NOW, 1)
    assert claimed.delivery.id == answer.json["id"]


def test_a_disabled_subscription_is_not_tested(open_inside: Door) -> None:
    created = made(open_inside, enabled=False)
    assert (
        "enable it first"
        in problem(open_inside.post(f"/v1/subscriptions/{created['id']}/test"), 409)["detail"]
    )


@pytest.fixture
def dead(open_inside: Door) -> Delivery:
    """Return a delivery that has failed for good."""
    name = made(open_inside)["id"]
    started = open_inside.post(f"/v1/subscriptions/{name}/test").json
    assert started is not None
    open_inside.messages("notify")
    (claimed,) = open_inside.store.deliveries.claim(open_inside.club, name, NOW, 1)
    attempt = Attempt(NOW, 0.25, "failed", "http_400", 400, "bad request")
    failed = replace(claimed.delivery, state="failed", reason="http_400", attempts=(attempt,))
    open_inside.store.deliveries.finish(Outcome(failed))
    return failed


def test_dead_deliveries_are_listed_with_their_attempts(open_inside: Door, dead: Delivery) -> None:
    path = f"/v1/subscriptions/{dead.subscription}/deliveries"
    listed = open_inside.get(f"{path}?state=failed").json
    assert listed is not None
    (found,) = listed["items"]
    assert (found["id"], found["reason"]) == (dead.id, "http_400")
    assert found["attempts"] == [
        {
            "at": "2026-03-02T20:00:00.000Z",
            "duration_s": 0.25,
            "outcome": "failed",
            "reason": "http_400",
            "status": 400,
            "detail": "bad request",
        }
    ]
    assert open_inside.get(f"{path}?state=delivered").json == {"items": [], "next_cursor": None}
    assert "did you mean failed?" in fault(open_inside.get(f"{path}?state=faild"), "state")["message"]


def test_a_dead_delivery_is_sent_again_under_its_name(open_inside: Door, dead: Delivery) -> None:
    answer = open_inside.post(f"/v1/deliveries/{dead.id}/redeliver")
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["id"], answer.json["state"], len(answer.json["attempts"])) == (dead.id, "pending", 1)
    assert open_inside.messages("notify") == [{"subscriptions": [[open_inside.club, dead.subscription]]}]
    (claimed,) = open_inside.store.deliveries.claim(open_inside.club, dead.subscription, NOW, 1)
    assert claimed.delivery.id == dead.id


def test_what_cannot_be_sent_again_is_said(open_inside: Door, dead: Delivery) -> None:
    problem(open_inside.post("/v1/deliveries/dlv_00nosuch/redeliver"), 404)
    path = f"/v1/subscriptions/{dead.subscription}"
    open_inside.call("PATCH", path, json={"enabled": False})
    assert "disabled" in problem(open_inside.post(f"/v1/deliveries/{dead.id}/redeliver"), 409)["detail"]
    open_inside.call("DELETE", path)
    assert "deleted" in problem(open_inside.post(f"/v1/deliveries/{dead.id}/redeliver"), 409)["detail"]


def test_another_clubs_subscriptions_and_deliveries_are_not_found(open_inside: Door, dead: Delivery) -> None:
    other = open_inside.store.clubs.create("Rivals", NOW)
    _, token = open_inside.store.clubs.issue_key(other.id, "key", ("admin",), NOW)
    theirs = {"Authorization": f"Bearer {token}"}
    for path in (f"/v1/subscriptions/{dead.subscription}", f"/v1/deliveries/{dead.id}"):
        problem(open_inside.get(path, headers=theirs), 404)
    problem(open_inside.post(f"/v1/deliveries/{dead.id}/redeliver", headers=theirs), 404)
    assert open_inside.get("/v1/subscriptions", headers=theirs).json == {"items": [], "next_cursor": None}
