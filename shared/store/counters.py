"""Counts of what has happened, kept in the store so that every process adds to one total."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis

from shared.store import keys
from shared.store.errors import store_errors
from shared.store.line import Command, Line


@dataclass(frozen=True, slots=True)
class Sample:
    """One count: a metric's name, its labels and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


class Counters:
    """Counters that only grow."""

    def __init__(self, client: redis.Redis, line: Line) -> None:
        self._client = client
        self._line = line

    def add(self, name: str, labels: Mapping[str, str], amount: float = 1) -> None:
        """Add `amount` to one count."""
        self.add_many([Sample(name, labels, amount)])

    def add_many(self, samples: Sequence[Sample]) -> None:
        """Add to several counts in one round trip."""
        if samples:
            self._line.ask(adding(samples))

    def read(self) -> list[Sample]:
        """Return every count, by name and labels."""
        with store_errors():
            found = self._client.hgetall(keys.COUNTERS)
        samples = []
        for field, value in sorted(dict(found).items()):
            name, labels = json.loads(field)
            samples.append(Sample(name, labels, float(value)))
        return samples


def adding(samples: Sequence[Sample]) -> list[Command]:
    """Return the commands that add to several counts."""
    return [
        (
            "HINCRBYFLOAT",
            keys.COUNTERS,
            json.dumps([sample.name, dict(sorted(sample.labels.items()))]),
            sample.value,
        )
        for sample in samples
    ]
