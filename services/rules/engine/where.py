"""Whether an event is one that a rule speaks of."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from services.rules.language.model import Condition, Where
from shared.contracts.events import EVENT_TYPES, Event, Value

_LISTED = frozenset(
    name
    for kind in EVENT_TYPES.values()
    for name, of in kind.fields.items()
    if of.kind in {"texts", "records"}
)
"""Fields that hold a list."""


@lru_cache(maxsize=4096)
def predicate(where: Where) -> Callable[[Event], bool]:
    """Return `matches` for one `where`, for asking it of many events."""
    if not where:
        return lambda _: True
    if len(where) == 1 and where[0].operator == "in" and isinstance(where[0].value, tuple | list):
        name, wanted = where[0].field, frozenset(where[0].value)

        def one_of(event: Event) -> bool:
            found = event.data.get(name)
            return not wanted.isdisjoint(found) if isinstance(found, (list, tuple)) else found in wanted

        return one_of
    return lambda event: matches(where, event)


@lru_cache(maxsize=4096)
def those(where: Where) -> Callable[[Iterable[Event]], list[Event]]:
    """Return what picks out of many events those that meet one `where`: quicker than to ask of each."""
    if len(where) == 1 and where[0].operator == "in" and where[0].field not in _LISTED:
        name, value = where[0].field, where[0].value
        if isinstance(value, tuple | list):
            wanted = frozenset(value)
            return lambda events: [event for event in events if event.data.get(name) in wanted]
    wants = predicate(where)
    return lambda events: [event for event in events if wants(event)]


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
