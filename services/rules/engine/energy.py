"""What a day or week of food and training adds up to: the energy model, each formula with its source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.rules.engine.anchors import Due
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Bound, Record
from shared.contracts.athletes import Athlete
from shared.contracts.events import ENDURANCE_ACTIVITIES, Event, Value

_DAY = timedelta(days=1)
_SLACK = timedelta(days=2)

EVERYDAY_FACTOR = {"sedentary": 1.2, "light": 1.3, "moderate": 1.4, "high": 1.55}
"""Everyday energy, training apart, as a multiple of resting energy (convention)."""
DEFAULT_EVERYDAY = "light"
"""Assumed where the profile does not say."""
LOAD_WITHOUT_RPE = {"easy": 3.0, "moderate": 5.0, "hard": 7.0, "sprint": 9.0}
"""CR-10 ratings that stand for an intensity when no RPE was given."""
RUN_KCAL_PER_KG_KM = 1.0
"""Net cost of running (ACSM running equation: 0.2 mL O2 per kg and m at 5 kcal per L)."""
PLAUSIBLE_RUN_KCAL_PER_KG_KM = (0.6, 1.6)
JOGGING_MET = 7.5
RUN_MET = {"easy": JOGGING_MET, "moderate": 9.3, "hard": 11.0, "sprint": 12.0}
"""Jogging, and running at 6-6.3, 7 and 8 mph: what an intensity stands for (Herrmann 2024, J Sport Health Sci 13:6)."""
ACTIVITY_MET = {
    "strength": 3.5, "run": JOGGING_MET, "ride": 6.8, "swim": 5.8, "row": 5.0, "walk": 3.8, "hike": 5.3,
    "class": 5.0, "other": 4.0,
}  # fmt: skip
"""An activity as such (Compendium; strength is 8-15 repetitions)."""
STRENGTH_MET = {"easy": 3.5, "moderate": 3.5, "hard": 6.0, "sprint": 6.0}
PLAUSIBLE_INTAKE = 0.8
"""A diary with at least this multiple of resting energy counts as whole when nobody closed the day."""


@dataclass(frozen=True, slots=True)
class SessionEnergy:
    """Net energy of one session (kcal, resting energy left out) and how it was found."""

    kcal: float
    method: str


def resting_kcal(athlete: Athlete, year: int) -> float | None:
    """Return resting energy (kcal/d), or None without mass, height and birth year.

    10 kg + 6.25 cm - 5 years + 5 (male) or - 161 (female); sex unknown: the mean of both.
    Mifflin 1990, Am J Clin Nutr 51:241.
    """
    if athlete.body_mass_kg is None or athlete.height_cm is None or athlete.birth_year is None:
        return None
    sex = {"male": 5.0, "female": -161.0}.get(athlete.sex or "", -78.0)
    return 10 * athlete.body_mass_kg + 6.25 * athlete.height_cm - 5 * (year - athlete.birth_year) + sex


def session_energy(event: Event, athlete: Athlete) -> SessionEnergy | None:
    """Return a session's net energy by the best of: measured and plausible, distance, pace MET, activity MET.

    Net = (MET - 1) x kg x h. A measured figure is a device's gross one, so one MET of rest is taken off it.
    None without body mass, except for a measured figure, which then stands as it is.
    """
    hours = float(event.data["duration_s"]) / 3600
    activity = str(event.data["activity"])
    mass = athlete.body_mass_kg
    km = float(event.data.get("distance_m") or 0) / 1000
    measured = event.data.get("energy_kcal")
    if mass is None:
        return None if measured is None else SessionEnergy(float(measured), "measured")
    if measured is not None:
        net = max(0.0, float(measured) - mass * hours)
        low, high = PLAUSIBLE_RUN_KCAL_PER_KG_KM
        if activity != "run" or not km or low <= float(measured) / (mass * km) <= high:
            return SessionEnergy(net, "measured")
    if activity == "run" and km:
        return SessionEnergy(RUN_KCAL_PER_KG_KM * mass * km, "distance")
    intensity = str(event.data.get("intensity") or "")
    method = "pace MET" if activity == "run" and intensity else "activity MET"
    return SessionEnergy((_met(activity, intensity) - 1) * mass * hours, method)


def session_load(event: Event) -> float | None:
    """Return CR-10 RPE x minutes (Foster 2001, J Strength Cond Res 15:109); None without RPE and intensity."""
    rpe = event.data.get("rpe")
    if rpe is None:
        rpe = LOAD_WITHOUT_RPE.get(str(event.data.get("intensity") or ""))
    return None if rpe is None else float(rpe) * float(event.data["duration_s"]) / 60


def day_record(timeline: Timeline, athlete: Athlete, due: Due) -> Record:
    """Return `day`: the anchor's local day as the timeline shows it so far."""
    return Record("day", _sums(timeline, athlete, [due.day], due))


