"""Threads share connections to the store: each gets its own answers, and what waits goes out together."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from shared.store.connect import Store
from shared.store.line import Line

WAIT = ("BLPOP", "nothing", "0.4")


class Counted(redis.Connection):
    """Counts the trips of all connections."""

    trips = 0

    def send_packed_command(self, command: Any, check_health: Any = True) -> None:  # noqa: FBT002 - as redis-py has it
        Counted.trips += 1
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


def line_of(store: Store, connections: int) -> Line:
    """Return a line whose trips are counted from now on."""
    options = store.client.connection_pool.connection_kwargs
    pool = redis.ConnectionPool(connection_class=Counted, **options)
    made = Line(redis.Redis.from_pool(pool), connections)
    assert made.ask([("PING",)]) == ["PONG"]
    Counted.trips = 0
    return made


@pytest.fixture
def line(store: Store) -> Line:
    return line_of(store, 1)


def echo(line: Line, word: str, times: int = 2) -> bool:
    words = [f"{word}-{number}" for number in range(times)]
    return line.ask([("ECHO", each) for each in words]) == words


def test_threads_that_ask_at_once_each_get_their_own_answers(line: Line) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda number: echo(line, f"word-{number}", number % 40), range(1500)))


def test_what_is_asked_while_the_connection_is_in_use_goes_out_together(line: Line) -> None:
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(line.ask, [WAIT])
        time.sleep(0.1)
        assert all(threads.map(lambda number: echo(line, str(number)), range(8)))
        assert first.result() == [None]
    assert Counted.trips == 2


def test_with_a_connection_free_nobody_waits_for_what_others_ask(store: Store) -> None:
    line = line_of(store, 3)
    with ThreadPoolExecutor(3) as threads:
        slow = [threads.submit(line.ask, [WAIT]) for _ in range(2)]
        time.sleep(0.1)
        assert echo(line, "quick")
        assert not any(each.done() for each in slow)
        assert [each.result() for each in slow] == [[None], [None]]


def test_what_is_mentioned_goes_with_one_question_whoever_asks_it(store: Store) -> None:
    line = line_of(store, 8)

    def mentioned(number: int) -> bool:
        line.mention(("INCR", "mentioned"))
        return echo(line, str(number))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(mentioned, range(400)))
    assert line.ask([("GET", "mentioned")]) == ["400"]


def test_a_long_list_does_not_keep_anybody_waiting_and_does_not_wait(line: Line) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(line.ask, [WAIT])
        time.sleep(0.1)
        assert echo(line, "long", 33)
        assert not first.done()


def test_an_error_that_the_store_answers_with_is_told_to_who_asked(line: Line, store: Store) -> None:
    store.client.set("text", "of no hash")

    def wrong() -> bool:
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            line.ask([("HGET", "text", "field"), ("ECHO", "unheard")])
        return True

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda number: wrong() if number % 2 else echo(line, "right"), range(200)))


class Interruption(BaseException):
    """What a signal may raise anywhere."""


def test_after_an_interruption_nobody_gets_anothers_answer(line: Line) -> None:
    def interrupt(*_: object) -> None:
        raise Interruption

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Interruption):
            line.ask([WAIT, ("ECHO", "old")])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert echo(line, "new")
