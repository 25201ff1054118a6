"""How many events a second each design evaluates and delivers, and at what CPU time, in the cases that matter."""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from tests.load.designs import Design
from tests.load.feeding import feed
from tests.load.figures import Figure
from tests.load.plan import Sizes
from tests.load.rig import Rig, await_that, cpu_seconds
from tests.load.seeds import Name, Seeds
from tests.load.workload import Workload

TOPIC = "throughput"


@dataclass(frozen=True, slots=True)
class Case:
    """A load, the designs that are given it, and in how many rounds."""

    name: str
    workload: Workload
    batch: int
    designs: tuple[Name, ...]
    rounds: int


def cases(sizes: Sizes) -> tuple[Case, ...]:
    """Return all cases, the dearest in fewer rounds."""
    now = datetime.now(UTC)
    athletes, live = sizes.of(500), sizes.of(5000)

    def loaded(history: int, events: int = live, members: int = athletes) -> Workload:
        return Workload(members, history, events, now)

    everyone: tuple[Name, ...] = ("plain", "improved", "tandem")
    others = sizes.of(2500)
    return (
        Case("batches of 100, history 150", loaded(150), 100, everyone, sizes.rounds),
        Case("batches of 100, history 15", loaded(15), 100, everyone, sizes.few),
        Case("single POSTs, history 150", loaded(150, sizes.of(3000)), 1, ("plain", "tandem"), sizes.rounds),
        Case("batches of 500, history 150", loaded(150, 2 * live), 500, ("tandem",), sizes.few),
        Case(
            "every event from another athlete, history 150",
            loaded(150, others, others), 100, ("plain", "tandem"), sizes.rounds,
        ),
        Case("batches of 100, history 1,500", loaded(1500, sizes.of(2000)), 100, ("plain", "tandem"), sizes.rounds),
        Case("batches of 100, history 1,500", loaded(1500, sizes.of(2000)), 100, ("improved",), 1),
    )  # fmt: skip


def measure(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield a figure for each run. The designs of a case take turns, in an order that changes with the round."""
    chance = random.Random(4)  # noqa: S311
    for case in cases(sizes):
        for _ in range(case.rounds):
            for name in chance.sample(case.designs, len(case.designs)):
                yield Figure(TOPIC, case.name, name, _fresh_run(seeds, case, name))


def _fresh_run(seeds: Seeds, case: Case, name: Name) -> dict[str, float]:
    """Start the design and run the case; once more, and noted as such, when one of its processes had died before."""
    for repeated in range(2):
        try:
            with seeds.running(name, case.workload) as (at, design):
                found = run(at, design, case.workload, case.batch)
        except psutil.NoSuchProcess as error:
            sys.stderr.write(f"{case.name} | {name}: {error}\n")
        else:
            return found | ({"repeated": 1.0} if repeated else {})
    raise RuntimeError(f"{name} lost a process twice before {case.name}")


def run(at: Rig, design: Design, workload: Workload, batch: int, name: str = "l") -> dict[str, float]:
    """Post the workload's live events; wait until every message has arrived and nothing is left to do.

    Raise `RuntimeError` when other events were told of than those that should be.
    """
    pids = {**design.pids, **at.pids}
    events = list(workload.stream(datetime.now(UTC), name))
    wanted = {event["id"] for number, event in enumerate(events) if workload.tells(number)}
    at.forget()
    before = cpu_seconds(pids)
    began = time.monotonic()
    feed(design, events, batch)
    accepted = time.monotonic()
    await_that(lambda: at.hooks() >= len(wanted) and design.idle(), 300, 0.01)
    done = time.monotonic()
    after = cpu_seconds(pids)
    told = at.arrivals().keys()
    if told != wanted or at.hooks() != len(wanted):
        raise RuntimeError(f"{len(wanted - told)} messages are missing, {len(told - wanted)} are too many")
    used = {part: (after[part] - before[part]) * 1000 / len(events) for part in pids if part != "receiver"}
    return {
        "events/s": len(events) / (done - began),
        "accepted/s": len(events) / (accepted - began),
        "CPU s per 1,000": sum(used.values()),
        **{f"CPU: {part}": used[part] for part in used},
    }
