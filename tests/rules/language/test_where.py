"""A `where` is refused exactly when no event could meet it."""

from datetime import UTC, datetime
from itertools import product

import pytest

from services.rules.engine.where import matches
from services.rules.language.documents import Place, read
from services.rules.language.faults import Fault
from services.rules.language.where import parse_where
from shared.contracts.events import Event

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SCORES = [half / 2 for half in range(21)]
"""The ends of what a score can be, and between any two whole numbers one that is neither."""
TWO = [
    f"{one}: {low}, {other}: {high}"
    for (one, other) in product(("gt", "gte", "ne"), ("lt", "lte"))
    for low, high in product((0, 1, 5, 9, 10), repeat=2)
]
ONE = [f"{operator}: {value}" for operator in ("gt", "gte", "lt", "lte") for value in (-1, 0, 10, 11)]
"""A bound may lie beyond a field's ends: above -1 is any score, and above 11 is none."""
THREE = [f"gte: {low}, ne: {middle}, lte: {high}" for low, middle, high in product((0, 5, 10), repeat=3)]


def event(kind: str, field: str, value: object) -> Event:
    return Event("a", "1", kind, NOW, NOW, {field: value})


@pytest.mark.parametrize("bounds", [*ONE, *TWO, *THREE])
def test_bounds_are_refused_exactly_when_no_score_meets_them(bounds: str) -> None:
    faults: list[Fault] = []
    where = parse_where(Place(read("f", f"{{rpe: {{{bounds}}}}}")), "workout.completed", faults)
    met = [score for score in SCORES if matches(where, event("workout.completed", "rpe", score))]
    assert bool(faults) == (not met), met


@pytest.mark.parametrize(
    ("bounds", "refused"),
    [
        ('gt: "2026-03-02", lt: "2026-03-01"', True),
        ('gte: "2026-03-02", lte: "2026-03-02"', False),
        ('gte: "2026-03-02"', False),
        ('ne: "2026-03-02"', False),
    ],
)
def test_dates_have_no_ends_of_their_own(bounds: str, refused: bool) -> None:  # noqa: FBT001 - a table's column
    faults: list[Fault] = []
    parse_where(Place(read("f", f"{{date: {{{bounds}}}}}")), "day.closed", faults)
    assert [fault.hint for fault in faults] == ["leave room between the bounds"] * refused


def test_the_ends_of_a_field_are_values_of_it() -> None:
    faults: list[Fault] = []
    parse_where(
        Place(read("f", "{rpe: [0, 10], temperature_c: {gte: -60, lte: 60}}")), "workout.completed", faults
    )
    assert not faults
