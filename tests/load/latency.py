"""How long from POST to webhook received: asleep, idle, at 20 events a second, and near each design's saturation."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from shared.on_call import STAND_BY_S
from tests.load.cases import CONNECTIONS, LATENCY, Name
from tests.load.designs import Design
from tests.load.feeding import feed
from tests.load.figures import Figure, Spread
from tests.load.plan import Sizes
from tests.load.rig import Rig, await_that
from tests.load.seeds import Seeds
from tests.load.workload import WireEvent, Workload

DESIGNS: Final[tuple[Name, ...]] = ("plain", "tandem")
SHARES: Final = {"half of saturation": 0.5, "90 % of saturation": 0.9}
_ASLEEP_S: Final = STAND_BY_S + 0.3
"""A pause after which no worker of Tandem's is on call any more."""


@dataclass(slots=True)
class Running:
    """A design that is asked round after round."""

    name: Name
    at: Rig
    design: Design
    runs: int = 0

    def events(self, workload: Workload) -> list[WireEvent]:
        """Return live events that were not posted before."""
        self.runs += 1
        return list(workload.stream(datetime.now(UTC), f"r{self.runs}-"))


def measure(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield a figure for each load and round; the designs run side by side, and one is asked at a time.

    Each round begins with stores as they were made: what an athlete did today is read at every evaluation.
    """
    for number in range(sizes.rounds):
        telling = Workload(sizes.of(500), 150, sizes.of(200), datetime.now(UTC), one_in=1)
        with ExitStack() as stack:
            found = []
            for name in DESIGNS:
                at, design = stack.enter_context(seeds.running(name, telling))
                found.append(Running(name, at, design))
            for each in found if number % 2 else found[::-1]:
                yield from _round(each, telling, sizes)


def _round(running: Running, telling: Workload, sizes: Sizes) -> Iterator[Figure]:
    def figure(case: str, values: dict[str, float]) -> Figure:
        return Figure(LATENCY, case, running.name, values)

    yield figure("asleep", ranks(_one_by_one(running, telling, 10, _ASLEEP_S)))
    yield figure("idle", ranks(_one_by_one(running, telling, sizes.of(100), 0.02)))
    yield figure("20/s", ranks(_paced(running, telling, 20)))
    saturation = _saturation(running, telling, sizes)
    yield figure("saturation", {"requests/s": saturation})
    for case, share in SHARES.items():
        rate = saturation * share
        mixed = replace(telling, live=sizes.of(int(rate * 4)), one_in=10)
        yield figure(case, ranks(_paced(running, mixed, rate)))


def _saturation(running: Running, workload: Workload, sizes: Sizes) -> float:
    """Return how many single POSTs a second the design evaluates and delivers when it is given all it takes."""
    many = replace(workload, live=sizes.of(1500), one_in=10)
    events = running.events(many)
    began = time.monotonic()
    running.at.forget()
    feed(running.design, events, 1, connections=CONNECTIONS)
    await_that(lambda: running.at.hooks() >= many.messages() and running.design.idle(), 120, 0.01)
    return len(events) / (time.monotonic() - began)


def _one_by_one(running: Running, workload: Workload, many: int, pause_s: float) -> list[float]:
    """Post an event, wait for its message and the pause, and so on."""
    took = []
    events = running.events(replace(workload, live=many))
    for event in events:
        running.at.forget()
        [began] = feed(running.design, [event], 1, connections=1).values()
        await_that(lambda: running.at.hooks() > 0, 10, 0.005)
        took.append(running.at.arrivals()[event["id"]] - began)
        time.sleep(pause_s)
    return took


def _paced(running: Running, workload: Workload, rate: float) -> list[float]:
    """Post at a pace, and return how long after its event was due each message came."""
    running.at.forget()
    posted = feed(running.design, running.events(workload), 1, connections=CONNECTIONS, rate=rate)
    await_that(lambda: running.at.hooks() >= workload.messages() and running.design.idle(), 120, 0.02)
    return [at - posted[name] for name, at in running.at.arrivals().items()]


def ranks(took: list[float]) -> dict[str, float]:
    """Return percentiles in milliseconds, by the nearest rank."""
    ordered = sorted(took)

    def rank(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    return {
        "p50 ms": Spread.over(ordered).median * 1000,
        "p99 ms": rank(0.99),
        "p99.9 ms": rank(0.999),
        "messages": len(ordered),
    }
