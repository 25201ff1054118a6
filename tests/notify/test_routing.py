"""Every subscription gets a decision about every advice event, and every decision has a name."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from services.notify.routing import Reason, route
from shared.contracts.athletes import Athlete
from shared.contracts.subscriptions import Channel, Subscription
from shared.store.outbox import OutboxEntry
from tests.notify.conftest import CLUB, NOW
from tests.notify.examples import record

WEBHOOK = Subscription("sub_1", CLUB, "webhook", "https://example.org/", NOW)
ADA = Athlete(CLUB, "ada", email="ada@example.org", email_consent=True)

CASES: list[tuple[dict[str, Any], dict[str, Any], Athlete | None, Reason]] = [
    ({}, {}, ADA, "matched"),
    ({}, {}, None, "matched"),
    ({"athletes": ("ada", "ben")}, {}, ADA, "matched"),
    ({"categories": ("surplus",)}, {}, ADA, "matched"),
    ({"min_severity": "suggestion"}, {}, ADA, "matched"),
    ({"enabled": False}, {}, ADA, "subscription_disabled"),
    ({"athletes": ("ben",)}, {}, ADA, "athlete_not_listed"),
    ({"categories": ("hydration",)}, {}, ADA, "category_filtered"),
    ({"min_severity": "warning"}, {}, ADA, "severity_below"),
    ({"min_severity": "warning"}, {"type": "advice.withdrawn"}, ADA, "matched"),
    ({}, {"visible": False}, ADA, "matched"),
    ({"channel": "slack"}, {"visible": False}, ADA, "nothing_new_to_read"),
    ({"channel": "email", "target": "athlete"}, {}, ADA, "matched"),
    ({"channel": "email", "target": "athlete"}, {}, replace(ADA, email=None), "no_address"),
    ({"channel": "email", "target": "athlete"}, {}, replace(ADA, email_consent=False), "no_email_consent"),
    ({"channel": "email", "target": "coach@club.test"}, {}, replace(ADA, email=None), "matched"),
    ({"channel": "email", "target": "coach@club.test"}, {}, replace(ADA, email_consent=False), "no_email_consent"),
    ({"channel": "email", "target": "coach@club.test"}, {}, None, "no_email_consent"),
]  # fmt: skip


@pytest.mark.parametrize(("subscription", "entry", "athlete", "reason"), CASES)
def test_a_decision_names_its_reason(
    subscription: dict[str, Any], entry: dict[str, Any], athlete: Athlete | None, reason: Reason
) -> None:
    event = OutboxEntry(1, CLUB, "ada", "adv_1", 0, "advice.issued", NOW, visible=True)
    (decision,) = route(replace(event, **entry), record(), athlete, (replace(WEBHOOK, **subscription),))
    assert (decision.reason, decision.send) == (reason, reason == "matched")


def test_every_reason_there_is_has_a_case() -> None:
    assert {case[3] for case in CASES} == set(get_args(Reason))


def test_every_subscription_gets_a_decision_of_its_own() -> None:
    channels: tuple[Channel, ...] = ("webhook", "slack", "mattermost", "email")
    given = tuple(replace(WEBHOOK, id=f"sub_{channel}", channel=channel) for channel in channels)
    event = OutboxEntry(1, CLUB, "ada", "adv_1", 0, "advice.issued", NOW + timedelta(), visible=False)
    reasons = {each.subscription.id: each.reason for each in route(event, record(), ADA, given)}
    assert reasons == {
        "sub_webhook": "matched",
        "sub_slack": "nothing_new_to_read",
        "sub_mattermost": "nothing_new_to_read",
        "sub_email": "nothing_new_to_read",
    }
