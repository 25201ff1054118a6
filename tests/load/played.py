"""How is what `make bench` measures played in the model? Each measured case: what was found, and how to play it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from tests.load.cases import ATHLETES, MEMBERS, PACKED, STEP, THROUGHPUT, TURNS, WORKERS, Case, backlog, cases
from tests.load.figures import Figures
from tests.load.machine import Machine
from tests.load.plan import Sizes
from tests.load.simulation import Costs, Counts, Parts, Posted, Tandem
from tests.load.workload import Workload

# Beside Tandem on the same cores, and in no figure: what posts (docs/decisions/0009) and what receives (0007).
POST_MS: Final = 0.1
RECEIVE_MS: Final = 0.12
_CLUB: Final = "bench"
_SPLIT: Final = ("ingest", "rules", "notify", "store")


@dataclass(frozen=True, slots=True)
class Played:
    """What the model found: counts, the time until all was done in ms, and how long each message took from its POST."""

    counts: Counts
    took_ms: float
    heard_ms: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.counts.event / self.took_ms * 1000


@dataclass(frozen=True, slots=True)
class Point:
    """A measured case: CPU ms an event by process, events a second if that was timed, and how the model plays it.

    `play` wants the costs, and how many processes of others were at work on the same cores.
    """

    name: str
    history: int
    used: Mapping[str, float]
    rate: float | None
    play: Callable[[Costs, float], Played]
    drains: bool = False
    """Whether it is workers alone that work off what has piled up."""


def points(figures: Figures) -> list[Point]:
    """Return every case of Tandem's that was measured and that the model speaks of."""
    measured = {THROUGHPUT: _fed, WORKERS: _drained, PACKED: _stepped}
    return [each for topic, of in measured.items() if topic in figures.about for each in of(figures)]


def cores(figures: Figures) -> int:
    """Return how many cores the machine had."""
    return int(str(figures.about[THROUGHPUT]["machine"]).split()[0])


def _sizes(figures: Figures, topic: str) -> Sizes:
    return Sizes(1, quick=bool(figures.about[topic]["quick"]))


def _fed(figures: Figures) -> Iterator[Point]:
    topic = THROUGHPUT
    for case in cases(_sizes(figures, topic), datetime.now(UTC)):
        rate = figures.spread(topic, case.name, "tandem", "events/s")
        if "tandem" in case.designs and rate is not None:
            play = partial(_play_fed, case, cores(figures))
            yield Point(case.name, case.workload.history, _used(figures, topic, case.name), rate.median, play)


def _drained(figures: Figures) -> Iterator[Point]:
    topic = WORKERS
    for case in figures.cases(topic):
        load = backlog(_sizes(figures, topic), datetime.now(UTC))
        values = {
            part: spread.median
            for part in ("rules", "store")
            if (spread := figures.spread(topic, case, "tandem", f"{part} CPU ms an event"))
        }
        rate = figures.spread(topic, case, "tandem", "events/s")
        play = partial(_play_drained, load, int(case), cores(figures))
        yield Point(
            f"{case} rules worker{'s' * (case != '1')}, ingest done before",
            150,
            values,
            rate.median if rate else None,
            play,
            drains=True,
        )


def _stepped(figures: Figures) -> Iterator[Point]:
    for case in figures.cases(PACKED):
        load = Workload(MEMBERS, int(case), TURNS * MEMBERS, datetime.now(UTC))
        used = _used(figures, PACKED, case)
        yield Point(
            f"{MEMBERS} athletes in step, history {int(case):,}",
            int(case),
            used,
            None,
            partial(_play_stepped, load),
        )
    if ATHLETES in figures.about:
        load = Workload(STEP, 15, TURNS * STEP, datetime.now(UTC))
        used = _used(figures, ATHLETES, str(STEP))
        yield Point(f"{STEP} athletes in step, history 15", 15, used, None, partial(_play_stepped, load))


def _used(figures: Figures, topic: str, case: str) -> dict[str, float]:
    found = dict.fromkeys(_SPLIT, 0.0)
    for name in figures.names(topic, case, "tandem"):
        part = name.removeprefix("CPU: ").split("-")[0]
        spread = figures.spread(topic, case, "tandem", name)
        if name.startswith("CPU: ") and part in found and spread is not None:
            found[part] += spread.median
    return found


def _events(load: Workload) -> list[Posted]:
    names = load.names()
    return [Posted((_CLUB, names[number % load.athletes]), load.tells(number)) for number in range(load.live)]


def _cut(events: Sequence[Posted], size: int) -> Iterator[Sequence[Posted]]:
    return (events[start : start + size] for start in range(0, len(events), size))


def _play_fed(case: Case, on: int, costs: Costs, others: float) -> Played:
    """Post batch after batch over the case's connections, on the machine that all share."""
    machine = Machine(on, others)
    tandem = Tandem(machine, costs, Parts(workers=2), receiver_ms=RECEIVE_MS)
    feeder = machine.process()
    left = iter(_cut(_events(case.workload), case.batch))

    def next_one() -> None:
        events: Sequence[Posted] | None = next(left, None)
        if events is not None:
            feeder.do(POST_MS, lambda: tandem.post(events, next_one))

    for _ in range(case.connections):
        next_one()
    machine.run()
    return Played(tandem.counts, machine.now, tuple(tandem.heard))


def play_paced(load: Workload, rate: float, hop_ms: float, on: int, costs: Costs, others: float) -> Played:
    """Post single events at a pace; at a rate of 0, each when the one before it has been told of."""
    machine = Machine(on, others)
    tandem = Tandem(machine, costs, Parts(workers=2, hop_ms=hop_ms), receiver_ms=RECEIVE_MS)
    feeder = machine.process()
    for number, event in enumerate(_events(load)):
        post = partial(feeder.do, POST_MS, partial(tandem.post, [event]))
        if rate:
            machine.at(number * 1000 / rate, post)
        else:
            post()
            machine.run()
    machine.run()
    return Played(tandem.counts, machine.now, tuple(tandem.heard))


def _play_drained(load: Workload, workers: int, on: int, costs: Costs, others: float) -> Played:
    machine = Machine(on, others)
    tandem = Tandem(machine, costs, Parts(workers=workers), receiver_ms=RECEIVE_MS)
    tandem.mark(_events(load), 0.0)
    tandem.counts.event = load.live
    machine.run()
    return Played(tandem.counts, machine.now, tuple(tandem.heard))


def _play_stepped(load: Workload, costs: Costs, _others: float) -> Played:
    machine = Machine()
    tandem = Tandem(machine, costs, Parts(), receiver_ms=RECEIVE_MS)
    for events in _cut(_events(load), load.athletes):
        tandem.post(events)
        machine.run()
    return Played(tandem.counts, machine.now, tuple(tandem.heard))
