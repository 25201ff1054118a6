"""What can go wrong with the store, in one word: it is away."""

from contextlib import AbstractContextManager

import redis

_NO_WRITES = ("OOM", "MISCONF", "LOADING", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN")


class StoreUnavailableError(Exception):
    """The store did not answer, or cannot take writes now. Nothing was promised; trying again is safe."""


class _StoreErrors:
    """A class, not a generator: entered several times a request, it costs a quarter of one."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case redis.ConnectionError() | redis.TimeoutError() | redis.exceptions.BusyLoadingError():
                raise StoreUnavailableError(f"the store is away: {error}") from error
            case redis.ReadOnlyError():
                raise StoreUnavailableError(
                    "the store is a read-only replica; point TANDEM_REDIS_URL at the primary"
                ) from error
            case redis.ResponseError() if str(error).startswith(_NO_WRITES):
                raise StoreUnavailableError(f"the store takes no writes now: {error}") from error


_STORE_ERRORS = _StoreErrors()


def store_errors() -> AbstractContextManager[None]:
    """Turn a lost, refused, busy or full store into `StoreUnavailableError`; let faults of our own making through."""
    return _STORE_ERRORS
