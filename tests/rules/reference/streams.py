"""How an athlete's month comes in: events late and in groups, a profile that changes, and looks in between."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import Event
from tests.rules.reference.evaluator import DAY, QUARTER, Life

MONTHS = {
    "Europe/Berlin": datetime(2026, 3, 16, tzinfo=UTC),
    "America/New_York": datetime(2026, 10, 20, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 18, tzinfo=UTC),  # the 30th of December was left out there
    "Australia/Lord_Howe": datetime(2026, 3, 25, tzinfo=UTC),  # clocks move by half an hour
}
ZONES = (*MONTHS, "UTC", "Pacific/Honolulu", "Asia/Kathmandu")
LENGTH = timedelta(days=21)
TYPES = ("workout.completed", "workout.planned", "meal.logged", "checkin.recorded")

CHANGES: tuple[dict[str, Any], ...] = (
    {"body_mass_kg": 55}, {"body_mass_kg": 65}, {"body_mass_kg": 95}, {"body_mass_kg": None}, {"height_cm": None},
    {"goal": "build_muscle"}, {"goal": "lose_fat"}, {"sex": "female", "birth_year": 1990, "height_cm": 170},
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """An instant, what has arrived by then, and the athlete as known then."""

    now: datetime
    arrived: tuple[Event, ...]
    life: Life


@dataclass(frozen=True)
class Month:
    """An athlete's looks, in the order of time; each knows all that those before it knew."""

    looks: tuple[Look, ...]


@st.composite
def arrivals(draw: st.DrawFn, start: datetime) -> tuple[Event, ...]:
    """Return events of three weeks in any order: repeated, revised, deleted, also before they arrive."""
    known: list[Event] = []
    for number in range(draw(st.integers(0, 18))):
        event = draw(_event(start, number))
        known.append(event)
        fate = draw(st.sampled_from(["once", "once", "once", "twice", "revised", "deleted"]))
        if fate == "twice":
            known.append(event)
        elif fate == "revised":
            other = draw(_event(start, number))
            known.append(replace(other, source=event.source, revision=1))
        elif fate == "deleted":
            data = {"event_id": event.id}
            known.append(
                Event(event.source, f"gone-{number}", "event.deleted", event.start, event.start, data)
            )
    return tuple(draw(st.permutations(known)))


@st.composite
def _event(draw: st.DrawFn, start: datetime, number: int) -> Event:
    begins = start + QUARTER * draw(st.integers(0, LENGTH // QUARTER))
    source, name = draw(st.sampled_from(["a", "b"])), f"e{number}"
    kind = draw(st.sampled_from([*TYPES, "workout.completed", "meal.logged", "day.closed"]))
    if kind.startswith("workout"):
        minutes = draw(st.sampled_from([0, 30, 60, 90, 26 * 60]))
        data: dict[str, object] = {
            "activity": draw(st.sampled_from(["strength", "run", "walk"])), "duration_s": minutes * 60,
        }  # fmt: skip
        data |= draw(st.sampled_from([{}, {"rpe": 8}, {"rpe": 3}, {"intensity": "hard"}]))
        if kind == "workout.completed":
            data |= draw(st.sampled_from([{}, {}, {"plan_id": "e0"}, {"plan_id": "e1"}, {"plan_id": "e2"}]))
        return Event(source, name, kind, begins, begins + timedelta(minutes=minutes), data)
    if kind == "meal.logged":
        data = {
            "energy_kcal": draw(st.sampled_from([200, 700, 1800])),
            "time_precision": draw(st.sampled_from(["exact", "exact", "exact", "slot", "day"])),
        }
        return Event(source, name, kind, begins, begins, data)
    if kind == "checkin.recorded":
        return Event(source, name, kind, begins, begins, {"fatigue": 5})
    day = (begins - DAY * draw(st.integers(0, 1))).date()
    return Event(
        source,
        name,
        kind,
        begins,
        begins,
        {"date": day.isoformat(), "nutrition_complete": draw(st.booleans())},
    )


@st.composite
def profiles(draw: st.DrawFn, home: str) -> list[tuple[datetime, Athlete]]:
    """Return the profile with the instants from which it was so: the athlete travels, and tells of it then or before.

    Journeys go over a night in which clocks or dates jump at home. Mass, goal and the like come, change and go.
    """
    start = MONTHS[home]
    journeys = sorted(draw(st.lists(st.integers(0, LENGTH // QUARTER), max_size=2, unique=True)))
    zones = [ZoneChange(start + QUARTER * n, draw(st.sampled_from(ZONES))) for n in journeys]
    athlete = Athlete("clb", "ann", (ZoneChange(None, home),))
    if draw(st.booleans()):
        athlete = replace(athlete, sex="male", birth_year=1990, height_cm=170, body_mass_kg=65)
    if draw(st.booleans()):
        return [(start, replace(athlete, zones=(*athlete.zones, *zones)))]
    news: list[tuple[datetime, dict[str, Any]]] = [(zone.since or start, {"zones": zone}) for zone in zones]
    later = draw(st.lists(st.integers(0, LENGTH // QUARTER), max_size=3))
    news += [(start + QUARTER * number, draw(st.sampled_from(CHANGES))) for number in later]
    known = [(start, athlete)]
    for since, change in sorted(news, key=lambda each: each[0]):
        changed = dict(change)
        if "zones" in changed:
            changed["zones"] = (*athlete.zones, changed["zones"])
        athlete = replace(athlete, **changed)
        known.append((since, athlete))
    return known


@st.composite
def months(draw: st.DrawFn, home: str) -> Month:
    """Return a month with up to eight looks at it; some come shortly after another, or with nothing new."""
    start = MONTHS[home]
    known = draw(profiles(home))
    lives: list[tuple[datetime, Life]] = []
    for since, athlete in known:
        if lives and lives[-1][1].athlete.zones == athlete.zones:
            lives.append((since, replace(lives[-1][1], athlete=athlete)))  # the same calendar, reckoned once
        else:
            lives.append((since, Life(athlete, start - DAY * 14, start + LENGTH + DAY * 14)))
    events = draw(arrivals(start))
    instants = set(draw(st.lists(st.integers(0, (LENGTH + DAY * 4) // QUARTER), min_size=1, max_size=6)))
    again = draw(st.sets(st.sampled_from(sorted(instants)), max_size=2))
    instants |= {instant + draw(st.integers(1, 12)) for instant in sorted(again)}
    sizes = st.one_of(st.just(len(events)), st.integers(0, len(events)))
    arrived = sorted(draw(sizes) for _ in instants)
    looks = []
    for instant, count in zip(sorted(instants), arrived, strict=True):
        now = start + QUARTER * instant
        looks.append(Look(now, events[:count], [life for since, life in lives if since <= now][-1]))
    return Month(tuple(looks))
