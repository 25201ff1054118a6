from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.engine.calendar import Calendar
from shared.contracts.athletes import ZoneChange
from tests.rules.engine.diary import at


def in_zone(name: str) -> Calendar:
    return Calendar([ZoneChange(None, name)])


@pytest.mark.parametrize(
    ("zone", "day", "clock", "due"),
    [
        ("Europe/Berlin", "2026-03-02", "20:30", "2026-03-02T19:30"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00"),  # skipped: 02:00 becomes 03:00
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),  # twice: the first
        ("America/New_York", "2026-03-08", "02:15", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30"),  # half an hour is skipped
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),  # and comes twice
        ("Africa/Casablanca", "2026-02-15", "02:30", "2026-02-15T01:30"),  # Ramadan: an hour back
        ("Africa/Casablanca", "2026-03-22", "02:30", "2026-03-22T02:00"),  # and forward again
        ("America/Nuuk", "2026-03-28", "23:30", "2026-03-29T01:00"),  # the gap runs to midnight: due after it
        ("Pacific/Apia", "2011-12-29", "23:00", "2011-12-30T09:00"),
        ("Pacific/Apia", "2011-12-31", "00:00", "2011-12-30T10:00"),
    ],
)
def test_a_local_time_is_the_instant_at_which_clocks_first_show_or_pass_it(
    zone: str, day: str, clock: str, due: str
) -> None:
    assert in_zone(zone).instant(date.fromisoformat(day), time.fromisoformat(clock)) == at(due)


def test_a_day_that_the_date_line_took_out_has_no_instant() -> None:
    assert in_zone("Pacific/Apia").instant(date(2011, 12, 30), time(20, 30)) is None


def test_a_journey_east_over_the_evening_makes_its_time_due_on_arrival() -> None:
    calendar = Calendar(
        [ZoneChange(None, "America/New_York"), ZoneChange(at("2026-06-01T23:00Z"), "Europe/Berlin")]
    )
    assert calendar.instant(date(2026, 6, 1), time(20, 30)) == at("2026-06-01T23:00Z")
    assert calendar.instant(date(2026, 6, 2), time(20, 30)) == at("2026-06-02T18:30Z")


def test_a_journey_that_begins_at_the_time_leaves_it_due_then() -> None:
    calendar = Calendar(
        [ZoneChange(None, "Europe/Berlin"), ZoneChange(at("2026-03-19T01:30Z"), "Pacific/Apia")]
    )
    assert calendar.instant(date(2026, 3, 19), time(2, 30)) == at("2026-03-19T01:30Z")


def test_a_time_that_a_journey_west_repeats_is_due_the_first_time() -> None:
    calendar = Calendar(
        [ZoneChange(None, "Europe/Berlin"), ZoneChange(at("2026-06-01T20:00Z"), "America/New_York")]
    )
    assert calendar.instant(date(2026, 6, 1), time(20, 30)) == at("2026-06-01T18:30Z")


def test_the_day_of_an_instant_is_that_of_the_zone_in_force_then() -> None:
    calendar = Calendar(
        [ZoneChange(None, "Pacific/Auckland"), ZoneChange(at("2026-06-01T12:00Z"), "Pacific/Honolulu")]
    )
    assert calendar.day(at("2026-06-01T11:59Z")) == date(2026, 6, 1)
    assert calendar.day(at("2026-06-01T12:00Z")) == date(2026, 6, 1)
    assert calendar.day(at("2026-05-31T12:00Z")) == date(2026, 6, 1)
    assert calendar.day(at("2026-06-02T09:00Z")) == date(2026, 6, 1)
    assert calendar.timezone(at("2026-06-01T12:00Z")) == "Pacific/Honolulu"


def test_the_zones_of_a_span_are_those_in_force_from_its_first_instant_to_its_last() -> None:
    berlin, tokyo, berlin_again = (
        ZoneChange(None, "Europe/Berlin"),
        ZoneChange(at("2026-06-01T12:00Z"), "Asia/Tokyo"),
        ZoneChange(at("2026-06-09T12:00Z"), "Europe/Berlin"),
    )
    calendar = Calendar([berlin, tokyo, berlin_again])
    assert calendar.zones(at("2026-05-01T00:00Z"), at("2026-06-01T11:59Z")) == (berlin,)
    assert calendar.zones(at("2026-05-01T00:00Z"), at("2026-06-01T12:00Z")) == (berlin, tokyo)
    assert calendar.zones(at("2026-06-01T12:00Z"), at("2026-06-30T00:00Z")) == (tokyo, berlin_again)


zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca",
     "Pacific/Honolulu", "Asia/Kathmandu", "America/Nuuk"]
)  # fmt: skip
minutes = st.integers(0, 60 * 24 * 20).map(lambda n: datetime(2026, 3, 20, tzinfo=UTC) + timedelta(minutes=n))


@st.composite
def journeys(draw: st.DrawFn) -> Calendar:
    since = sorted(draw(st.lists(minutes, max_size=3, unique=True)))
    return Calendar([ZoneChange(instant, draw(zones)) for instant in [None, *since]])


@given(journeys(), st.integers(0, 18), st.times().map(lambda t: t.replace(second=0, microsecond=0)))
def test_clocks_show_the_time_at_its_instant_or_have_just_jumped_over_it(
    calendar: Calendar, offset: int, clock: time
) -> None:
    day = date(2026, 3, 21) + timedelta(days=offset)
    wall = datetime.combine(day, clock)
    instant = calendar.instant(day, clock)
    if instant is None:
        # Only a journey over the date line takes a whole day out.
        start = datetime.combine(day, time(), UTC) - timedelta(hours=26)
        assert day not in {calendar.day(start + timedelta(minutes=15 * n)) for n in range(4 * 76)}
        return
    shown = calendar.local(instant).replace(tzinfo=None)
    before = calendar.local(instant - timedelta(milliseconds=1)).replace(tzinfo=None)
    assert shown == wall or before < wall < shown


@given(journeys(), st.times().map(lambda t: t.replace(second=0, microsecond=0)))
def test_days_follow_one_another(calendar: Calendar, clock: time) -> None:
    days = [date(2026, 3, 21) + timedelta(days=n) for n in range(18)]
    dues = [due for day in days if (due := calendar.instant(day, clock)) is not None]
    assert dues == sorted(dues)


@given(zones, st.lists(minutes, min_size=1, max_size=30))
def test_the_day_is_that_of_the_local_clock_whatever_was_asked_before(
    zone: str, asked: list[datetime]
) -> None:
    calendar = in_zone(zone)
    for instant in asked:
        day = calendar.day(instant)
        assert day == calendar.local(instant).date()
        assert calendar.start_of(day) <= instant < calendar.start_of(day + timedelta(days=1))
