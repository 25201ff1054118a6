"""Keeps one process tree: starts the parts, restarts what dies, stops them in the order that drains the work."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import structlog

from deploy.orphans import END_WITH_PARENT

_LONGEST_PAUSE_S = 10.0

log = structlog.get_logger()


@dataclass(slots=True)
class Part:
    """One process of the tree: how it is started, and how long it may take to finish what it holds."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    drain_s: float = 25.0
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    start_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Parts in the order of starting; they are stopped in that order too: the front door first, then those it feeds."""

    parts: Sequence[Part]
    output: IO[Any] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start every part."""
        for part in self.parts:
            self._start(part)

    def watch(self) -> None:
        """Restart parts that die, each with a growing pause, until `stopping` is set."""
        while not self.stopping.wait(0.2):
            for part in self.parts:
                if part.process is None:
                    if time.monotonic() >= part.start_at:
                        self._start(part)
                elif (status := part.process.poll()) is not None:
                    part.deaths += 1
                    pause = min(_LONGEST_PAUSE_S, 0.1 * 2**part.deaths)
                    log.error("part.died", part=part.name, status=status, restart_in_s=round(pause, 1))
                    part.process = None
                    part.start_at = time.monotonic() + pause

    def stop(self) -> None:
        """Ask each part in turn to finish, and kill what does not within its time."""
        self.stopping.set()
        for part in self.parts:
            if part.process is None or part.process.poll() is not None:
                continue
            part.process.send_signal(signal.SIGTERM)
            try:
                part.process.wait(part.drain_s)
            except subprocess.TimeoutExpired:
                log.warning("part.killed", part=part.name, after_s=part.drain_s)
                part.process.kill()
                part.process.wait()

    def _start(self, part: Part) -> None:
        part.process = subprocess.Popen(
            part.command,
            env={**part.environ, END_WITH_PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then drains in order
        )
        log.debug("part.started", part=part.name, pid=part.process.pid)
