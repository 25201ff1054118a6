"""A rule's facts: each in one form, over one window, named so that it hides nothing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, get_args

from services.rules.language import kinds
from services.rules.language.documents import Place
from services.rules.language.faults import Fault
from services.rules.language.model import (
    DERIVED_NUMBERS,
    After,
    Aggregate,
    Before,
    Computed,
    During,
    Fact,
    LastDays,
    Pick,
    Where,
    Window,
)
from services.rules.language.names import NAME, NAME_ALLOWED, TAKEN
from services.rules.language.schema import (
    MAX_FACTS,
    Duration,
    Expression,
    FileSchema,
    checked,
    did_you_mean,
    parsed,
    shown,
)
from services.rules.language.scope import Scope
from services.rules.language.where import event_type_at, parse_where
from shared.contracts.events import EVENT_TYPES, TIMELINE_TYPES
from shared.contracts.wire_fields import JsonValue, Text, Whole

_Span: TypeAlias = Literal["today", "yesterday", "this_week", "last_week"]
_Count: TypeAlias = Literal["count", "days"]
_Reduce: TypeAlias = Literal["sum", "min", "max", "avg"]
_Which: TypeAlias = Literal["first", "last"]
_SPANS: Final[tuple[_Span, ...]] = get_args(_Span)
COUNTS: Final[tuple[_Count, ...]] = get_args(_Count)
REDUCES: Final[tuple[_Reduce, ...]] = get_args(_Reduce)
WHICHES: Final[tuple[_Which, ...]] = get_args(_Which)
FORMS: Final = (*COUNTS, *REDUCES, *WHICHES)
WINDOWS: Final = ("during", "before", "after", "last_days")
_MOST_DAYS = 366


class FactSchema(FileSchema):
    """A fact over events. Which keys go together is checked after."""

    count = JsonValue()
    days = JsonValue()
    sum = JsonValue()
    min = JsonValue()
    max = JsonValue()
    avg = JsonValue()
    first = JsonValue()
    last = JsonValue()
    where = JsonValue()
    during = Text(choices=_SPANS)
    before = Duration(positive=True)
    after = Duration(positive=True)
    last_days = Whole(minimum=1, maximum=_MOST_DAYS)


def parse_facts(place: Place, scope: Scope) -> tuple[Fact, ...]:
    """Return the facts at `place`, adding each to the `scope` of those below it."""
    value = place.value
    if not isinstance(value, Mapping):
        message = f"facts must map names to facts; found {shown(value)}"
        scope.faults.append(place.fault(message, "write `name: {count: TYPE}` or `name: EXPRESSION`"))
        return ()
    if len(value) > MAX_FACTS:
        message = f"a rule has at most {MAX_FACTS} facts; found {len(value)}"
        scope.faults.append(place.fault(message, "split the rule", key=True))
        return ()
    facts = [_fact(place / name, name, scope) for name in value]
    return tuple(fact for fact in facts if fact is not None)


def _fact(place: Place, name: str, scope: Scope) -> Fact | None:
    named = _is_free(place, name, scope.faults)
    value = place.value
    if isinstance(value, Mapping):
        fact, kind = _over_events(place, name, scope.faults)
    else:
        fact, kind = _computed(place, name, scope)
    if fact is None or kind is None:
        scope.broken.update({name} - TAKEN)
        return None
    if not named:
        scope.broken.update({name} - TAKEN)
        return None
    scope.names[name] = kind
    return fact


def _is_free(place: Place, name: str, faults: list[Fault]) -> bool:
    if not NAME.fullmatch(name):
        faults.append(place.fault(f"{shown(name)} is no name for a fact", NAME_ALLOWED, key=True))
    elif name in TAKEN:
        faults.append(place.fault(f"the name {name} is taken", f"choose another, such as {name}_1", key=True))
    else:
        return True
    return False


def _computed(place: Place, name: str, scope: Scope) -> tuple[Fact | None, str | None]:
    if not isinstance(place.value, str | bool):
        message = f"{name} must be a form such as {{count: TYPE}}, or a CEL expression as text"
        scope.faults.append(
            place.fault(f"{message}; found {shown(place.value)}", "put an expression in quotes")
        )
        return None, None
    source = parsed(Expression(), place, scope.faults)
    expression = scope.expression(place, source)
    return (None, None) if expression is None else (Computed(name, expression), expression.kind)


def _over_events(place: Place, name: str, faults: list[Fault]) -> tuple[Fact | None, str | None]:
    below: list[Fault] = []
    found = checked(FactSchema(), place, below)
    given = [key for key in place.value if key in FORMS]
    if len(given) != 1:
        if given:
            fault = (place / given[1]).fault(
                f"a fact has one form; found {' and '.join(given)}", "keep one", key=True
            )
        elif below:
            fault = below.pop()  # most likely the form, misspelt
        else:
            fault = place.fault(f"the fact {name} has no form", f"one of {', '.join(FORMS)}", key=True)
        faults.extend((*below, fault))
        return None, None
    window = _window(place, found, below)
    event_type, field = _source(place / given[0], given[0], below)
    where: Where = ()
    if event_type is not None and "where" in place.value:
        where = parse_where(place / "where", event_type, below)
    faults.extend(below)
    if below or event_type is None or window is None:
        return None, None
    return _made(given[0], name, event_type, field, where, window)


def _made(
    form: str, name: str, event_type: str, field: str | None, where: Where, window: Window
) -> tuple[Fact, str]:
    for which in WHICHES:
        if form == which:
            return Pick(name, which, event_type, where, window), event_type
    operation = next(each for each in (*COUNTS, *REDUCES) if each == form)
    return Aggregate(name, operation, event_type, field, where, window), kinds.NUMBER


def _source(place: Place, form: str, faults: list[Fault]) -> tuple[str | None, str | None]:
    """Return the event type and, for what is reckoned from a field, the field."""
    if form not in REDUCES:
        event_type = event_type_at(place, faults)
        return event_type, None
    value = place.value
    event_type, _, field = value.rpartition(".") if isinstance(value, str) else ("", "", "")
    if isinstance(value, str) and value in TIMELINE_TYPES:
        hint = f"write {value}.FIELD with one of {', '.join(numbers_of(value))}"
        faults.append(place.fault(f"{form} needs a field of {value}", hint))
        return None, None
    if event_type not in TIMELINE_TYPES:
        hint = (
            did_you_mean(event_type, TIMELINE_TYPES, what="event types") if event_type else "write TYPE.FIELD"
        )
        faults.append(place.fault(f"{form} wants TYPE.FIELD; found {shown(value)}", hint))
        return None, None
    numbers = numbers_of(event_type)
    if field not in numbers:
        hint = (
            did_you_mean(field, numbers, what="its number fields") if numbers else "it has no number fields"
        )
        faults.append(place.fault(f"{event_type} has no number field {shown(field)}", hint))
        return None, None
    return event_type, field


def numbers_of(event_type: str) -> tuple[str, ...]:
    """Return the fields of an event type that `sum`, `min`, `max` and `avg` can reckon with."""
    carried = (n for n, spec in EVENT_TYPES[event_type].fields.items() if spec.kind in {"number", "integer"})
    return (*carried, *DERIVED_NUMBERS.get(event_type, ()))


def _window(place: Place, found: Mapping[str, Any], faults: list[Fault]) -> Window | None:
    given = [key for key in place.value if key in WINDOWS]
    if len(given) > 1:
        message = f"a fact has at most one window; found {' and '.join(given)}"
        faults.append((place / given[1]).fault(message, "keep one", key=True))
        return None
    if not given:
        return During("today")
    match found.get(given[0]):
        case None:
            return None
        case timedelta() as span:
            return Before(span) if given[0] == "before" else After(span)
        case int() as days:
            return LastDays(days)
        case value:
            return During(next(each for each in _SPANS if each == value))
