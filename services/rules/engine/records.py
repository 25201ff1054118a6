"""What a rule sees of an event."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from services.rules.language.model import Bound, Record
from shared.contracts.events import Event, Value

_OF_ALL: Mapping[str, Callable[[Event], Bound]] = {
    "found": lambda _: True,
    "start": lambda event: event.start,
    "end": lambda event: event.end,
    "id": lambda event: event.id,
    "source": lambda event: event.source,
}


def event_record(event: Event, day: date) -> Record:
    """Return what a rule sees of an event: `found`, `start`, `end`, `id`, `source`, `date` (local) and its data.

    Numbers are doubles. A `day.closed` has a date of its own in its data, and keeps that.
    """
    return Record(event.type, _Fields(event, day))


class _Fields(Mapping[str, Bound]):
    """The fields of one event, each made when it is asked for: a rule reads one or two."""

    __slots__ = ("_day", "_event", "_made")

    def __init__(self, event: Event, day: date) -> None:
        self._event = event
        self._day = day
        self._made: dict[str, Bound] = {}

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as a mapping has it
        """Return the field, or `default` where the event lacks it."""
        if name in self._made:
            return self._made[name]
        of_all = _OF_ALL.get(name)
        if of_all is not None:
            made = of_all(self._event)
        else:
            value = self._event.data.get(name)
            if value is None and name != "date":
                return default
            made = self._day.isoformat() if value is None else _bound(value)
        self._made[name] = made
        return made

    def __getitem__(self, name: str) -> Bound:
        found: Bound | None = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        carried = [name for name, value in self._event.data.items() if value is not None]
        return iter(dict.fromkeys(("date", *carried, *_OF_ALL)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _bound(value: Value) -> Bound:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (float, int)):
        return float(value)
    if isinstance(value, Mapping):
        return Record("set", {name: _bound(each) for name, each in value.items() if each is not None})
    return [_bound(each) for each in value]
