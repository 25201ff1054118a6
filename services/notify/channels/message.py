"""What a channel is given to say, and the one error that it answers with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.contracts.advice import AdviceEventType, AdviceRecord
from shared.contracts.athletes import Athlete
from shared.contracts.subscriptions import DeliveryKind, Subscription


@dataclass(frozen=True, slots=True)
class Said:
    """One advice event as it is to be said now, and about whom."""

    type: AdviceEventType
    record: AdviceRecord
    athlete: Athlete

    @property
    def name(self) -> str:
        """What the athlete is called in text."""
        return self.athlete.name or self.athlete.id


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery, ready to be put into the channel's own form. `said` is empty for a test or notice."""

    id: str
    kind: DeliveryKind
    subscription: Subscription
    said: tuple[Said, ...]
    at: datetime
    to: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver took it."""

    status: int
    detail: str = ""


class TransportError(Exception):
    """The receiver did not take it.

    `permanent`: trying again is no use. `gone`: the endpoint asks never to be tried again. `retry_after`: the wait it
    asks for. `uncertain`: it may have taken it all the same (the answer was lost).
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        gone: bool = False,
        status: int | None = None,
        detail: str = "",
        retry_after: timedelta | None = None,
        uncertain: bool = False,
    ) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.permanent = permanent
        self.gone = gone
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.uncertain = uncertain


class Sender(Protocol):
    """A channel."""

    def send(self, message: Message) -> Sent:
        """Send once. Raise `TransportError` when the receiver does not take it."""
