"""Which keys a pack and a rule have, and what each may hold: marshmallow at the edge, faults with their place."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever the file held, and options of its own

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from marshmallow import ValidationError, fields
from marshmallow.exceptions import SCHEMA

from services.rules.language.documents import Place, Plain
from services.rules.language.faults import Fault
from shared.contracts.advice import CATEGORIES, GRADES, SEVERITIES
from shared.contracts.faults import nearest, preview
from shared.contracts.wire_fields import (
    MISSING_MESSAGES,
    JsonValue,
    Part,
    StrictSchema,
    Text,
    Texts,
    Whole,
)
from shared.contracts.wire_times import ClockTime

ID_PATTERN: Final = r"[a-z0-9]+(-[a-z0-9]+)*"
MAX_ID: Final = 64
MAX_EXPRESSION: Final = 2000
MAX_RULES: Final = 500
MAX_FACTS: Final = 50
MAX_A_DAY: Final = 100
MAX_DURATION: Final = timedelta(days=366)
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DOUBTS: Final = (
    "changed-unversioned", "never-holds", "no-test-holding", "no-test-late", "no-test-silent", "unused-fact",
    "window-after-due",
)  # fmt: skip
"""The warnings of `tandem rules check`; a rule may `allow` those that its author knows of."""
MODES: Final = ("live", "shadow", "off")

_DURATION = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DID_YOU_MEAN = ": did you mean "
_UNKNOWN = "is not a known field"
_TOO_LONG = "characters long"
_A_DURATION = "must be a duration such as 90s, 30m, 6h or 2d"


_HINTS = {
    "must be a time from": 'write hours and minutes in quotes: "20:30"',
    "must be a list": "write [a, b], or a line `- a` for each",
    "must be text": "put it in quotes",
    "must be one of": "choose one of these",
}


class FileSchema(StrictSchema):
    """What every mapping in a rule or test file is checked by."""

    error_messages: dict[str, str] = {"type": "must be a mapping of keys to values"}


class Duration(fields.Field[timedelta]):
    """`90s`, `30m`, `6h`, `2d`: up to 366 days; zero too unless `positive`."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, *, positive: bool = False, **options: Any) -> None:
        pattern = "^(?=.*[1-9])[0-9]{1,9}[smhd]$" if positive else "^[0-9]{1,9}[smhd]$"
        super().__init__(
            metadata={"type": "string", "pattern": pattern, **options.pop("metadata", {})}, **options
        )
        self._positive = positive

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> timedelta:
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError(_A_DURATION)
        span = timedelta(**{_UNITS[found[2]]: 0}) if int(found[1]) == 0 else _span(int(found[1]), found[2])
        if self._positive and not span:
            raise ValidationError("must be longer than nothing")
        return span


