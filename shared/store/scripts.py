"""Runs the store's Lua scripts by their digest, alone or many in one round trip."""

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import redis

from shared.store.errors import store_errors

_SOURCES = {
    entry.name.removesuffix(".lua"): entry.read_text(encoding="utf-8")
    for entry in resources.files("shared.store").joinpath("lua").iterdir()
    if entry.name.endswith(".lua")
}
_DIGESTS = {name: hashlib.sha1(source.encode()).hexdigest() for name, source in _SOURCES.items()}  # noqa: S324 - EVALSHA's own digest

Call = tuple[str, Sequence[str], Sequence[str | int]]
"""A script's name, its keys and its arguments."""
Command = tuple[str | int, ...]
"""A plain command as it is sent."""


class Scripts:
    """The scripts on one client. A store that has lost them (restart, flush) is given them again."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def run(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:  # noqa: ANN401 - each script answers in its own shape
        """Run one script and return its answer."""
        with store_errors():
            try:
                return self._client.evalsha(_DIGESTS[name], len(keys), *keys, *arguments)
            except redis.exceptions.NoScriptError:
                return self._client.eval(_SOURCES[name], len(keys), *keys, *arguments)

    def run_many(self, calls: Sequence[Call], *, first: Sequence[Command] = ()) -> list[Any]:
        """Run scripts in one round trip, each atomic by itself, and return their answers in order.

        Before them, in the same round trip, the commands of `first`, whose answers tell nothing.
        """
        if not calls:
            return []
        with store_errors():
            answers = self._send(calls, first)
            lost = [
                i for i, answer in enumerate(answers) if isinstance(answer, redis.exceptions.NoScriptError)
            ]
            if lost:
                for name in {calls[i][0] for i in lost}:
                    self._client.script_load(_SOURCES[name])
                for i, answer in zip(lost, self._send([calls[i] for i in lost]), strict=True):
                    answers[i] = answer
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            return answers

    def _send(self, calls: Sequence[Call], first: Sequence[Command] = ()) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for command in first:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py leaves it so
        for name, keys, arguments in calls:
            pipeline.evalsha(_DIGESTS[name], len(keys), *keys, *arguments)
        answers = pipeline.execute(raise_on_error=False)
        for answer in answers[: len(first)]:
            if isinstance(answer, Exception):
                raise answer
        return answers[len(first) :]
