"""What an athlete's timeline shows at an instant: events that have ended, and plans that are still plans."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Literal

from services.rules.engine.calendar import Calendar
from services.rules.engine.records import event_record
from services.rules.engine.selection import Selection
from services.rules.engine.where import predicate
from services.rules.language.model import Record, Where
from shared.contracts.events import PLAN_HORIZON, Event, event_key

Precision = Literal["any", "slot", "exact"]
"""How well the time of an event must be known at least."""
_KNOWN: Mapping[Precision, frozenset[str]] = {
    "any": frozenset({"exact", "slot", "day"}),
    "slot": frozenset({"exact", "slot"}),
    "exact": frozenset({"exact"}),
}


class Timeline:
    """The visible events, by type and in order (start, then source, then id), with their local days."""

    def __init__(self, events: Iterable[Event], calendar: Calendar, now: datetime) -> None:
        self.calendar = calendar
        self.coming: list[datetime] = []
        """When events that are not yet seen will be."""
        ended, plans = [], []
        for event in events:
            if event.type == "workout.planned":
                plans.append(event)
            elif event.end <= now:
                ended.append(event)
            else:
                self.coming.append(event.end)
        self._ended = ended
        visible = [*ended, *_open(plans, ended)] if plans else ended
        by_type: dict[str, list[Event]] = {}
        for event in sorted(visible, key=attrgetter("order")):
            by_type.setdefault(event.type, []).append(event)
        self._by_type = {kind: Selection(found, calendar) for kind, found in by_type.items()}
        self._nothing = Selection((), calendar)
        self._records: dict[str, Record] = {}
        self._chosen: dict[tuple[str, Where, Precision], Selection] = {}

    def of(self, kind: str) -> Selection:
        """Return all visible events of a type."""
        return self._by_type.get(kind, self._nothing)

    def ended_after(self, instant: datetime) -> list[Event]:
        """Return the events that came to be seen after `instant`."""
        return [event for event in self._ended if event.end > instant]

    def chosen(self, kind: str, where: Where, precision: Precision) -> Selection:
        """Return the visible events of a type that meet `where` and whose time is known well enough."""
        key = (kind, where, precision)
        found = self._chosen.get(key)
        if found is None:
            found = self.of(kind)
            if where or precision != "any":
                met = predicate(where)
                found = found.of(
                    [event for event in found.events if met(event) and self.knows_when(event, precision)]
                )
            self._chosen[key] = found
        return found

    def since(self, kind: str, instant: datetime) -> Sequence[Event]:
        """Return the visible events of a type that start at `instant` or later."""
        return self.of(kind).since(instant)

    def on(self, kind: str, first: date, last: date) -> Sequence[Event]:
        """Return the visible events of a type that start on the local days `first` to `last`."""
        return self.of(kind).on(first, last).events()

    def knows_when(self, event: Event, precision: Precision) -> bool:
        """Whether the event's time is known as well as that."""
        return event.data.get("time_precision", "exact") in _KNOWN[precision]

    def record(self, event: Event) -> Record:
        """Return what a rule sees of the event."""
        found = self._records.get(event.key)
        if found is None:
            found = self._records[event.key] = event_record(event, self.day(event))
        return found

    def day(self, event: Event) -> date:
        """Return the local day that the event starts in."""
        return self.calendar.day(event.start)


def resolve(arrivals: Iterable[Event]) -> list[Event]:
    """Return what arrivals in any order, with repeats, revisions and deletions, leave on a timeline, in order.

    Two contents under one (source, id, revision) are refused where events come in, and never meet here.
    """
    highest: dict[str, Event] = {}
    deleted: set[str] = set()
    for event in arrivals:
        if event.type == "event.deleted":
            deleted.add(event_key(event.source, str(event.data["event_id"])))
            continue
        known = highest.get(event.key)
        if known is None or event.revision > known.revision:
            highest[event.key] = event
    left = (event for key, event in highest.items() if key not in deleted)
    return sorted(left, key=lambda event: event.order)


def _open(plans: Iterable[Event], ended: Iterable[Event]) -> list[Event]:
    """Return the plans that no completed session names.

    A plan lies at most `PLAN_HORIZON` ahead, so a session that began earlier than that before it cannot have been it.
    """
    latest: dict[str, datetime] = {}
    for event in ended:
        plan = event.data.get("plan_id") if event.type == "workout.completed" else None
        if plan is not None and (plan not in latest or event.start > latest[plan]):
            latest[plan] = event.start
    return [plan for plan in plans if plan.id not in latest or latest[plan.id] < plan.start - PLAN_HORIZON]
