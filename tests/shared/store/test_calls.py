"""What workers are asked for: whoever is up gets it, and a message is wanted only when all are asleep or behind."""

import threading
import time

import pytest

from shared.store.calls import Calls, Heard, Taken
from shared.store.connect import Store, connect

MOST = 2


@pytest.fixture
def calls(store: Store) -> Calls:
    return store.calls


def ask(calls: Calls, *wanted: str) -> Heard:
    return calls.ask("rules", wanted)


def answer(calls: Calls, worker: str = "w", seconds: float = 5) -> Taken:
    return calls.answer("rules", worker, seconds, MOST)


def stand_by(
    calls: Calls, seconds: float = 3, rest_s: float = 0.0
) -> tuple[threading.Thread, list[tuple[str, ...]]]:
    """Wait in a thread, as a worker that is up; return when it does, with where it puts what it gets."""
    found: list[tuple[str, ...]] = []
    thread = threading.Thread(
        target=lambda: found.append(calls.wait("rules", "w", seconds, MOST, rest_s).wanted)
    )
    thread.start()
    time.sleep(0.1)
    return thread, found


def test_what_is_asked_for_is_taken_in_the_order_of_asking_a_bounded_number_at_once(calls: Calls) -> None:
    for each in "312":
        ask(calls, each)
        time.sleep(0.002)
    assert answer(calls) == Taken(("3", "1"), 1, more=True)
    assert answer(calls) == Taken(("2",), 1)
    assert answer(calls) == Taken((), 1)


def test_what_is_asked_for_again_keeps_its_place_and_is_taken_once(calls: Calls) -> None:
    for each in "121":
        ask(calls, each)
        time.sleep(0.002)
    assert answer(calls).wanted == ("1", "2")
    assert answer(calls).wanted == ()


def test_nobody_hears_while_all_sleep_and_one_message_is_wanted(calls: Calls) -> None:
    assert not calls.unheard("rules", 0)  # nothing is asked for
    assert ask(calls, "1") == Heard(up=0, free=0)
    assert [calls.unheard("rules", 0) for _ in range(3)] == [True, False, False]


def test_a_message_that_could_not_be_sent_is_wanted_again(calls: Calls) -> None:
    ask(calls, "1")
    assert calls.unheard("rules", 0)
    calls.unsent("rules")
    assert calls.unheard("rules", 0)


def test_whoever_has_come_may_be_followed_by_another(calls: Calls) -> None:
    ask(calls, "1", "2", "3")
    assert calls.unheard("rules", 0)
    assert answer(calls).more
    assert calls.unheard("rules", 0)


def test_a_worker_on_call_gets_what_is_asked_for(calls: Calls) -> None:
    answer(calls)
    thread, found = stand_by(calls)
    assert ask(calls, "1") == Heard(up=1, free=1)
    thread.join(5)
    assert found == [("1",)]


def test_a_worker_that_was_given_something_is_up_and_not_free(calls: Calls) -> None:
    answer(calls)
    thread, _ = stand_by(calls)
    ask(calls, "1")
    thread.join(5)
    ask(calls, "2")
    assert ask(calls, "3") == Heard(up=1, free=0)


def test_a_worker_that_rests_is_free_and_takes_what_has_gathered(calls: Calls) -> None:
    answer(calls)
    thread, found = stand_by(calls, rest_s=0.4)
    assert [ask(calls, each).free for each in "12"] == [1, 1]
    assert found == []
    thread.join(5)
    assert found == [("1", "2")]


def test_a_busy_worker_is_waited_for_in_patience(calls: Calls) -> None:
    answer(calls)
    ask(calls, "1")
    assert not calls.unheard("rules", 0.5)
    time.sleep(0.6)
    assert calls.unheard("rules", 0.5)


def test_nobody_counts_on_a_worker_that_has_left(calls: Calls) -> None:
    answer(calls)
    thread, _ = stand_by(calls)
    ask(calls, "1")
    thread.join(5)
    assert not calls.leave("rules", "w")
    assert ask(calls, "2") == Heard(up=0, free=0)


def test_whoever_leaves_hears_of_what_it_leaves_behind(calls: Calls) -> None:
    answer(calls)
    ask(calls, "1")
    assert calls.leave("rules", "w")


def test_a_worker_that_went_without_a_word_is_not_counted_on(calls: Calls) -> None:
    answer(calls, "gone", 0.1)
    thread, _ = stand_by(calls, seconds=0.2)
    thread.join(5)
    time.sleep(0.2)
    assert ask(calls, "1") == Heard(up=0, free=0)
    assert answer(calls).workers == 1


def test_all_workers_that_are_up_are_counted(calls: Calls) -> None:
    assert [answer(calls, name).workers for name in "wxyz"] == [1, 2, 3, 4]
    thread, _ = stand_by(calls)
    assert ask(calls, "1") == Heard(up=4, free=1)
    thread.join(5)
    calls.leave("rules", "z")
    assert answer(calls).workers == 3


def test_workers_who_wait_get_each_what_they_take_at_once(store_url: str, calls: Calls) -> None:
    processes = [connect(store_url) for _ in range(3)]
    waiting = [stand_by(process.calls) for process in processes]
    ask(calls, *"12345")
    for thread, _ in waiting:
        thread.join(5)
    assert sorted(found[0] for _, found in waiting) == [("1", "2"), ("3", "4"), ("5",)]
    for process in processes:
        process.close()


def test_what_a_queue_is_asked_for_is_no_other_queues(calls: Calls) -> None:
    ask(calls, "1")
    assert not calls.unheard("notify", 0)
    assert calls.answer("notify", "w", 5, MOST) == Taken((), 1)
