"""What an athlete's timeline shows at an instant: events that have ended, and plans that are still plans."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from services.rules.engine.calendar import Calendar
from shared.contracts.events import PLAN_HORIZON, Event, event_key

_DAY = timedelta(days=1)


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
        visible = [*ended, *_open(plans, ended)]
        self._by_type: dict[str, list[Event]] = {}
        for event in sorted(visible, key=lambda event: event.order):
            self._by_type.setdefault(event.type, []).append(event)
        self._starts = {kind: [event.start for event in found] for kind, found in self._by_type.items()}

    def of(self, kind: str) -> Sequence[Event]:
        """Return all visible events of a type."""
        return self._by_type.get(kind, ())

    def since(self, kind: str, instant: datetime) -> Sequence[Event]:
        """Return the visible events of a type that start at `instant` or later."""
        return self.of(kind)[bisect_left(self._starts.get(kind, ()), instant) :]

    def between(self, kind: str, since: datetime, until: datetime) -> Sequence[Event]:
        """Return the visible events of a type that start in [since, until)."""
        starts = self._starts.get(kind, ())
        return self.of(kind)[bisect_left(starts, since) : bisect_left(starts, until)]

    def on(self, kind: str, first: date, last: date) -> Sequence[Event]:
        """Return the visible events of a type that start on the local days `first` to `last`."""
        # No zone is a whole day from UTC, so a local day lies within the same date's neighbours there.
        near = self.between(kind, midnight(first) - _DAY, midnight(last) + _DAY * 2)
        return [event for event in near if first <= self.day(event) <= last]

    def day(self, event: Event) -> date:
        """Return the local day that the event starts in."""
        return self.calendar.day(event.start)


def midnight(day: date) -> datetime:
    """Return the instant at which `day` begins in UTC."""
    return datetime.combine(day, time(), UTC)


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
