"""How a cost grows with a size: the exponent of the power that fits best."""

import math
import statistics
from collections.abc import Sequence


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the least-squares slope of log(cost) over log(size): 0 is flat, 1 grows as the size does."""
    xs, ys = ([math.log(number) for number in each] for each in zip(*points, strict=True))
    return statistics.linear_regression(xs, ys).slope
