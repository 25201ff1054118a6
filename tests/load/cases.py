"""Which cases are measured, of what size: what measures them and what models them must mean the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from tests.load.plan import Sizes
from tests.load.workload import Workload

Name = Literal["plain", "improved", "tandem"]
THROUGHPUT: Final = "throughput"
HISTORY: Final = "growth: history"
PACKED: Final = "growth: history in 28 days"
ATHLETES: Final = "growth: athletes"
WORKERS: Final = "growth: rules workers"
BUSY_RULES: Final = 500
BUSY_WORKERS: Final = f"growth: rules workers, {BUSY_RULES} rules"
"""With so many rules the workers want the cores, and the store and notify next to nothing of them."""
RULES: Final = "growth: rules"
LATENCY: Final = "latency"
BOUNDS: Final = "bounds"
FOOTPRINT: Final = "footprint"
CONNECTIONS: Final = 16
"""Over which events are posted: as many as each front door has threads, for fewer leave processors idle."""
STEP: Final = 100
"""Athletes who post where growth with athletes or rules is measured, an event each at a time."""
TURNS: Final = 10
"""Events of each of them in one round."""
MEMBERS: Final = 20
"""Athletes of the club whose history grows."""


@dataclass(frozen=True, slots=True)
class Case:
    """A load, the designs that are given it, and in how many rounds."""

    name: str
    workload: Workload
    batch: int
    designs: tuple[Name, ...]
    rounds: int
    connections: int = CONNECTIONS


def cases(sizes: Sizes, now: datetime) -> tuple[Case, ...]:
    """Return all cases of throughput, the dearest in fewer rounds."""
    athletes, live = sizes.of(500), sizes.of(5000)

    def loaded(history: int, events: int = live, members: int = athletes) -> Workload:
        return Workload(members, history, events, now)

    everyone: tuple[Name, ...] = ("plain", "improved", "tandem")
    others = sizes.of(2500)
    return (
        Case("batches of 100, history 150", loaded(150, 2 * live), 100, everyone, sizes.rounds),
        Case("batches of 100, history 15", loaded(15), 100, everyone, sizes.few),
        Case("single POSTs, history 150", loaded(150), 1, ("plain", "tandem"), sizes.rounds),
        Case("single POSTs over 4 connections, history 150", loaded(150), 1, ("plain", "tandem"), sizes.few, 4),
        Case("batches of 500, history 150", loaded(150, 2 * live), 500, ("tandem",), sizes.few),
        Case(
            "every event from another athlete, history 150",
            loaded(150, others, others), 100, ("plain", "tandem"), sizes.rounds,
        ),
        Case("batches of 100, history 1,500", loaded(1500, 2 * live), 100, ("plain", "tandem"), sizes.more),
        Case("batches of 100, history 1,500", loaded(1500, 2 * live), 100, ("improved",), 1),
    )  # fmt: skip


def backlog(sizes: Sizes, now: datetime) -> Workload:
    """Return what has piled up when rules workers are compared: every event is another athlete's."""
    members = sizes.of(2500)
    return Workload(members, 150, members, now)
