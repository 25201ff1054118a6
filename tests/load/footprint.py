"""What Tandem takes when nothing happens: time to start, CPU of the whole tree, bytes of an athlete."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from deploy.embedded import free_port
from deploy.local import await_ready
from tests.load.cases import FOOTPRINT
from tests.load.designs import fill_plain
from tests.load.figures import Figure
from tests.load.plan import Sizes
from tests.load.rig import Rig, cpu_seconds, end, rig
from tests.load.seeds import Seeds
from tests.load.workload import Workload

_IDLE_S = 20.0


def measure(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield start-up and idleness of `tandem up` with the shipped rules, and the bytes of athletes."""
    for _ in range(sizes.few):
        yield Figure(FOOTPRINT, "tandem up", "tandem", _up(3.0 if sizes.quick else _IDLE_S))
    for history in (15, 150, 1500):
        load = Workload(sizes.of(100), history, 0, datetime.now(UTC))
        with rig() as at:
            empty = _used(at)
            fill_plain(at, load)
            yield _bytes("plain", load, at, empty)
        with rig(seed=seeds.of("tandem", load)) as at:
            yield _bytes("tandem", load, at, empty)


def _up(seconds: float) -> dict[str, float]:
    """Start `tandem up` as a user does, and leave it alone."""
    port = free_port()
    command = [sys.executable, "-m", "deploy.cli", "up", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as output:
        environ = {**os.environ, "TANDEM_DATA_DIR": str(Path(folder) / "data")}
        began = time.monotonic()
        tree = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            await_ready(f"http://127.0.0.1:{port}")
            ready = time.monotonic() - began
            time.sleep(5)  # the workers have come up, too
            before = cpu_seconds({"tree": tree.pid})["tree"]
            time.sleep(seconds)
            used = cpu_seconds({"tree": tree.pid})["tree"] - before
            process = psutil.Process(tree.pid)
            family = [process, *process.children(recursive=True)]
            memory = sum(each.memory_full_info().pss for each in family) / 2**20
        finally:
            end(tree)
    return {"start s": ready, "idle % of a core": used / seconds * 100, "memory MB": memory}


def _used(at: Rig) -> int:
    return int(at.client().info("memory")["used_memory"])


def _bytes(name: str, load: Workload, at: Rig, empty: int) -> Figure:
    values = {"KB an athlete": (_used(at) - empty) / load.athletes / 1000}
    return Figure(FOOTPRINT, f"history {load.history}", name, values)
