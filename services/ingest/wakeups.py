"""Tells the other services that there is work, without ever making a sender wait for it.

A wake-up is sent from a thread of its own, at once when it is idle and gathered while it is busy or rests from what it
sent. What cannot be sent is kept and tried again; what is lost with the process the scheduler's tick finds: the store
says what is due.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import TypeAlias

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from shared.broker import DELIVER, EVALUATE, send

MOST_KEPT = 10_000
"""Wake-ups kept while the broker is away; beyond that the tick is the quicker way."""
_TOGETHER: Mapping[str, int] = {EVALUATE: 8, DELIVER: 25}
"""How many partitions, or subscriptions, a message names: so that several workers share what comes at once."""
_PAUSE_S = 1.0
# A message costs its sender and its receiver as much as several events, so what comes in the rest after one shares
# the next. Where much comes, the rest is in proportion to what sending took, which grows with the machine's load;
# else it is short. The one event of a quiet moment never waits.
_SHORTEST_REST_S, _LONGEST_REST_S = 0.01, 0.05
_REST = 25
_MUCH = 4  # wake-ups that came in one rest
_FIELD = {EVALUATE: "partitions", DELIVER: "subscriptions"}
Wanted: TypeAlias = tuple[str, int | tuple[str, str]]
"""A task, and what it is to look at: a partition of athletes, or a subscription by (club, id)."""

log = structlog.get_logger()


class Wakeups:
    """Sends `rules.evaluate` and `notify.deliver`. Safe to use from any thread."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._pending: dict[Wanted, None] = {}
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = False
        self._closed = threading.Event()
        self._away = False

    def evaluate(self, partitions: Sequence[int]) -> None:
        """Have the athletes who wait in these partitions evaluated. Never raises, never blocks on the broker."""
        if partitions:
            self._add((EVALUATE, partition) for partition in partitions)

    def deliver(self, club: str, subscription: str) -> None:
        """Have what is due for the subscription sent. Never raises, never blocks on the broker."""
        self._add([(DELIVER, (club, subscription))])

    def reachable(self) -> bool:
        """Whether the broker answers a new connection now."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except (OperationalError, OSError):
            return False
        return True

    def flush(self, seconds: float) -> bool:
        """Wait up to `seconds` until all wake-ups are sent; return whether they are."""
        with self._change:
            return self._change.wait_for(lambda: not self._pending and not self._sending, seconds)

    def close(self) -> None:
        """Send what can be sent within two seconds, and stop."""
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
            began = time.monotonic()
            left = self._send(sorted(taken, key=itemgetter(0)))
            took = time.monotonic() - began
            with self._change:
                self._pending = {**dict.fromkeys(left), **self._pending}
                self._sending = False
                self._change.notify_all()
            # Not on the condition: each new wake-up would end such a wait, if only to begin it again.
            rest = _REST * took if len(taken) >= _MUCH else 0
            rest = min(max(_SHORTEST_REST_S, rest), _LONGEST_REST_S)
            self._closed.wait(_PAUSE_S if left else rest)

    def _send(self, wanted: list[Wanted]) -> list[Wanted]:
        """Send what can be sent, and return the rest."""
        for message in _messages(wanted):
            task = message[0][0]
            try:
                send(self._app, task, **{_FIELD[task]: [what for _, what in message]})
            except Exception as error:  # noqa: BLE001 - whatever the client raises, this thread must live on
                if not self._away:
                    log.warning("wakeup.broker_away", error=str(error), kept=len(wanted))
                self._away = True
                return wanted[wanted.index(message[0]) :]
        if self._away:
            log.info("wakeup.broker_back")
        self._away = False
        return []


def _messages(wanted: list[Wanted]) -> Iterator[list[Wanted]]:
    """Cut `wanted`, which is in order, into messages of one task and a bounded size."""
    for task, group in groupby(wanted, key=itemgetter(0)):
        found = list(group)
        for start in range(0, len(found), _TOGETHER[task]):
            yield found[start : start + _TOGETHER[task]]
