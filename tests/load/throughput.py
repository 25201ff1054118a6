"""How many events a second each design evaluates and delivers, and at what CPU time, in the cases that matter."""

import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil

from tests.load.cases import THROUGHPUT, Case, Name, cases
from tests.load.designs import Design
from tests.load.feeding import feed
from tests.load.figures import Figure
from tests.load.plan import Sizes
from tests.load.rig import Rig, await_that, cpu_ms, cpu_seconds
from tests.load.seeds import Seeds
from tests.load.workload import Workload


def measure(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield a figure for each run. The designs of a case take turns, in an order that changes with the round."""
    chance = random.Random(4)  # noqa: S311
    for case in cases(sizes, datetime.now(UTC)):
        for _ in range(case.rounds):
            for name in chance.sample(case.designs, len(case.designs)):
                yield Figure(THROUGHPUT, case.name, name, _fresh_run(seeds, case, name))


def _fresh_run(seeds: Seeds, case: Case, name: Name) -> dict[str, float]:
    """Start the design and run the case; once more, and noted as such, when one of its processes had died before."""
    for repeated in range(2):
        try:
            with seeds.running(name, case.workload) as (at, design):
                found = run(at, design, case.workload, case.batch, case.connections)
        except psutil.NoSuchProcess as error:
            sys.stderr.write(f"{case.name} | {name}: {error}\n")
        else:
            return found | ({"repeated": 1.0} if repeated else {})
    raise RuntimeError(f"{name} lost a process twice before {case.name}")


def run(at: Rig, design: Design, workload: Workload, batch: int, connections: int) -> dict[str, float]:
    """Post the workload's live events; wait until every message has arrived and nothing is left to do.

    Raise `RuntimeError` when other events were told of than those that should be.
    """
    pids = {**design.pids, "store": at.pids["store"]}
    events = list(workload.stream(datetime.now(UTC)))
    wanted = {event["id"] for number, event in enumerate(events) if workload.tells(number)}
    at.forget()
    before = cpu_seconds(pids)
    began = time.monotonic()
    feed(design, events, batch, connections)
    accepted = time.monotonic()
    await_that(lambda: at.hooks() >= len(wanted) and design.idle(), 300, 0.01)
    done = time.monotonic()
    used = cpu_ms(pids, before, len(events))
    told = at.arrivals().keys()
    if told != wanted or at.hooks() != len(wanted):
        raise RuntimeError(f"{len(wanted - told)} messages are missing, {len(told - wanted)} are too many")
    return {
        "events/s": len(events) / (done - began),
        "accepted/s": len(events) / (accepted - began),
        "CPU s per 1,000": sum(used.values()),
        **{f"CPU: {part}": used[part] for part in used},
    }
