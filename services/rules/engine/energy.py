"""What a person and a session burn and how hard a session was: the energy model, each formula with its source."""

from dataclasses import dataclass

from shared.contracts.athletes import Athlete
from shared.contracts.events import Event

EVERYDAY_FACTOR = {"sedentary": 1.2, "light": 1.3, "moderate": 1.4, "high": 1.55}
"""Everyday energy, training apart, as a multiple of resting energy (convention)."""
DEFAULT_EVERYDAY = "light"
"""Assumed where the profile does not say."""
PLAUSIBLE_INTAKE = 0.8
"""A diary with at least this multiple of resting energy counts as whole when nobody closed the day."""
LOAD_WITHOUT_RPE = {"easy": 3.0, "moderate": 5.0, "hard": 7.0, "sprint": 9.0}
"""CR-10 ratings that stand for an intensity when no RPE was given."""

RUN_KCAL_PER_KG_KM = 1.0
"""Net cost of running (ACSM running equation: 0.2 mL O2 per kg and m at 5 kcal per L)."""
PLAUSIBLE_RUN_KCAL_PER_KG_KM = (0.6, 1.6)
"""A device's figure for a run outside of this is not believed."""
PLAUSIBLE_MET = (1.0, 23.0)
"""The same for any session (our own bounds): nobody trains below rest, or above the hardest entry of the Compendium."""
PLAUSIBLE_RUN_KM_H = (3.0, 24.0)
"""A distance that makes another pace (our own bounds) was typed in another unit, say, and is not believed."""

_JOGGING = 7.5
_MPH_6, _MPH_7, _MPH_8 = 9.3, 11.0, 12.0
MET = {
    "strength": {"": 3.5, "easy": 3.5, "moderate": 3.5, "hard": 6.0, "sprint": 6.0},
    "run": {"": _JOGGING, "easy": _JOGGING, "moderate": _MPH_6, "hard": _MPH_7, "sprint": _MPH_8},
    "ride": {"": 6.8},
    "swim": {"": 5.8},
    "row": {"": 5.0},
    "walk": {"": 3.8},
    "hike": {"": 5.3},
    "class": {"": 5.0},
    "other": {"": 4.0},
}
"""Metabolic equivalents by activity and intensity (Compendium: Herrmann 2024, J Sport Health Sci 13:6).

Strength is 8-15 repetitions, or vigorous. A run's intensity stands for jogging, 6-6.3, 7 and 8 mph.
"""


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


def everyday_kcal(athlete: Athlete, resting: float) -> float:
    """Return what a day without training burns (kcal/d)."""
    return resting * EVERYDAY_FACTOR[athlete.everyday_activity or DEFAULT_EVERYDAY]


def session_energy(event: Event, athlete: Athlete) -> SessionEnergy | None:
    """Return a session's net energy by the best of: measured and plausible, distance, pace MET, activity MET.

    Net = (MET - 1) x kg x h. A measured figure is a device's gross one, so rest (1 kcal per kg and h) is taken off.
    None without body mass, on which each of them hangs.
    """
    mass = athlete.body_mass_kg
    if mass is None:
        return None
    hours = float(event.data["duration_s"]) / 3600
    activity = str(event.data["activity"])
    km = _run_km(event, hours) if activity == "run" else None
    measured = event.data.get("energy_kcal")
    if measured is not None and _plausible(float(measured), mass, hours, km):
        return SessionEnergy(float(measured) - mass * hours, "measured")
    if km is not None:
        return SessionEnergy(RUN_KCAL_PER_KG_KM * mass * km, "distance")
    mets = MET[activity]
    intensity = str(event.data.get("intensity", ""))
    method = "pace MET" if activity == "run" and intensity else "activity MET"
    return SessionEnergy((mets.get(intensity, mets[""]) - 1) * mass * hours, method)


def session_load(event: Event) -> float | None:
    """Return CR-10 RPE x minutes (Foster 2001, J Strength Cond Res 15:109); None without RPE and intensity."""
    rpe = event.data.get("rpe", LOAD_WITHOUT_RPE.get(str(event.data.get("intensity"))))
    return None if rpe is None else float(rpe) * float(event.data["duration_s"]) / 60


def _run_km(event: Event, hours: float) -> float | None:
    """Return the distance of a run, if it was given and can have been run in the time."""
    km = float(event.data.get("distance_m", 0)) / 1000
    slowest, fastest = PLAUSIBLE_RUN_KM_H
    return km if km and slowest * hours <= km <= fastest * hours else None


def _plausible(kcal: float, mass: float, hours: float, km: float | None) -> bool:
    low, high = PLAUSIBLE_MET
    if not hours or not low <= kcal / (mass * hours) <= high:
        return False
    low, high = PLAUSIBLE_RUN_KCAL_PER_KG_KM
    return km is None or low <= kcal / (mass * km) <= high
