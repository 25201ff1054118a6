"""The production server around the application: granian's worker processes, each with threads of its own."""

import os

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import Server

BLOCKING_THREADS = 16
"""A worker process's threads: enough to wait for the store side by side, few enough that Python does not thrash."""


def serve(factory: str, host: str, port: int, workers: int, redis_url: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered and return.

    `factory` names the function that gives each worker process its application, as `module:function`.
    Worker processes read their settings from the environment; `redis_url`, when given, is put there for them.
    """
    if redis_url is not None:
        os.environ["TANDEM_REDIS_URL"] = redis_url
        os.environ.pop("TANDEM_REDIS_URL_FILE", None)
    Server(
        factory,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        loop=Loops.asyncio,
        websockets=False,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        # Slow senders of headers hold no connection for long; bodies are bounded by what is read of them.
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        respawn_failed_workers=True,
        respawn_interval=1,
        workers_kill_timeout=20,
        log_enabled=False,  # requests are logged by the application, with their ids
    ).serve()
