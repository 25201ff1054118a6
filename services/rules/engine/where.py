"""Whether an event is one that a rule speaks of."""

from services.rules.language.model import Condition, Where
from shared.contracts.events import Event, Value


def matches(where: Where, event: Event) -> bool:
    """Whether the event meets every condition. A field that it lacks meets none.

    A field that holds a list meets a condition when any of its elements does, and `ne` when none is that value.
    """
    return all(_meets(condition, event.data.get(condition.field)) for condition in where)


def _meets(condition: Condition, found: Value) -> bool:
    if found is None:
        return False
    if not isinstance(found, list | tuple):
        return _compares(condition, found)
    if condition.operator == "ne":
        return all(_compares(condition, element) for element in found)
    return any(_compares(condition, element) for element in found)


def _compares(condition: Condition, found: Value) -> bool:
    wanted: Value = condition.value
    match condition.operator:
        case "in":
            return found in wanted if isinstance(wanted, list | tuple) else bool(found == wanted)
        case "ne":
            return found not in wanted if isinstance(wanted, list | tuple) else bool(found != wanted)
        case "gt":
            return bool(found > wanted)
        case "gte":
            return bool(found >= wanted)
        case "lt":
            return bool(found < wanted)
        case "lte":
            return bool(found <= wanted)
