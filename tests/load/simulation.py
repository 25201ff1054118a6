"""What becomes of posted events, and when? Tandem as a queueing model: ingest, store, rules workers, notify.

An event goes through a front door and the store, which marks its athlete; rules workers are asked for the athlete's
partition, one of 16. A worker that is on call takes its share of the partitions that are asked for, up to eight, and
from these up to sixteen athletes, by turns that are fair among clubs, eight a round: it reads them from the store,
evaluates, commits to the store. So it goes on until nobody waits or its slice of time is over; then it asks for the
partitions that are left. After less than it could take it rests for a moment. An athlete who waits already is evaluated
once for all the events that have come. What evaluations say is sent up to sixteen messages at a time. Workers are up:
that one falls asleep after a second without work is not in the model.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Final, NamedTuple

from services.rules.tasks import AT_ONCE, MOST_TAKEN, SLICE_S
from shared.contracts.partitions import PARTITIONS, partition_of_athlete
from shared.on_call import EVALUATION
from tests.load.machine import Machine, Process, Then
from tests.load.waiting import Name, Waiting

SLICE_MS: Final = SLICE_S * 1000
MESSAGES_AT_ONCE: Final = 16
Draw = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU time in ms of each step, in the process whose step it is; `store_...` is the store's part of it."""

    request: float = 0.0
    event: float = 0.0
    wake_up: float = 0.0
    round: float = 0.0
    evaluation: float = 0.0
    more_event: float = 0.0
    """Each new event of an athlete beyond the first, in one evaluation."""
    send: float = 0.0
    message: float = 0.0
    store_request: float = 0.0
    store_event: float = 0.0
    store_wake_up: float = 0.0
    store_evaluation: float = 0.0
    store_message: float = 0.0


@dataclass(slots=True)
class Counts:
    """How often each step was done."""

    request: int = 0
    event: int = 0
    wake_up: int = 0
    round: int = 0
    evaluation: int = 0
    more_event: int = 0
    send: int = 0
    message: int = 0

    def of(self, step: str) -> int:
        """Return how often the step of a cost was done; the store has its part in each."""
        return int(getattr(self, step.removeprefix("store_")))


class Posted(NamedTuple):
    """An event: whose it is, and whether a message comes of it."""

    name: Name
    tells: bool = False


class _Pending(NamedTuple):
    posted: float
    tells: bool


class _Taking(NamedTuple):
    """When a worker took what it was asked for, and whether it could not have taken more."""

    began: float
    full: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """How many processes of each kind there are; the store is one.

    `hop_ms` is a call's way beyond CPU time.
    """

    workers: int = 1
    ingest: int = 1
    notify: int = 1
    hop_ms: float = 0.0


