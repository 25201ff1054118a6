"""Whose turn is it? The athletes of a partition that wait for an evaluation, in an order that is fair among clubs.

Start-time fair queueing (Goyal, Vin and Cheng 1996) with every athlete of equal weight: one athlete of a club that asks
for little goes before the hundredth of a club that asks for much.
"""

import heapq
from collections import defaultdict
from typing import TypeAlias

Name: TypeAlias = tuple[str, str]
"""A club and an athlete."""


class Waiting:
    """A queue that holds each athlete once."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Name]] = []
        self._after: defaultdict[str, float] = defaultdict(float)
        self._virtual = 0.0
        self._number = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, name: Name) -> None:
        """Put an athlete who does not wait behind those of the same club."""
        start = max(self._virtual, self._after[name[0]])
        self._after[name[0]] = start + 1
        self._number += 1
        heapq.heappush(self._heap, (start, self._number, name))

    def take(self, most: int) -> list[Name]:
        """Take up to `most` athletes off, those first whose turn it is."""
        taken = []
        for _ in range(min(most, len(self._heap))):
            self._virtual, _, name = heapq.heappop(self._heap)
            taken.append(name)
        return taken
