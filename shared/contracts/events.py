"""What an event is: its types, their fields and units, and the frozen form that the rest of Tandem trusts.

`EVENT_TYPES` is the one definition of every event type. The wire schema (`event_schema`), the rule language's
typed names and the checker of `where` are all made from it, so a new type or field is added here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

Value: TypeAlias = Any  # a recursive alias, which the store's codec could not resolve at run time
"""What JSON can hold: bool, int, float, str, None, and lists and maps of these."""

FieldKind = Literal["number", "integer", "text", "flag", "date", "texts", "records"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's data: what it holds and which values are allowed (bounds are inclusive)."""

    kind: FieldKind
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    max_length: int = 200
    default: str | None = None
    records: Mapping[str, "Field"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type: its fields, how far ahead it may lie, and what it asks for beyond each field alone."""

    name: str
    fields: Mapping[str, Field]
    may_be_ahead: timedelta = timedelta(minutes=15)
    at_least_one: bool = False


ACTIVITIES = ("strength", "run", "ride", "swim", "row", "walk", "hike", "class", "other")
ENDURANCE_ACTIVITIES = ("run", "ride", "swim", "row", "walk", "hike")
INTENSITIES = ("easy", "moderate", "hard", "sprint")
MUSCLE_GROUPS = (
    "chest", "back", "shoulders", "arms", "core", "glutes", "thighs", "calves", "feet", "full_body",
)  # fmt: skip
MAX_DURATION = timedelta(hours=48)
"""The longest session; the engine's look-back relies on it."""
PLAN_HORIZON = timedelta(days=60)

_SETS = {
    "exercise": Field("text", required=True, max_length=100),
    "weight_kg": Field("number", minimum=0, maximum=1000),
    "reps": Field("integer", minimum=0, maximum=10_000),
    "rpe": Field("number", minimum=0, maximum=10),
}
_WORKOUT = {
    "activity": Field("text", required=True, choices=ACTIVITIES),
    "duration_s": Field("number", required=True, minimum=0, maximum=MAX_DURATION.total_seconds()),
    "intensity": Field("text", choices=INTENSITIES),
    "rpe": Field("number", minimum=0, maximum=10),
    "distance_m": Field("number", minimum=0, maximum=2_000_000),
    "energy_kcal": Field("number", minimum=0, maximum=50_000),
    "avg_hr_bpm": Field("number", minimum=20, maximum=260),
    "muscle_groups": Field("texts", choices=MUSCLE_GROUPS),
    "sets": Field("records", records=_SETS),
    "plan_id": Field("text", max_length=256),
    "temperature_c": Field("number", minimum=-60, maximum=60),
    "title": Field("text"),
}
_SCORE = Field("number", minimum=0, maximum=10)

EVENT_TYPES: Mapping[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType("workout.completed", _WORKOUT),
        EventType("workout.planned", _WORKOUT, may_be_ahead=PLAN_HORIZON),
        EventType(
            "meal.logged",
            {
                "energy_kcal": Field("number", required=True, minimum=0, maximum=20_000),
                "protein_g": Field("number", minimum=0, maximum=2_000),
                "carbs_g": Field("number", minimum=0, maximum=4_000),
                "fat_g": Field("number", minimum=0, maximum=2_000),
                "fibre_g": Field("number", minimum=0, maximum=1_000),
                "fluid_ml": Field("number", minimum=0, maximum=20_000),
                "name": Field("text"),
                "time_precision": Field("text", choices=("exact", "slot", "day"), default="exact"),
            },
        ),
        EventType(
            "day.closed",
            {"date": Field("date", required=True), "nutrition_complete": Field("flag", required=True)},
        ),
        EventType(
            "supplement.taken",
            {
                "kind": Field(
                    "text", required=True, choices=("protein", "bcaa", "creatine", "electrolytes", "other")
                ),
                "dose_g": Field("number", minimum=0, maximum=1_000),
            },
        ),
        EventType(
            "checkin.recorded",
            {
                "sleep_h": Field("number", minimum=0, maximum=24),
                "soreness": _SCORE,
                "fatigue": _SCORE,
                "stress": _SCORE,
                "pain": Field("text", choices=("none", "minor", "major")),
                "pain_area": Field("text"),
                "body_mass_kg": Field("number", minimum=20, maximum=400),
                "resting_hr_bpm": Field("number", minimum=20, maximum=200),
            },
            at_least_one=True,
        ),
        EventType("event.deleted", {"event_id": Field("text", required=True, max_length=256)}),
    )
}

TIMELINE_TYPES = tuple(name for name in EVENT_TYPES if name != "event.deleted")
"""The types that rules can see; a deletion acts on the timeline instead of lying on it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One revision of one event on an athlete's timeline.

    `start` and `end` are aware UTC instants in whole milliseconds; `end` is `start` plus `duration_s`, or `start`.
    `data` holds the fields of the type that were given, and only those: absent is absent, never zero.
    """

    source: str
    id: str
    type: str
    start: datetime
    end: datetime
    data: Mapping[str, Value]
    revision: int = 0

    @property
    def key(self) -> str:
        """Name of the event within its club, and of the anchor that it makes."""
        return event_key(self.source, self.id)

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Ties go by start, then source, then id."""
        return (self.start, self.source, self.id)


@dataclass(frozen=True, slots=True)
class Change:
    """A place on a timeline at which something came, went or became something else: the event's type, start and key."""

    type: str
    start: datetime
    key: str


def event_key(source: str, event_id: str) -> str:
    """`source` and `event_id` joined so that no two pairs share a name (neither may hold a control character)."""
    return f"{source}\x1f{event_id}"
