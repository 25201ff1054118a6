"""Whether events may come in now: not when the backlog is over its limit, nor faster than the club may send."""

import math
import threading
import time
from contextlib import suppress

from services.ingest.problems import ProblemError
from shared.settings import Settings
from shared.store.connect import Store, StoreUnavailableError

BACKLOG_RETRY_S = 5
_BACKLOG_TRUSTED_S = 0.25
# To count takes a lone event as long as to store it. So it is let in by an older count that was under the limit, and
# has the next one counted after it: a flood meets the gate within the same quarter of a second.
_BACKLOG_OUTDATED_S = 60.0
_AFTERWARDS_S = 0.05


class Gate:
    """Turns events away with 503 and 429, both with Retry-After. Nothing of a request turned away was stored."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._max_backlog = settings.max_backlog
        self._rate_limit = settings.rate_limit
        self._store = store
        self._backlog = 0
        self._read_at = -math.inf
        self._lock = threading.Lock()

    def admit(self) -> None:
        """Refuse events while more athletes wait for an evaluation than the limit allows."""
        backlog = self._recent_backlog()
        if backlog > self._max_backlog:
            raise ProblemError(
                503,
                f"{backlog} athletes wait for evaluation, and the limit is {self._max_backlog}; nothing was stored",
                headers={"Retry-After": str(BACKLOG_RETRY_S)},
            )

    def spend(self, club: str, events: int) -> None:
        """Take `events` from what the club may send a second; refuse when that is used up."""
        if self._rate_limit <= 0 or events == 0:
            return
        wait = self._store.limits.take(club, events, self._rate_limit)
        if wait > 0:
            raise ProblemError(
                429,
                f"the club may post {self._rate_limit} events a second; nothing was stored",
                headers={"Retry-After": str(math.ceil(wait))},
            )

    def _recent_backlog(self) -> int:
        # One thread asks, the others go by what it last heard: a flood of posts must not become a flood of counts.
        age = time.monotonic() - self._read_at
        if age > _BACKLOG_TRUSTED_S and self._lock.acquire(blocking=False):
            if age > _BACKLOG_OUTDATED_S or self._backlog > self._max_backlog:
                self._count()
            else:
                afterwards = threading.Timer(_AFTERWARDS_S, self._count_quietly)
                afterwards.daemon = True
                afterwards.start()
        return self._backlog

    def _count_quietly(self) -> None:
        with suppress(StoreUnavailableError):  # whoever posts next is told
            self._count()

    def _count(self) -> None:
        try:
            self._backlog = self._store.due.backlog()
            self._read_at = time.monotonic()
        finally:
            self._lock.release()
