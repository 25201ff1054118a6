"""The evidence is enough for a full diary, too: ten events a day, sessions stored set by set, a journey in the week."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from services.rules.engine.advise import advise
from services.rules.engine.calendar import Calendar
from services.rules.language.model import Generation
from shared.contracts.advice import Advice
from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import Event
from tests.rules.engine.diary import ANN, at, event, lift, meal, run
from tests.rules.recomputed.evidence import evidence_of
from tests.rules.recomputed.reckoning import RULE_SET, assert_reckoned_again

SUNDAY, DAYS, A_DAY = date(2026, 3, 8), 35, 10
TRAVELLER = replace(
    ANN,
    zones=(
        ZoneChange(None, "Europe/Berlin"),
        ZoneChange(at("2026-03-04T15:00Z"), "Pacific/Auckland"),
        ZoneChange(at("2026-03-07T03:00Z"), "America/Los_Angeles"),
    ),
)
FOUR_OF_THE_WEEK = {"weekly-summary", "sustained-deficit", "low-energy-availability", "load-jump"}


def eats_and_trains(athlete: Athlete) -> Iterator[Event]:
    """Yield ten events a day: a check-in, six meals that are too little, a lift, a run, and the day's end."""
    for day, clock in days(athlete):
        yield event("checkin.recorded", clock(7), sleep_h=6.4)
        for hour in (6, 8, 10, 12, 15, 19):
            yield meal(clock(hour), 250 + hour, id=f"meal {day} {hour}", protein_g=10.0 + hour)
        hard = {"rpe": 8.0} if (SUNDAY - day).days < 7 else {"rpe": 3.0}
        yield lift(clock(16), 50, id=f"lift {day}", **hard)
        yield run(clock(18), 35, id=f"run {day}", distance_m=6000.0, **hard)
        yield event("day.closed", clock(20), date=day.isoformat(), nutrition_complete=True)


def stores_each_set(athlete: Athlete) -> Iterator[Event]:
    """Yield ten sessions a day, as devices have them that store each exercise as a session of its own."""
    for day, clock in days(athlete):
        rpe = 9.0 if (SUNDAY - day).days < 7 else 4.0
        for number in range(A_DAY):
            yield lift(clock(8) + timedelta(minutes=20 * number), 16, rpe=rpe)


def days(athlete: Athlete) -> Iterator[tuple[date, "Clock"]]:
    for number in reversed(range(DAYS)):
        day = SUNDAY - timedelta(days=number)
        yield day, Clock(Calendar(athlete.zones), day)


class Clock:
    """The instants of one local day."""

    def __init__(self, calendar: Calendar, day: date) -> None:
        self._calendar, self._day = calendar, day

    def __call__(self, hour: int) -> datetime:
        found = self._calendar.instant(self._day, time(hour))
        assert found is not None
        return found


def said(athlete: Athlete, events: list[Event]) -> Iterator[Advice]:
    """Yield what holds on the last evening, muted or not."""
    now = Clock(Calendar(athlete.zones), SUNDAY)(21)
    for verdict in advise((Generation(None, RULE_SET),), athlete, events, now).verdicts:
        if verdict.advice is not None:
            yield verdict.advice


@pytest.mark.parametrize("athlete", [ANN, TRAVELLER], ids=["at home", "on a journey"])
@pytest.mark.parametrize(
    ("diary", "spoken"),
    [(eats_and_trains, FOUR_OF_THE_WEEK), (stores_each_set, {"load-jump", "weekly-summary"})],
)
def test_what_is_said_of_a_full_diary_is_reckoned_again_from_its_evidence(
    athlete: Athlete, diary: Callable[[Athlete], Iterator[Event]], spoken: set[str]
) -> None:
    events = list(diary(athlete))
    posted = {(each.key, each.revision): each for each in events}
    assert len(posted) == DAYS * A_DAY
    told = {advice.rule: advice for advice in said(athlete, events)}
    assert spoken <= set(told)
    for advice in told.values():
        assert advice.because.left_out == 0
        assert_reckoned_again(advice, evidence_of(advice, posted), athlete.zones[-1].timezone)
