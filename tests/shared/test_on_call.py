"""A worker that is up takes what comes without a message, and whatever it leaves has somebody called for it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import kombu.pools
import pytest

from shared import on_call
from shared.broker import RULES_QUEUE, BrokerUnavailableError, celery_app
from shared.on_call import EVALUATION, ROUTING, OnCall
from shared.settings import read_settings
from shared.store.connect import Store, connect


@dataclass
class Bench:
    """A store that is its own broker, and what a worker was given."""

    store: Store
    url: str
    given: list[list[int]] = field(default_factory=list)

    def evaluation(self) -> OnCall[int]:
        return OnCall(
            self.store.calls, celery_app(read_settings({"TANDEM_REDIS_URL": self.url}), "test"), EVALUATION
        )

    def messages(self) -> int:
        return int(self.store.client.llen(RULES_QUEUE))

    def serving(self, worker: OnCall[int], do: Callable[[list[int]], None] | None = None) -> threading.Thread:
        thread = threading.Thread(target=worker.serve, args=(do or self.given.append, lambda: False))
        thread.start()
        return thread

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def waits(self) -> bool:
        return bool(self.store.client.zcard(f"on-call:{{{RULES_QUEUE}}}"))


@pytest.fixture
def bench(store_url: str) -> Iterator[Bench]:
    store = connect(store_url)
    yield Bench(store, store_url)
    store.close()
    kombu.pools.reset()


def test_what_comes_while_a_worker_is_on_call_takes_no_message(bench: Bench) -> None:
    caller = bench.evaluation()
    caller.call([3])
    assert bench.messages() == 1
    thread = bench.serving(bench.evaluation())
    for number in range(5):
        bench.until(bench.waits)
        caller.call([number])
        bench.until(lambda number=number: len(bench.given) == number + 2)  # type: ignore[misc]
    thread.join(10)
    assert bench.given == [[3], [0], [1], [2], [3], [4]]
    assert bench.messages() == 1


def test_a_turn_ends_when_nothing_comes_and_leaves_nobody_on_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_call, "STAND_BY_S", 0.05)
    bench.evaluation().serve(bench.given.append, lambda: False)
    assert bench.given == []
    assert not bench.waits()
    bench.evaluation().call([1])
    assert bench.messages() == 1


def test_a_turn_ends_in_time_and_what_it_leaves_has_a_worker_called(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_call, "TURN_S", 0.0)
    caller = bench.evaluation()
    caller.call([1])

    def do(wanted: list[int]) -> None:
        bench.given.append(wanted)
        caller.call([2])

    bench.evaluation().serve(do, lambda: False)
    assert bench.given == [[1]]
    assert bench.messages() == 2


def test_a_worker_that_is_to_stop_ends_its_turn_after_what_it_has_in_hand(bench: Bench) -> None:
    bench.evaluation().call([1])
    bench.evaluation().serve(bench.given.append, lambda: True)
    assert bench.given == [[1]]


def test_a_burst_brings_workers_one_after_the_other(bench: Bench) -> None:
    bench.evaluation().call(list(range(16)))
    assert bench.messages() == 1
    bench.evaluation().serve(bench.given.append, lambda: True)
    assert [len(each) for each in bench.given] == [8]
    assert bench.messages() == 2


def test_of_the_threads_of_a_process_one_stands_by(bench: Bench) -> None:
    worker = bench.evaluation()
    thread = bench.serving(worker)
    bench.until(bench.waits)
    began = time.monotonic()
    worker.serve(bench.given.append, lambda: False)
    assert time.monotonic() - began < on_call.STAND_BY_S / 2
    thread.join(10)


def test_work_that_fails_ends_the_turn_and_the_next_call_wakes_a_worker(bench: Bench) -> None:
    def fail(_: list[int]) -> None:
        raise RuntimeError("no evaluation")

    bench.evaluation().call([1])
    with pytest.raises(RuntimeError):
        bench.evaluation().serve(fail, lambda: False)
    bench.evaluation().call([2])
    assert bench.messages() == 2


def test_athletes_are_named_by_club_and_id(bench: Bench) -> None:
    app = celery_app(read_settings({"TANDEM_REDIS_URL": bench.url}), "test")
    OnCall(bench.store.calls, app, ROUTING).call([("clb_1", "ann"), ("clb_2", "b.o_b-2")])
    found: list[list[tuple[str, str]]] = []
    OnCall(bench.store.calls, app, ROUTING).serve(found.append, lambda: True)
    assert found == [[("clb_1", "ann"), ("clb_2", "b.o_b-2")]]


def test_a_call_that_the_broker_does_not_take_is_made_again_by_the_next(bench: Bench) -> None:
    app = celery_app(
        read_settings({"TANDEM_REDIS_URL": bench.url, "TANDEM_BROKER_URL": "redis://127.0.0.1:1"}), "test"
    )
    for _ in range(2):
        with pytest.raises(BrokerUnavailableError):
            OnCall(bench.store.calls, app, EVALUATION).call([1])
    bench.evaluation().wake()
    assert bench.messages() == 1
    bench.evaluation().serve(bench.given.append, lambda: True)
    assert bench.given == [[1]]
