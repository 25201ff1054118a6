"""Who wants which advice, where, when; and what became of each delivery."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from shared.contracts.advice import AdviceEventType, Category, Severity

Channel = Literal["webhook", "slack", "mattermost", "email"]
CHANNELS: tuple[Channel, ...] = ("webhook", "slack", "mattermost", "email")

DeliveryState = Literal["pending", "delivered", "failed", "cancelled"]
DeliveryKind = Literal["advice", "test", "notice"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """`immediate`; `hourly` at each full hour; `daily` at `at` in the subscription's `timezone`."""

    kind: Literal["immediate", "hourly", "daily"] = "immediate"
    at: time | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A club's wish to be told. Empty `athletes` or `categories` mean all of them.

    `target` is a URL, or for `email` an address, or the word `athlete` for each athlete's own address.
    `secrets` holds the current signing secret first and, for 24 h after a rotation, the one before it.
    """

    id: str
    club: str
    channel: Channel
    target: str
    created_at: datetime
    athletes: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    min_severity: Severity = "info"
    schedule: Schedule = Schedule()
    timezone: str = "UTC"
    enabled: bool = True
    disabled_reason: str | None = None
    secrets: tuple["Secret", ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A Standard Webhooks secret (`whsec_...`) and the instant after which it no longer signs (None: current)."""

    value: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryItem:
    """One advice event inside a delivery: which advice, at which revision, and what is to be said of it."""

    advice_id: str
    athlete: str
    revision: int
    type: AdviceEventType


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when, how long (s), the receiver's status if it answered, and the reason it counts as it does."""

    at: datetime
    duration_s: float
    outcome: Literal["delivered", "retry", "failed"]
    reason: str
    status: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one subscription is to be told in one message, under one name, however often it is tried.

    `id` is the `webhook-id` and the left part of the `Message-ID`. `reason` is set in every state but `pending`.
    `notice` is the text of a delivery that is about no advice. The retry schedule counts the attempts from
    `counted_from` on: a redelivery starts it anew.
    """

    id: str
    subscription: str
    club: str
    kind: DeliveryKind
    items: tuple[DeliveryItem, ...]
    created_at: datetime
    due: datetime
    state: DeliveryState = "pending"
    reason: str | None = None
    attempts: tuple[Attempt, ...] = ()
    digest: bool = False
    notice: str = ""
    counted_from: int = 0
