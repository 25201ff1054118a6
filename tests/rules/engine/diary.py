"""An athlete and the events of a diary, as short as a test wants to say them."""

from datetime import UTC, datetime, timedelta

from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import Event, Value

BERLIN = (ZoneChange(None, "Europe/Berlin"),)
ANN = Athlete(
    club="clb_1",
    id="ann",
    zones=BERLIN,
    goal="build_muscle",
    sex="male",
    birth_year=1996,
    height_cm=180,
    body_mass_kg=80,
)


def at(text: str) -> datetime:
    """Return the UTC instant of an ISO text; without an offset it is UTC."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def event(kind: str, start: str | datetime, /, id: str | None = None, **data: Value) -> Event:  # noqa: A002 - its name
    """Return an event; `source` and `revision` in `data` are the event's own."""
    begins = at(start) if isinstance(start, str) else start
    source, revision = data.pop("source", "app"), data.pop("revision", 0)
    ends = begins + timedelta(seconds=data.get("duration_s", 0))
    return Event(source, id or f"{kind} {begins.isoformat()}", kind, begins, ends, data, revision)


def workout(activity: str, start: str | datetime, minutes: float = 60, **data: Value) -> Event:
    """Return a completed session."""
    return event("workout.completed", start, activity=activity, duration_s=minutes * 60.0, **data)


def lift(start: str | datetime, minutes: float = 60, **data: Value) -> Event:
    """Return a strength session."""
    return workout("strength", start, minutes, **data)


def run(start: str | datetime, minutes: float = 30, **data: Value) -> Event:
    """Return a run."""
    return workout("run", start, minutes, **data)


def plan(activity: str, start: str | datetime, minutes: float = 60, **data: Value) -> Event:
    """Return a planned session."""
    return event("workout.planned", start, activity=activity, duration_s=minutes * 60.0, **data)


def meal(start: str | datetime, kcal: float = 600, **data: Value) -> Event:
    """Return a meal, its time exact unless the data say otherwise."""
    return event("meal.logged", start, **{"energy_kcal": float(kcal), "time_precision": "exact", **data})
