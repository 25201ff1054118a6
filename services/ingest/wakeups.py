"""Tells the other services that there is work, without ever making a sender wait for it.

A wake-up is passed on by a thread of its own, at once when it is idle and gathered while it is busy or rests from the
last. What cannot be passed on is kept and tried again; what is lost with the process the scheduler's tick finds: the
store says what is due.
"""

import threading
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeAlias

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from shared.broker import DELIVER, BrokerUnavailableError, send
from shared.on_call import EVALUATION, OnCall
from shared.store.calls import Calls

MOST_KEPT = 10_000
"""Wake-ups kept while the broker is away; beyond that the tick is the quicker way."""
_LANES_TOGETHER = 25
"""How many subscriptions a message names."""
_PAUSE_S = 1.0
_REST_S = 0.003
"""What comes within it shares a trip to the store. The one event of a quiet moment never waits for it."""
Lane: TypeAlias = tuple[str, str]
"""A subscription by (club, id)."""
Wanted: TypeAlias = int | Lane | None
"""What is to be looked at: a partition of athletes, a lane, or what rules workers are asked for already."""

log = structlog.get_logger()


class Wakeups:
    """Calls for evaluations and deliveries. Safe to use from any thread."""

    def __init__(self, app: Celery, calls: Calls) -> None:
        self._app = app
        self._evaluation = OnCall(calls, app, EVALUATION)
        self._pending: dict[Wanted, None] = {}
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False
        self._closed = threading.Event()
        self._away = False

    def evaluate(self, partitions: Sequence[int]) -> None:
        """Have the athletes who wait in these partitions evaluated. Never raises, never blocks on the broker."""
        if partitions:
            self._add(partitions)

    def deliver(self, club: str, subscription: str) -> None:
        """Have what is due for the subscription sent. Never raises, never blocks on the broker."""
        self._add([(club, subscription)])

    def reachable(self) -> bool:
        """Whether the broker answers a new connection now."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except (OperationalError, OSError):
            return False
        return True

    def flush(self, seconds: float) -> bool:
        """Wait up to `seconds` until all wake-ups are passed on; return whether they are."""
        with self._change:
            return self._change.wait_for(lambda: not self._pending and not self._sending, seconds)

    def close(self) -> None:
        """Pass on what can be within two seconds, and stop."""
        self.flush(2)
        with self._change:
            self._closed.set()
            self._change.notify_all()

    def _add(self, wanted: Iterable[Wanted]) -> None:
        with self._change:
            self._pending.update(dict.fromkeys(islice(wanted, max(0, MOST_KEPT - len(self._pending)))))
            if self._thread is None and self._pending:
                # Started at the first use: a thread does not live on in a forked worker process.
                self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
                self._thread.start()
            self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._pending or self._closed.is_set())
                if self._closed.is_set():
                    return
                taken, self._pending = self._pending, {}
                self._sending = True
            left = self._pass_on(list(taken))
            with self._change:
                self._pending = {**dict.fromkeys(left), **self._pending}
                self._sending = False
                self._change.notify_all()
            # Not on the condition: each new wake-up would end such a wait, if only to begin it again.
            self._closed.wait(_PAUSE_S if left else _REST_S)

    def _pass_on(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Pass on what can be, and return the rest."""
        partitions = [each for each in wanted if isinstance(each, int)]
        lanes = [each for each in wanted if isinstance(each, tuple)]
        unheard = None in wanted
        try:
            if partitions or unheard:
                self._evaluation.call(partitions)
                partitions, unheard = [], False
            while lanes:
                send(self._app, DELIVER, subscriptions=lanes[:_LANES_TOGETHER])
                lanes = lanes[_LANES_TOGETHER:]
        except Exception as error:  # noqa: BLE001 - whatever the client raises, this thread must live on
            if not self._away:
                log.warning("wakeup.broker_away", error=str(error), kept=len(wanted))
            self._away = True
            if partitions and isinstance(error, BrokerUnavailableError):
                partitions, unheard = [], True  # they are asked for; only nobody was woken
        else:
            if self._away:
                log.info("wakeup.broker_back")
            self._away = False
        return [*partitions, *lanes, *([None] if unheard else [])]
