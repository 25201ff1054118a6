"""Runs the store's Lua scripts by their digest, alone or many in one round trip."""

import hashlib
import re
from collections.abc import Sequence
from importlib import resources
from typing import Any

import redis

from shared.store.errors import store_errors
from shared.store.line import Command, Line

_FOLDER = resources.files("shared.store").joinpath("lua")
_WITH = re.compile(r"-- WITH (\w+)\n")


def _source(text: str) -> str:
    """Return a script after the functions that its first line says it shares with others."""
    shared = _WITH.match(text)
    if shared is None:
        return text
    return _FOLDER.joinpath("with", f"{shared.group(1)}.lua").read_text(encoding="utf-8") + text


_SOURCES = {
    entry.name.removesuffix(".lua"): _source(entry.read_text(encoding="utf-8"))
    for entry in _FOLDER.iterdir()
    if entry.name.endswith(".lua")
}
_DIGESTS = {name: hashlib.sha1(source.encode()).hexdigest() for name, source in _SOURCES.items()}  # noqa: S324 - EVALSHA's own digest

Call = tuple[str, Sequence[str], Sequence[str | int]]
"""A script's name, its keys and its arguments."""


class Scripts:
    """The scripts on one line. A store that has lost them (restart, flush) is given them again."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def run(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:  # noqa: ANN401 - each script answers in its own shape
        """Run one script and return its answer."""
        return self.run_many([(name, keys, arguments)])[0]

    def run_many(
        self, calls: Sequence[Call], *, first: Sequence[Command] = (), then: Sequence[Command] = ()
    ) -> list[Any]:
        """Run scripts in one round trip, each atomic by itself; return their answers in order, then those of `then`.

        In the same trip go, before them, the commands of `first`, whose answers say nothing, and after them `then`.
        """
        if not calls:
            return []
        found = self._line.ask_all([*first, *map(_command, calls), *then])
        before, answers = found[: len(first)], found[len(first) :]
        lost = [i for i, answer in enumerate(answers) if isinstance(answer, redis.exceptions.NoScriptError)]
        if lost:
            self._line.ask([("SCRIPT LOAD", _SOURCES[name]) for name in {calls[i][0] for i in lost}])
            # What was to be asked after the scripts is asked after them.
            after = range(len(calls), len(answers))
            again = self._line.ask_all([*(_command(calls[i]) for i in lost), *then])
            for i, answer in zip([*lost, *after], again, strict=True):
                answers[i] = answer
        with store_errors():
            for answer in (*before, *answers):
                if isinstance(answer, Exception):
                    raise answer
        return answers


def _command(call: Call) -> Command:
    name, keys, arguments = call
    return ("EVALSHA", _DIGESTS[name], len(keys), *keys, *arguments)
