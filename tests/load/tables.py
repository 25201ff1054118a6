"""What do the tables of docs/scaling.md rest on, and how do they look: the figures, the model that fits them."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.load import predictions
from tests.load.cases import FOOTPRINT, PACKED, THROUGHPUT, WORKERS
from tests.load.figures import Figures, read

FILE: Final = Path(__file__).parents[2] / "docs/performance/measured.json"
_NOTHING: Final = "Nothing was measured yet; `make bench` does it, and `make docs` then writes this part."
_WANTED: Final = (THROUGHPUT, PACKED, WORKERS, FOOTPRINT)


@cache
def figures() -> Figures:
    """Return what was measured last."""
    return read(FILE)


@cache
def model() -> predictions.Model:
    """Return the model that fits them."""
    return predictions.model(figures())


def taken() -> Iterator[str]:
    """Yield what the figures were measured on, and whether quickly."""
    about = figures().about
    yield f"Measured on {about[THROUGHPUT]['machine']}, {about[THROUGHPUT]['taken'][:10]}, medians of rounds."
    if any(each["quick"] for each in about.values()):
        yield "**This was a quick run at a tenth of the size, beside other work: good for orders of magnitude only.**"
    yield ""


def ready(part: Callable[[], Iterator[str]]) -> Callable[[], Iterator[str]]:
    """Return the part, or where something that it wants was not measured, what to do."""

    def made() -> Iterator[str]:
        return part() if all(topic in figures().about for topic in _WANTED) else iter([_NOTHING])

    return made


def table(head: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table's lines."""
    yield head
    yield "|".join(["", *["---"] * (head.count("|") - 1), ""])
    for row in rows:
        yield f"| {' | '.join(row)} |"


def off(foretold: float | None, found: float | None) -> str:
    """Say how far a forecast is off."""
    return f"{foretold / found - 1:+.0%}" if foretold is not None and found else ""


def rounded(value: float) -> str:
    """Return a number with two digits that mean something."""
    if value <= 0:
        return "0"
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(0, digits)}f}"


def share(cores: float) -> str:
    """Say how much of a core, or how many."""
    return f"{cores:.0%}" if cores < 1 else f"{cores:.1f} cores"


def gb(gigabytes: float) -> str:
    """Say how much memory."""
    return f"{rounded(gigabytes / 1000)} TB" if gigabytes >= 1000 else f"{rounded(gigabytes)} GB"
