"""How a lane is drained: delivery by delivery, and several together where the endpoint takes each in no time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from services.notify.channels.message import TransportError
from services.notify.delivery import Deliverer
from services.notify.tally import Tally
from shared.clock import Clock
from shared.contracts.subscriptions import Delivery, Subscription
from shared.store.claims import Claim, Outcome
from shared.store.connect import Store
from shared.store.deliveries import Enqueued
from shared.store.outbox import OutboxEntry

AT_ONCE: Final = 4
"""Requests to one endpoint at once; one that last timed out gets one, so that it holds no more than one thread."""
MOST_TOGETHER: Final = 16
"""Deliveries that are claimed, looked at and finished in the same round trips; they are sent one after the other."""
TOGETHER_S: Final = 0.05
"""How long after the look at its advice a delivery may still begin that was claimed together with others.

The advice may be withdrawn meanwhile, and no other worker can claim what this one holds: what is left then is given
back.
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Drain:
    """Sends what is due in a lane, until nothing is left that may be sent now.

    `together` holds how many deliveries are claimed together for each (club, lane) that takes more than one.
    """

    store: Store
    clock: Clock
    deliverer: Deliverer
    tally: Tally
    together: dict[tuple[str, str], int]

    def run(self, club: str, lane: str) -> None:
        """Drain the lane of the subscription `lane`.

        When an attempt crashes, its claim lapses by itself and the delivery is tried again under its name.
        """
        now, most = self.clock.now(), self._most(club, lane)
        self.go_on(club, lane, self.store.deliveries.claim(club, lane, now, AT_ONCE, most))

    def enqueue_and_claim(
        self, deliveries: Sequence[Delivery], lane: tuple[str, str], now: datetime
    ) -> tuple[list[Enqueued], tuple[Claim, ...]]:
        """Put deliveries into their lanes, and in the same trip claim of one (club, lane) what `go_on` is to send."""
        return self.store.deliveries.enqueue_and_claim(deliveries, lane, now, AT_ONCE, self._most(*lane))

    def go_on(
        self, club: str, lane: str, claims: Sequence[Claim], routed: Sequence[OutboxEntry] = ()
    ) -> None:
        """`run`, the first `claims` being made. `routed` entries leave the outbox with the first look."""
        now, most = self.clock.now(), self._most(club, lane)
        while claims:
            full = len(claims) >= most
            began = time.monotonic()
            outcomes: list[Outcome] = []
            subscription: Subscription | None = None
            error: TransportError | None = None
            crashed = False
            try:
                subscription, look = self.deliverer.look(claims, club, lane, now, routed)
                routed = ()
                for claim in claims:
                    outcome, error = self.deliverer.attempt(claim.delivery, subscription, look)
                    outcomes.append(outcome)
                    if error is not None or time.monotonic() - began > TOGETHER_S:
                        break
            except Exception:
                if len(claims) == 1:
                    log.exception(
                        "delivery.crashed", delivery=claims[0].delivery.id, club=club, subscription=lane
                    )
                    return
                crashed = True  # the one that does it will be found when it is alone
            most = 1 if crashed or error is not None else _next(most, time.monotonic() - began, subscription)
            self._note(club, lane, most)
            outcomes += _given_back(claims[len(outcomes) :])
            now, counted = self.clock.now(), self.tally.take()
            if full and error is None:
                # There is probably more.
                claims, due = self.store.deliveries.finish_and_claim(
                    outcomes, now, AT_ONCE, most, counted=counted
                )
            else:
                claims, due = (), self.store.deliveries.finish(*outcomes, counted=counted)
                if subscription is not None and error is not None:
                    self.deliverer.give_up(subscription, error, now)
            if not claims and due is not None and due <= (now := self.clock.now()):
                # Who put something there while the places were held could claim none of it, and counts on this look:
                # by a clock that was read after the places were free.
                claims = self.store.deliveries.claim(club, lane, now, AT_ONCE, most)

    def _most(self, club: str, lane: str) -> int:
        return self.together.get((club, lane), 1)

    def _note(self, club: str, lane: str, most: int) -> None:
        if most > 1:
            self.together[club, lane] = most
        else:
            self.together.pop((club, lane), None)


def _given_back(claims: Sequence[Claim]) -> list[Outcome]:
    return [Outcome(claim.delivery) for claim in claims]


def _next(most: int, took_s: float, subscription: Subscription | None) -> int:
    """Return how many to claim next: more than one only where a repeat, after a kill, is known as one by its name."""
    if subscription is None or subscription.channel != "webhook":
        return 1
    return min(most * 2, MOST_TOGETHER) if took_s < TOGETHER_S / 2 else max(1, most // 2)
