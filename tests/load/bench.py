"""How Tandem's throughput and CPU time compare with the plain design's, measured in turns in one run.

    make bench

Prints, for each case, each design's events a second and CPU seconds per 1,000 events, and the ratio of the medians.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.load.figures import Figures, write
from tests.load.plan import Sizes
from tests.load.seeds import Seeds
from tests.load.throughput import TOPIC, measure

_RATE, _CPU = "events/s", "CPU s per 1,000"


def report(figures: Figures) -> str:
    """Return a table: medians with the least and the greatest of the rounds, and Tandem over each other design."""
    lines = []
    for case in figures.cases(TOPIC):
        lines.append(f"\n{case}")
        for design in figures.designs(TOPIC, case):
            rate, cpu = (figures.spread(TOPIC, case, design, value) for value in (_RATE, _CPU))
            if rate is not None and cpu is not None:
                lines.append(
                    f"  {design:10} {rate.text(0):>32} events/s {cpu.text():>28} CPU s per 1,000"
                    f"{_over(figures, case, design)}"
                )
    return "\n".join(lines)


def _over(figures: Figures, case: str, design: str) -> str:
    ours = [figures.spread(TOPIC, case, "tandem", value) for value in (_RATE, _CPU)]
    theirs = [figures.spread(TOPIC, case, design, value) for value in (_RATE, _CPU)]
    ratios = [
        mine.median / other.median
        for mine, other in zip(ours, theirs, strict=True)
        if mine is not None and other is not None
    ]
    if design == "tandem" or len(ratios) < len(ours):
        return ""
    return f"   tandem: {ratios[0]:.2f} x the events, {ratios[1]:.2f} x the CPU"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the events, to see that all of it works"
    )
    parser.add_argument("--keep", type=Path, help="a file for the figures, as JSON")
    chosen = parser.parse_args(arguments)
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        for figure in measure(Seeds(Path(folder)), Sizes(chosen.rounds, chosen.quick)):
            figures.all.append(figure)
            print(f"{figure.case}: {figure.of} {figure.values[_RATE]:,.0f} events/s", flush=True)  # noqa: T201
    if chosen.keep is not None:
        write(figures, chosen.keep)
    print(report(figures))  # noqa: T201


if __name__ == "__main__":
    main()
