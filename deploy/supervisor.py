"""Keeps one process tree: starts the parts, restarts what dies, stops them in the order that drains the work."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import IO, Any

import structlog

from shared.orphans import END_WITH_PARENT

_LOOK_S = 0.2
_LONGEST_PAUSE_S = 10.0

log = structlog.get_logger()


@dataclass(slots=True)
class Part:
    """One process of the tree: how it is started, when it is stopped, and how long it may take to finish.

    Lower ranks are stopped first: the front door (0), those that it feeds (1), the store (2).
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    rank: int = 1
    drain_s: float = 25.0
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    start_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Parts in the order of their ranks."""

    parts: Sequence[Part]
    output: IO[Any] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: bool = False
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self, part: Part) -> None:
        """Start a part. If it dies, `watch` starts it again."""
        part.process = subprocess.Popen(
            part.command,
            env={**part.environ, END_WITH_PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then drains in order
        )
        log.debug("part.started", part=part.name, pid=part.process.pid)

    def watch(self) -> None:
        """Restart parts that die, each with a growing pause, until the tree has been stopped.

        The thread that runs this outlives the parts: to the kernel it is the parent of those that it restarted.
        """
        while not self._stopped.wait(_LOOK_S):
            with self._lock:
                for part in self.parts if not self._stopping else ():
                    self._look_after(part)

    def stop(self) -> None:
        """Ask the parts to finish, rank by rank, and kill what does not within its time."""
        with self._lock:
            self._stopping = True
        for _, rank in groupby(self.parts, key=attrgetter("rank")):
            asked = [(part, part.process) for part in rank if part.process is not None]
            for _, process in asked:
                process.send_signal(signal.SIGTERM)
            for part, process in asked:
                _await_end(part, process)
        self._stopped.set()

    def _look_after(self, part: Part) -> None:
        if part.process is None:
            if part.deaths and time.monotonic() >= part.start_at:
                self.start(part)
        elif (status := part.process.poll()) is not None:
            part.deaths += 1
            pause = min(_LONGEST_PAUSE_S, 0.1 * 2**part.deaths)
            log.error("part.died", part=part.name, status=status, restart_in_s=round(pause, 1))
            part.process = None
            part.start_at = time.monotonic() + pause


def _await_end(part: Part, process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(part.drain_s)
    except subprocess.TimeoutExpired:
        log.warning("part.killed", part=part.name, after_s=part.drain_s)
        process.kill()
        process.wait()
