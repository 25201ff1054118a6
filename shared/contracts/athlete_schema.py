"""How an athlete's profile reads on the wire, and how it becomes an `Athlete`."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.athletes import (
    EVERYDAY_ACTIVITIES,
    GOALS,
    SEXES,
    Athlete,
    Param,
    QuietHours,
    ZoneChange,
)
from shared.contracts.event_schema import ATHLETE_ID, ATHLETE_ID_ALLOWED
from shared.contracts.faults import Fault, InvalidError

EARLIEST_BIRTH_YEAR = 1900
EMAIL = (
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
MAX_EMAIL = 254
EMAIL_ALLOWED = "must be one e-mail address, such as ann@example.org"
_LOCALE = r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}"
_MAX_RULES = 200
_MAX_PARAMS = 50
_MAX_LIST = 50
_MAX_TEXT = 200
_MAX_NUMBER = 1e9

_SCALARS: list[dict[str, Any]] = [
    {"type": "number", "minimum": -_MAX_NUMBER, "maximum": _MAX_NUMBER},
    {"type": "string", "maxLength": _MAX_TEXT},
]
_PARAM_DOCUMENT: dict[str, Any] = {
    "anyOf": [
        *_SCALARS,
        {"type": "boolean"},
        *({"type": "array", "items": scalar, "maxItems": _MAX_LIST} for scalar in _SCALARS),
    ]
}


class QuietHoursSchema(wire.StrictSchema):
    """Local times between which the athlete is not written to; may span midnight."""

    start = times.ClockTime(required=True)
    end = times.ClockTime(required=True)

    @validates_schema
    def differ(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a span of no length: it could mean never or always."""
        if data["start"] == data["end"]:
            raise ValidationError("must differ from start", "end")


class ParamsField(fields.Dict):
    """Overrides of rules' params: by rule id, then by param name."""

    default_error_messages: dict[str, Any] = wire.MISSING_MESSAGES

    def __init__(self, **options: Any) -> None:
        super().__init__(
            keys=fields.String(),
            values=fields.Dict(keys=fields.String(), values=fields.Raw(metadata=_PARAM_DOCUMENT)),
            **options,
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, dict[str, Param]]:
        if not isinstance(value, dict) or len(value) > _MAX_RULES:
            raise ValidationError(f"must be an object of at most {_MAX_RULES} rule ids")
        return {_name(rule): _params(rule, params) for rule, params in value.items()}

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return {rule: dict(params) for rule, params in value.items()}


class AthleteSchema(wire.SparseSchema):
    """A profile. Only `timezone` is required; what is missing makes advice sparser, never wrong."""

    id = fields.String(dump_only=True, metadata={"pattern": f"^{ATHLETE_ID}$"})
    timezone = times.Zone(required=True, metadata={"description": "IANA name; today is the athlete's own."})
    name = wire.Text(max_length=100)
    goal = wire.Text(choices=GOALS)
    sex = wire.Text(choices=SEXES)
    birth_year = wire.Whole(minimum=EARLIEST_BIRTH_YEAR, maximum=2200)
    height_cm = wire.Number(minimum=50, maximum=280)
    body_mass_kg = wire.Number(minimum=20, maximum=400)
    everyday_activity = wire.Text(choices=EVERYDAY_ACTIVITIES)
    email = wire.Text(max_length=MAX_EMAIL, pattern=EMAIL, allowed=EMAIL_ALLOWED)
    email_consent = wire.Flag(metadata={"description": "Nothing is mailed without it."})
    locale = wire.Text(max_length=35, pattern=_LOCALE, allowed="must be a language tag, such as en or de-CH")
    supplements = wire.Flag(metadata={"description": "Opts in to reminders of supplements."})
    quiet_hours = wire.Part(QuietHoursSchema)
    no_energy_targets = wire.Flag()
    pregnant = wire.Flag()
    medical_care = wire.Flag()
    params = ParamsField()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Show the zone that is in force now; the history serves the engine alone."""
        return obj.zones[-1].timezone if attr == "timezone" else super().get_attribute(obj, attr, default)


def read_athlete(club: str, athlete: str, found: Mapping[str, Any], now: datetime) -> Athlete:
    """Make the profile from what `AthleteSchema` loaded. Raise `InvalidError` for what it could not see."""
    faults = []
    if not re.fullmatch(ATHLETE_ID, athlete, re.ASCII):
        faults.append(Fault("id", ATHLETE_ID_ALLOWED, athlete))
    born = found.get("birth_year")
    if born is not None and born > now.year:
        faults.append(Fault("birth_year", f"must not be after {now.year}", born))
    if found.get("email_consent") and "email" not in found:
        faults.append(Fault("email", "is required when email_consent is true"))
    if faults:
        raise InvalidError(faults)
    values = dict(found)
    zone = values.pop("timezone")
    quiet = values.pop("quiet_hours", None)
    return Athlete(
        club=club,
        id=athlete,
        zones=(ZoneChange(None, zone),),
        quiet_hours=QuietHours(**quiet) if quiet else None,
        **values,
    )


def _name(name: str) -> str:
    if not (1 <= len(name) <= _MAX_TEXT and wire.is_plain_text(name)):
        raise ValidationError(f"names must be text of 1 to {_MAX_TEXT} characters")
    return name


def _params(rule: str, params: Any) -> dict[str, Param]:
    if not isinstance(params, dict) or len(params) > _MAX_PARAMS:
        raise ValidationError({rule: [f"must be an object of at most {_MAX_PARAMS} params"]})
    read = {}
    for name, value in params.items():
        param = _param(value)
        if param is None:
            message = (
                f"must be a number (up to {_MAX_NUMBER:g}), a text (up to {_MAX_TEXT} characters), true or false,"
                f" or a list of up to {_MAX_LIST} numbers or of texts"
            )
            raise ValidationError({rule: {name: [message]}})
        read[_name(name)] = param
    return read


def _param(value: Any) -> Param | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return float(value) if -_MAX_NUMBER <= value <= _MAX_NUMBER else None
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT and wire.is_plain_text(value) else None
    if (
        not isinstance(value, list)
        or len(value) > _MAX_LIST
        or any(isinstance(one, (bool, list)) for one in value)
    ):
        return None
    texts = tuple(one for one in map(_param, value) if isinstance(one, str))
    numbers = tuple(one for one in map(_param, value) if isinstance(one, float))
    if len(texts) == len(value):
        return texts
    return numbers if len(numbers) == len(value) else None