class Expression(fields.Field[str]):
    """CEL: text, or YAML's bare true and false."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, **options: Any) -> None:
        document = {"type": ["string", "boolean"], "pattern": r"\S", "maxLength": MAX_EXPRESSION}
        super().__init__(metadata=document, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str) or not value.strip():
            raise ValidationError("must be a CEL expression, as text")
        if len(value) > MAX_EXPRESSION:
            raise ValidationError(f"is {len(value):,} {_TOO_LONG}; the bound is {MAX_EXPRESSION:,}")
        return value


class RuleId(Text):
    """`no-sprint-after-strength`: small letters, digits and single hyphens, up to 64 characters."""

    def __init__(self, **options: Any) -> None:
        allowed = f"must be small letters and digits joined by single hyphens, up to {MAX_ID} characters"
        super().__init__(pattern=ID_PATTERN, max_length=MAX_ID, allowed=allowed, **options)


class AdviseSchema(FileSchema):
    """What the athlete reads: Jinja templates."""

    title = Text(required=True, max_length=200)
    message = Text(required=True, max_length=MAX_EXPRESSION, lines=True)


class WeeklySchema(FileSchema):
    """A time of the ISO week."""

    day = Text(required=True, choices=WEEKDAYS)
    at = ClockTime(required=True)


class RuleSchema(FileSchema):
    """A rule. What hangs on event types and kinds (`where`, `facts`, `params`) is checked after, with their names."""

    id = RuleId(required=True)
    category = Text(required=True, choices=CATEGORIES)
    severity = Text(required=True, choices=SEVERITIES)
    evidence = Text(required=True, choices=GRADES)
    sources = Texts(Text(max_length=500), most=20, required=True, metadata={"minItems": 1})
    mode = Text(choices=MODES, load_default="live")
    each = JsonValue()
    where = JsonValue()
    delay = Duration()
    lead = Duration()
    daily = ClockTime()
    weekly = Part(WeeklySchema)
    params = JsonValue()
    facts = JsonValue()
    requires = Expression()
    when = Expression(required=True)
    advise = Part(AdviseSchema, required=True)
    expires = Duration(positive=True, load_default=timedelta(hours=24))
    settle = Duration(load_default=timedelta())
    supersedes = Texts(RuleId(), most=MAX_RULES)
    allow = Texts(Text(choices=DOUBTS), most=len(DOUBTS))


class MostADaySchema(FileSchema):
    """How many messages of each severity a pack gives an athlete on one local day; a severity left out has no bound."""

    warning = Whole(minimum=0, maximum=MAX_A_DAY)
    suggestion = Whole(minimum=0, maximum=MAX_A_DAY)
    info = Whole(minimum=0, maximum=MAX_A_DAY)


class ReferenceSchema(FileSchema):
    """What a key in `sources` stands for: the citation, what was found, and how good the evidence is."""

    citation = Text(required=True, max_length=500)
    found = Text(required=True, max_length=MAX_EXPRESSION, lines=True)
    grade = Text(required=True, choices=GRADES)


class PackSchema(FileSchema):
    """A rule file: a pack of rules, params laid over rules loaded before, how much a pack says a day, references."""

    pack = RuleId()
    version = Whole(minimum=1, maximum=1_000_000_000)
    most_a_day = Part(MostADaySchema)
    references = JsonValue()
    rules = JsonValue()
    params = JsonValue()


def checked(schema: FileSchema, place: Place, faults: list[Fault]) -> dict[str, Any]:
    """Return what of the mapping at `place` is right, as Python values, and add a fault for all that is not."""
    value = place.value
    if not isinstance(value, Mapping):
        faults.append(place.fault(f"{place.name} must be a mapping of keys to values", _keys_of(schema)))
        return {}
    try:
        found: dict[str, Any] = schema.load(value)
    except ValidationError as error:
        _tell(error.messages, schema, place, faults)
        valid = error.valid_data
        found = dict(valid) if isinstance(valid, Mapping) else {}
    return found


_T = TypeVar("_T")


def parsed(part: fields.Field[_T], place: Place, faults: list[Fault]) -> _T | None:
    """Return the single value at `place` as a Python value, or None with a fault."""
    try:
        return part.deserialize(place.value)
    except ValidationError as error:
        _tell(error.messages, None, place, faults)
        return None


def _tell(messages: Any, schema: FileSchema | None, place: Place, faults: list[Fault]) -> None:
    if isinstance(messages, Mapping):
        meant = _meant(messages)
        for key, below in messages.items():
            if key in meant and below == [MISSING_MESSAGES["required"]]:
                continue  # it stands there, misspelt, and that is a fault already
            if key == SCHEMA:
                _tell(below, schema, place, faults)
            else:
                _tell(below, _below(schema, key), place / key, faults)
        return
    faults.extend(_fault(str(message), schema, place) for message in messages)


def _meant(messages: Mapping[Any, Any]) -> frozenset[str]:
    """Return the known keys that unknown ones were most likely meant to be."""
    said = (str(each) for below in messages.values() if isinstance(below, list) for each in below)
    unknown = (each.partition(_DID_YOU_MEAN) for each in said if each.startswith(_UNKNOWN))
    return frozenset(meant.split(" ")[0].rstrip("?") for _, _, meant in unknown)


def _below(schema: FileSchema | None, key: object) -> FileSchema | None:
    part = schema.load_fields.get(str(key)) if schema is not None else None
    return part.schema if isinstance(part, Part) and isinstance(part.schema, FileSchema) else schema


def _fault(message: str, schema: FileSchema | None, place: Place) -> Fault:
    said, _, meant = message.partition(_DID_YOU_MEAN)
    hint = f"did you mean {meant}" if meant else ""
    if said == _UNKNOWN:
        return place.fault(f"{place.name} is not a known key", hint or _keys_of(schema), key=True)
    if said == MISSING_MESSAGES["required"]:
        return place.fault(f"{place.name} is required", f"add `{place.name}: ...`", key=True)
    if place.value is None:
        return place.fault(f"{place.name} holds nothing", "write a value, or leave the key out", key=True)
    if _TOO_LONG in said:
        return place.fault(f"{place.name} {said}", "give parts of it names, as facts above it")
    return place.fault(f"{place.name} {said}; found {shown(place.value)}", hint or _advice(said, place.value))


def _advice(said: str, value: Plain) -> str:
    if said == _A_DURATION:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return (
            f"write the unit, such as {value:g}h" if number else "a whole number and its unit, with no space"
        )
    if "joined by single hyphens" in said and isinstance(value, str):
        slug = "-".join(re.findall("[a-z0-9]+", value.lower()))[:MAX_ID].strip("-")
        return f"write {slug}" if slug else "name it after what it advises"
    if said.startswith("must be text") and isinstance(value, str):
        return "shorten it"
    for beginning, hint in _HINTS.items():
        if said.startswith(beginning):
            return hint
    return "change it, or leave the key out if it is optional"


def _keys_of(schema: FileSchema | None) -> str:
    return f"known keys: {', '.join(schema.load_fields)}" if schema is not None else ""


def _span(number: int, unit: str) -> timedelta:
    if number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] > MAX_DURATION.total_seconds():
        raise ValidationError(f"must be at most {MAX_DURATION.days}d")
    return timedelta(**{_UNITS[unit]: number})


def shown(value: Plain) -> str:
    """Return what was found, for a message: short and printable, a text in quotes."""
    return (
        f'"{preview(value)}"'
        if isinstance(value, str)
        else str(preview(value)).replace("an object", "a mapping")
    )


def did_you_mean(name: object, known: tuple[str, ...], *, what: str) -> str:
    """Return a hint: the nearest of the known names, or all of them."""
    near = nearest(str(name), known).removeprefix(": ")
    return near or f"{what}: {', '.join(known)}"
