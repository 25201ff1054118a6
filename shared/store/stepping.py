"""The stepped clock's hand: the instant that the demo and the tests have set for every process."""

from datetime import datetime

import redis

from shared.contracts.instants import from_ms, to_ms
from shared.store import keys
from shared.store.errors import store_errors


class ClockStore:
    """One key. It means nothing to a process that was not started with the stepped clock."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self) -> datetime | None:
        """Return the instant that was set, or None."""
        with store_errors():
            found = self._client.get(keys.CLOCK)
        return None if found is None else from_ms(int(str(found)))

    def set(self, instant: datetime, *, tick: bool = True) -> None:
        """Move the clock to `instant`, and have the scheduler tick at once unless nothing is due yet."""
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.set(keys.CLOCK, to_ms(instant))
            if tick:
                pipeline.lpush(keys.TICK_POKE, "stepped")
                pipeline.ltrim(keys.TICK_POKE, 0, 0)
            pipeline.execute()
