"""How subscriptions and deliveries read on the wire, and how a subscription's schedule does."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from marshmallow import ValidationError, fields

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.advice import CATEGORIES, SEVERITIES
from shared.contracts.athlete_schema import EMAIL, MAX_EMAIL
from shared.contracts.event_schema import ATHLETE_ID, ATHLETE_ID_ALLOWED
from shared.contracts.subscriptions import CHANNELS, Schedule, Subscription

ATHLETES_OWN = "athlete"
"""The e-mail target that stands for each athlete's own address."""
DELIVERY_STATES = ("pending", "delivered", "failed", "cancelled")
MAX_TARGET = 2048
_MAX_ATHLETES = 1000
_DAILY = re.compile(r"daily (([01][0-9]|2[0-3]):[0-5][0-9])", re.ASCII)
_SCHEDULE = r"immediate|hourly|daily ([01][0-9]|2[0-3]):[0-5][0-9]"


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription just made, with its webhook's secret."""

    subscription: Subscription
    secret: str | None


@dataclass(frozen=True, slots=True)
class RotatedSecret:
    """A new secret, and until when the one before it goes on signing."""

    secret: str
    previous_until: datetime


class ScheduleField(fields.String):
    """`immediate`, `hourly` or `daily HH:MM`; inside, a `Schedule`."""

    default_error_messages: dict[str, Any] = wire.MISSING_MESSAGES

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"pattern": f"^({_SCHEDULE})$"}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if value == "immediate" or value == "hourly":  # noqa: PLR1714 - so that mypy sees the literals
            return Schedule(value)
        daily = _DAILY.fullmatch(value) if isinstance(value, str) else None
        if daily is None:
            raise ValidationError(
                'must be immediate, hourly, or daily and a local time, such as "daily 07:30"'
            )
        return Schedule("daily", time.fromisoformat(daily[1]))

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        if not isinstance(value, Schedule):
            return None
        return value.kind if value.at is None else f"{value.kind} {value.at:%H:%M}"


class SubscriptionSchema(wire.SparseSchema):
    """A wish to be told. Empty `athletes` or `categories` mean all of them."""

    id = fields.String(dump_only=True)
    channel = wire.Text(required=True, choices=CHANNELS)
    target = wire.Text(
        required=True,
        max_length=MAX_TARGET,
        metadata={"description": "A URL; for email an address, or the word athlete for each athlete's own."},
    )
    athletes = wire.Texts(
        wire.Text(max_length=128, pattern=ATHLETE_ID, allowed=ATHLETE_ID_ALLOWED), most=_MAX_ATHLETES
    )
    categories = wire.Texts(wire.Text(choices=CATEGORIES), most=len(CATEGORIES))
    min_severity = wire.Text(choices=SEVERITIES)
    schedule = ScheduleField()
    timezone = times.Zone(metadata={"description": "IANA name; the zone of a daily schedule's time."})
    enabled = wire.Flag()
    description = wire.Text(max_length=200)
    disabled_reason = fields.String(dump_only=True)
    created_at = times.Instant(dump_only=True)


class NewSubscriptionSchema(SubscriptionSchema):
    """A subscription as its creation answers it: the one time that a webhook's secret is shown."""

    secret = fields.String(dump_only=True, metadata={"description": "Signs webhooks; shown this once."})

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read the secret beside the subscription, all else from it."""
        return obj.secret if attr == "secret" else super().get_attribute(obj.subscription, attr, default)


class SubscriptionChangeSchema(SubscriptionSchema):
    """Some fields of a subscription."""

    channel = wire.Text(choices=CHANNELS, metadata={"description": "May be given, and must be as it is."})
    target = wire.Text(max_length=MAX_TARGET)


class SecretSchema(wire.StrictSchema):
    """A webhook's new signing secret. The one before it signs too, until `previous_until`."""

    secret = fields.String(required=True)
    previous_until = times.Instant(required=True)


class AttemptSchema(wire.StrictSchema):
    """One try of a delivery."""

    at = times.Instant(required=True)
    duration_s = fields.Float(required=True)
    outcome = fields.String(required=True, metadata={"enum": ["delivered", "retry", "failed"]})
    reason = fields.String(required=True)
    status = fields.Integer(allow_none=True, metadata={"description": "The receiver's HTTP or SMTP status."})
    detail = fields.String(required=True)


class DeliveryItemSchema(wire.StrictSchema):
    """One advice event inside a delivery."""

    advice_id = fields.String(required=True)
    athlete_id = fields.String(attribute="athlete", required=True)
    revision = fields.Integer(required=True)
    type = fields.String(required=True)


class DeliverySchema(wire.StrictSchema):
    """One message to one subscription. `id` is the `webhook-id`, the same at every try."""

    id = fields.String(required=True)
    subscription = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": ["advice", "test"]})
    state = fields.String(required=True, metadata={"enum": list(DELIVERY_STATES)})
    reason = fields.String(
        allow_none=True, metadata={"description": "Why it stands as it does; null while pending."}
    )
    items = fields.List(fields.Nested(DeliveryItemSchema), required=True)
    created_at = times.Instant(required=True)
    due = times.Instant(required=True, metadata={"description": "When it is, or was last, to be tried."})
    attempts = fields.List(fields.Nested(AttemptSchema), required=True)
    digest = fields.Boolean(required=True)


def is_email_target(target: str) -> bool:
    """Whether an `email` subscription may have this target."""
    return target == ATHLETES_OWN or (
        len(target) <= MAX_EMAIL and re.fullmatch(EMAIL, target, re.ASCII) is not None
    )
