"""What an athlete's timeline shows at an instant: events that have ended, and plans that are still plans."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter, lt

from services.rules.engine.calendar import Calendar
from services.rules.engine.digest import UNDIGESTED, Digest, NotReadError, picks, plans_taken
from services.rules.engine.records import event_record
from services.rules.engine.selection import Older, Selection
from services.rules.language.model import Choice, Record
from shared.contracts.events import MAX_DURATION, PLAN_HORIZON, Event, event_key
from shared.contracts.instants import to_ms

_ORDER = attrgetter("start", "source", "id")
"""`Event.order`, told to `sorted` in a form that costs it no call."""


class Timeline:
    """The visible events, by type and in order (start, then source, then id), with their local days.

    With a `digest`, `events` are those that start from its `until` on, and all plans; what asks for an older one is
    told by `NotReadError`.
    """

    def __init__(
        self, events: Iterable[Event], calendar: Calendar, now: datetime, digest: Digest | None = None
    ) -> None:
        self.calendar = calendar
        self.coming: list[datetime] = []
        """When events that are not yet seen will be."""
        self._digest = digest
        ended: list[Event] = []
        plans: list[Event] = []
        by_type: dict[str, list[Event]] = {}
        for event in events:
            kind = event.type
            if kind == "workout.planned":
                plans.append(event)
            elif event.end <= now:
                ended.append(event)
                if kind in by_type:
                    by_type[kind].append(event)
                else:
                    by_type[kind] = [event]
            else:
                self.coming.append(event.end)
        if digest is not None:
            _must_be_over(digest, now)
        if plans:
            by_type["workout.planned"] = plans = _open(plans, by_type.get("workout.completed", ()), digest)
        self._ended = ended
        self.total = len(ended) + len(plans)
        """How many events there are, of all types."""
        if digest is not None:
            self.total += sum([extent.events for extent in digest.extents.values()])
        self._visible = by_type
        self._by_type: dict[str, Selection] = {}
        self._records: dict[str, Record] = {}
        self._chosen: dict[Choice, Selection] = {}

    def of(self, kind: str) -> Selection:
        """Return all visible events of a type."""
        found = self._by_type.get(kind)
        if found is None:
            found = self._by_type[kind] = self._in_order(kind)
        return found

    def size(self, kind: str) -> int:
        """Return how many events of the type there are at most in any window."""
        extent = self._digest.extents.get(kind) if self._digest is not None else None
        return len(self.of(kind).events) + (extent.events if extent is not None else 0)

    def ending_after(self, kind: str, instant: datetime) -> Sequence[Event]:
        """Return the visible events of a type that may end after `instant`."""
        found = self.of(kind)
        if found.older is None:
            return found.since(instant - MAX_DURATION)
        if found.older.extent is not None and found.older.extent.end > to_ms(instant):
            raise NotReadError
        return found.since(max(instant - MAX_DURATION, found.older.until))

    def ended_after(self, instant: datetime) -> list[Event]:
        """Return the events that came to be seen after `instant`."""
        return [event for event in self._ended if event.end > instant]

    def chosen(self, choice: Choice) -> Selection:
        """Return the visible events of a choice."""
        found = self._chosen.get(choice)
        if found is None:
            events = picks(choice)(self.of(choice.type).events)
            found = self._chosen[choice] = Selection(events, self.calendar, self._older(choice.type, choice))
        return found

    def _in_order(self, kind: str) -> Selection:
        events: Sequence[Event] = self._visible.get(kind, ())
        starts = [event.start for event in events]
        if not all(map(lt, starts, starts[1:])):  # as the store has them, mostly they are
            events = sorted(events, key=_ORDER)
            starts = [event.start for event in events]
        return Selection(events, self.calendar, self._older(kind), starts)

    def _older(self, kind: str, choice: Choice | None = None) -> Older | None:
        return None if self._digest is None or kind in UNDIGESTED else Older(self._digest, kind, choice)

    def since(self, kind: str, instant: datetime) -> Sequence[Event]:
        """Return the visible events of a type that start at `instant` or later."""
        return self.of(kind).since(instant)

    def on(self, kind: str, first: date, last: date) -> Sequence[Event]:
        """Return the visible events of a type that start on the local days `first` to `last`."""
        return self.of(kind).on(first, last).events()

    def record(self, event: Event) -> Record:
        """Return what a rule sees of the event."""
        found = self._records.get(event.key)
        if found is None:
            found = self._records[event.key] = event_record(event, self.day(event))
        return found

    def day(self, event: Event) -> date:
        """Return the local day that the event starts in."""
        return self.calendar.day(event.start)


def _must_be_over(digest: Digest, now: datetime) -> None:
    """Raise `NotReadError` when something was not over yet that is summed up."""
    at = to_ms(now)
    if any(extent.end > at for extent in digest.extents.values()):
        raise NotReadError


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


def _open(plans: Iterable[Event], sessions: Iterable[Event], digest: Digest | None) -> list[Event]:
    """Return the plans that no completed session names.

    A plan lies at most `PLAN_HORIZON` ahead, so a session that began earlier than that before it cannot have been it.
    """
    taken = plans_taken(sessions, {} if digest is None else digest.taken)
    return [
        plan for plan in plans if plan.id not in taken or taken[plan.id] < to_ms(plan.start - PLAN_HORIZON)
    ]
