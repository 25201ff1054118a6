"""How long does work take on processes that share a machine's cores? A discrete-event clock, in milliseconds.

A process does one piece of work at a time, in order. When more processes work than there are cores, each goes on at
its share of them: what a fair operating system does, without the cost of its switches.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

Then: TypeAlias = Callable[[], None]


class Process:
    """A process of the machine: what it has still to do, and the CPU time that it has used, in ms."""

    __slots__ = ("_left", "_machine", "_queue", "_then", "used")

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._queue: deque[tuple[float, Then]] = deque()
        self._left = 0.0
        self._then: Then | None = None
        self.used = 0.0

    @property
    def busy(self) -> bool:
        """Whether it works."""
        return self._then is not None

    def do(self, ms: float, then: Then) -> None:
        """Work for `ms` of CPU time when all before it is done, and then call `then`."""
        if self._then is None:
            self._begin(ms, then)
        else:
            self._queue.append((ms, then))

    def _begin(self, ms: float, then: Then) -> None:
        self._left, self._then = ms, then
        self._machine.working.append(self)

    def advance(self, ms: float) -> None:
        """Do `ms` of the work in hand."""
        self._left -= ms
        self.used += ms

    @property
    def left(self) -> float:
        """CPU time that the work in hand still takes."""
        return self._left

    def finish(self) -> None:
        """End the work in hand, take up the next, and say so."""
        then, self._then = self._then, None
        self._machine.working.remove(self)
        if self._queue:
            self._begin(*self._queue.popleft())
        if then is not None:
            then()


class Machine:
    """A clock, some cores, and the processes on them.

    `others` is how many processes of other people's are always at work on the same cores.
    """

    def __init__(self, cores: float = math.inf, others: float = 0.0) -> None:
        self.now = 0.0
        self.working: list[Process] = []
        self._cores, self._others = cores, others
        self._timers: list[tuple[float, int, Then]] = []
        self._number = 0

    def process(self) -> Process:
        """Return a new process."""
        return Process(self)

    def at(self, ms: float, then: Then) -> None:
        """Call `then` at that instant."""
        self._number += 1
        heapq.heappush(self._timers, (ms, self._number, then))

    def run(self, until: float = math.inf) -> None:
        """Let time pass until nothing is left to happen, or until that instant."""
        while True:
            rate = min(1.0, self._cores / max(1.0, len(self.working) + self._others))
            first = min(self.working, key=_left, default=None)
            done = math.inf if first is None else self.now + max(0.0, first.left) / rate
            timer = self._timers[0][0] if self._timers else math.inf
            then = min(done, timer)
            if then > until or then == math.inf:
                self._pass(min(then, until), rate)
                return
            self._pass(then, rate)
            if first is not None and done <= timer:
                first.finish()
            else:
                heapq.heappop(self._timers)[2]()

    def _pass(self, instant: float, rate: float) -> None:
        if instant == math.inf:
            return
        ms = (instant - self.now) * rate
        for process in self.working:
            process.advance(ms)
        self.now = instant


def _left(process: Process) -> float:
    return process.left
