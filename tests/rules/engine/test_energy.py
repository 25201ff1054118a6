from dataclasses import replace
from datetime import date

import pytest

from services.rules.engine.calendar import Calendar
from services.rules.engine.energy import resting_kcal, session_energy, session_load
from services.rules.engine.periods import Period, periods
from services.rules.engine.timeline import Timeline
from shared.contracts.athletes import Athlete, Sex
from shared.contracts.events import Event
from tests.rules.engine.diary import ANN, at, event, lift, meal, run, workout

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))


def period(kind: str, day: date, events: list[Event], athlete: Athlete = ANN) -> Period:
    timeline = Timeline(events, Calendar(athlete.zones), at("2026-03-10"))
    return periods(timeline, athlete).of(kind, day)


def closed(day: str, noted: str, *, whole: bool) -> Event:
    return event("day.closed", noted, date=day, nutrition_complete=whole)


@pytest.mark.parametrize(
    ("sex", "expected"),
    [("male", 1780.0), ("female", 1614.0), (None, 1697.0)],  # 800 + 1125 - 150, and + 5, - 161, - 78
)
def test_resting_energy_is_mifflins(sex: Sex | None, expected: float) -> None:
    assert resting_kcal(replace(ANN, sex=sex), 2026) == expected


@pytest.mark.parametrize(
    "athlete",
    [replace(ANN, body_mass_kg=None), replace(ANN, height_cm=None), replace(ANN, birth_year=None)],
)
def test_resting_energy_is_absent_when_any_part_of_the_profile_is(athlete: Athlete) -> None:
    assert resting_kcal(athlete, 2026) is None


@pytest.mark.parametrize(
    ("session", "kcal", "method"),
    [
        # 80 kg: an hour of rest is 80 kcal, a kilometre run 80 kcal.
        (run("2026-03-02", 60, distance_m=10_000.0), 800.0, "distance"),
        (run("2026-03-02", 60, distance_m=10_000.0, energy_kcal=900.0), 820.0, "measured"),
        (run("2026-03-02", 60, distance_m=10_000.0, energy_kcal=479.0), 800.0, "distance"),  # under 0.6 a kg and km
        (run("2026-03-02", 60, distance_m=10_000.0, energy_kcal=480.0), 400.0, "measured"),
        (run("2026-03-02", 60, distance_m=10_000.0, energy_kcal=1281.0), 800.0, "distance"),  # over 1.6
        (run("2026-03-02", 60, energy_kcal=700.0), 620.0, "measured"),
        (run("2026-03-02", 60, energy_kcal=70.0), 520.0, "activity MET"),  # less than rest
        (run("2026-03-02", 60, distance_m=3_000.0), 240.0, "distance"),  # the slowest pace that is believed
        (run("2026-03-02", 60, distance_m=24_000.0), 1920.0, "distance"),  # and the fastest
        (run("2026-03-02", 60, distance_m=10.0), 520.0, "activity MET"),  # kilometres, probably
        (run("2026-03-02", 60), 520.0, "activity MET"),  # jogging, 7.5
        (run("2026-03-02", 30, intensity="hard"), 400.0, "pace MET"),  # 7 mph, 11.0
        (run("2026-03-02", 30, intensity="sprint"), 440.0, "pace MET"),  # 8 mph, 12.0
        (run("2026-03-02", 30, intensity="easy"), 260.0, "pace MET"),  # jogging
        (run("2026-03-02", 30, intensity="moderate"), 332.0, "pace MET"),  # 6 mph, 9.3
        (lift("2026-03-02", 60), 200.0, "activity MET"),
        (lift("2026-03-02", 60, intensity="easy"), 200.0, "activity MET"),
        (lift("2026-03-02", 60, intensity="moderate"), 200.0, "activity MET"),
        (lift("2026-03-02", 60, intensity="hard"), 400.0, "activity MET"),
        (lift("2026-03-02", 60, intensity="sprint"), 400.0, "activity MET"),
        (workout("swim", "2026-03-02", 30), 192.0, "activity MET"),
        (workout("row", "2026-03-02", 60), 320.0, "activity MET"),
        (workout("class", "2026-03-02", 60), 320.0, "activity MET"),
        (workout("walk", "2026-03-02", 60), 224.0, "activity MET"),
        (workout("hike", "2026-03-02", 60), 344.0, "activity MET"),
        (workout("other", "2026-03-02", 60), 240.0, "activity MET"),
        (workout("ride", "2026-03-02", 60, distance_m=30_000.0), 464.0, "activity MET"),
        (workout("ride", "2026-03-02", 60, energy_kcal=5000.0), 464.0, "activity MET"),  # 62 MET
        (run("2026-03-02", 0, energy_kcal=50.0), 0.0, "activity MET"),
    ],
)  # fmt: skip
def test_a_session_burns_by_the_best_of_what_is_known(session: Event, kcal: float, method: str) -> None:
    found = session_energy(session, ANN)
    assert found is not None
    assert found.method == method
    assert found.kcal == pytest.approx(kcal)


def test_without_body_mass_no_session_has_an_energy() -> None:
    assert session_energy(run("2026-03-02", energy_kcal=300.0), replace(ANN, body_mass_kg=None)) is None


