"""What is kept of a digest between evaluations is what was made of the events, whatever their numbers are."""

from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.digests import made, opened
from services.rules.engine.digest import Column, Layout, column, digested
from services.rules.language.model import choice_of
from shared.contracts.events import Event
from shared.contracts.instants import to_ms
from tests.rules.engine.diary import at, meal, run

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
    return [column.base + start for start in column.starts], numbers


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


def test_which_plans_were_taken_is_kept_too() -> None:
    looking = replace(LAYOUT, plans=True)
    events = [run(UNTIL - timedelta(days=days), plan_id=f"plan {days}") for days in (9, 2)]
    kept = opened(looking, made(looking, None, events, {}, UNTIL))
    assert kept.taken == {f"plan {days}": to_ms(UNTIL - timedelta(days=days)) for days in (9, 2)}
    assert opened(LAYOUT, made(LAYOUT, None, events, {}, UNTIL)).taken == {}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([], "b"),
        ([0.0, 127.0, -127.0], "b"),
        ([128.0], "h"),
        ([-32_767.0, 1.0], "h"),
        ([32_768.0], "i"),
        ([2.0**31 - 1], "i"),
        ([2.0**31], "d"),
        ([1.5, 2.0], "d"),
        ([nan, 2.0], "d"),
    ],
)
def test_numbers_are_kept_in_as_few_bytes_as_hold_them_all(values: list[float], kept: str) -> None:
    found = column(range(len(values)), {"load": array("d", values)}).numbers["load"]
    assert found.typecode == kept
    assert [each for each in found if not isnan(each)] == [each for each in values if not isnan(each)]


@pytest.mark.parametrize(("days", "kept"), [(0, "I"), (49, "I"), (50, "q"), (9_000, "q")])
def test_starts_are_kept_as_so_many_milliseconds_after_the_first(days: int, kept: str) -> None:
    first = 1_700_000_000_000
    last = first + days * 86_400_000
    found = column([first, last], {})
    assert found.starts.typecode == kept
    assert [found.base + start for start in found.starts] == [first, last]
    assert [found.before(first), found.before(last + 1), found.before(0)] == [0, 2, 0]
