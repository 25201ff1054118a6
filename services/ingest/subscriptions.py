"""A club's subscriptions over HTTP: who is told what, where and when."""

import base64
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.ingest.auth import caller
from services.ingest.operations import PageSchema, Resource, Takes, operation, page_of
from services.ingest.parts import parts
from services.ingest.problems import ProblemError, invalid, not_found
from services.ingest.targets import check_target
from services.ingest.tracing import note
from shared.contracts.faults import Fault
from shared.contracts.ids import delivery_id, new_id
from shared.contracts.subscription_schema import (
    DeliverySchema,
    NewSubscription,
    NewSubscriptionSchema,
    RotatedSecret,
    SecretSchema,
    SubscriptionChangeSchema,
    SubscriptionSchema,
)
from shared.contracts.subscriptions import Delivery, Secret, Subscription
from shared.store.pages import Page

OVERLAP = timedelta(hours=24)
"""How long the secret before a rotation goes on signing."""

resource = Resource("subscriptions", __name__, description="Who is told, where and when")


@operation(
    resource,
    "/v1/subscriptions",
    method="POST",
    scope="admin",
    takes=Takes(body=SubscriptionSchema),
    answers=(201, NewSubscriptionSchema),
)
def create_subscription(found: dict[str, Any]) -> NewSubscription:
    """Subscribe.

    A webhook's signing secret is in this answer and cannot be had again.
    """
    check_target(parts().settings, found["channel"], found["target"])
    now = parts().clock.now()
    signing = (Secret(_new_secret()),) if found["channel"] == "webhook" else ()
    made = Subscription(
        id=new_id("sub", now), club=caller().club, created_at=now, secrets=signing, **_frozen(found)
    )
    parts().store.subscriptions.put(made)
    note(subscription=made.id)
    return NewSubscription(made, signing[0].value if signing else None)


@operation(
    resource,
    "/v1/subscriptions",
    scope="admin",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(SubscriptionSchema)),
)
def list_subscriptions(page: dict[str, Any]) -> Page[Subscription]:
    """List subscriptions, the oldest first."""
    return parts().store.subscriptions.page(caller().club, page["cursor"], page["limit"])


@operation(
    resource,
    "/v1/subscriptions/<subscription>",
    scope="admin",
    answers=(200, SubscriptionSchema),
    errors=(404,),
)
def get_subscription(subscription: str) -> Subscription:
    """Read a subscription."""
    return _known(subscription)


@operation(
    resource,
    "/v1/subscriptions/<subscription>",
    method="PUT",
    scope="admin",
    takes=Takes(body=SubscriptionSchema),
    answers=(200, SubscriptionSchema),
    errors=(404,),
)
def replace_subscription(found: dict[str, Any], subscription: str) -> Subscription:
    """Replace a subscription.

    What is left out goes back to its default. Its id, its secrets and its channel stay.
    """
    kept = _known(subscription)
    plain = Subscription(
        kept.id, kept.club, kept.channel, kept.target, kept.created_at, disabled_reason=kept.disabled_reason
    )
    return _changed(kept, {**_defaults(plain), **found})


@operation(
    resource,
    "/v1/subscriptions/<subscription>",
    method="PATCH",
    scope="admin",
    takes=Takes(body=SubscriptionChangeSchema),
    answers=(200, SubscriptionSchema),
    errors=(404,),
)
def change_subscription(found: dict[str, Any], subscription: str) -> Subscription:
    """Change some fields of a subscription.

    `enabled: true` also takes up one again that was disabled because its endpoint had failed.
    """
    return _changed(_known(subscription), found)


@operation(
    resource,
    "/v1/subscriptions/<subscription>",
    method="DELETE",
    scope="admin",
    answers=(204, None),
    errors=(404,),
)
def delete_subscription(subscription: str) -> None:
    """Unsubscribe. What waits to be delivered is not sent."""
    if not parts().store.subscriptions.delete(caller().club, subscription):
        raise not_found("subscription", subscription)


@operation(
    resource,
    "/v1/subscriptions/<subscription>/test",
    method="POST",
    scope="admin",
    answers=(202, DeliverySchema),
    errors=(404, 409),
)
def send_test(subscription: str) -> Delivery:
    """Send a test message.

    The answer's delivery says under `/v1/deliveries/{id}` what became of it.
    """
    known = _known(subscription)
    require_enabled(known)
    now = parts().clock.now()
    made = Delivery(
        id=delivery_id(known.id, "test", secrets.token_hex(16)),
        subscription=known.id,
        club=known.club,
        kind="test",
        items=(),
        created_at=now,
        due=now,
    )
    parts().store.deliveries.enqueue(made)
    parts().wake.deliver(known.club, known.id)
    return made


@operation(
    resource,
    "/v1/subscriptions/<subscription>/rotate-secret",
    method="POST",
    scope="admin",
    answers=(200, SecretSchema),
    errors=(404, 409),
)
def rotate_secret(subscription: str) -> RotatedSecret:
    """Give a webhook a new signing secret.

    For 24 hours messages carry two signatures, so that a receiver may change over when it suits.
    """
    until = parts().clock.now() + OVERLAP
    new = _new_secret()

    def rotate(known: Subscription) -> Subscription:
        if known.channel != "webhook":
            raise ProblemError(409, f"only webhooks are signed; {known.id} is of the channel {known.channel}")
        return replace(
            known, secrets=(Secret(new), *(replace(old, until=until) for old in known.secrets[:1]))
        )

    if parts().store.subscriptions.change(caller().club, subscription, rotate) is None:
        raise not_found("subscription", subscription)
    return RotatedSecret(new, until)


def require_enabled(known: Subscription) -> None:
    """Refuse to send to a subscription that sends nothing."""
    if not known.enabled:
        reason = f" ({known.disabled_reason})" if known.disabled_reason else ""
        raise ProblemError(409, f"the subscription {known.id} is disabled{reason}; enable it first")


def _known(subscription: str) -> Subscription:
    found = parts().store.subscriptions.get(caller().club, subscription)
    if found is None:
        raise not_found("subscription", subscription)
    return found


def _changed(known: Subscription, found: dict[str, Any]) -> Subscription:
    channel = found.pop("channel", known.channel)
    if channel != known.channel:
        message = f"cannot be changed from {known.channel}; make another subscription"
        raise invalid([Fault("channel", message, channel)])
    if found.get("target", known.target) != known.target:
        check_target(parts().settings, known.channel, found["target"])
    values = _frozen(found)
    if found.get("enabled"):
        values["disabled_reason"] = None
    changed = parts().store.subscriptions.change(
        known.club, known.id, lambda current: replace(current, **values)
    )
    if changed is None:
        raise not_found("subscription", known.id)
    if changed.enabled and not known.enabled:
        parts().wake.deliver(known.club, known.id)
    return changed


def _frozen(found: dict[str, Any]) -> dict[str, Any]:
    """Lists become tuples without repeats."""
    return {
        name: tuple(dict.fromkeys(value)) if isinstance(value, list) else value
        for name, value in found.items()
    }


def _defaults(plain: Subscription) -> dict[str, Any]:
    names = ("athletes", "categories", "min_severity", "schedule", "timezone", "enabled", "description")
    return {name: getattr(plain, name) for name in names}


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