def week_record(timeline: Timeline, athlete: Athlete, due: Due) -> Record:
    """Return `week`: the anchor's local ISO week up to its day; energy out counts those days alone."""
    monday = due.day - _DAY * due.day.weekday()
    return Record(
        "week", _sums(timeline, athlete, [monday + _DAY * n for n in range(due.day.weekday() + 1)], due)
    )


def _sums(timeline: Timeline, athlete: Athlete, days: Sequence[date], due: Due) -> dict[str, Bound]:
    meals = _on(timeline, "meal.logged", days, due)
    sessions = _on(timeline, "workout.completed", days, due)
    intake = _total(meal.data.get("energy_kcal") for meal in meals)
    fields: dict[str, Bound] = {
        "energy_in_kcal": intake,
        "protein_g": _total(meal.data.get("protein_g") for meal in meals),
        "fluid_ml": _total(meal.data.get("fluid_ml") for meal in meals),
        "session_load": _total(session_load(session) for session in sessions),
        "sessions": float(len(sessions)),
        "strength_sessions": float(sum(session.data["activity"] == "strength" for session in sessions)),
        "endurance_sessions": float(
            sum(session.data["activity"] in ENDURANCE_ACTIVITIES for session in sessions)
        ),
    }
    resting = resting_kcal(athlete, due.day.year)
    energies = [session_energy(session, athlete) for session in sessions]
    training = None if None in energies else sum(each.kcal for each in energies if each)
    if training is not None and (athlete.body_mass_kg is not None or sessions):
        fields["training_kcal"] = float(training)
    if resting is not None:
        fields["resting_kcal"] = resting * len(days)
        if training is not None:
            factor = EVERYDAY_FACTOR[athlete.everyday_activity or DEFAULT_EVERYDAY]
            out = resting * factor * len(days) + training
            fields |= {"energy_out_kcal": out, "balance_kcal": intake - out}
    complete = [_complete(timeline, day, meals, resting, due) for day in days]
    if False in complete:
        fields["nutrition_complete"] = False
    elif None not in complete:
        fields["nutrition_complete"] = True
    return fields


def _complete(
    timeline: Timeline, day: date, meals: Sequence[Event], resting: float | None, due: Due
) -> bool | None:
    """Whether the day's diary is whole: as it was closed, else by plausible intake; None when that cannot be told."""
    closings = [
        event
        for event in timeline.starting("day.closed", due.start - _DAY * 9, due.start + _DAY * 9)
        if event.data["date"] == day.isoformat()
    ]
    if closings:
        return bool(closings[-1].data["nutrition_complete"])
    if resting is None:
        return None
    intake = _total(meal.data.get("energy_kcal") for meal in meals if timeline.day(meal) == day)
    return intake >= PLAUSIBLE_INTAKE * resting


def _on(timeline: Timeline, kind: str, days: Sequence[date], due: Due) -> list[Event]:
    since = due.start - (due.day - days[0]) - _SLACK
    near = timeline.starting(kind, since, due.start + _SLACK)
    return [event for event in near if days[0] <= timeline.day(event) <= days[-1]]


def _met(activity: str, intensity: str) -> float:
    by_intensity = {"strength": STRENGTH_MET, "run": RUN_MET}.get(activity, {})
    return by_intensity.get(intensity, ACTIVITY_MET[activity])


def _total(values: Iterable[Value]) -> float:
    """Return the sum of the numbers that are there; an absent field counts as nothing."""
    return float(sum(value for value in values if value is not None))
