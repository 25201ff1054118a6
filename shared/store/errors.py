"""What can go wrong with the store, in one word: it is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis


class StoreUnavailableError(Exception):
    """The store did not answer, or cannot take writes now. Nothing was promised; trying again is safe."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn a lost, refused, busy or full store into `StoreUnavailableError`; let faults of our own making through."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError) as error:
        raise StoreUnavailableError(f"the store is away: {error}") from error
    except redis.ReadOnlyError as error:
        raise StoreUnavailableError(
            "the store is a read-only replica; point TANDEM_REDIS_URL at the primary"
        ) from error
    except redis.ResponseError as error:
        if str(error).startswith(("OOM", "MISCONF", "LOADING", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN")):
            raise StoreUnavailableError(f"the store takes no writes now: {error}") from error
        raise
