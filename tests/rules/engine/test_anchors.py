"""Anchors for time are found once for all who live in one zone; that changes none of them."""

from dataclasses import replace
from datetime import datetime, time

from hypothesis import given
from hypothesis import strategies as st

from services.rules.engine.anchors import anchors
from services.rules.engine.calendar import Calendar
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Daily, Weekly
from shared.contracts.athletes import ZoneChange
from tests.rules.engine.diary import at
from tests.rules.engine.random_months import ZONES, instants
from tests.rules.engine.rulebooks import hours, rule

clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
timed = st.builds(Daily, clocks) | st.builds(Weekly, st.integers(1, 7), clocks)


@given(
    timed,
    st.sampled_from([2, 24, 100]),
    st.sampled_from([0, 1]),
    st.lists(st.tuples(st.sampled_from(ZONES), instants()), min_size=2, max_size=8),
)
def test_anchors_for_time_hang_on_nobody_who_was_asked_about_before(
    anchor: Daily | Weekly, expires: int, settle: int, asked: list[tuple[str, datetime]]
) -> None:
    kept = rule("r", anchor, expires=hours(expires), settle=hours(settle))
    for zone, now in asked:
        timeline = Timeline([], Calendar([ZoneChange(None, zone)]), now)
        assert list(anchors(kept, timeline, now)) == list(anchors(replace(kept), timeline, now))


def test_the_next_anchor_is_found_from_the_very_instant_at_which_the_last_one_opens_or_closes() -> None:
    evening = rule("r", Daily(time(20)), expires=hours(4), settle=hours(1))
    calendar = Calendar([ZoneChange(None, "UTC")])

    def found(instant: str) -> list[datetime]:
        now = at(instant)
        return [due.due for due in anchors(evening, Timeline([], calendar, now), now)]

    second, third, fourth = (at(f"2026-03-0{day}T20:00Z") for day in (2, 3, 4))
    assert found("2026-03-02T20:59Z") == [second]
    assert found("2026-03-02T21:00Z") == [second, third]
    assert found("2026-03-02T23:59Z") == [second, third]
    assert found("2026-03-03T00:00Z") == [third]
    assert found("2026-03-02T20:59Z") == [second]
    assert found("2026-03-03T21:00Z") == [third, fourth]
