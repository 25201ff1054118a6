"""How the shipped messages write numbers."""

import math


class Constant(str):
    """A number that the rule's text holds as it is."""

    __slots__ = ()


def whole(number: float) -> str:
    return str(round(number))


def tens(number: float) -> str:
    return str(round(number / 10) * 10)


def tenths(number: float) -> str:
    return f"{round(round(number * 10, 6)) / 10:.1f}"


def plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def floored(number: float) -> str:
    return f"{math.floor(number * 10) / 10:.1f}"


def gap_or_at_once(gap: float) -> list[str]:
    return [] if gap < 0.1 else [floored(gap)]
