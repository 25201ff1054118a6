"""What was measured: a figure for each topic, case, design and round, kept as JSON to report from again."""

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What one round found: values by name, `of` a design (or engine) in a case of a topic."""

    topic: str
    case: str
    of: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds, and the least and the greatest."""

    median: float
    least: float
    most: float

    @classmethod
    def over(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of at least one value."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found))

    def text(self, digits: int = 2) -> str:
        """Return the median with what it lies between."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f} to {self.most:,.{digits}f})"


@dataclass(slots=True)
class Figures:
    """All figures, and `about` what they were measured on: machine, sizes and times, by topic."""

    all: list[Figure] = field(default_factory=list)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rounds(self, topic: str, case: str, of: str, value: str) -> list[float]:
        """Return a value in the order of the rounds; empty when it was not measured."""
        return [
            each.values[value]
            for each in self.all
            if (each.topic, each.case, each.of) == (topic, case, of) and value in each.values
        ]

    def spread(self, topic: str, case: str, of: str, value: str) -> Spread | None:
        """Return the spread of a value over the rounds; None when it was not measured."""
        found = self.rounds(topic, case, of, value)
        return Spread.over(found) if found else None

    def cases(self, topic: str) -> list[str]:
        """Return a topic's cases in the order in which they were measured."""
        return list(dict.fromkeys(each.case for each in self.all if each.topic == topic))

    def designs(self, topic: str, case: str) -> list[str]:
        """Return what was measured in a case, in order."""
        return list(dict.fromkeys(each.of for each in self.all if (each.topic, each.case) == (topic, case)))

    def names(self, topic: str, case: str, of: str) -> list[str]:
        """Return the names of the values that were measured."""
        found = [each for each in self.all if (each.topic, each.case, each.of) == (topic, case, of)]
        return list(dict.fromkeys(name for each in found for name in each.values))

    def replace(self, topic: str, figures: Iterable[Figure], about: Mapping[str, Any]) -> None:
        """Put a topic's new figures in the place of its old ones."""
        self.all = [each for each in self.all if each.topic != topic] + list(figures)
        self.about[topic] = dict(about)


def read(path: Path) -> Figures:
    """Return the figures in a file; none when there is no file."""
    if not path.exists():
        return Figures()
    found = json.loads(path.read_text(encoding="utf-8"))
    return Figures([Figure(**each) for each in found["figures"]], found["about"])


def write(figures: Figures, path: Path) -> None:
    """Keep the figures, one on a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = [
        {**asdict(each), "values": {name: float(f"{value:.5g}") for name, value in each.values.items()}}
        for each in figures.all
    ]
    lines = ",\n".join("    " + json.dumps(each) for each in rounded)
    about = json.dumps(figures.about, indent=2).replace("\n", "\n  ")
    path.write_text(f'{{\n  "about": {about},\n  "figures": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
