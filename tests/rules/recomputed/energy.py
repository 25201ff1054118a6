"""What rest, everyday life and training take, reckoned by hand from what the profile and the sessions say."""

from shared.contracts.events import Event
from tests.rules.recomputed.evidence import Evidence, minutes

METS = {
    "strength": 3.5, "run": 7.5, "ride": 6.8, "swim": 5.8, "row": 5, "walk": 3.8, "hike": 5.3, "class": 5, "other": 4,
}  # fmt: skip
HARDER = {
    ("strength", "hard"): 6, ("strength", "sprint"): 6, ("run", "moderate"): 9.3, ("run", "hard"): 11,
    ("run", "sprint"): 12,
}  # fmt: skip


def load_of(event: Event) -> float:
    """CR-10 times minutes."""
    meant = {"easy": 3, "moderate": 5, "hard": 7, "sprint": 9}
    rating = event.data.get("rpe", meant.get(event.data.get("intensity", "")))
    return 0.0 if rating is None else float(rating) * minutes(event)


def resting(e: Evidence) -> float:
    """Mifflin's equation, kcal a day."""
    sex = {"male": 5, "female": -161}.get(e.profile("sex"), -78)
    age = e.day.year - float(e.profile("birth_year"))
    return 10 * float(e.profile("body_mass_kg")) + 6.25 * float(e.profile("height_cm")) - 5 * age + sex


def everyday(e: Evidence) -> float:
    factor = {"sedentary": 1.2, "light": 1.3, "moderate": 1.4, "high": 1.55}
    return resting(e) * factor[e.profile("everyday_activity") or "light"]


def believed(kcal_per_kg: float, hours: float, km: float) -> bool:
    """Whether a device's figure can be: 1 to 23 MET, and 0.6 to 1.6 kcal per kg and km of a run."""
    if not hours or not 1 <= kcal_per_kg / hours <= 23:
        return False
    return not km or 0.6 <= kcal_per_kg / km <= 1.6


def trained(e: Evidence, sessions: list[Event]) -> float:
    """Net kcal: what a device measured, less rest; else a kcal per kg and km; else by MET."""
    mass, sum_of = float(e.profile("body_mass_kg")), 0.0
    for session in sessions:
        data, hours = session.data, minutes(session) / 60
        km = data.get("distance_m", 0) / 1000 if data["activity"] == "run" else 0
        if not 3 * hours <= km <= 24 * hours:
            km = 0
        measured = data.get("energy_kcal")
        if measured is not None and believed(measured / mass, hours, km):
            sum_of += measured - mass * hours
        elif km:
            sum_of += mass * km
        else:
            met = HARDER.get((data["activity"], data.get("intensity", "")), METS[data["activity"]])
            sum_of += (met - 1) * mass * hours
    return sum_of
