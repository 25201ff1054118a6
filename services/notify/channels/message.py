"""What a channel is given to say, and the one error that it answers with."""

import unicodedata
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
        """What the athlete is called in text: one line, with nothing in it that cannot be seen."""
        return visible(self.athlete.name or "") or self.athlete.id

    @property
    def title(self) -> str:
        """The title of the advice, on one line."""
        return visible(self.record.advice.title)

    @property
    def text(self) -> str:
        """The text of the advice, in its lines."""
        return "\n".join(visible(line) for line in self.record.advice.message.strip().splitlines())


# Zero-width joiners hold letters of some scripts and emoji together; every other invisible character only deceives.
_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """Return `text` on one line, without marks that turn its direction, hide in it or split words unseen."""
    seen = "".join(
        character for character in text if unicodedata.category(character) != "Cf" or character in _JOINERS
    )
    return "" if not seen.strip(_JOINERS + " ") else " ".join(seen.split())


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
    asks for. `uncertain`: it may have taken it all the same (the answer was lost). `endpoint_fails`: it says something
    about the endpoint, and not only about this message or one recipient of many.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that the caller must decide on
        self,
        reason: str,
        *,
        permanent: bool = False,
        gone: bool = False,
        status: int | None = None,
        detail: str = "",
        retry_after: timedelta | None = None,
        uncertain: bool = False,
        endpoint_fails: bool = True,
    ) -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.permanent = permanent
        self.gone = gone
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.uncertain = uncertain
        self.endpoint_fails = endpoint_fails


class Sender(Protocol):
    """A channel."""

    def send(self, message: Message) -> Sent:
        """Send once. Raise `TransportError` when the receiver does not take it."""
