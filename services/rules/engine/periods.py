"""What the anchor's day, and its week so far, add up to: food, training, their balance, and what they rest on."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum

from services.rules.engine.calendar import midnight
from services.rules.engine.energy import (
    PLAUSIBLE_INTAKE,
    SessionEnergy,
    everyday_kcal,
    resting_kcal,
    session_energy,
    session_load,
)
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Bound, Record
from shared.contracts.athletes import Athlete
from shared.contracts.events import ENDURANCE_ACTIVITIES, Event, Value

_DAY = timedelta(days=1)
_NOTED_EARLY = timedelta(days=2)
"""A day is closed on it or after it; no zone is further from UTC than this."""

PERIOD_TYPES = ("meal.logged", "workout.completed", "day.closed")
"""The event types that a period is made of."""

_FROM_MEALS = frozenset({"energy_in_kcal", "balance_kcal", "protein_g", "fluid_ml", "nutrition_complete"})
_FROM_TRAINING = frozenset({"training_kcal", "energy_out_kcal", "balance_kcal"})
_FROM_SESSIONS = _FROM_TRAINING | {"session_load", "sessions", "strength_sessions", "endurance_sessions"}
_EVERYDAY = frozenset({"energy_out_kcal", "balance_kcal"})
_FROM_RESTING = _EVERYDAY | {"resting_kcal", "nutrition_complete"}
_FROM_MASS = _FROM_RESTING | _FROM_TRAINING


@dataclass(frozen=True, slots=True)
class Period:
    """`day` or `week` as rules read it, the events behind it, and how the sessions' energy was found."""

    record: Record
    meals: Sequence[Event]
    sessions: Sequence[Event]
    closings: Sequence[Event]
    methods: str
    athlete: Athlete

    def behind(self, fields: Collection[str]) -> Iterator[Event]:
        """Yield the events that the named fields rest on."""
        if not _FROM_MEALS.isdisjoint(fields):
            yield from self.meals
        if not _FROM_SESSIONS.isdisjoint(fields):
            yield from self.sessions
        if "nutrition_complete" in fields:
            yield from self.closings

    def training_method(self, fields: Collection[str]) -> str | None:
        """Return how the energy of the sessions was found, where the named fields rest on it."""
        return self.methods if self.methods and not _FROM_TRAINING.isdisjoint(fields) else None

    def profile(self, fields: Collection[str]) -> dict[str, Value]:
        """Return what the named fields take from the profile, by its names there: absent is absent."""
        rests_on = {
            "body_mass_kg": _FROM_MASS, "height_cm": _FROM_RESTING, "birth_year": _FROM_RESTING,
            "sex": _FROM_RESTING, "everyday_activity": _EVERYDAY,
        }  # fmt: skip
        found = {
            name: getattr(self.athlete, name) for name, of in rests_on.items() if not of.isdisjoint(fields)
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(slots=True)
class Periods:
    """The periods of one athlete's timeline; each is added up once, however many rules ask."""

    timeline: Timeline
    athlete: Athlete
    _known: dict[tuple[str, date], Period]

    def of(self, kind: str, day: date) -> Period:
        """Return the `day`, or the ISO `week` up to and with it, of a local day."""
        found = self._known.get((kind, day))
        if found is None:
            since = day if kind == "day" else day - _DAY * day.weekday()
            found = self._known[kind, day] = _period(kind, self.timeline, self.athlete, since, day)
        return found


def periods(timeline: Timeline, athlete: Athlete) -> Periods:
    """Return the periods of `athlete`, none of them added up yet."""
    return Periods(timeline, athlete, {})


def _period(kind: str, timeline: Timeline, athlete: Athlete, first: date, last: date) -> Period:
    meals = timeline.on("meal.logged", first, last)
    sessions = timeline.on("workout.completed", first, last)
    closings = _closings(timeline, first, last)
    activities = [session.data["activity"] for session in sessions]
    intake = _total(meal.data.get("energy_kcal") for meal in meals)
    fields: dict[str, Bound] = {
        "energy_in_kcal": intake,
        "protein_g": _total(meal.data.get("protein_g") for meal in meals),
        "fluid_ml": _total(meal.data.get("fluid_ml") for meal in meals),
        "session_load": _total(session_load(session) for session in sessions),
        "sessions": float(len(activities)),
        "strength_sessions": float(activities.count("strength")),
        "endurance_sessions": float(sum(activity in ENDURANCE_ACTIVITIES for activity in activities)),
    }
    days = [first + _DAY * n for n in range((last - first).days + 1)]
    energies = _energies(sessions, athlete)
    training = None if energies is None else _total(energy.kcal for energy in energies)
    if training is not None:
        fields["training_kcal"] = training
    resting = resting_kcal(athlete, last.year)
    if resting is not None and training is not None:
        out = everyday_kcal(athlete, resting) * len(days) + training
        fields |= {
            "resting_kcal": resting * len(days), "energy_out_kcal": out, "balance_kcal": intake - out,
        }  # fmt: skip
    whole = [_whole(timeline, day, meals, closings, resting) for day in days]
    if False in whole:
        fields["nutrition_complete"] = False
    elif None not in whole:
        fields["nutrition_complete"] = True
    methods = ", ".join(sorted({energy.method for energy in energies or ()}))
    return Period(Record(kind, fields), meals, sessions, closings, methods, athlete)


def _energies(sessions: Sequence[Event], athlete: Athlete) -> list[SessionEnergy] | None:
    """Return each session's energy; None where the profile has no mass, even for no sessions at all."""
    if athlete.body_mass_kg is None:
        return None
    energies = (session_energy(session, athlete) for session in sessions)
    return [energy for energy in energies if energy is not None]


def _closings(timeline: Timeline, first: date, last: date) -> list[Event]:
    """Return the notes that close the days `first` to `last`, whenever they were made, in timeline order."""
    noted = timeline.since("day.closed", midnight(first) - _NOTED_EARLY)
    return [event for event in noted if first.isoformat() <= event.data["date"] <= last.isoformat()]


def _whole(
    timeline: Timeline, day: date, meals: Iterable[Event], closings: Iterable[Event], resting: float | None
) -> bool | None:
    """Whether the day's diary is whole: as it was last closed, else by plausible intake; None when none can tell."""
    said = [event.data["nutrition_complete"] for event in closings if event.data["date"] == day.isoformat()]
    if said:
        return bool(said[-1])
    if resting is None:
        return None
    eaten = _total(meal.data.get("energy_kcal") for meal in meals if timeline.day(meal) == day)
    return eaten >= PLAUSIBLE_INTAKE * resting


def _total(values: Iterable[Value]) -> float:
    """Return the sum of the numbers that are there; an absent one counts as nothing."""
    return fsum(value for value in values if value is not None)
