"""The model keeps to what is known of queues: closed forms, nothing lost, and more of the same is never better."""

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rules.tasks import AT_ONCE, MOST_TAKEN
from shared.on_call import LONGEST_REST_S
from tests.load.machine import Machine
from tests.load.simulation import SLICE_MS, Costs, Draw, Parts, Posted, Tandem
from tests.load.waiting import Waiting

SOME = Costs(0.5, 0.1, 0.4, 0.2, 1.0, 0.3, 0.5, 0.4, 0.1, 0.05, 0.05, 0.2, 0.1)


def one_partition(_club: str, _athlete: str) -> int:
    return 0


def drained(athletes: int, costs: Costs = SOME, cores: float = 100, **parts: int) -> Tandem:
    tandem = Tandem(Machine(cores), costs, Parts(**parts))
    tandem.mark([Posted(("club", f"a{number}")) for number in range(athletes)], 0.0)
    tandem.machine.run()
    return tandem


def mean_way(rate: float, service: float, draw: Draw, chance: random.Random) -> float:
    """Return the mean time of single events at a front door that does all the work there is."""
    tandem = Tandem(Machine(), Costs(request=service), Parts(), draw=draw)
    at = 0.0
    for number in range(6000):
        at += chance.expovariate(rate)
        tandem.machine.at(at, lambda number=number: tandem.post([Posted(("c", str(number)))]))  # type: ignore[misc]
    tandem.machine.run()
    return statistics.fmean(tandem.took)


def test_two_processes_share_one_core_and_others_take_their_share() -> None:
    for cores, others, expected in ((2, 0, 10), (1, 0, 20), (2, 1, 15)):
        machine = Machine(cores, others)
        ends: list[float] = []
        for _ in range(2):
            machine.process().do(10, lambda machine=machine, ends=ends: ends.append(machine.now))  # type: ignore[misc]
        machine.run()
        assert ends == pytest.approx([expected, expected])


def test_with_exponential_service_the_front_door_is_m_m_1() -> None:
    chance = random.Random(1)  # noqa: S311 - arrivals, not a secret
    found = mean_way(0.5, 1.0, lambda ms: chance.expovariate(1 / ms) if ms else 0.0, chance)
    assert found == pytest.approx(1 / (1 - 0.5), rel=0.1)


def test_with_constant_service_the_front_door_is_m_d_1() -> None:
    found = mean_way(0.7, 1.0, float, random.Random(2))  # noqa: S311
    assert found == pytest.approx(1 + 0.7 / (2 * (1 - 0.7)), rel=0.1)


@settings(max_examples=40, deadline=None)
@given(
    posts=st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=12), max_size=25
    ),
    gaps=st.floats(0, 5),
    workers=st.integers(1, 5),
    cores=st.sampled_from([1.0, 2.0, 100.0]),
)
def test_every_event_is_evaluated_once_and_told_of_once(
    posts: Sequence[Sequence[tuple[int, bool]]], gaps: float, workers: int, cores: float
) -> None:
    tandem = Tandem(Machine(cores), SOME, Parts(workers=workers, hop_ms=0.3), receiver_ms=0.1)
    answers: list[float] = []
    for number, events in enumerate(posts):
        posted = [Posted((f"c{athlete % 3}", str(athlete)), tells) for athlete, tells in events]
        tandem.machine.at(
            number * gaps,
            lambda posted=posted: tandem.post(posted, lambda: answers.append(tandem.machine.now)),  # type: ignore[misc]
        )
    tandem.machine.run()
    total, counts = sum(map(len, posts)), tandem.counts
    assert len(answers) == len(posts)
    assert len(tandem.took) == total == counts.event == counts.evaluation + counts.more_event
    assert len(tandem.heard) == counts.message == sum(tells for events in posts for _, tells in events)
    assert counts.round <= counts.evaluation
    assert not any(
        process.busy for process in (tandem.store, *tandem.ingest, *tandem.workers, *tandem.notify)
    )


