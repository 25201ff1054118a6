"""What kind of value each name stands for: the types that the checker knows, made from the contracts."""

from collections.abc import Mapping
from typing import Final

from shared.contracts.events import EVENT_TYPES, TIMELINE_TYPES, Field

NUMBER: Final = "number"
TEXT: Final = "text"
FLAG: Final = "flag"
TIME: Final = "time"
DURATION: Final = "duration"
TEXTS: Final = "texts"
NUMBERS: Final = "numbers"
RECORDS: Final = "records"
"""A list of `set` records; every other kind that is not named here is a record kind, a key of `RECORD_FIELDS`."""

_OF_FIELD = {
    "number": NUMBER, "integer": NUMBER, "text": TEXT, "date": TEXT, "flag": FLAG, "texts": TEXTS, "records": RECORDS,
}  # fmt: skip

_SUMS = (
    "energy_in_kcal", "energy_out_kcal", "resting_kcal", "training_kcal", "balance_kcal", "protein_g", "fluid_ml",
    "session_load", "sessions", "strength_sessions", "endurance_sessions",
)  # fmt: skip
_PERIOD: Mapping[str, str] = {**dict.fromkeys(_SUMS, NUMBER), "nutrition_complete": FLAG}
_OCCASION: Mapping[str, str] = {"start": TIME, "end": TIME, "date": TEXT}


def _fields(fields: Mapping[str, Field]) -> dict[str, str]:
    return {name: _OF_FIELD[spec.kind] for name, spec in fields.items()}


RECORD_FIELDS: Mapping[str, Mapping[str, str]] = {
    **{
        name: {
            **_fields(EVENT_TYPES[name].fields),
            "found": FLAG, "start": TIME, "end": TIME, "id": TEXT, "source": TEXT, "date": TEXT,
        }
        for name in TIMELINE_TYPES
    },
    "set": _fields(EVENT_TYPES["workout.completed"].fields["sets"].records),
    "daily_anchor": _OCCASION,
    "weekly_anchor": _OCCASION,
    "day": _PERIOD,
    "week": _PERIOD,
    "athlete": {
        **dict.fromkeys(("id", "name", "timezone", "goal", "sex", "everyday_activity", "locale"), TEXT),
        **dict.fromkeys(("birth_year", "age", "height_cm", "body_mass_kg"), NUMBER),
        **dict.fromkeys(("supplements", "no_energy_targets", "pregnant", "medical_care"), FLAG),
    },
}  # fmt: skip
"""Every record kind but `params`, whose fields are each rule's own."""

FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "hours": (DURATION, NUMBER),
    "minutes": (DURATION, NUMBER),
    "days": (DURATION, NUMBER),
    "local_hour": (TIME, NUMBER),
}
"""Functions beyond CEL's own: what each takes and gives."""
