"""Which events a rule speaks of: `where`, checked against the fields of the event type."""

import math
import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from services.rules.language.documents import Place, Plain
from services.rules.language.faults import Fault
from services.rules.language.model import Condition, Where
from services.rules.language.ranges import allowed, leaves_room, never
from services.rules.language.schema import did_you_mean, shown
from shared.contracts.events import EVENT_TYPES, TIMELINE_TYPES, Field

_Operator: TypeAlias = Literal["ne", "gt", "gte", "lt", "lte"]
OPERATORS: Final[tuple[_Operator, ...]] = get_args(_Operator)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WANTED = {
    "number": "a number", "integer": "a number", "text": "text", "texts": "text",
    "flag": "true or false", "date": 'a date such as "2026-03-02"',
}  # fmt: skip
ORDERED = frozenset({"number", "integer", "date"})


def parse_where(place: Place, event_type: str, faults: list[Fault]) -> Where:
    """Return the conditions of the `where` at `place` on events of a known type, adding what is wrong to `faults`."""
    value = place.value
    if not isinstance(value, Mapping) or not value:
        faults.append(
            place.fault(f"where must map fields to values; found {shown(value)}", "write {field: value}")
        )
        return ()
    fields = {name: spec for name, spec in EVENT_TYPES[event_type].fields.items() if spec.kind != "records"}
    conditions: list[Condition] = []
    for name in value:
        if name in fields:
            conditions += _conditions(place / name, name, fields[name], faults)
        else:
            hint = did_you_mean(name, tuple(fields), what="its fields")
            faults.append((place / name).fault(f"{event_type} has no field {shown(name)}", hint, key=True))
    return tuple(conditions)


def event_type_at(place: Place, faults: list[Fault]) -> str | None:
    """Return the event type that stands at `place`, or None with a fault."""
    value = place.value
    if isinstance(value, str) and value in TIMELINE_TYPES:
        return value
    hint = did_you_mean(value, TIMELINE_TYPES, what="event types")
    faults.append(place.fault(f"{shown(value)} is no event type that a rule can see", hint))
    return None


def _conditions(place: Place, name: str, spec: Field, faults: list[Fault]) -> list[Condition]:
    value = place.value
    if isinstance(value, Mapping):
        return _bounds(place, name, spec, faults)
    if isinstance(value, list):
        if not value:
            faults.append(
                place.fault(f"{name} lists no value, so nothing would match", "name at least one value")
            )
        found = [_one_of(place / index, name, spec, faults) for index in range(len(value))]
        kept = tuple(each for each in found if each is not None)
        return [Condition(name, "in", kept)]
    one = _one_of(place, name, spec, faults)
    return [] if one is None else [Condition(name, "in", (one,))]


def _one_of(place: Place, name: str, spec: Field, faults: list[Fault]) -> float | str | bool | None:
    """Return a value that the field can have; a bound may lie beyond what it can have: `{gt: 0}` asks for any."""
    value = _value(place, name, spec, faults)
    if value is None or not never(value, spec):
        return value
    faults.append(place.fault(f"{name} is never {shown(place.value)}", allowed(spec)))
    return None


def _bounds(place: Place, name: str, spec: Field, faults: list[Fault]) -> list[Condition]:
    bounds: Mapping[str, Plain] = place.value
    found: list[Condition] = []
    if not bounds:
        faults.append(place.fault(f"{name} has no bound", f"one or two of {', '.join(OPERATORS)}"))
    for key in bounds:
        operator = next((each for each in OPERATORS if each == key), None)
        if operator is None:
            hint = did_you_mean(key, OPERATORS, what="operators")
            faults.append((place / key).fault(f"{shown(key)} is no operator", hint, key=True))
        elif operator != "ne" and spec.kind not in ORDERED:
            message = f"{name} holds {_WANTED[spec.kind]}, which {operator} cannot compare"
            faults.append(
                (place / key).fault(message, "name the values: a value or a list of values", key=True)
            )
        elif (value := (_one_of if key == "ne" else _value)(place / key, name, spec, faults)) is not None:
            found.append(Condition(name, operator, value))
    if not leaves_room(found, spec):
        meant = " and ".join(f"{each.operator} {shown(bounds[each.operator])}" for each in found)
        hint = "; ".join(filter(None, ("leave room between the bounds", allowed(spec))))
        faults.append(place.fault(f"no {name} is {meant}, so nothing would match", hint))
    return found


def _value(place: Place, name: str, spec: Field, faults: list[Fault]) -> float | str | bool | None:
    value = place.value
    if spec.kind in {"number", "integer"}:
        right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    elif spec.kind == "flag":
        right = isinstance(value, bool)
    else:
        right = isinstance(value, str) and (spec.kind != "date" or _DATE.fullmatch(value) is not None)
    if not right:
        hint = f"allowed: {', '.join(spec.choices)}" if spec.choices else f"write {_WANTED[spec.kind]}"
        faults.append(place.fault(f"{name} holds {_WANTED[spec.kind]}; found {shown(value)}", hint))
        return None
    if spec.choices and value not in spec.choices:
        hint = did_you_mean(value, spec.choices, what="allowed")
        faults.append(place.fault(f"{name} is never {shown(value)}", hint))
        return None
    kept: float | str | bool = float(value) if spec.kind in {"number", "integer"} else value
    return kept
