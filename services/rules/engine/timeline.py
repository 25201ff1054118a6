"""What an athlete's timeline shows at an instant: events that have ended, and plans that are still plans."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from services.rules.engine.calendar import Calendar
from shared.contracts.events import Event, event_key


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
        done = {event.data.get("plan_id") for event in ended if event.type == "workout.completed"}
        visible = sorted(
            [*ended, *(plan for plan in plans if plan.id not in done)], key=lambda event: event.order
        )
        self._by_type: dict[str, list[Event]] = {}
        for event in visible:
            self._by_type.setdefault(event.type, []).append(event)
        self._starts = {kind: [event.start for event in found] for kind, found in self._by_type.items()}
        self._days: dict[str, date] = {}

    def of(self, kind: str) -> Sequence[Event]:
        """Return all visible events of a type."""
        return self._by_type.get(kind, ())

    def starting(self, kind: str, since: datetime, until: datetime) -> Sequence[Event]:
        """Return the visible events of a type that start in [since, until)."""
        starts = self._starts.get(kind, [])
        return self.of(kind)[bisect_left(starts, since) : bisect_left(starts, until)]

    def day(self, event: Event) -> date:
        """Return the local day that the event starts in."""
        found = self._days.get(event.key)
        if found is None:
            found = self._days[event.key] = self.calendar.day(event.start)
        return found


def resolve(arrivals: Iterable[Event]) -> list[Event]:
    """Return what arrivals in any order, with repeats, revisions and deletions, leave on a timeline, in order."""
    highest: dict[str, Event] = {}
    deleted: set[str] = set()
    for event in arrivals:
        known = highest.get(event.key)
        if known is None or event.revision > known.revision:
            highest[event.key] = event
        if event.type == "event.deleted":
            deleted.add(event_key(event.source, str(event.data["event_id"])))
    left = (event for key, event in highest.items() if key not in deleted and event.type != "event.deleted")
    return sorted(left, key=lambda event: event.order)
