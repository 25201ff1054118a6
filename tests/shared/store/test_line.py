"""Threads share one connection to the store: each gets its own answers, and what waits goes out together."""

import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from shared.store.connect import Store
from shared.store.line import Command, Line

WAIT = ("BLPOP", "nothing", "0.4")


class CountedLine(Line):
    """Counts its trips."""

    trips = 0

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        self.trips += 1
        return super()._exchange(commands)


@pytest.fixture
def line(store: Store) -> CountedLine:
    counted = CountedLine(store.client)
    assert counted.ask([("PING",)]) == ["PONG"]
    counted.trips = 0
    return counted


def echo(line: Line, word: str, times: int = 2) -> bool:
    words = [f"{word}-{number}" for number in range(times)]
    return line.ask([("ECHO", each) for each in words]) == words


def test_threads_that_ask_at_once_each_get_their_own_answers(line: CountedLine) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda number: echo(line, f"word-{number}", number % 40), range(1500)))


def test_what_is_asked_while_the_connection_is_in_use_goes_out_together(line: CountedLine) -> None:
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(line.ask, [WAIT])
        time.sleep(0.1)
        assert all(threads.map(lambda number: echo(line, str(number)), range(8)))
        assert first.result() == [None]
    assert line.trips == 2


def test_a_long_list_does_not_keep_anybody_waiting_and_does_not_wait(line: CountedLine) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(line.ask, [WAIT])
        time.sleep(0.1)
        assert echo(line, "long", 33)
        assert not first.done()


def test_an_error_that_the_store_answers_with_is_told_to_who_asked(line: CountedLine, store: Store) -> None:
    store.client.set("text", "of no hash")

    def wrong() -> bool:
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            line.ask([("HGET", "text", "field"), ("ECHO", "unheard")])
        return True

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda number: wrong() if number % 2 else echo(line, "right"), range(200)))


class Interruption(BaseException):
    """What a signal may raise anywhere."""


def test_after_an_interruption_nobody_gets_anothers_answer(line: CountedLine) -> None:
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
