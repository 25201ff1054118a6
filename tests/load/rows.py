"""Which of the promises about speed hold: each row with its threshold, its aim, and what the rounds came to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.load.cases import BUSY_WORKERS
from tests.load.figures import Figures, Spread

BATCHES: Final = "batches of 100, history 150"
OTHERS: Final = "every event from another athlete, history 150"
LONG: Final = "batches of 100, history 1,500"
SINGLE: Final = "single POSTs, history 150"


@dataclass(frozen=True, slots=True)
class Row:
    """A promise: `found` gives a value for each round; `threshold` must be reached, `aim` would be better."""

    what: str
    kind: Literal["at least", "at most"]
    threshold: float
    aim: float
    found: Callable[[Figures], Sequence[float]]
    unit: str = "x"

    def verdict(self, spread: Spread) -> str:
        """Say whether the median meets the threshold and the aim."""
        sign = 1 if self.kind == "at least" else -1
        if sign * spread.median >= sign * self.aim:
            return "met, and its aim"
        return "met" if sign * spread.median >= sign * self.threshold else "**not met**"


def _ratio(
    topic: str, value: str, ours: tuple[str, str], theirs: tuple[str, str]
) -> Callable[[Figures], Sequence[float]]:
    """Return the ratio of a value of (case, design) to that of another, round by round."""

    def found(figures: Figures) -> Sequence[float]:
        pairs = zip(figures.rounds(topic, *ours, value), figures.rounds(topic, *theirs, value), strict=False)
        return [a / b for a, b in pairs if b]

    return found


def _speed(case: str, over: str = "plain", value: str = "events/s") -> Callable[[Figures], Sequence[float]]:
    return _ratio("throughput", value, (case, "tandem"), (case, over))


def _growth(
    topic: str, value: str, most: str | None = None, least: str | None = None
) -> Callable[[Figures], Sequence[float]]:
    """Return the ratio of a value at the greatest case of a topic to that at the least, or at those named."""

    def found(figures: Figures) -> Sequence[float]:
        cases = sorted(figures.cases(topic), key=int)
        if not cases:
            return []
        return _ratio(topic, value, (most or cases[-1], "tandem"), (least or cases[0], "tandem"))(figures)

    return found


ROWS: Final = (
    Row("events/s over the plain design: batches of 100, 500 athletes, history 150", "at least", 6, 15,
        _speed(BATCHES)),
    Row("the same, every event from another athlete", "at least", 3, 6, _speed(OTHERS)),
    Row("the same, history 1,500", "at least", 20, 60, _speed(LONG)),
    Row("over the improved plain design, history 150", "at least", 2.5, 5, _speed(BATCHES, "improved")),
    Row("single POSTs, history 150", "at least", 2, 4, _speed(SINGLE)),
    Row("POST to webhook at 20/s over the plain design, p50", "at most", 1.3, 0.9,
        _ratio("latency", "p50 ms", ("20/s", "tandem"), ("20/s", "plain"))),
    Row("POST to webhook at 20/s over the plain design, p99", "at most", 1.3, 0.9,
        _ratio("latency", "p99 ms", ("20/s", "tandem"), ("20/s", "plain"))),
    Row("cost of an event, after {history} over 15 events of history", "at most", 1.3, 1.05,
        _growth("growth: history", "CPU ms an event")),
    Row("cost of an event, among {athletes} over 100 athletes", "at most", 1.5, 1.1,
        _growth("growth: athletes", "CPU ms an event")),
    Row("throughput, 2 over 1 rules workers while a core is free: 500 rules", "at least", 1.7, 1.95,
        _growth(BUSY_WORKERS, "events/s", "2", "1")),
    Row("CPU seconds per 1,000 events over the plain design, history 150", "at most", 0.2, 0.08,
        _speed(BATCHES, value="CPU s per 1,000")),
    Row("idle CPU of the whole tree, % of a core", "at most", 2, 0.5,
        lambda figures: figures.rounds("footprint", "tandem up", "tandem", "idle % of a core"), "%"),
)  # fmt: skip


def named(row: Row, figures: Figures) -> str:
    """Return what a row is about, with the greatest history and club that were measured."""
    most = {
        name: max((int(case) for case in figures.cases(f"growth: {name}")), default=0)
        for name in ("history", "athletes")
    }
    return row.what.format(**{name: f"{number:,}" for name, number in most.items()})
