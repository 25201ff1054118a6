"""How commands go to the store: a pipeline as one write."""

from collections.abc import Iterable
from typing import Any

import hiredis
import redis


class _OneWrite:
    """A connection that packs a pipeline into one piece.

    redis-py cuts it into pieces of 6,000 bytes, each a system call here and a short read there, and looks at every
    argument twice: for an append of 100 events, half of what sending them costs.
    """

    def pack_commands(self, commands: Iterable[tuple[Any, ...]]) -> list[bytes]:
        # A name may be two words ("SCRIPT LOAD"), which go as two arguments.
        return [b"".join([hiredis.pack_command((*name.split(), *rest)) for name, *rest in commands])]


def pool_on(url: str, **options: Any) -> redis.ConnectionPool:  # noqa: ANN401 - redis-py's own options, as it has them
    """Return a pool of such connections, whichever way `url` goes. Nothing connects before the first use."""
    pool = redis.ConnectionPool.from_url(url, **options)
    pool.connection_class = type("OneWriteConnection", (_OneWrite, pool.connection_class), {})
    return pool
