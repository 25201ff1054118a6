"""Whether an event is one that a rule speaks of."""

from services.rules.language.model import Condition, Where
from shared.contracts.events import Event, Value


def matches(where: Where, event: Event) -> bool:
    """Whether the event meets every condition. A field that it lacks meets none; a list meets by any element."""
    return all(_meets(condition, event.data.get(condition.field)) for condition in where)


def _meets(condition: Condition, found: Value) -> bool:
    if found is None:
        return False
    if isinstance(found, list | tuple):
        return any(_compares(condition, element) for element in found)
    return _compares(condition, found)


def _compares(condition: Condition, found: Value) -> bool:
    wanted: Value = condition.value
    match condition.operator:
        case "in":
            return found in wanted if isinstance(wanted, list | tuple) else found == wanted
        case "ne":
            return bool(found != wanted)
        case "gt":
            return bool(found > wanted)
        case "gte":
            return bool(found >= wanted)
        case "lt":
            return bool(found < wanted)
        case "lte":
            return bool(found <= wanted)
