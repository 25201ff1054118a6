"""A day of two athletes under rules as a coach writes them: from the file's text to what they are told."""

from dataclasses import replace

import pytest

from services.rules.engine.advise import Evaluation, advise
from services.rules.language.load import SourceFile, load_sources
from services.rules.language.model import Generation, Rulebook
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event
from tests.rules.engine.diary import ANN, at, event, lift, meal, plan, run

RULES = """
pack: scenarios
version: 3
rules:
  - id: no-sprint-after-strength
    category: ordering
    severity: warning
    each: workout.completed
    where: {activity: run, intensity: [hard, sprint]}
    params: {min_gap_h: 6}
    facts:
      lift: {last: workout.completed, where: {activity: strength}, before: 24h}
      gap_h: hours(anchor.start - lift.end)
    when: lift.found && gap_h < params.min_gap_h
    advise:
      title: Keep the run after lifting relaxed
      message: You ran hard {{ gap_h | round(1) }} h after strength training.
    expires: 24h
    evidence: moderate
    sources: ["Robineau 2016, J Strength Cond Res 30:672"]

  - id: protein-after-strength
    category: supplement
    severity: suggestion
    each: workout.completed
    where: {activity: strength}
    delay: 2h
    params: {protein_g: 20}
    facts:
      protein_g: {sum: meal.logged.protein_g, after: 2h}
      shakes: {count: supplement.taken, where: {kind: [protein]}, after: 2h}
    when: protein_g < params.protein_g && shakes == 0
    advise:
      title: Some protein would fit now
      message: "{{ protein_g | round | int }} g since {{ anchor.end | clock }}."
    expires: 4h
    settle: 10m
    evidence: heuristic
    sources: [Schoenfeld 2017]

  - id: short-of-surplus
    category: surplus
    severity: suggestion
    daily: "20:30"
    supersedes: [protein-after-strength]
    requires: day.nutrition_complete
    facts:
      missing_kcal: 360 - day.balance_kcal
    when: athlete.goal == "build_muscle" && missing_kcal >= 150
    advise: {title: Eat more, message: "{{ missing_kcal | round | int }} kcal"}
    expires: 3h
    evidence: moderate
    sources: [Slater 2019]

  - id: lift-first
    category: ordering
    severity: suggestion
    each: workout.planned
    where: {activity: strength}
    facts:
      run: {last: workout.planned, where: {activity: run}, during: today}
    when: run.found && run.start < anchor.start
    advise: {title: Swap them, message: "Lift at {{ run.start | clock }}, run at {{ anchor.start | clock }}."}
    expires: 36h
    evidence: moderate
    sources: [Eddens 2018]

  - id: listen-to-body
    category: recovery
    severity: info
    weekly: {day: sunday, at: "18:00"}
    facts:
      worst: {max: checkin.recorded.fatigue, during: this_week}
    when: worst > 7
    advise: {title: Rest, message: "{{ worst | round | int }} of 10"}
    expires: 1d
    evidence: heuristic
    sources: [Garber 2011]
"""


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return (Generation(None, load_sources([SourceFile("scenarios.yaml", RULES, 0)])),)


def told(book: Rulebook, events: list[Event], now: str, athlete: Athlete = ANN) -> dict[str, str]:
    found = advise(book, athlete, events, at(now))
    assert found.faults == ()
    return {each.rule: each.message for each in found.active.values()}


def why(found: Evaluation, rule: str) -> tuple[str, str | None]:
    (verdict,) = (each for each in found.verdicts if each.rule.id == rule and each.outcome != "pending")
    return verdict.outcome, verdict.missing


def test_lifting_then_sprinting_without_food(book: Rulebook) -> None:
    events = [lift("2026-03-02T17:00+01:00"), run("2026-03-02T20:00+01:00", 20, intensity="sprint")]
    assert told(book, events, "2026-03-02T20:20+01:00") == {
        "no-sprint-after-strength": "You ran hard 2.0 h after strength training.",
        "protein-after-strength": "0 g since 18:00.",
    }