class Tandem:
    """A running Tandem. `took` is how long each event was on its way from POST to evaluated, in ms.

    `heard` is the same from POST to its message received, for those that tell.
    """

    def __init__(
        self,
        machine: Machine,
        costs: Costs,
        parts: Parts,
        *,
        draw: Draw = float,
        partition: Callable[[str, str], int] = partition_of_athlete,
        receiver_ms: float = 0.0,
    ) -> None:
        self.machine = machine
        self.counts = Counts()
        self.took: list[float] = []
        self.heard: list[float] = []
        self.store = machine.process()
        self.ingest = [machine.process() for _ in range(parts.ingest)]
        self.workers = [machine.process() for _ in range(parts.workers)]
        self.notify = [machine.process() for _ in range(parts.notify)]
        self._costs, self._draw, self._partition, self._parts = costs, draw, partition, parts
        self._receiver, self._receiver_ms = machine.process(), receiver_ms
        self._waiting = [Waiting() for _ in range(PARTITIONS)]
        self._pending: dict[Name, list[_Pending]] = {}
        self._calls: dict[int, None] = {}
        self._took: dict[Process, float] = {}
        self._idle = deque(self.workers)
        self._untold: deque[float] = deque()
        self._quiet = deque(self.notify)

    def post(self, events: Sequence[Posted], answered: Then = lambda: None) -> None:
        """Post events in one request; call `answered` with the answer."""
        now, costs = self.machine.now, self._costs
        self.counts.request += 1
        self.counts.event += len(events)
        door = self.ingest[self.counts.request % len(self.ingest)]

        def stored() -> None:
            self.mark(events, now)
            answered()

        kept = costs.store_request + costs.store_event * len(events)
        door.do(
            self._draw(costs.request + costs.event * len(events)),
            lambda: self.store.do(self._draw(kept), stored),
        )

    def mark(self, events: Sequence[Posted], posted: float) -> None:
        """Have the events' athletes evaluated: the store has the events now."""
        wanted: dict[int, None] = {}
        for name, tells in events:
            if name in self._pending:
                self._pending[name].append(_Pending(posted, tells))
                continue
            self._pending[name] = [_Pending(posted, tells)]
            number = self._partition(*name)
            self._waiting[number].add(name)
            wanted[number] = None
        if wanted:
            self._call(list(wanted))

    def _call(self, partitions: Sequence[int]) -> None:
        self.machine.at(self.machine.now + self._parts.hop_ms, partial(self._arrive, tuple(partitions)))

    def _arrive(self, partitions: tuple[int, ...]) -> None:
        self._calls.update(dict.fromkeys(partitions))
        self._assign()

    def _assign(self) -> None:
        while self._calls and self._idle:
            worker = self._idle.popleft()
            share = EVALUATION.share(len(self.workers), self._took.get(worker, 0.0) / 1000)
            taken = list(self._calls)[:share]
            for number in taken:
                del self._calls[number]
            self.counts.wake_up += 1
            go = partial(self._take, worker, taken, _Taking(self.machine.now, len(taken) >= share))
            wake = partial(worker.do, self._draw(self._costs.wake_up), go)
            self.store.do(self._draw(self._costs.store_wake_up), wake)

    def _take(self, worker: Process, partitions: Sequence[int], of: _Taking) -> None:
        """Take the next athletes; a partition where nobody is left may be asked for anew."""
        took = self._took[worker] = self.machine.now - of.began
        if not partitions or took >= SLICE_MS:
            if partitions:
                self._call(partitions)
            rest = EVALUATION.rest_s(took / 1000, full=of.full) * 1000
            self.machine.at(self.machine.now + rest, partial(self._stand_by, worker))
            return
        share = max(1, MOST_TAKEN // len(partitions))
        taken = [name for number in partitions for name in self._waiting[number].take(share)]
        left = [number for number in partitions if self._waiting[number]]
        for number in partitions:
            self._calls.pop(number, None)
        self._round(worker, taken, partial(self._take, worker, left, of))

    def _stand_by(self, worker: Process) -> None:
        self._idle.append(worker)
        self._assign()

    def _round(self, worker: Process, taken: Sequence[Name], then: Then) -> None:
        if not taken:
            then()
            return
        self.counts.round += 1
        now, later = taken[:AT_ONCE], taken[AT_ONCE:]
        half = self._costs.store_evaluation / 2 * len(now)
        go_on = partial(self._round, worker, later, then)
        self.store.do(self._draw(half), partial(self._evaluate, worker, now, go_on))

    def _evaluate(self, worker: Process, taken: Sequence[Name], then: Then) -> None:
        found = [each for name in taken for each in self._pending.pop(name)]
        more = len(found) - len(taken)
        self.counts.evaluation += len(taken)
        self.counts.more_event += more
        costs = self._costs
        ms = costs.round + costs.evaluation * len(taken) + costs.more_event * more
        half = costs.store_evaluation / 2 * len(taken)

        def committed() -> None:
            self.took += [self.machine.now - each.posted for each in found]
            self._untold += [each.posted for each in found if each.tells]
            self._tell()
            then()

        worker.do(self._draw(ms), lambda: self.store.do(self._draw(half), committed))

    def _tell(self) -> None:
        while self._untold and self._quiet:
            sender = self._quiet.popleft()
            taken = [self._untold.popleft() for _ in range(min(MESSAGES_AT_ONCE, len(self._untold)))]
            self.counts.send += 1
            self.counts.message += len(taken)
            send = partial(self._send, sender, taken)
            ms = self._draw(self._costs.store_message * len(taken))
            self.machine.at(self.machine.now + self._parts.hop_ms, partial(self.store.do, ms, send))

    def _send(self, sender: Process, taken: Sequence[float]) -> None:
        def heard() -> None:
            self.heard += [self.machine.now - posted for posted in taken]

        def sent() -> None:
            self._receiver.do(self._receiver_ms * len(taken), heard)
            self._quiet.append(sender)
            self._tell()

        sender.do(self._draw(self._costs.send + self._costs.message * len(taken)), sent)


STEPS: Final = tuple(field.name for field in fields(Costs))
