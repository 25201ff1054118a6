"""When a rule looks: its anchors around an instant, each with its due time and the span in which advice may stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from services.rules.engine.once import once
from services.rules.engine.timeline import Timeline
from services.rules.engine.where import matches, those
from services.rules.language.model import Daily, Each, Rule, Weekly
from shared.contracts.advice import AnchorRef
from shared.contracts.events import Event

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_REACH = timedelta(days=3)  # a journey can move the local date, and the date line can take one out


class Due(NamedTuple):
    """One anchor, which falls due at `due`, of rules that share it; `kind` and `key` are those of its reference.

    Advice on it may stand in [`opens`, `closes`); `day` is the local day it starts in.
    """

    kind: Literal["each", "daily", "weekly"]
    key: str
    due: datetime
    start: datetime
    end: datetime
    day: date
    opens: datetime
    closes: datetime
    event: Event | None = None

    @property
    def ref(self) -> AnchorRef:
        """How advice names the anchor."""
        if self.event is None:
            return AnchorRef(self.kind, self.key, self.due)
        return AnchorRef(self.kind, self.key, self.due, self.event.type, self.start, self.end)


def anchors(rule: Rule, timeline: Timeline, now: datetime, since: datetime | None = None) -> Iterator[Due]:
    """Yield the rule's anchors whose span holds `now`, and those that open after it: for time, only the next one.

    With `since`, those whose span ended after that instant come first.
    """
    if since is None or since == now:
        zone = timeline.calendar.only
        if zone is not None and not isinstance(rule.anchor, Each):
            latest = _latest(rule)
            if zone not in latest:
                latest[zone] = _Latest(rule)
            yield from latest[zone].at(timeline, now)
            return
        since = now
    yield from _found(rule, timeline, now, since)


def _found(rule: Rule, timeline: Timeline, now: datetime, since: datetime) -> Iterator[Due]:
    match rule.anchor:
        case Each():
            yield from _each(rule, rule.anchor, timeline, since)
        case Daily():
            yield from _days(rule, rule.anchor, timeline, now, since)
        case Weekly():
            yield from _weeks(rule, rule.anchor, timeline, now, since)


@dataclass(slots=True)
class _Latest:
    """The anchors of a rule for time, for all who live in one zone: the same from one turn of the clock to the next."""

    rule: Rule
    known: tuple[datetime, datetime, tuple[Due, ...]] | None = None

    def at(self, timeline: Timeline, now: datetime) -> tuple[Due, ...]:
        """Return the anchors whose span holds `now`, and the next one."""
        if self.known is not None:
            since, until, dues = self.known
            if since <= now < until:
                return dues
        dues = tuple(_found(self.rule, timeline, now, now))
        if dues and dues[-1].opens > now:  # else it cannot be told when another opens
            turns = [turn for due in dues for turn in (due.opens, due.closes) if turn > now]
            self.known = (now, min(turns), dues)
        return dues


@once
def _latest(_: Rule) -> dict[ZoneInfo, _Latest]:
    return {}


def due_under(rule: Rule, due: Due, timeline: Timeline) -> datetime | None:
    """Return when the very anchor `due` falls due under `rule`, another text of its rule; None: it is none there."""
    match rule.anchor:
        case Each(type=kind, where=where, delay=delay, lead=lead):
            event = due.event
            if event is None or event.type != kind or not matches(where, event):
                return None
            return event.end + delay if lead is None else event.start - lead
        case Daily(at=at):
            return timeline.calendar.instant(due.day, at) if due.kind == "daily" else None
        case Weekly(weekday=weekday, at=at):
            day = due.day - timedelta(days=due.day.isoweekday() - weekday)
            return timeline.calendar.instant(day, at) if due.kind == "weekly" else None


def _each(rule: Rule, anchor: Each, timeline: Timeline, since: datetime) -> Iterator[Due]:
    if anchor.lead is not None:
        recent = timeline.since(anchor.type, since)
    else:
        over = since - rule.expires - anchor.delay
        recent = [event for event in timeline.ending_after(anchor.type, over) if event.end > over]
    for event in those(anchor.where)(recent):
        if anchor.lead is not None:
            due = event.start - anchor.lead
            closes = min(due + rule.expires, event.start)
            if closes <= since:
                continue
        else:
            due = event.end + anchor.delay
            closes = due + rule.expires
        opens = due + rule.settle
        yield Due("each", event.key, due, event.start, event.end, timeline.day(event), opens, closes, event)


def _days(rule: Rule, anchor: Daily, timeline: Timeline, now: datetime, since: datetime) -> Iterator[Due]:
    calendar = timeline.calendar
    day, last = calendar.day(since - rule.expires) - _REACH, calendar.day(now + rule.settle) + _REACH
    while day <= last:
        due = calendar.instant(day, anchor.at)
        if due is not None and due + rule.expires > since:
            yield _timed(rule, "daily", day.isoformat(), day, due)
            if due + rule.settle > now:
                return
        day += _DAY


def _weeks(rule: Rule, anchor: Weekly, timeline: Timeline, now: datetime, since: datetime) -> Iterator[Due]:
    calendar = timeline.calendar
    earliest = calendar.day(since - rule.expires)
    monday = earliest - timedelta(days=earliest.weekday()) - _WEEK
    last = (
        calendar.day(now + rule.settle) + _WEEK * 2
    )  # a week whose day the date line took out has no anchor
    while monday <= last:
        day = monday + timedelta(days=anchor.weekday - 1)
        due = calendar.instant(day, anchor.at)
        if due is not None and due + rule.expires > since:
            year, week, _ = day.isocalendar()
            yield _timed(rule, "weekly", f"{year}-W{week:02d}", day, due)
            if due + rule.settle > now:
                return
        monday += _WEEK


def _timed(rule: Rule, kind: Literal["daily", "weekly"], key: str, day: date, due: datetime) -> Due:
    return Due(kind, key, due, due, due, day, due + rule.settle, due + rule.expires)
