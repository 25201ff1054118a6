"""What workers are asked for, and which of them are up: so that one that is needs no message."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import redis

from shared.store import keys
from shared.store.line import Command, Line, Reading
from shared.store.scripts import Scripts

MESSAGE_LEASE_MS: Final = 2_000
"""Wall time for which a message that is to wake a worker keeps others from being sent."""

Queue = Literal["rules", "notify"]
"""Whose workers: rules are asked for partitions of athletes, notify for athletes whose outboxes are to be routed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How many workers are up, and how many of them wait for something to do."""

    up: int
    free: int


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

    def ask(self, queue: Queue, wanted: Sequence[str]) -> Heard:
        """Ask the workers of `queue` for `wanted`; return who hears it."""
        return self._line.read(asking(queue, wanted))

    def unheard(self, queue: Queue, patience_s: float) -> bool:
        """Return whether something was asked for `patience_s` ago or earlier, and a message is to wake a worker for it.

        True once while that message is under way.
        """
        at = keys.QueueKeys(queue)
        arguments = [int(patience_s * 1000), MESSAGE_LEASE_MS]
        return bool(self._scripts.run("unheard", [at.calls, at.called], arguments))

    def unsent(self, queue: Queue) -> None:
        """Note that the message could not be sent, so that `unheard` asks for another."""
        self._line.ask([("DEL", keys.QueueKeys(queue).called)])

    def answer(self, queue: Queue, worker: str, seconds: float, most: int) -> Taken:
        """Begin a turn as `worker`, of so many `seconds` at most, and take up to `most` of what is asked for.

        Another message may be sent from now on.
        """
        at = keys.QueueKeys(queue)
        now_ms = _now_ms()
        *_, workers, found, left = self._line.ask(
            [
                ("DEL", at.called),
                # Those that went without a word.
                *(("ZREMRANGEBYSCORE", each, "-inf", now_ms) for each in (at.up, at.on_call)),
                ("ZADD", at.up, now_ms + int(seconds * 1000), worker),
                ("ZCARD", at.up),
                ("ZPOPMIN", at.calls, most),
                ("ZCARD", at.calls),
            ]
        )
        return Taken(_names(found), workers, left > 0)

    def wait(self, queue: Queue, worker: str, seconds: float, most: int, rest_s: float = 0.0) -> Taken:
        """Wait as `worker` for up to `seconds` until something is asked for, and take up to `most` of it.

        Take nothing for `rest_s`. One thread at a time may wait.
        """
        at = keys.QueueKeys(queue)
        # A place for each time: that it is left is said with the next trip, which may come after the next wait began.
        place = f"{worker}/{secrets.token_hex(4)}"
        free: Command = ("ZADD", at.on_call, _now_ms() + int((rest_s + seconds) * 1000), place)
        taking: list[Command] = [
            ("ZCARD", at.up),
            ("BZMPOP", str(seconds), 1, at.calls, "MIN", "COUNT", most),
        ]
        if rest_s:
            self._waiting.ask([free])
            time.sleep(rest_s)
            workers, found = self._waiting.ask(taking)
        else:
            _, workers, found = self._waiting.ask([free, *taking])
        self._line.mention(("ZREM", at.on_call, place))
        return Taken(_names(found[1]) if found else (), workers)

    def leave(self, queue: Queue, worker: str) -> bool:
        """End the turn of `worker`; return whether something is asked for that it leaves behind."""
        at = keys.QueueKeys(queue)
        *_, left = self._line.ask([("ZREM", at.up, worker), ("ZCARD", at.calls)])
        return bool(left)


def asking(queue: Queue, wanted: Sequence[str]) -> Reading[Heard]:
    """Return what asks the workers of `queue` for `wanted` and tells who hears it, to go with another trip.

    Whoever asks after a write knows: a worker that leaves looks once more after it has said so.
    """
    at = keys.QueueKeys(queue)
    now_ms = _now_ms()
    pairs = [part for each in wanted for part in (now_ms, each)]
    commands: list[Command] = [
        ("ZADD", at.calls, "NX", *pairs),
        ("ZCOUNT", at.up, now_ms, "+inf"),
        ("ZCOUNT", at.on_call, now_ms, "+inf"),
    ]
    return Reading(commands, lambda answers: Heard(answers[1], answers[2]))


NOBODY: Final[Reading[Heard | None]] = Reading((), lambda _: None)
"""What asks nobody for anything."""


def _names(found: Any) -> tuple[str, ...]:  # noqa: ANN401 - pairs of a name and its score
    return tuple(name for name, _ in found)


def _now_ms() -> int:
    return int(time.time() * 1000)