@pytest.mark.parametrize(
    ("given", "load"),
    [
        ({"rpe": 7.0}, 420.0),
        ({"rpe": 0.0, "intensity": "hard"}, 0.0),
        ({"intensity": "easy"}, 180.0),
        ({"intensity": "moderate"}, 300.0),
        ({"intensity": "hard"}, 420.0),
        ({"intensity": "sprint"}, 540.0),
        ({}, None),
    ],
)
def test_session_load_is_rpe_times_minutes_or_what_the_intensity_stands_for(
    given: dict[str, object], load: float | None
) -> None:
    assert session_load(lift("2026-03-02", 60, **given)) == load


def test_a_day_adds_up_food_and_training() -> None:
    found = period(
        "day",
        MONDAY,
        [
            meal("2026-03-02T08:00", 700, protein_g=30.0),
            meal("2026-03-02T12:00", 900, protein_g=45.0, fluid_ml=500.0),
            meal("2026-03-03T12:00", 999),
            lift("2026-03-02T16:00", 60, rpe=8.0),
            run("2026-03-02T18:00", 30, distance_m=5000.0, intensity="easy"),
            workout("class", "2026-03-02T20:00", 30),
        ],
    )
    # Resting 1780, light everyday life 1.3; strength 200, run 400, class (5 - 1) x 80 x 0.5 = 160.
    assert found.record.fields == {
        "energy_in_kcal": 1600.0,
        "protein_g": 75.0,
        "fluid_ml": 500.0,
        "session_load": 480.0 + 90.0,
        "sessions": 3.0,
        "strength_sessions": 1.0,
        "endurance_sessions": 1.0,
        "training_kcal": pytest.approx(760.0),
        "resting_kcal": 1780.0,
        "energy_out_kcal": pytest.approx(1780 * 1.3 + 760),
        "balance_kcal": pytest.approx(1600 - 1780 * 1.3 - 760),
        "nutrition_complete": True,  # 1600 is over 0.8 x 1780
    }
    assert found.methods == "activity MET, distance"


def test_what_needs_the_profile_is_absent_without_it() -> None:
    bare = Athlete("clb_1", "bo")
    found = period(
        "day", MONDAY, [meal("2026-03-02T08:00"), lift("2026-03-02T16:00", energy_kcal=300.0)], bare
    )
    assert found.record.fields.keys() == {
        "energy_in_kcal", "protein_g", "fluid_ml", "session_load", "sessions", "strength_sessions",
        "endurance_sessions",
    }  # fmt: skip


def test_a_week_adds_up_its_days_so_far() -> None:
    events = [
        meal("2026-03-01T12:00", 5000),  # Sunday
        *(meal(f"2026-03-0{day}T12:00", 2000) for day in (2, 3, 4, 5)),
        lift("2026-03-03T16:00", 60),
    ]
    fields = period("week", WEDNESDAY, events).record.fields
    assert fields["energy_in_kcal"] == 6000
    assert fields["resting_kcal"] == 3 * 1780
    assert fields["energy_out_kcal"] == pytest.approx(3 * 1780 * 1.3 + 200)
    assert fields["nutrition_complete"] is True


def test_everyday_activity_sets_the_factor() -> None:
    fields = period("day", MONDAY, [], replace(ANN, everyday_activity="high")).record.fields
    assert fields["energy_out_kcal"] == pytest.approx(1780 * 1.55)


@pytest.mark.parametrize(
    ("events", "complete"),
    [
        ([], False),  # nothing was eaten, says the diary: then it is not whole
        ([meal("2026-03-02T12:00", 1424)], True),
        ([meal("2026-03-02T12:00", 1423)], False),
        ([closed("2026-03-02", "2026-03-02T22:00", whole=True)], True),
        ([meal("2026-03-02T12:00", 3000), closed("2026-03-02", "2026-03-03T07:00", whole=False)], False),
        (
            [
                closed("2026-03-02", "2026-03-02T22:00", whole=False),
                closed("2026-03-02", "2026-03-08T22:00", whole=True),
            ],
            True,
        ),
    ],
)
def test_a_diary_is_whole_as_it_was_last_closed_or_by_plausible_intake(
    events: list[Event], complete: object
) -> None:
    assert period("day", MONDAY, events).record.fields["nutrition_complete"] is complete


def test_whether_an_open_diary_is_whole_is_unknown_without_a_profile() -> None:
    bare = Athlete("clb_1", "bo")
    assert (
        "nutrition_complete"
        not in period("day", MONDAY, [meal("2026-03-02T12:00", 9000)], bare).record.fields
    )
    shut = closed("2026-03-02", "2026-03-02T22:00", whole=True)
    assert period("day", MONDAY, [shut], bare).record.fields["nutrition_complete"] is True


def test_a_week_is_whole_when_each_of_its_days_so_far_is() -> None:
    shut = [closed(f"2026-03-0{day}", f"2026-03-0{day}T22:00", whole=True) for day in (2, 3)]
    assert period("week", TUESDAY, shut).record.fields["nutrition_complete"] is True
    assert period("week", WEDNESDAY, shut).record.fields["nutrition_complete"] is False


def test_a_period_rests_on_the_events_of_the_fields_that_are_read() -> None:
    food, session = meal("2026-03-02T12:00"), lift("2026-03-02T16:00")
    shut = closed("2026-03-02", "2026-03-02T22:00", whole=True)
    found = period("day", MONDAY, [food, session, shut])
    assert list(found.behind(["protein_g"])) == [food]
    assert list(found.behind(["session_load"])) == [session]
    assert list(found.behind(["balance_kcal"])) == [food, session]
    assert list(found.behind(["nutrition_complete"])) == [food, shut]
    assert found.training_method(["balance_kcal"]) == "activity MET"
    assert found.training_method(["protein_g"]) is None
