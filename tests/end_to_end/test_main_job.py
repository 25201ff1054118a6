"""The main job on the real clock: a club posts, and the right advice arrives by webhook, in team chat and by e-mail."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks.webhooks import Webhook

from tests.running import Client, Running, running

pytestmark = pytest.mark.timeout(180)
NOW = datetime.now(UTC).replace(microsecond=0)
MORNING = f"Etc/GMT{NOW.hour - 11:+d}"
"""A zone where it is past eleven: what is looked at in the evening, and on Sundays, has nothing to say of today."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("system"), stepped=False) as started:
        yield started


@pytest.fixture
def club(system: Running) -> Client:
    system.receiver.received.clear()
    system.mail.caught.clear()
    return system.new_club(NOW)


def eventually(ready: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Return what `ready` returns once it is true; fail with `what` when it does not become so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ready():
            return found
        time.sleep(0.02)
    raise AssertionError(f"within {seconds:.0f} s there was no {what}")


def workout(name: str, athlete: str, ended: timedelta, minutes: int, **data: Any) -> dict[str, Any]:
    return {
        "id": name,
        "type": "workout.completed",
        "subject": athlete,
        "time": (NOW - ended - timedelta(minutes=minutes)).isoformat(),
        "data": {"duration_s": minutes * 60, **data},
    }


def lift_and_sprint(athlete: str) -> list[dict[str, Any]]:
    return [
        workout("lift", athlete, timedelta(minutes=90), 60, activity="strength"),
        workout("sprint", athlete, timedelta(minutes=10), 20, activity="run", intensity="sprint"),
    ]


def test_a_sprint_after_lifting_reaches_the_club_system_the_team_and_the_athlete(
    system: Running, club: Client
) -> None:
    made = system.webhook(club)
    club.subscribe("slack", f"{system.receiver.base_url}/slack")
    club.subscribe("mattermost", f"{system.receiver.base_url}/mattermost")
    club.subscribe("email", "athlete")
    club.put_athlete(
        "ana",
        timezone=MORNING,
        goal="build_muscle",
        email="ana@example.org",
        email_consent=True,
        name="Ana",
    )
    club.post_events(lift_and_sprint("ana"))
    eventually(lambda: len(system.receiver.received) >= 3, "message on each of the three hooks")
    mail = eventually(lambda: system.mail.caught, "mail")[0]
    webhook = next(each for each in system.receiver.received if each.path == "/webhook")
    assert webhook.verified
    assert webhook.body["type"] == "advice.issued"
    assert webhook.body["data"]["rule"] == "no-sprint-after-strength"
    assert "1.0 h after strength" in webhook.body["data"]["message"]
    assert mail["To"] == "ana@example.org"
    assert "relaxed" in mail["Subject"]
    told = [each for each in system.receiver.received if each.path in {"/slack", "/mattermost"}]
    assert {each.path for each in told} == {"/slack", "/mattermost"}
    assert all("Ana" in str(each.body) for each in told)
    (advice,) = club.advice("ana", "&state=active")
    assert advice["because"]["facts"]["gap_h"] == 1.0
    assert [event["id"] for event in advice["because"]["events"]] == ["lift", "sprint"]
    one = club.call("GET", f"/v1/advice/{advice['advice_id']}").body
    states = eventually(
        lambda: (
            (found := club.call("GET", f"/v1/advice/{advice['advice_id']}").body["deliveries"])
            and all(each["state"] == "delivered" for each in found)
            and found
        ),
        "delivered deliveries",
    )
    assert len(states) == 4
    assert one["rule_version"] == 1
    assert made["secret"].startswith("whsec_")


def test_a_late_correction_withdraws_the_advice_and_everybody_who_was_told_hears_it(
    system: Running, club: Client
) -> None:
    system.webhook(club)
    club.put_athlete("ben", timezone=MORNING)
    club.post_events(lift_and_sprint("ben"))
    eventually(lambda: system.receiver.received, "advice")
    club.post_events(
        [
            {
                "id": "oops",
                "type": "event.deleted",
                "subject": "ben",
                "time": NOW.isoformat(),
                "data": {"event_id": "lift"},
            }
        ]
    )
    eventually(lambda: len(system.receiver.received) >= 2, "withdrawal")
    assert [each.body["type"] for each in system.receiver.received] == ["advice.issued", "advice.withdrawn"]
    assert club.advice("ben", "&state=active") == []


def test_the_sdk_of_a_stranger_parses_what_we_send(system: Running, club: Client) -> None:
    made = system.webhook(club)
    club.put_athlete("cy", timezone=MORNING)
    club.post_events(lift_and_sprint("cy"))
    received = eventually(lambda: system.receiver.received, "advice")[0]
    Webhook(made["secret"]).verify(received.raw, dict(received.headers))
    event = from_structured_event(HTTPMessage(received.headers, received.raw))
    assert event.get_type() == "advice.issued"
    assert event.get_subject() == "cy"
    assert event.get_id() == received.id


def test_feedback_is_kept_and_dismissed_advice_stays_dismissed(club: Client) -> None:
    club.put_athlete("di", timezone=MORNING)
    club.post_events(lift_and_sprint("di"))
    advice = eventually(lambda: club.advice("di"), "advice")[0]
    answer = club.call("POST", f"/v1/advice/{advice['advice_id']}/feedback", {"verdict": "dismiss"})
    assert answer.status == 200
    assert [each["state"] for each in club.advice("di")] == ["dismissed"]


def test_a_test_delivery_arrives(system: Running, club: Client) -> None:
    made = system.webhook(club)
    assert club.call("POST", f"/v1/subscriptions/{made['id']}/test").status in {200, 202}
    received = eventually(lambda: system.receiver.received, "test message")[0]
    assert received.verified
    assert received.body["type"] == "tandem.test"


def test_the_rules_in_force_and_the_counts_can_be_read(club: Client) -> None:
    rules = club.call("GET", "/v1/rules").body["items"]
    assert {"no-sprint-after-strength", "refuel-after-run"} <= {rule["id"] for rule in rules}
    club.put_athlete("ed", timezone=MORNING)
    club.post_events(lift_and_sprint("ed"))
    eventually(lambda: club.advice("ed"), "advice")
    metrics = club.call_text("GET", "/metrics")
    assert "tandem_advice_issued_total" in metrics
