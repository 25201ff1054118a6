"""How much of everything do so many athletes want? From costs and bytes as measured, and from what is assumed."""

import math
import random
from dataclasses import dataclass, replace
from typing import Final

from shared.contracts.partitions import PARTITIONS
from tests.load.cases import FOOTPRINT
from tests.load.cases import RULES as GROWING
from tests.load.figures import Figures
from tests.load.machine import Machine
from tests.load.predictions import Model, ranks
from tests.load.simulation import Costs, Parts, Posted, Tandem

EVENTS_A_DAY: Final = 10
"""Of one athlete: three or four meals, a session, a check-in, and a watch that says more."""
PEAK: Final = 3.0
"""The busiest hour over the mean hour."""
TOLD: Final = 0.1
"""Messages an event."""
IN_ONE_ZONE: Final = 0.5
"""The share of athletes whose clocks show the same time: the daily rules look at all of them at once."""
EVENING_S: Final = 600.0
"""In which that look is to be done with."""
RULES: Final = 26
"""Rules in force: as many as ship. The bench measures with ten."""
BUSY, STORE_BUSY = 0.6, 0.5
"""How busy a worker, and the store's one thread, are to be at most in the busiest minutes."""
STORE_GB: Final = 64.0
"""Of data in one store; a machine for it has a quarter more, for the copy that rewriting the file takes."""
SPARE: Final = 1.25
CORE_HOUR, GB_HOUR = 0.04, 0.005
"""US dollars: round numbers, assumed in November 2026 and not looked up."""
HOURS_A_MONTH: Final = 730
MOST_WORKERS: Final = PARTITIONS
"""That share one store's backlog: each partition is one worker's at a time."""
_MEASURED_RULES: Final = 10
_PROCESSES_OF_A_TREE: Final = 6  # ingest, scheduler, two rules workers, notify, store
_DAYS_READ: Final = 28


@dataclass(frozen=True, slots=True)
class Measured:
    """What sizes rest on: CPU costs, bytes, and the memory of a process."""

    costs: Costs
    kb_flat: float
    kb_event: float
    process_gb: float
    hop_ms: float

    def kb(self, events: float) -> float:
        """Return the KB in the store of an athlete with so many events."""
        return self.kb_flat + self.kb_event * events


@dataclass(frozen=True, slots=True)
class Need:
    """What so many athletes, members for so many days, want. Cores are of CPU time in the busiest minutes."""

    athletes: int
    days: int
    events_s: float
    """Mean events a second; the busiest hour has PEAK times as many."""
    ingest: float
    rules: float
    notify: float
    store: float
    store_gb: float
    stores_by_cpu: int
    stores_by_memory: int
    process_gb: float

    @property
    def stores(self) -> int:
        """How many stores, each with workers of its own."""
        return max(self.stores_by_cpu, self.stores_by_memory, math.ceil(self.workers / MOST_WORKERS))

    @property
    def workers(self) -> int:
        """Rules workers, in all."""
        return max(1, math.ceil(self.rules / BUSY))

    @property
    def processes(self) -> tuple[int, int, int]:
        """Ingest, rules and notify processes in all, at least one of each for every store."""
        doors, senders = (max(1, math.ceil(cores / BUSY)) for cores in (self.ingest, self.notify))
        return tuple(max(self.stores, each) for each in (doors, self.workers, senders))  # type: ignore[return-value]

    @property
    def cores(self) -> int:
        """Cores to rent: what is used in the busiest minutes, and the room above it."""
        return max(1, math.ceil((self.ingest + self.rules + self.notify) / BUSY + self.store / STORE_BUSY))

    @property
    def memory_gb(self) -> float:
        """Memory to rent: the data with room for rewriting it, and the processes, a scheduler a store among them."""
        return self.store_gb * SPARE + (sum(self.processes) + self.stores) * self.process_gb

    @property
    def dollars(self) -> float:
        """A month's price."""
        return (self.cores * CORE_HOUR + self.memory_gb * GB_HOUR) * HOURS_A_MONTH


@dataclass(frozen=True, slots=True)
class Way:
    """How long events take from POST to evaluated at a rate, in ms, and how busy the store is then."""

    rate: float
    p50: float
    p99: float
    store: float


