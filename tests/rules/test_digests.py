"""What is kept of a digest between evaluations is what was made of the events, whatever their numbers are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from services.rules.digests import made, opened
from services.rules.engine.digest import Column, Layout, digested
from services.rules.language.model import choice_of
from shared.contracts.events import Event
from tests.rules.engine.diary import at, meal

UNTIL = at("2026-03-14T00:00Z")
MEALS = choice_of("meal.logged", (), "any")
LAYOUT = Layout({MEALS: ("energy_kcal", "protein_g"), choice_of("checkin.recorded", (), "any"): ()}, "meals")
NOWHERE = datetime(2020, 1, 1, tzinfo=UTC)


@st.composite
def meals(draw: st.DrawFn) -> list[Event]:
    """Meals of a fortnight, with whatever numbers, or without."""
    numbers = st.one_of(st.none(), st.integers(0, 20_000), st.floats(0, 20_000))
    ages = draw(st.lists(st.integers(1, 14 * 24 * 3_600_000), max_size=30, unique=True))
    fields = [{"energy_kcal": draw(numbers), "protein_g": draw(numbers)} for _ in ages]
    return [
        replace(
            meal(UNTIL - timedelta(milliseconds=age), 1),
            data={name: value for name, value in given.items() if value is not None},
        )
        for age, given in zip(sorted(ages, reverse=True), fields, strict=True)
    ]


def shown(column: Column) -> tuple[list[int], dict[str, list[float | None]]]:
    numbers = {
        name: [None if isnan(each) else each for each in numbers] for name, numbers in column.numbers.items()
    }
    return list(column.starts), numbers


@given(meals(), st.integers(0, 14))
def test_a_digest_that_was_kept_and_grew_opens_as_one_made_of_all_events(
    events: list[Event], days: int
) -> None:
    middle = UNTIL - timedelta(days=days)
    whole = digested(LAYOUT, None, events, {"meal.logged": NOWHERE}, UNTIL)
    first = opened(LAYOUT, made(LAYOUT, None, events, {}, middle))
    rest = [each for each in events if each.start >= middle]
    found = opened(LAYOUT, made(LAYOUT, first, rest, {}, UNTIL))
    assert found.until == UNTIL
    assert found.extents == whole.extents
    assert {choice: shown(column) for choice, column in found.columns.items()} == {
        choice: shown(column) for choice, column in whole.columns.items()
    }
