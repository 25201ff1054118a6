"""A terminal as a reader of the documentation has it: commands go in, lines come out and are compared with the page."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest

SILENCE_S = 45
"""A bound for hangs, not a claim: the slowest step is a start of all processes."""
_PROMPT, _MORE = "$ ", "> "
_ANY = "…"
"""Stands in shown output for anything: within a line for a part of it, alone for any lines."""


def reader(data: Path) -> dict[str, str]:
    """Return the environment of somebody who has followed the page so far: `tandem` on the path, no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "TANDEM_DATA_DIR": str(data)}


class Shell:
    """A terminal: commands go in, lines come out."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.lines: Queue[str] = Queue()
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, env=environ, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def type(self, commands: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(commands)
        self.process.stdin.flush()

    def until(self, part: str) -> str:
        """Return what came up to and with the line that holds `part`; fail when nothing more comes."""
        seen = ""
        while part not in seen:
            try:
                seen += self.lines.get(timeout=SILENCE_S)
            except Empty:
                pytest.fail(f"no {part!r} in:\n{seen}")
        return seen

    def run(self, commands: str) -> str:
        """Return all that the commands print."""
        end = "-- that was all --"
        self.type(f"{commands.rstrip()}\nprintf '\\n%s\\n' '{end}'\n")
        return self.until(end).removesuffix(f"\n{end}\n")


@contextmanager
def terminal(folder: Path, environ: dict[str, str]) -> Iterator[Shell]:
    """Open a terminal; at its end everything that was started in it is stopped."""
    shell = Shell(folder, environ)
    try:
        yield shell
    finally:
        os.killpg(shell.process.pid, signal.SIGTERM)
        shell.process.wait()
        shell.reader.join()  # the output ends when the last process that writes to it does
        for stream in (shell.process.stdin, shell.process.stdout):
            assert stream is not None
            stream.close()


def transcript(text: str) -> list[tuple[str, str]]:
    """Return the commands of a `console` snippet, each with the output that is shown below it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith(_PROMPT):
            found.append((line.removeprefix(_PROMPT), ""))
        elif line.startswith(_MORE) and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line.removeprefix(_MORE)}", "")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether the output is the shown one, line by line, where `…` stands for anything."""
    pattern = ""
    for line in shown.rstrip().splitlines():
        if line == _ANY:
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += ".*".join(re.escape(part.rstrip()) for part in line.split(_ANY)) + r"\n"
    lines = [f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines()]
    return re.fullmatch(pattern, "".join(lines)) is not None