def test_a_shake_that_is_logged_late_takes_the_reminder_back(book: Rulebook) -> None:
    session = lift("2026-03-02T17:00+01:00")
    shake = event("supplement.taken", "2026-03-02T19:00+01:00", kind="protein", dose_g=30.0)
    assert "protein-after-strength" in told(book, [session], "2026-03-02T20:10+01:00")
    assert told(book, [session, shake], "2026-03-02T20:10+01:00") == {}


def test_the_reminder_is_silent_while_the_days_food_advice_is_open(book: Rulebook) -> None:
    events = [lift("2026-03-02T17:00+01:00"), meal("2026-03-02T12:00+01:00", 1500)]
    assert set(told(book, events, "2026-03-02T20:29+01:00")) == {"protein-after-strength"}
    # Resting 1780 x 1.3 + 200 for the session - 1500 eaten + 360 of surplus.
    assert told(book, events, "2026-03-02T20:30+01:00") == {"short-of-surplus": "1374 kcal"}
    assert set(told(book, events, "2026-03-02T23:30+01:00")) == {"protein-after-strength"}


def test_a_diary_that_stops_in_mid_day_says_nothing_of_a_deficit(book: Rulebook) -> None:
    found = advise(book, ANN, [meal("2026-03-02T08:00+01:00", 500)], at("2026-03-02T21:00+01:00"))
    assert why(found, "short-of-surplus") == ("insufficient_data", "day.nutrition_complete")


def test_without_a_profile_the_deficit_rule_is_silent_and_says_what_it_lacks(book: Rulebook) -> None:
    shut = event("day.closed", "2026-03-02T20:00+01:00", date="2026-03-02", nutrition_complete=True)
    unknown = replace(ANN, body_mass_kg=None)
    found = advise(book, unknown, [meal("2026-03-02T08:00+01:00", 500), shut], at("2026-03-02T21:00+01:00"))
    assert why(found, "short-of-surplus") == ("insufficient_data", "day.balance_kcal")


def test_a_plan_in_the_wrong_order_is_spoken_of_until_it_is_changed(book: Rulebook) -> None:
    running = plan("run", "2026-03-04T08:00+01:00", id="r")
    lifting = plan("strength", "2026-03-04T17:00+01:00", id="s")
    assert told(book, [running, lifting], "2026-03-03T04:59+01:00") == {}
    assert told(book, [running, lifting], "2026-03-03T05:00+01:00") == {
        "lift-first": "Lift at 08:00, run at 17:00."
    }
    moved = plan("run", "2026-03-04T19:00+01:00", id="r", revision=1)
    assert told(book, [moved, lifting], "2026-03-03T06:00+01:00") == {}


def test_the_worst_day_of_the_week_is_spoken_of_on_sunday(book: Rulebook) -> None:
    tired = event("checkin.recorded", "2026-03-04T07:00+01:00", fatigue=9.0)
    short = event("checkin.recorded", "2026-03-05T07:00+01:00", sleep_h=5.0)
    assert told(book, [tired, short], "2026-03-08T18:00+01:00") == {"listen-to-body": "9 of 10"}
    found = advise(book, ANN, [short], at("2026-03-08T18:00+01:00"))
    assert why(found, "listen-to-body") == ("insufficient_data", "checkin.recorded.fatigue")


def test_clubs_and_athletes_own_thresholds_count(book: Rulebook) -> None:
    events = [lift("2026-03-02T12:00+01:00"), run("2026-03-02T20:00+01:00", 20, intensity="hard")]
    assert "no-sprint-after-strength" not in told(book, events, "2026-03-02T21:00+01:00")
    careful = replace(ANN, params={"no-sprint-after-strength": {"min_gap_h": 8}})
    assert "no-sprint-after-strength" in told(book, events, "2026-03-02T21:00+01:00", careful)