def test_processes_use_what_their_steps_cost() -> None:
    tandem = drained(200, workers=3)
    counts = tandem.counts
    used = sum(process.used for process in tandem.workers)
    owed = SOME.wake_up * counts.wake_up + SOME.round * counts.round + SOME.evaluation * counts.evaluation
    assert used == pytest.approx(owed)
    assert tandem.store.used == pytest.approx(
        SOME.store_wake_up * counts.wake_up + SOME.store_evaluation * 200
    )


def test_one_worker_drains_in_the_time_that_its_steps_take() -> None:
    tandem = Tandem(Machine(), SOME, Parts(), partition=one_partition)
    tandem.mark([Posted(("club", str(number))) for number in range(80)], 0.0)
    tandem.machine.run()
    counts = tandem.counts
    assert counts.round == 80 / AT_ONCE
    owed = 80 * (SOME.evaluation + SOME.store_evaluation) + counts.round * SOME.round
    owed += counts.wake_up * (SOME.wake_up + SOME.store_wake_up)
    # The last thing to happen is that the worker is on call again.
    assert owed - 1e-6 <= tandem.machine.now <= owed + LONGEST_REST_S * 1000


def test_more_workers_drain_sooner_and_never_later() -> None:
    took = {workers: drained(1600, workers=workers).machine.now for workers in (1, 2, 4, 8, 16, 32)}
    assert took[1] > took[2] > took[4] >= took[8] >= took[16] == pytest.approx(took[32], rel=0.05)
    assert took[1] / took[2] == pytest.approx(2, rel=0.1)


def test_a_partition_in_which_many_wait_is_worked_on_by_one_worker_at_a_time() -> None:
    def of(workers: int) -> float:
        tandem = Tandem(Machine(), SOME, Parts(workers=workers), partition=one_partition)
        tandem.mark([Posted(("club", str(number))) for number in range(100)], 0.0)
        tandem.machine.run()
        return tandem.machine.now

    assert of(4) == of(1)


def test_an_athlete_who_waits_is_evaluated_once_for_all_that_has_come() -> None:
    tandem = Tandem(Machine(), SOME, Parts())
    for _ in range(50):
        tandem.post([Posted(("club", "ana"))])
    tandem.machine.run()
    assert len(tandem.took) == 50
    assert tandem.counts.evaluation < 25


def test_who_waits_in_one_partition_waits_a_slice_for_another() -> None:
    tandem = Tandem(
        Machine(), Costs(evaluation=1), Parts(), partition=lambda _, athlete: int(athlete == "other")
    )
    tandem.mark([Posted(("club", str(number))) for number in range(500)], 0.0)
    tandem.mark([Posted(("club", "other"), tells=True)], 0.0)
    tandem.machine.run()
    [heard] = tandem.heard
    assert SLICE_MS < heard < SLICE_MS + MOST_TAKEN + AT_ONCE + 1
    assert tandem.counts.wake_up == pytest.approx(500 / SLICE_MS, abs=3)


def test_a_club_with_one_athlete_does_not_wait_behind_a_club_with_a_thousand() -> None:
    waiting = Waiting()
    for number in range(1000):
        waiting.add(("large", str(number)))
    waiting.take(100)
    waiting.add(("small", "one"))
    assert ("small", "one") in waiting.take(2)
    assert len(waiting) == 899


def test_dearer_evaluations_and_more_events_take_longer() -> None:
    def p99(rate: float, evaluation: float) -> float:
        chance = random.Random(3)  # noqa: S311
        costs = Costs(wake_up=0.4, evaluation=evaluation, store_evaluation=0.1)
        tandem = Tandem(Machine(), costs, Parts(workers=2))
        at = 0.0
        for number in range(1000):
            at += chance.expovariate(rate)
            tandem.machine.at(at, lambda number=number: tandem.post([Posted(("c", str(number)))]))  # type: ignore[misc]
        tandem.machine.run()
        return sorted(tandem.took)[990]

    assert p99(0.5, 1.0) < p99(0.9, 1.0) < p99(0.9, 1.6)
