"""Why: the events and values that a rule's outcome at an anchor rests on, in the form that advice carries."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from services.rules.engine.anchors import Due
from services.rules.engine.calendar import Calendar
from services.rules.engine.facts import Knowledge
from services.rules.engine.once import once
from services.rules.engine.periods import Period
from services.rules.language.model import Bound, Computed, Record, Rule
from shared.contracts.advice import Because, EventRef
from shared.contracts.events import Event, Value

_READ = re.compile(r"(?<![\w.])(anchor|athlete|params|day|week)\s*\.\s*(\w+)")
MOST_EVENTS = 400
"""Events listed as evidence: the anchor, and the latest others. The facts count them all.

The longest window of a shipped rule is five weeks, which is 350 events of somebody with ten a day.
"""


def because(
    rule: Rule, due: Due, known: Knowledge, read: Mapping[str, Period], calendar: Calendar
) -> Because:
    """Return the anchor, the events behind the facts, and every value that the rule used.

    The athlete's zone at the anchor is one of them, and each zone since the first event where the athlete has
    travelled: without them nobody could say which events were today's.
    """
    events = known.events()
    fields = _reads(rule)
    for name, period in read.items():
        events.update((event.key, event) for event in period.behind(fields.get(name, ())))
    if due.event is not None:
        events.pop(due.event.key, None)
    room = MOST_EVENTS - (due.event is not None)
    latest = sorted(events.values(), key=attrgetter("order"))[-room:]
    listed = sorted([*latest, *([due.event] if due.event else [])], key=lambda event: event.order)
    first = min([due.start, *(event.start for event in listed)])
    values = {**shown(rule, known, read), **_zones(calendar, first, due)}
    left_out = len(events) - len(latest)
    return Because(due.ref, tuple(event_ref(event) for event in listed), values, left_out)


def _zones(calendar: Calendar, first: datetime, due: Due) -> dict[str, Value]:
    found: dict[str, Value] = {"athlete.timezone": calendar.timezone(due.start)}
    zones = calendar.zones(first, due.closes)
    if len(zones) > 1:
        found["athlete.zones"] = [
            {"timezone": zone.timezone, **({"since": _plain(zone.since)} if zone.since else {})}
            for zone in zones
        ]
    return found


def shown(rule: Rule, known: Knowledge, read: Mapping[str, Period]) -> dict[str, Value]:
    """Return every fact, and every param and field of anchor, athlete, day and week that the rule reads.

    What a day or week takes from the profile stands beside it, so that its figures can be reckoned again.
    """
    values = {fact.name: _plain(known.names[fact.name]) for fact in rule.facts if fact.name in known.names}
    for root, fields in _reads(rule).items():
        record = known.names.get(root)
        if isinstance(record, Record):
            values |= {
                f"{root}.{name}": _plain(record.fields[name]) for name in fields if name in record.fields
            }
        if root not in read:
            continue
        values |= {f"athlete.{name}": _plain(value) for name, value in read[root].profile(fields).items()}
        method = read[root].training_method(fields)
        if method is not None:
            values[f"{root}.training_method"] = method
    return values


@once
def _reads(rule: Rule) -> Mapping[str, tuple[str, ...]]:
    """Return the fields that it reads of each record that is not a fact: those of a fact are shown whole."""
    expressions = [fact.expression for fact in rule.facts if isinstance(fact, Computed)]
    found: dict[str, set[str]] = {}
    for text in (rule.requires, rule.when, rule.title, rule.message, *expressions):
        for root, name in _READ.findall(text.source) if text is not None else ():
            found.setdefault(root, set()).add(name)
    return {root: tuple(sorted(found[root])) for root in sorted(found)}


def event_ref(event: Event) -> EventRef:
    """Return the event as evidence names it."""
    return EventRef(event.source, event.id, event.revision, event.type, event.start, event.end)


def _plain(value: Bound) -> Value:
    """Return a bound value as JSON holds it; numbers to six decimals, so that equal evidence reads equal."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return round(float(value), 6)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Record):
        return {name: _plain(value.fields[name]) for name in sorted(value.fields)}
    return [_plain(each) for each in value]
