"""How Tandem's cost grows: with an athlete's history, with the athletes of a club, with workers and with rules."""

import itertools
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from tests.load import alone
from tests.load.cases import (
    ATHLETES,
    BUSY_RULES,
    BUSY_WORKERS,
    HISTORY,
    MEMBERS,
    PACKED,
    RULES,
    STEP,
    TURNS,
    WORKERS,
    backlog,
)
from tests.load.designs import Design
from tests.load.feeding import feed
from tests.load.figures import Figure
from tests.load.plan import Sizes
from tests.load.rig import Rig, await_that, cpu_ms, cpu_seconds
from tests.load.seeds import Seeds
from tests.load.workload import WireEvent, Workload

CPU: Final = "CPU ms an event"
A_DAY: Final = 10
"""Events a day of one athlete: 15,000 of them are four years."""
DRAINS: Final = 4
"""Drains by each of so many workers in one round."""


def measure_history(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield the cost of an event after 15 to 15,000 events of history: ten a day, and packed into 28 days."""
    now = datetime.now(UTC)
    spans = [(HISTORY, history, history / A_DAY) for history in (15, 150, 1500, 15_000)]
    spans += [(PACKED, history, 28.0) for history in (15, 150, 1500)]
    loads = [
        (topic, str(history), Workload(MEMBERS, history, MEMBERS, now, over_days=max(2.0, days)))
        for topic, history, days in spans
        if not (sizes.quick and history > 1500)
    ]
    yield from _side_by_side(seeds, sizes, loads, MEMBERS)


def measure_athletes(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield the cost of an event in clubs of 100 to 200,000 athletes, a hundred of whom post at a time."""
    now = datetime.now(UTC)
    clubs = [100, sizes.of(10_000), sizes.of(sizes.most_athletes)]
    loads = [(ATHLETES, str(athletes), Workload(athletes, 15, STEP, now)) for athletes in clubs]
    yield from _side_by_side(seeds, sizes, loads, STEP)


def measure_rules(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield the cost of an event under 10, 100 and 500 rules that all look at it."""
    load = Workload(STEP, 150, STEP, datetime.now(UTC))
    for _ in range(sizes.few):
        for rules in (10, 100, 500):
            with seeds.running("tandem", load, rules=rules) as (at, design):
                steps = _steps(replace(load, live=5 * STEP))
                yield Figure(RULES, str(rules), "tandem", _step_by_step(at, design, steps))


def measure_workers(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield how quickly 1, 2 and 4 rules workers work off what has piled up while they stood still.

    Every event is another athlete's; ingest has done its part before the clock starts.
    """
    load = backlog(sizes, datetime.now(UTC))
    yield from _drained_in_turns(seeds, WORKERS, load, 10, (1, 2, 4), rounds=sizes.rounds, turns=1)
    fewer = replace(load, athletes=sizes.of(500), live=sizes.of(500))
    rules = seeds.rules(BUSY_RULES)
    for each in _drained_in_turns(
        seeds, BUSY_WORKERS, fewer, BUSY_RULES, (1, 2), rounds=sizes.more, turns=sizes.of(DRAINS, 2)
    ):
        yield each
        given = alone.rate(int(each.case), rules, quick=sizes.quick)
        yield Figure(each.topic, each.case, "machine", {"events/s": given})


def _drained_in_turns(
    seeds: Seeds,
    topic: str,
    load: Workload,
    rules: int,
    compared: Sequence[int],
    *,
    rounds: int,
    turns: int,
) -> Iterator[Figure]:
    """Yield how quickly so many workers drain the load, all of them up at once and given it one at a time.

    A round is some turns of each, seconds apart and now the one first and now the other: what an event costs drifts
    with the machine by more in half a minute than what is asked here.
    """
    with ExitStack() as stack:
        running = [
            (str(workers), *stack.enter_context(seeds.running("tandem", load, rules=rules, workers=workers)))
            for workers in compared
        ]
        steps = iter(_steps(replace(load, live=load.athletes * rounds * turns)))
        for _ in range(rounds):
            drained: dict[str, list[_Drained]] = {case: [] for case, _, _ in running}
            for events, messages in itertools.islice(steps, turns):
                for case, at, design in running:
                    drained[case].append(_drain(at, design, events, messages))
                running.reverse()
            yield from (Figure(topic, case, "tandem", _in_all(found)) for case, found in drained.items())


def _side_by_side(
    seeds: Seeds, sizes: Sizes, loads: list[tuple[str, str, Workload]], posting: int
) -> Iterator[Figure]:
    """Yield the cost of each load a round, all of them running at once and asked one at a time.

    As many athletes post in each, whatever others there are, and each as often.
    """
    chance = random.Random(5)  # noqa: S311
    with ExitStack() as stack:
        running = [
            (topic, case, *stack.enter_context(seeds.running("tandem", load, workers=1)))
            for topic, case, load in loads
        ]
        turns = sizes.of(TURNS, 2)
        steps = _steps(Workload(posting, 1, posting * turns * sizes.rounds, datetime.now(UTC)))
        for number in range(sizes.rounds):
            for topic, case, at, design in chance.sample(running, len(running)):
                some = steps[number * turns : (number + 1) * turns]
                yield Figure(topic, case, "tandem", _step_by_step(at, design, some))


def _steps(load: Workload) -> list[tuple[list[WireEvent], int]]:
    """Return an event of each athlete at a time, the later the newer, and how many messages come of them."""
    events, many = list(load.stream(datetime.now(UTC))), load.athletes
    return [
        (events[start : start + many], sum(map(load.tells, range(start, start + many))))
        for start in range(0, len(events), many)
    ]


def _step_by_step(at: Rig, design: Design, steps: Sequence[tuple[list[WireEvent], int]]) -> dict[str, float]:
    """Post the events of each step together and wait until they are done."""
    pids = {**design.pids, "store": at.pids["store"]}
    told = 0
    at.forget()
    before = cpu_seconds(pids)
    for events, messages in steps:
        told += messages
        feed(design, events, len(events), connections=1)
        await_that(partial(_done, at, design, told), 60, 0.02)
        _exactly(at, told)
    used = cpu_ms(pids, before, sum(len(events) for events, _ in steps))
    return {CPU: sum(used.values()), **{f"CPU: {part}": used[part] for part in used}}


def _done(at: Rig, design: Design, told: int) -> bool:
    return at.hooks() >= told and design.idle()


def _exactly(at: Rig, told: int) -> None:
    """Raise `RuntimeError` when more came than should: a rule that speaks out of turn is work that nobody asked for."""
    if at.hooks() != told:
        raise RuntimeError(f"{at.hooks() - told} messages are too many")


class _Drained(NamedTuple):
    """How many events a drain was of, the seconds that it took, and the ms of CPU of rules workers and store."""

    events: int
    took: float
    rules: float
    store: float


def _in_all(drained: Sequence[_Drained]) -> dict[str, float]:
    events, took, rules, store = map(sum, zip(*drained, strict=True))
    return {
        "events/s": events / took,
        "rules CPU ms an event": rules / events,
        "store CPU ms an event": store / events,
        "cores used": (rules + store) / 1000 / took,
    }


def _drain(at: Rig, design: Design, events: list[WireEvent], messages: int) -> _Drained:
    workers = {part: pid for part, pid in design.pids.items() if part.startswith("rules-")}
    pids = {**workers, "store": at.pids["store"]}
    at.forget()
    for pid in workers.values():
        os.kill(pid, signal.SIGSTOP)
    try:
        feed(design, events, 100)
        time.sleep(0.5)
        before = cpu_seconds(pids)
    finally:
        for pid in workers.values():
            os.kill(pid, signal.SIGCONT)
    began = time.monotonic()
    await_that(lambda: at.hooks() >= messages and design.idle(), 120, 0.02)
    took = time.monotonic() - began
    _exactly(at, messages)
    used = cpu_ms(pids, before, events=1)
    return _Drained(len(events), took, sum(used[part] for part in workers), used["store"])
