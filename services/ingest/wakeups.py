"""Sees that what the front door asks for is heard, without ever making a sender wait for it.

Rules workers are asked for evaluations in the trip that stores events. Whether a message is to wake one is looked after
by a thread of its own: at once when all are asleep, a little later when those that are up are busy. What cannot be sent
is kept and tried again; what is lost with the process the scheduler's tick finds: the store says what is due.
"""

import threading
import time
from collections.abc import Sequence
from typing import TypeAlias

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from shared.broker import DELIVER, send
from shared.on_call import EVALUATION, OnCall
from shared.store.calls import Calls, Heard

MOST_KEPT = 10_000
"""Lanes kept while the broker is away; beyond that the tick is the quicker way."""
_LANES_TOGETHER = 25
"""How many subscriptions a message names."""
_PAUSE_S = 1.0
Lane: TypeAlias = tuple[str, str]
"""A subscription by (club, id)."""

log = structlog.get_logger()


class Wakeups:
    """Wakes workers for evaluations and deliveries. Safe to use from any thread."""

    def __init__(self, app: Celery, calls: Calls) -> None:
        self._app = app
        self._evaluation = OnCall(calls, app, EVALUATION)
        self._lanes: dict[Lane, None] = {}
        self._look_at: float | None = None
        """When to see whether evaluations are heard, by the monotonic clock."""
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False
        self._closed = False
        self._away = False

    def evaluate(self, heard: Heard | None) -> None:
        """See that somebody begins the evaluation that was asked for. Never raises, never blocks on the broker."""
        if heard is None or heard.free:
            return
        self._look_in(EVALUATION.patience_s if heard.up else 0.0)

    def deliver(self, club: str, subscription: str) -> None:
        """Have what is due for the subscription sent. Never raises, never blocks on the broker."""
        with self._change:
            if len(self._lanes) < MOST_KEPT:
                self._lanes[club, subscription] = None
            self._begin()

    def reachable(self) -> bool:
        """Whether the broker answers a new connection now."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except (OperationalError, OSError):
            return False
        return True

    def flush(self, seconds: float) -> bool:
        """Wait up to `seconds` until nothing is left to be sent; return whether it is so."""
        with self._change:
            return self._change.wait_for(
                lambda: not self._lanes and self._look_at is None and not self._sending, seconds
            )

    def close(self) -> None:
        """Send what can be sent within two seconds, and stop."""
        self.flush(2)
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _look_in(self, seconds: float) -> None:
        at = time.monotonic() + seconds
        if self._look_at is not None and self._look_at <= at:
            return  # what is looked after then is looked after for this one too
        with self._change:
            self._look_at = at
            self._begin()

    def _begin(self) -> None:
        if self._thread is None:
            # Started at the first use: a thread does not live on in a forked worker process.
            self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
            self._thread.start()
        self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._closed and not self._lanes and not self._is_time():
                    self._change.wait(self._left())
                if self._closed:
                    return
                lanes, self._lanes = list(self._lanes), {}
                look = self._is_time()
                if look:
                    self._look_at = None
                self._sending = True
            left = self._send(lanes, look=look)
            with self._change:
                self._lanes = {**dict.fromkeys(left), **self._lanes}
                if look and self._away:
                    self._look_at = time.monotonic() + _PAUSE_S
                self._sending = False
                self._change.notify_all()
                if left:
                    self._change.wait_for(lambda: self._closed, _PAUSE_S)

    def _left(self) -> float | None:
        return None if self._look_at is None else max(0.0, self._look_at - time.monotonic())

    def _is_time(self) -> bool:
        return self._look_at is not None and self._look_at <= time.monotonic()

    def _send(self, lanes: Sequence[Lane], *, look: bool) -> Sequence[Lane]:
        """Send what can be sent, and return the lanes that are left."""
        try:
            if look:
                self._evaluation.wake()
            while lanes:
                send(self._app, DELIVER, subscriptions=lanes[:_LANES_TOGETHER])
                lanes = lanes[_LANES_TOGETHER:]
        except Exception as error:  # noqa: BLE001 - whatever the client raises, this thread must live on
            if not self._away:
                log.warning("wakeup.broker_away", error=str(error), kept=len(lanes))
            self._away = True
        else:
            if self._away:
                log.info("wakeup.broker_back")
            self._away = False
        return lanes
