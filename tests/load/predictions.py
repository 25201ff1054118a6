"""Does the model say what was measured? Its costs and waits from all points, and for each point how far it is off."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tests.load.cases import LATENCY
from tests.load.figures import Figures
from tests.load.fitting import Fitted, fit, fit_to, play, predicted
from tests.load.played import Played, Point, cores, play_paced, points
from tests.load.workload import Workload

_PACES: Final = {"20/s": None, "half of saturation": 0.5, "90 % of saturation": 0.9}
_HISTORY: Final = 150
_MOST_OTHERS, _STEP = 4.0, 0.25
_HOP_MS: Final = 2.0
"""Where latency was not measured: one hop of Celery beyond its CPU time, on a quiet machine."""


@dataclass(frozen=True, slots=True)
class Model:
    """What the model makes of the figures.

    `others` is how many processes that are no part of Tandem's were at work on the same cores, by the measured drains:
    what measures, and whatever else the machine did. `hop_ms` is a wake-up's way beyond CPU time, by the measured
    latency of an idle Tandem.
    """

    points: tuple[Point, ...]
    played: tuple[Played, ...]
    fitted: Fitted
    others: float
    hop_ms: float
    cores: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """A point's CPU ms an event as measured and as foretold, and as foretold when the point itself was left out.

    `rate` and `foretold_rate` are events a second, for points that were timed.
    """

    name: str
    cpu: float
    foretold: float
    left_out: float
    rate: float | None
    foretold_rate: float | None


@dataclass(frozen=True, slots=True)
class Delay:
    """POST to message received at a pace, in ms: (p50, p99) as measured and as foretold."""

    name: str
    measured: tuple[float, float]
    foretold: tuple[float, float]


def model(figures: Figures) -> Model:
    """Return the model that fits the figures; they must hold throughput, growth by history and by workers."""
    found = points(figures)
    fitted, _ = fit(found)
    others = _others([each for each in found if each.drains], fitted)
    fitted, played = fit(found, others)
    on = cores(figures)
    hop = _HOP_MS
    idle = figures.spread(LATENCY, "idle", "tandem", "p50 ms")
    if idle is not None:
        heard = play_paced(_one_by_one(), 0, 0.0, on, fitted.after(_HISTORY), others).heard_ms
        hop = max(0.0, (idle.median - statistics.median(heard)) / 2)
    return Model(tuple(found), tuple(played), fitted, others, hop, on)


def _others(drains: Sequence[Point], fitted: Fitted) -> float:
    """Return how many others at work explain best how quickly workers drained what had piled up."""

    def off(others: float) -> float:
        pairs = zip(drains, play(drains, fitted, others), strict=True)
        return math.fsum(math.log(played.rate / point.rate) ** 2 for point, played in pairs if point.rate)

    return min((step * _STEP for step in range(int(_MOST_OTHERS / _STEP))), key=off)


def predictions(found: Model) -> Iterator[Prediction]:
    """Yield how far the model is off at each point."""
    for number, (point, played) in enumerate(zip(found.points, found.played, strict=True)):
        others = [each for place, each in enumerate(found.points) if place != number]
        theirs = [each for place, each in enumerate(found.played) if place != number]
        without = fit_to(others, theirs, found.fitted)
        [replayed] = play([point], without, found.others)
        yield Prediction(
            point.name,
            math.fsum(point.used.values()),
            math.fsum(predicted(part, point, played, found.fitted) for part in point.used),
            math.fsum(predicted(part, point, replayed, without) for part in point.used),
            point.rate,
            None if point.rate is None else played.rate,
        )


def delays(figures: Figures, found: Model) -> Iterator[Delay]:
    """Yield how far the model is off in time, for each pace that was measured; the idle one it is fitted to."""
    saturation = figures.spread(LATENCY, "saturation", "tandem", "requests/s")
    if saturation is None:
        return
    costs = found.fitted.after(_HISTORY)
    for name, share in _PACES.items():
        values = [figures.spread(LATENCY, name, "tandem", value) for value in ("p50 ms", "p99 ms")]
        if None in values:
            continue
        rate = 20.0 if share is None else saturation.median * share
        load = Workload(500, _HISTORY, 200 if share is None else int(rate * 4), datetime.now(UTC),
                        one_in=1 if share is None else 10)  # fmt: skip
        heard = play_paced(load, rate, found.hop_ms, found.cores, costs, found.others).heard_ms
        p50, p99 = (each.median for each in values if each is not None)
        yield Delay(name, (p50, p99), ranks(heard))


def ranks(took: Sequence[float]) -> tuple[float, float]:
    """Return p50 and p99 by the nearest rank."""
    ordered = sorted(took)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def _one_by_one() -> Workload:
    return Workload(20, _HISTORY, 20, datetime.now(UTC), one_in=1)