def measured(figures: Figures, model: Model) -> Measured:
    """Return what sizes rest on: the costs for what EVENTS_A_DAY leave in four weeks, under as many rules as ship."""
    kb = {
        events: spread.median
        for events in (15, 150, 1500)
        if (spread := figures.spread(FOOTPRINT, f"history {events}", "tandem", "KB an athlete"))
    }
    slope = (kb[1500] - kb[150]) / 1350
    tree = figures.spread(FOOTPRINT, "tandem up", "tandem", "memory MB")
    memory = tree.median if tree else 0.0
    costs = model.fitted.after(EVENTS_A_DAY * _DAYS_READ)
    more = (RULES - _MEASURED_RULES) * a_rule_ms(figures)
    return Measured(
        costs=replace(costs, evaluation=costs.evaluation + more),
        kb_flat=kb[150] - 150 * slope,
        kb_event=slope,
        process_gb=memory / _PROCESSES_OF_A_TREE / 1024,
        hop_ms=model.hop_ms,
    )


def a_rule_ms(figures: Figures) -> float:
    """Return what one more rule costs an evaluation, by 10 and 100 rules; 0 where that was not measured."""
    few, many = (figures.spread(GROWING, case, "tandem", "CPU ms an event") for case in ("10", "100"))
    return max(0.0, (many.median - few.median) / 90) if few and many else 0.0


def need(athletes: int, days: int, found: Measured) -> Need:
    """Return what so many athletes want after so many days of EVENTS_A_DAY each."""
    costs = found.costs
    mean = athletes * EVENTS_A_DAY / 86_400
    events = mean * PEAK
    looks = events + athletes * IN_ONE_ZONE / EVENING_S
    store_ms = events * (costs.store_request + costs.store_event) + looks * (
        costs.store_wake_up + costs.store_evaluation
    )
    store = (store_ms + events * TOLD * costs.store_message) / 1000
    store_gb = athletes * found.kb(EVENTS_A_DAY * days) / 1e6
    return Need(
        athletes,
        days,
        mean,
        ingest=events * (costs.request + costs.event) / 1000,
        rules=looks * an_evaluation_ms(costs) / 1000,
        notify=events * TOLD * (costs.send + costs.message) / 1000,
        store=store,
        store_gb=store_gb,
        stores_by_cpu=max(1, math.ceil(store / STORE_BUSY)),
        stores_by_memory=max(1, math.ceil(store_gb / STORE_GB)),
        process_gb=found.process_gb,
    )


def an_evaluation_ms(costs: Costs) -> float:
    """Return what an evaluation costs its worker when nobody shares the wake-up: the dearest way."""
    return costs.evaluation + costs.round + costs.wake_up


def way(rate: float, parts: Parts, found: Measured, events: int = 3000, clubs: int = 50) -> Way:
    """Simulate single POSTs at random instants, each step's time at random around its cost, a core for each process."""
    chance = random.Random(17)  # noqa: S311

    def exponential(mean: float) -> float:
        return chance.expovariate(1 / mean) if mean else 0.0

    machine = Machine()
    tandem = Tandem(
        machine, found.costs, parts, draw=exponential, partition=lambda _, name: int(name) % PARTITIONS
    )
    at = 0.0
    for _ in range(events):
        at += exponential(1000 / rate)
        club, athlete = chance.random() * clubs, chance.random() * 1e9
        event = Posted((str(int(club)), str(int(athlete))), chance.random() < TOLD)
        machine.at(at, lambda event=event: tandem.post([event]))  # type: ignore[misc]
    machine.run()
    return Way(rate, *ranks(tandem.took), tandem.store.used / machine.now)


def drained(workers: int, found: Measured, athletes: int = 4000, clubs: int = 50) -> float:
    """Return how many athletes a second so many workers evaluate when many wait, a core for each process."""
    machine = Machine()
    tandem = Tandem(machine, found.costs, Parts(workers, 1, 4, found.hop_ms),
                    partition=lambda _, name: int(name) % PARTITIONS)  # fmt: skip
    tandem.mark([Posted((str(number % clubs), str(number))) for number in range(athletes)], 0.0)
    machine.run()
    return athletes / machine.now * 1000
