"""How workers come to what they are asked for: from the store while they are up, by a message when all are asleep.

A message costs whoever sends it and whoever gets it as much as several evaluations, and two milliseconds. So a worker
that has done what it was woken for stays on call for a moment, and gets what comes meanwhile from the store at once.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog
from celery import Celery

from shared.broker import EVALUATE, ROUTE, BrokerUnavailableError, send
from shared.contracts.partitions import PARTITIONS
from shared.store.calls import Calls, Queue
from shared.store.keys import athlete_ref, split_ref

STAND_BY_S: Final = 1.0
"""How long a worker stays on call when nothing comes."""
TURN_S: Final = 5.0
"""How long a worker stays up at most: then it sees to its broker, and whether it is to stop."""
LONGEST_REST_S: Final = 0.02
LONG_S: Final = 0.04
"""Work that took longer was much, whatever its name, and is not followed by a rest."""

Wanted = TypeVar("Wanted")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work(Generic[Wanted]):
    """A kind of work: its task, how what is wanted is written and read, and how it is done.

    A worker takes `most` at once, and of `whole`, a burst, no more than its share. One that is up and busy is waited
    for `patience_s` before another is woken; 0 where it may itself be waiting for somebody. After less than it could
    take it rests `rest` times as long before it takes more, so that what comes meanwhile is done together: done alone
    it costs three times as much.
    """

    task: str
    queue: Queue
    written: Callable[[Wanted], str]
    read: Callable[[str], Wanted]
    most: int
    whole: int
    patience_s: float
    rest: float

    def share(self, workers: int, took_s: float) -> int:
        """Return how many one of so many workers takes at once, after what took so long.

        After much work half of it: there is a burst, at whose end no worker is to have all that is left.
        """
        share = min(self.most, self.whole // max(1, workers))
        return max(1, share // 2 if took_s > LONG_S else share)

    def rest_s(self, took_s: float, *, full: bool) -> float:
        """Return for how many seconds to rest after what took so many; `full` when no more could be taken at once."""
        return 0.0 if full or took_s > LONG_S else min(took_s * self.rest, LONGEST_REST_S)


EVALUATION: Final[Work[int]] = Work(EVALUATE, "rules", str, int, 8, PARTITIONS, patience_s=0.02, rest=2.0)
"""Of partitions in which athletes wait for an evaluation."""
ROUTING: Final[Work[tuple[str, str]]] = Work(
    ROUTE, "notify", lambda name: athlete_ref(*name), split_ref, 50, 200, patience_s=0.0, rest=1.0
)
"""Of the outboxes of athletes, as (club, athlete)."""


@contextmanager
def left_to_the_tick() -> Iterator[None]:
    """Log that the broker is away, and go on: that costs time and no work, for a tick asks again."""
    try:
        yield
    except BrokerUnavailableError as error:
        log.warning("wake_up.lost", error=str(error))


class OnCall(Generic[Wanted]):
    """Who wants the work calls, whoever does it serves. Safe to use from any thread."""

    def __init__(self, calls: Calls, app: Celery, work: Work[Wanted]) -> None:
        self._calls = calls
        self._app = app
        self._work = work
        self._standing_by = threading.Lock()

    def call(self, wanted: Sequence[Wanted]) -> None:
        """Have `wanted` looked at, after what was asked for before.

        Raise `StoreUnavailableError` or `BrokerUnavailableError`; to call again does no harm.
        """
        heard = self._calls.ask(self._work.queue, [self._work.written(each) for each in wanted])
        if not heard.free:
            self.wake()

    def wake(self, patience_s: float = 0.0) -> None:
        """Wake a worker if something was asked for `patience_s` ago and is not taken. Raise like `call`."""
        if self._calls.unheard(self._work.queue, patience_s):
            try:
                send(self._app, self._work.task)
            except BrokerUnavailableError:
                self._calls.unsent(self._work.queue)
                raise

    def serve(self, do: Callable[[list[Wanted]], None], stopping: Callable[[], bool]) -> None:
        """Have `do` do what is asked for, until nothing comes for `STAND_BY_S`, or `TURN_S` are over.

        Of the threads of a process one stands by; another that finds it there ends its turn.
        """
        over = time.monotonic() + TURN_S
        worker = secrets.token_hex(8)  # of this turn: other threads have turns of their own
        queue, share, took_s, rest_s = self._work.queue, self._work.most, 0.0, 0.0
        taken = self._calls.answer(queue, worker, 2 * TURN_S, share)
        if taken.more:
            self.wake()  # a burst: each worker that comes brings one more
        while True:
            if taken.wanted:
                began = time.monotonic()
                do([self._work.read(each) for each in taken.wanted])
                took_s = time.monotonic() - began
                rest_s = self._work.rest_s(took_s, full=len(taken.wanted) >= share)
            if time.monotonic() > over or stopping() or not self._standing_by.acquire(blocking=False):
                break
            try:
                share = self._work.share(taken.workers, took_s)
                taken = self._calls.wait(queue, worker, STAND_BY_S, share, rest_s)
            finally:
                self._standing_by.release()
            if not taken.wanted:
                break
        if self._calls.leave(queue, worker):
            self.wake()
