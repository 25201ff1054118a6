"""What workers are asked for: whoever is up gets it, and a message is wanted only when all are asleep or behind."""

import threading
import time

import pytest

from shared.store.calls import Calls, Taken
from shared.store.connect import Store, connect

QUEUE, MOST, WHOLE = "rules", 2, 4


@pytest.fixture
def calls(store: Store) -> Calls:
    return store.calls


def call(calls: Calls, *wanted: str, patience_ms: int = 0) -> bool:
    return calls.call(QUEUE, wanted, MOST, WHOLE, patience_ms)


def stand_by(
    calls: Calls, seconds: float = 3, name: str = "w"
) -> tuple[threading.Thread, list[tuple[str, ...]]]:
    """Wait in a thread, as a worker that is up; return when it does, with where it puts what it gets."""
    found: list[tuple[str, ...]] = []
    thread = threading.Thread(target=lambda: found.append(calls.wait(QUEUE, name, seconds, MOST).wanted))
    thread.start()
    time.sleep(0.1)
    return thread, found


def test_one_message_is_wanted_however_often_a_sleeping_worker_is_called(calls: Calls) -> None:
    assert [call(calls, str(number)) for number in range(3)] == [True, False, False]


def test_a_message_that_could_not_be_sent_is_wanted_again(calls: Calls) -> None:
    assert call(calls, "1")
    calls.uncall(QUEUE)
    assert call(calls, "2")


def test_what_is_asked_for_is_taken_in_order_a_bounded_number_at_once(calls: Calls) -> None:
    call(calls, "1", "2", "3")
    assert calls.answer(QUEUE, "w", 5, MOST) == Taken(("1", "2"), 1, more=True)
    assert calls.answer(QUEUE, "w", 5, MOST) == Taken(("3",), 1)
    assert calls.answer(QUEUE, "w", 5, MOST) == Taken((), 1)


def test_whoever_has_come_may_be_followed_by_another(calls: Calls) -> None:
    assert call(calls, "1")
    calls.answer(QUEUE, "w", 5, MOST)
    assert call(calls, "2")


def test_a_worker_on_call_gets_what_is_asked_for_without_a_message(calls: Calls) -> None:
    thread, found = stand_by(calls)
    assert not call(calls, "1")
    thread.join(5)
    assert found == [("1",)]


def test_a_worker_on_call_counts_for_as_much_as_it_takes_at_once(calls: Calls) -> None:
    thread, found = stand_by(calls)
    assert call(calls, "1", "2", "3")
    thread.join(5)
    assert found == [("1", "2")]


def test_a_worker_that_was_given_something_is_busy_until_it_is_on_call_again(calls: Calls) -> None:
    thread, _ = stand_by(calls)
    assert not call(calls, "1")
    thread.join(5)
    assert call(calls, "2")


def test_a_busy_worker_is_waited_for_in_patience_and_no_longer(calls: Calls) -> None:
    thread, _ = stand_by(calls)
    assert not call(calls, "1", patience_ms=500)
    thread.join(5)
    assert not call(calls, "2", patience_ms=500)
    time.sleep(0.6)
    assert call(calls, patience_ms=500)


def test_more_than_a_busy_worker_takes_at_once_is_not_left_to_it(calls: Calls) -> None:
    thread, _ = stand_by(calls)
    assert not call(calls, "1", patience_ms=5000)
    thread.join(5)
    assert [call(calls, each, patience_ms=5000) for each in "234"] == [False, False, True]


def test_nobody_waits_for_a_worker_that_has_left(calls: Calls) -> None:
    thread, _ = stand_by(calls)
    call(calls, "1", patience_ms=5000)
    thread.join(5)
    assert not calls.leave(QUEUE, "w")
    assert call(calls, "2", patience_ms=5000)


def test_whoever_leaves_hears_of_what_it_leaves_behind(calls: Calls) -> None:
    thread, found = stand_by(calls, seconds=0.2)
    thread.join(5)
    assert found == [()]
    call(calls, "1")
    assert calls.leave(QUEUE, "w")


def test_a_worker_that_went_without_a_word_is_not_counted_on(calls: Calls) -> None:
    thread, _ = stand_by(calls, seconds=0.2)
    thread.join(5)
    time.sleep(0.2)
    assert call(calls, "1")


def test_what_a_queue_is_asked_for_is_no_other_queues(calls: Calls) -> None:
    call(calls, "1")
    assert calls.answer("notify", "w", 5, MOST) == Taken((), 1)
    assert calls.call("notify", ["2"], MOST, WHOLE, 0)


def test_workers_that_are_up_share_a_burst(calls: Calls, store_url: str) -> None:
    assert [calls.answer(QUEUE, name, 5, MOST).workers for name in "wxyz"] == [1, 2, 3, 4]
    processes = {name: connect(store_url) for name in "wxyz"}
    waiting = [stand_by(process.calls, name=name) for name, process in processes.items()]
    assert not call(calls, "1", "2", "3", "4")
    assert call(calls, "5", "6", "7")  # four that take one each, and have something
    for thread, _ in waiting:
        thread.join(5)
    calls.leave(QUEUE, "z")
    assert calls.answer(QUEUE, "w", 5, MOST).workers == 3
    for process in processes.values():
        process.close()


def test_a_turn_that_must_be_over_is_counted_no_more(calls: Calls) -> None:
    calls.answer(QUEUE, "gone", 0.01, MOST)
    time.sleep(0.02)
    assert calls.answer(QUEUE, "w", 5, MOST).workers == 1
