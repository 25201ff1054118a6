"""What the workers of a queue are asked for, and which of them are up: so that a busy one needs no message."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import redis

from shared.store import keys
from shared.store.line import Line
from shared.store.scripts import Scripts

MESSAGE_LEASE_MS: Final = 2_000
"""Wall time for which a message that is to wake a worker keeps others from being sent."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a worker is to look at, how many workers are up, and whether more is asked for."""

    wanted: tuple[str, ...]
    workers: int
    more: bool = False


class Calls:
    """Hints, like the messages they spare: what is lost here the tick finds, and what comes twice does no harm."""

    def __init__(self, client: redis.Redis, line: Line, scripts: Scripts) -> None:
        self._line = line
        self._scripts = scripts
        self._waiting = Line(client)  # one of its own: nobody else may wait behind who waits here

    def call(self, queue: str, wanted: Sequence[str], most: int, whole: int, patience_ms: int) -> bool:
        """Ask the workers of `queue` for `wanted`, of which one takes `most` at once and its share of `whole` at most.

        Return whether the caller is to wake a worker by a message: all are asleep, or busy and behind.
        """
        at = keys.QueueKeys(queue)
        arguments: list[str | int] = [most, whole, patience_ms, MESSAGE_LEASE_MS, *wanted]
        return bool(
            self._scripts.run("call", [at.calls, at.on_call, at.expected, at.called, at.up], arguments)
        )

    def uncall(self, queue: str) -> None:
        """Note that the message could not be sent, so that the next call sends one."""
        self._line.ask([("DEL", keys.QueueKeys(queue).called)])

    def answer(self, queue: str, worker: str, seconds: float, most: int) -> Taken:
        """Begin a turn as `worker`, of so many `seconds` at most, and take up to `most` of what is asked for.

        What comes from now on may wake another worker.
        """
        at = keys.QueueKeys(queue)
        now_ms = int(time.time() * 1000)
        *_, workers, found, left = self._line.ask(
            [
                ("DEL", at.called),
                ("ZREMRANGEBYSCORE", at.up, "-inf", now_ms),  # those that went without a word
                ("ZADD", at.up, now_ms + int(seconds * 1000), worker),
                ("ZCARD", at.up),
                ("LPOP", at.calls, most),
                ("LLEN", at.calls),
            ]
        )
        return Taken(tuple(found or ()), workers, left > 0)

    def wait(self, queue: str, worker: str, seconds: float, most: int) -> Taken:
        """Wait as `worker` for up to `seconds` until something is asked for, and take up to `most` of it.

        One thread at a time may wait.
        """
        at = keys.QueueKeys(queue)
        until_ms = int((time.time() + seconds) * 1000)
        _, workers, found = self._waiting.ask(
            [
                ("ZADD", at.on_call, until_ms, worker),
                ("ZCARD", at.up),
                ("BLMPOP", str(seconds), 1, at.calls, "LEFT", "COUNT", most),
            ]
        )
        return Taken(tuple(found[1]) if found else (), workers)

    def leave(self, queue: str, worker: str) -> bool:
        """End the turn of `worker`; return whether something is asked for that it leaves behind."""
        at = keys.QueueKeys(queue)
        *_, left = self._line.ask(
            [
                ("ZREM", at.on_call, worker),
                ("ZREM", at.up, worker),
                ("DEL", at.expected),
                ("LLEN", at.calls),
            ]
        )
        return bool(left)
