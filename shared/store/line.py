"""How short questions reach the store: over few connections that the threads of a process share.

What is asked while all of them are in use goes out together afterwards, by whoever gets one next: a busy process makes
one trip for several threads, an idle one makes it at once. A trip costs more than the commands in it; but who waits for
another's trip does nothing meanwhile, so threads that have more to do than to ask want a connection each.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import redis

from shared.store.errors import store_errors

Command: TypeAlias = Sequence[str | float]
"""A plain command as it is sent."""

T = TypeVar("T")
U = TypeVar("U")

_MOST_SHARED = 32  # commands; longer lists go by themselves, so that nobody waits behind them


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """Commands that only read, and what their answers tell. Two of them can share a trip."""

    commands: Sequence[Command]
    told: Callable[[list[Any]], T]


def both(one: Reading[T], other: Reading[U]) -> Reading[tuple[T, U]]:
    """Return two readings as one."""
    cut = len(one.commands)
    return Reading(
        [*one.commands, *other.commands], lambda answers: (one.told(answers[:cut]), other.told(answers[cut:]))
    )


class _Question:
    """Commands of one thread, and what became of them."""

    __slots__ = ("answers", "commands", "error")

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.answers: list[Any] | None = None
        self.error: BaseException | None = None


class Line:
    """Asks the store. Every command must be safe to repeat: what got no answer is sent again."""

    def __init__(self, client: redis.Redis, connections: int = 1) -> None:
        self._client = client
        self._mentions: deque[Command] = deque()
        self._wires = tuple(_Wire(client, self._mentions) for _ in range(connections))

    def mention(self, command: Command) -> None:
        """Have `command` go along with the next question, before it; nobody hears its answer."""
        self._mentions.append(command)

    def read(self, reading: Reading[T]) -> T:
        """Return what a reading tells; one of nothing makes no trip."""
        return reading.told(self.ask(reading.commands) if reading.commands else [])

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Return the commands' answers, all in one trip, not in one transaction. Raise the first error among them."""
        answers = self.ask_all(commands)
        for answer in answers:
            if isinstance(answer, Exception):
                with store_errors():
                    raise answer
        return answers

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """Like `ask`; an error that the store answers with is an answer."""
        with store_errors():
            if len(commands) > _MOST_SHARED:
                return self._alone(commands)
            return self._wire().ask(commands)

    def _wire(self) -> "_Wire":
        for wire in self._wires:  # the first that is free: few are used by few threads
            if not wire.turn.locked():
                return wire
        return min(self._wires, key=_Wire.asked)

    def _alone(self, commands: Sequence[Command]) -> list[Any]:
        pool = self._client.connection_pool
        connection = pool.get_connection()
        try:
            return _exchange(connection, commands)
        finally:
            pool.release(connection)


class _Wire:
    """One connection and who waits for it."""

    __slots__ = ("_client", "_connection", "_mentions", "_waiting", "turn")

    def __init__(self, client: redis.Redis, mentions: deque[Command]) -> None:
        self.turn = threading.Lock()
        self._client = client
        self._connection: Any = None
        self._waiting: deque[_Question] = deque()
        self._mentions = mentions

    def asked(self) -> int:
        """Return how many wait for the connection."""
        return len(self._waiting)

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Return the answers to `commands`, with a trip for all that wait or from somebody else's."""
        question = _Question(commands)
        self._waiting.append(question)
        with self.turn:
            if question.answers is None and question.error is None:
                self._speak_for_all()
        if question.error is not None:
            raise question.error
        return question.answers or []

    def _speak_for_all(self) -> None:
        # Only whoever has the turn takes any, and each asker is in before it waits for its turn.
        questions = [self._waiting.popleft()]
        while self._waiting:
            questions.append(self._waiting.popleft())
        commands = questions[0].commands
        if len(questions) > 1:
            commands = [command for question in questions for command in question.commands]
        mentions = self._mentioned()
        if mentions:
            commands = [*mentions, *commands]
        try:
            answers = self._exchange(commands)[len(mentions) :]
        except BaseException as error:
            for question in questions:
                question.error = error
            raise
        if len(questions) == 1:
            questions[0].answers = answers
            return
        told = iter(answers)
        for question in questions:
            question.answers = [next(told) for _ in question.commands]

    def _mentioned(self) -> list[Command]:
        found = []
        with suppress(IndexError):  # another wire may be faster
            while self._mentions:
                found.append(self._mentions.popleft())
        return found

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        if self._connection is None:
            self._connection = self._client.connection_pool.get_connection()
        return _exchange(self._connection, commands)


def _exchange(connection: Any, commands: Sequence[Command]) -> list[Any]:  # noqa: ANN401 - as below
    packed = connection.pack_commands(commands)

    def attempt() -> list[Any]:
        connection.send_packed_command(packed)
        return [_answer(connection) for _ in commands]

    try:
        answers: list[Any] = connection.retry.call_with_retry(attempt, lambda _: connection.disconnect())
    except BaseException:
        connection.disconnect()  # whatever is still to come would answer somebody else
        raise
    return answers


def _answer(connection: Any) -> Any:  # noqa: ANN401 - redis-py leaves its connections untyped
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error
