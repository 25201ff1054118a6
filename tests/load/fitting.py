"""What does each step cost, for the measured CPU times to come out? Least squares, no cost below zero.

How often each step was done the model says, and what it says hangs on the costs: they are fitted, played, and fitted
again. Each point counts by its relative error. What an evaluation costs hangs on the athlete's history; the rest
is the same everywhere. Sums are exact, so that every Python makes the same tables of the same figures.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.load.played import Played, Point
from tests.load.simulation import STEPS, Costs

OWNERS: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": ("request", "event"),
    "rules": ("wake_up", "round", "evaluation", "more_event"),
    "notify": ("send", "message"),
    "store": tuple(step for step in STEPS if step.startswith("store_")),
}
_FIRST: Final = Costs(0.5, 0.06, 0.5, 0.1, 0.7, 0.1, 0.5, 0.6, 0.05, 0.02, 0.05, 0.1, 0.1)
_TURNS: Final = 3
_SWEEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Fitted:
    """The costs, with an evaluation's by events of history."""

    costs: Costs
    evaluation: Mapping[int, float]

    def after(self, history: int) -> Costs:
        """Return the costs for athletes with so much history: between the measured ones in proportion."""
        known = sorted(self.evaluation)
        low = max((each for each in known if each <= history), default=known[0])
        high = min((each for each in known if each >= history), default=known[-1])
        share = (min(max(history, low), high) - low) / (high - low) if high > low else 0.0
        between = self.evaluation[low] * (1 - share) + self.evaluation[high] * share
        return replace(self.costs, evaluation=between)


def fit(points: Sequence[Point], others: float = 0.0) -> tuple[Fitted, list[Played]]:
    """Return the costs that fit, and how each point plays under them."""
    fitted = Fitted(_FIRST, {each.history: _FIRST.evaluation for each in points})
    for _ in range(_TURNS):
        played = play(points, fitted, others)
        fitted = fit_to(points, played, fitted)
    return fitted, play(points, fitted, others)


def play(points: Iterable[Point], fitted: Fitted, others: float) -> list[Played]:
    """Play each point under the costs."""
    return [each.play(fitted.after(each.history), others) for each in points]


def fit_to(points: Sequence[Point], played: Sequence[Played], known: Fitted) -> Fitted:
    """Return the costs that fit steps done so often; what no point tells of stays as it is known."""
    costs, evaluation = known.costs, dict(known.evaluation)
    for part, steps in OWNERS.items():
        names = [name for step in steps for name in _names(step, points)]
        rows = [
            [_done(name, point, each) / point.used[part] for name in names]
            for point, each in zip(points, played, strict=True)
            if point.used.get(part)
        ]
        for name, ms in zip(names, non_negative(rows), strict=True):
            if ms is None:
                continue
            if name.startswith("evaluation "):
                evaluation[int(name.split()[1])] = ms
            else:
                costs = replace(costs, **{name: ms})
    return Fitted(costs, evaluation)


def predicted(part: str, point: Point, played: Played, fitted: Fitted) -> float:
    """Return the CPU ms an event that a part uses."""
    costs = fitted.after(point.history)
    done = math.fsum(getattr(costs, step) * played.counts.of(step) for step in OWNERS[part])
    return done / played.counts.event


def non_negative(rows: Sequence[Sequence[float]]) -> list[float | None]:
    """Return x >= 0 that brings every row's sum nearest to 1; None for a column of nothing. By coordinate descent."""
    width = len(rows[0]) if rows else 0
    gram = [[math.fsum(row[i] * row[j] for row in rows) for j in range(width)] for i in range(width)]
    wanted = [math.fsum(row[i] for row in rows) for i in range(width)]
    found = [0.0] * width
    for _ in range(_SWEEPS):
        for i in range(width):
            if gram[i][i] > 0:
                others = math.fsum(gram[i][j] * found[j] for j in range(width)) - gram[i][i] * found[i]
                found[i] = max(0.0, (wanted[i] - others) / gram[i][i])
    return [ms if gram[i][i] > 0 else None for i, ms in enumerate(found)]


def _names(step: str, points: Sequence[Point]) -> list[str]:
    if step != "evaluation":
        return [step]
    return [f"evaluation {history}" for history in sorted({each.history for each in points})]


def _done(name: str, point: Point, played: Played) -> float:
    step, _, history = name.partition(" ")
    if history and int(history) != point.history:
        return 0.0
    return played.counts.of(step) / played.counts.event
