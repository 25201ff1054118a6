"""Who ticks: a lease that any scheduler can take, and a poke that ends its pause early."""

import redis

from shared.store import keys
from shared.store.errors import store_errors


class Ticking:
    """Several schedulers may run; the one that holds the lease ticks, and another takes over when it stops."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def lease(self, holder: str, lease_ms: int) -> bool:
        """Take or renew the lease for `lease_ms` of wall time. Return whether `holder` has it now."""
        with store_errors():
            if self._client.set(keys.TICK_LEASE, holder, nx=True, px=lease_ms):
                return True
            if self._client.get(keys.TICK_LEASE) != holder:
                return False
            # Between the two calls the lease may pass to another; a tick run twice does no harm, every find is leased.
            return bool(self._client.set(keys.TICK_LEASE, holder, xx=True, px=lease_ms))

    def release(self, holder: str) -> None:
        """Give the lease up, so that another scheduler need not wait for it to lapse."""
        with store_errors():
            if self._client.get(keys.TICK_LEASE) == holder:
                self._client.delete(keys.TICK_LEASE)

    def pause(self, seconds: float) -> None:
        """Wait `seconds`, or until the clock is stepped."""
        with store_errors():
            self._client.blpop([keys.TICK_POKE], timeout=seconds)
