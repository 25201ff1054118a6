"""Moves the stepped clock through time without missing an instant at which something is due."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.settings import Settings
from shared.store.connect import Store

_FIRST_PAUSE_S = 0.004
"""About what a wake-up takes from one process to the next: asking sooner only takes time from who does the work."""
_PAUSE_S = 0.002


class NotSteppableError(Exception):
    """The deployment runs on the system's clock, which nobody steps."""


class NotSettledError(Exception):
    """What was due did not get done in time: a worker is missing or stuck."""


@dataclass(frozen=True, slots=True)
class Stepper:
    """The hand on the clock of a deployment that was started with TANDEM_STEPPED_CLOCK."""

    store: Store
    patience_s: float = 60.0

    @classmethod
    def of(cls, settings: Settings, store: Store) -> "Stepper":
        """Return the stepper of a deployment; refuse one that runs on real time."""
        if not settings.stepped_clock:
            raise NotSteppableError(
                "the clock is stepped in the demo and the tests only: TANDEM_STEPPED_CLOCK is not set"
            )
        return cls(store)

    def play(self, happenings: Iterable[tuple[datetime, Callable[[], None]]], until: datetime) -> int:
        """Do each happening at its time, and stop at every instant between at which something is due.

        `happenings` are in time order and not before the clock's present. Return how many steps it took.
        """
        waiting = sorted(happenings, key=lambda pair: pair[0])
        position = steps = 0
        due = self.store.outlook.at(until).next_due
        while True:
            coming = waiting[position][0] if position < len(waiting) else until
            instant = min(coming, until, due or until)
            if instant >= until and position >= len(waiting):
                self.step(until)
                return steps + 1
            self.store.clock.set(instant, tick=due is not None and due <= instant)
            while position < len(waiting) and waiting[position][0] <= instant:
                waiting[position][1]()
                position += 1
            due = self.settle(instant)
            steps += 1

    def step(self, instant: datetime) -> None:
        """Set the clock and wait until all that is due has been done."""
        self.store.clock.set(instant)
        self.settle(instant)

    def settle(self, instant: datetime) -> datetime | None:
        """Wait until nothing is due at `instant`, marked, unrouted or in flight. Return when the next thing is due."""
        deadline = time.monotonic() + self.patience_s
        time.sleep(_FIRST_PAUSE_S)
        while (outlook := self.store.outlook.at(instant)).waiting:
            if time.monotonic() > deadline:
                raise NotSettledError(
                    f"after {self.patience_s:.0f} s at {instant.isoformat()} {outlook.waiting} athletes and lanes still"
                    " wait; are all workers running?"
                )
            time.sleep(_PAUSE_S)
        return outlook.next_due
