"""Is Tandem as fast as it says? Measure it beside other designs, and write the report.

    make bench
    make bench ARGS="--only throughput --rounds 3 --quick"
    make bench ARGS=--report

Writes docs/performance.md, its plots, and every round's figures to docs/performance/measured.json. With --only the
figures of other topics stay as they are; --report measures nothing.
"""

import argparse
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from tests.load import engines, figures, footprint, growth, hops, latency, plots, stages, throughput
from tests.load.figures import Figure
from tests.load.plan import Sizes
from tests.load.report import report
from tests.load.seeds import Seeds

DOCS: Final = Path(__file__).parents[2] / "docs"
Measure: TypeAlias = Callable[[Seeds, Sizes], Iterator[Figure]]
TOPICS: Final[Mapping[str, Measure]] = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "stages": stages.measure,
    "growth-history": growth.measure_history,
    "growth-athletes": growth.measure_athletes,
    "growth-workers": growth.measure_workers,
    "growth-rules": growth.measure_rules,
    "engines": lambda seeds, sizes: engines.measure(sizes, seeds.rules()),
    "bounds": lambda _, sizes: hops.measure(sizes),
    "footprint": footprint.measure,
}


def main() -> None:
    """Measure what is asked for, one topic after another, and write the report after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(TOPICS), default=list(TOPICS), metavar="TOPIC",
                        help=", ".join(TOPICS))  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: to see that it works")
    parser.add_argument("--athletes", type=int, default=200_000, help="of the largest club")
    parser.add_argument("--report", action="store_true", help="make the report anew from what was measured")
    parser.add_argument("--into", type=Path, default=DOCS, help="the folder of performance.md")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sizes = Sizes(chosen.rounds, chosen.quick, chosen.athletes)
    if chosen.report:
        write(chosen.into, figures.read(_kept(chosen.into)))
        return
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        seeds = Seeds(Path(folder))
        for topic in chosen.only:
            began = time.monotonic()
            found = list(_shown(TOPICS[topic](seeds, sizes)))
            known = figures.read(_kept(chosen.into))
            about = {"taken": datetime.now(UTC).isoformat(timespec="minutes"), "rounds": sizes.rounds,
                     "seconds": round(time.monotonic() - began), "quick": sizes.quick,
                     "machine": machine()}  # fmt: skip
            for name in dict.fromkeys(each.topic for each in found):
                known.replace(name, [each for each in found if each.topic == name], about)
            figures.write(known, _kept(chosen.into))
            write(chosen.into, known)


def write(folder: Path, found: figures.Figures) -> None:
    """Write the report and its plots."""
    (folder / "performance.md").write_text(report(found), encoding="utf-8")
    plots.draw(found, folder / "performance")


def machine() -> str:
    """Return what it was measured on."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def _kept(folder: Path) -> Path:
    return folder / "performance" / "measured.json"


def _shown(found: Iterable[Figure]) -> Iterator[Figure]:
    """Say each figure as it comes."""
    for each in found:
        values = "  ".join(
            f"{name} {value:.4g}" for name, value in each.values.items() if "CPU: " not in name
        )
        sys.stderr.write(f"{each.topic} | {each.case} | {each.of}: {values}\n")
        sys.stderr.flush()
        yield each


if __name__ == "__main__":
    main()
