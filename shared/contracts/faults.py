"""What is wrong with a piece of input: the field, what was found in it, and what is allowed instead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_MAX_FOUND = 80
_UNITS = {
    "s": "seconds",
    "h": "hours",
    "m": "metres",
    "cm": "centimetres",
    "kg": "kilograms",
    "g": "grams",
    "ml": "millilitres",
    "kcal": "kilocalories",
    "bpm": "beats a minute",
    "c": "degrees Celsius",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. `found` is None when nothing was there; texts in it are safe to print and to encode."""

    field: str
    message: str
    found: bool | float | int | str | None = None


class InvalidError(Exception):
    """The input breaks the contract; `faults` lists every way in which it does."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def preview(value: object) -> bool | float | int | str | None:
    """Return `value` as an error may show it: short, and without lone surrogates or control characters."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (int, float)):
        return value if abs(value) < 1e15 else printable(str(value))  # noqa: PLR2004 - beyond, JSON readers differ
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence):
        return f"a list of {len(value)}"
    return printable(str(value))


def printable(text: str) -> str:
    """Return `text` cut to a line's worth, with what cannot be printed escaped."""
    cut = text if len(text) <= _MAX_FOUND else f"{text[:_MAX_FOUND]}... ({len(text)} characters)"
    if cut.isprintable():
        return cut
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii", "replace")
        for char in cut
    )


def nearest(name: str, known: Sequence[str]) -> str:
    """Return ": did you mean ...?" for the known name that `name` was most likely meant to be, or an empty text.

    A name with another unit, or with none, means the field of that stem: `distance_km` and `distance` both
    mean `distance_m`.
    """
    stem = name.rpartition("_")[0]
    for candidate in known:
        owner, _, unit = candidate.rpartition("_")
        if owner and unit in _UNITS and owner in {stem, name}:
            return f": did you mean {candidate} ({_UNITS[unit]})?"
    folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name.casefold()[:_MAX_FOUND], list(folded), n=1)
    return f": did you mean {folded[close[0]]}?" if close else ""
