"""How a lane is drained: delivery by delivery, and several together where the endpoint takes each in no time."""

import time
from dataclasses import dataclass
from typing import Final

import structlog

from services.notify.channels.message import TransportError
from services.notify.delivery import Deliverer
from shared.clock import Clock
from shared.contracts.subscriptions import Subscription
from shared.store.claims import Claim, Outcome
from shared.store.connect import Store

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
    together: dict[tuple[str, str], int]

    def run(self, club: str, lane: str) -> None:
        """Drain the lane of the subscription `lane`.

        When an attempt crashes, its claim lapses by itself and the delivery is tried again under its name.
        """
        while True:
            now = self.clock.now()
            most = self.together.get((club, lane), 1)
            claims = self.store.deliveries.claim(club, lane, now, AT_ONCE, most)
            if not claims:
                return
            began = time.monotonic()
            subscription = self.store.subscriptions.get(club, lane)
            outcomes: list[Outcome] = []
            error: TransportError | None = None
            crashed = False
            try:
                look = self.deliverer.look(claims, subscription, now)
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
            took = time.monotonic() - began
            self.store.deliveries.finish(*outcomes, *_given_back(claims[len(outcomes) :]))
            if subscription is not None and error is not None:
                self.deliverer.give_up(subscription, error, now)
            most = 1 if crashed or error is not None else _next(most, took, subscription)
            if most > 1:
                self.together[club, lane] = most
            else:
                self.together.pop((club, lane), None)


def _given_back(claims: tuple[Claim, ...]) -> list[Outcome]:
    return [Outcome(claim.delivery) for claim in claims]


def _next(most: int, took_s: float, subscription: Subscription | None) -> int:
    """Return how many to claim next: more than one only where a repeat, after a kill, is known as one by its name."""
    if subscription is None or subscription.channel != "webhook":
        return 1
    return min(most * 2, MOST_TOGETHER) if took_s < TOGETHER_S / 2 else max(1, most // 2)
