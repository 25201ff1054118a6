"""What has the machine to give? Processes that only evaluate, and share nothing with each other.

    python -m tests.load.alone RULES SECONDS

prints `ready`, waits for a line, and prints how many evaluations it made in so many seconds. Two cores that are one
core's two halves, or share its cache and memory with others, do less than twice as much as one; no design gets more.
"""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.load.engines import evaluations

_SECONDS: Final = 3.0


def rate(processes: int, rules: Path, *, quick: bool) -> float:
    """Return how many evaluations a second so many processes make at once."""
    seconds = _SECONDS / 10 if quick else _SECONDS
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.load.alone", str(rules), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for each in running:
        if each.stdout is None or each.stdout.readline() != "ready\n":
            raise RuntimeError("a process that only evaluates did not start")
    made = 0
    for each in running:
        if each.stdin is not None:
            each.stdin.write("\n")
            each.stdin.flush()
    for each in running:
        made += int(each.communicate(timeout=60)[0])
    return made / seconds


def _main(rules: Path, seconds: float) -> None:
    evaluate = evaluations(rules, datetime.now(UTC))["Tandem, everything again"]
    evaluate()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    made, over = 0, time.monotonic() + seconds
    while time.monotonic() < over:
        evaluate()
        made += 1
    sys.stdout.write(f"{made}\n")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), float(sys.argv[2]))
