"""What a rule is evaluated for: `each`, `daily` or `weekly`, exactly one."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Final

from services.rules.language.documents import Place
from services.rules.language.faults import Fault
from services.rules.language.model import Anchor, Daily, Each, Weekly
from services.rules.language.schema import WEEKDAYS, RuleSchema
from services.rules.language.where import event_type_at, parse_where

FORMS: Final = ("each", "daily", "weekly")
PLAN: Final = "workout.planned"
DEFAULT_LEAD: Final = timedelta(hours=36)
ONLY_EACH = ("where", "delay", "lead")


def parse_anchor(rule: Place, checked: Mapping[str, Any], faults: list[Fault]) -> Anchor | None:
    """Return the anchor of the rule at `rule`, whose fields the schema has `checked`, or None with a fault."""
    given = [key for key in rule.value if key in FORMS]
    if len(given) != 1:
        if given:
            message = f"a rule has one anchor; found {' and '.join(given)}"
            faults.append((rule / given[1]).fault(message, "keep one, or write two rules", key=True))
        elif all(key in RuleSchema().load_fields for key in rule.value):  # else it may stand there misspelt
            hint = 'add `each: TYPE`, `daily: "HH:MM"` or `weekly: {day: sunday, at: "HH:MM"}`'
            faults.append(rule.fault("the rule has no anchor", hint, key=True))
        return None
    form = given[0]
    if form == "each":
        return _each(rule, checked, faults)
    for name in ONLY_EACH:
        if name in rule.value:
            message = f"{name} goes with `each`, not with `{form}`"
            hint = "put it into the facts" if name == "where" else "leave it out: the time of day says when"
            faults.append((rule / name).fault(message, hint, key=True))
    value = checked.get(form)
    if form == "daily":
        return Daily(value) if isinstance(value, time) else None
    if isinstance(value, Mapping) and {"day", "at"} <= value.keys():
        return Weekly(WEEKDAYS.index(value["day"]) + 1, value["at"])
    return None


def kind_of(anchor: Anchor) -> str:
    """Return the record kind of the name `anchor`."""
    match anchor:
        case Each():
            return anchor.type
        case Daily():
            return "daily_anchor"
        case Weekly():
            return "weekly_anchor"


def _each(rule: Place, checked: Mapping[str, Any], faults: list[Fault]) -> Each | None:
    event_type = event_type_at(rule / "each", faults)
    if event_type is None:
        return None
    where = parse_where(rule / "where", event_type, faults) if "where" in rule.value else ()
    if event_type == PLAN:
        if "delay" in rule.value:
            message = "a workout.planned is due before its start, so it has no delay"
            faults.append((rule / "delay").fault(message, "write `lead: 36h`", key=True))
        return Each(event_type, where, lead=checked.get("lead", DEFAULT_LEAD))
    if "lead" in rule.value:
        message = f"lead goes with workout.planned; a {event_type} is due at its end"
        faults.append((rule / "lead").fault(message, "write `delay: 2h` to wait after it", key=True))
    return Each(event_type, where, delay=checked.get("delay", timedelta()))
