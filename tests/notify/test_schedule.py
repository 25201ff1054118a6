"""When a delivery is tried is a pure function of instants, zones and its own name."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.schedule import ATTEMPTS, JITTER, after_quiet_hours, next_attempt, slot
from shared.contracts.athletes import QuietHours
from shared.contracts.subscriptions import Schedule

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_schedule_is_the_promised_one() -> None:
    minutes = [offset.total_seconds() / 60 for offset in ATTEMPTS]
    assert minutes == [0, 5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440]


@given(name=st.text(max_size=20), made=st.integers(1, 9), late=st.integers(0, 10**6))
def test_an_attempt_is_never_early_and_at_most_a_tenth_of_its_step_late(
    name: str, made: int, late: int
) -> None:
    due = next_attempt(name, NOW, made, NOW)
    assert due is not None
    step = ATTEMPTS[made] - ATTEMPTS[made - 1]
    assert NOW + ATTEMPTS[made] <= due <= NOW + ATTEMPTS[made] + step * JITTER
    assert due == next_attempt(name, NOW, made, NOW)
    overdue = NOW + timedelta(seconds=late)
    again = next_attempt(name, NOW, made, overdue)
    assert again is not None
    assert again >= overdue


def test_endpoints_that_failed_together_are_not_tried_together() -> None:
    assert len({next_attempt(f"dlv_{number}", NOW, 3, NOW) for number in range(50)}) == 50


def test_after_ten_attempts_there_is_none() -> None:
    assert next_attempt("dlv_1", NOW, 10, NOW) is None


def test_a_wish_to_wait_delays_an_attempt_and_never_hastens_it() -> None:
    assert next_attempt("dlv_1", NOW, 1, NOW, timedelta(hours=3)) == NOW + timedelta(hours=3)
    assert next_attempt("dlv_1", NOW, 3, NOW, timedelta(seconds=1)) == next_attempt("dlv_1", NOW, 3, NOW)
    assert next_attempt("dlv_1", NOW, 1, NOW, timedelta(days=900)) == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("schedule", "zone", "now", "due"),
    [
        (Schedule(), "UTC", "2026-03-02T12:30Z", "2026-03-02T12:30Z"),
        (Schedule("hourly"), "UTC", "2026-03-02T12:30Z", "2026-03-02T13:00Z"),
        (Schedule("hourly"), "UTC", "2026-03-02T13:00Z", "2026-03-02T14:00Z"),
        (Schedule("daily", time(18)), "Europe/Berlin", "2026-03-02T12:30Z", "2026-03-02T17:00Z"),
        (Schedule("daily", time(18)), "Europe/Berlin", "2026-03-02T17:00Z", "2026-03-03T17:00Z"),
        # The clocks go forward on 29 March 2026: 18:00 is an hour earlier in UTC from then on.
        (Schedule("daily", time(18)), "Europe/Berlin", "2026-03-28T17:30Z", "2026-03-29T16:00Z"),
        # 02:30 is skipped that night, and due after the gap.
        (Schedule("daily", time(2, 30)), "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:30Z"),
        # On 25 October it occurs twice, and is due at the first.
        (Schedule("daily", time(2, 30)), "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        (Schedule("daily", time(2, 30)), "Europe/Berlin", "2026-10-25T00:45Z", "2026-10-26T01:30Z"),
        (Schedule("daily", time(0, 0)), "Pacific/Auckland", "2026-03-02T12:30Z", "2026-03-03T11:00Z"),
    ],
)
def test_a_digest_is_due_at_its_next_slot(schedule: Schedule, zone: str, now: str, due: str) -> None:
    assert slot(schedule, zone, at(now)) == at(due)


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    hour=st.times(),
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_a_daily_slot_lies_ahead_and_within_a_day_and_an_hour(now: datetime, hour: time, zone: str) -> None:
    due = slot(Schedule("daily", hour.replace(second=0, microsecond=0)), zone, now)
    assert now < due <= now + timedelta(hours=25)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (("22:00", "07:00"), "2026-03-02T23:30+01:00", "2026-03-03T07:00+01:00"),
        (("22:00", "07:00"), "2026-03-03T06:59+01:00", "2026-03-03T07:00+01:00"),
        (("22:00", "07:00"), "2026-03-03T07:00+01:00", "2026-03-03T07:00+01:00"),
        (("22:00", "07:00"), "2026-03-02T21:59+01:00", "2026-03-02T21:59+01:00"),
        (("13:00", "14:00"), "2026-03-02T13:00+01:00", "2026-03-02T14:00+01:00"),
        (("07:00", "07:00"), "2026-03-02T07:00+01:00", "2026-03-02T07:00+01:00"),
        # The night in which the clocks go forward ends at seven all the same.
        (("22:00", "07:00"), "2026-03-28T23:30+01:00", "2026-03-29T07:00+02:00"),
        # An end that is skipped comes after the gap.
        (("22:00", "02:30"), "2026-03-28T23:30+01:00", "2026-03-29T03:30+02:00"),
    ],
)
def test_quiet_hours_last_until_their_local_end(quiet: tuple[str, str], now: str, until: str) -> None:
    hours = QuietHours(time.fromisoformat(quiet[0]), time.fromisoformat(quiet[1]))
    assert after_quiet_hours(hours, "Europe/Berlin", at(now)) == at(until)


def test_without_quiet_hours_nothing_waits() -> None:
    assert after_quiet_hours(None, "Europe/Berlin", NOW) == NOW
