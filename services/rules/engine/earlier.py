"""What an earlier evaluation leaves to be judged: only anchors that are new, or that something new could touch.

A verdict hangs on the rule, the profile, the anchor and the events in the rule's windows. Where none of these has
changed, it is what it was: the advice that stood still stands, and where none stood, none does now.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from services.rules.engine.anchors import Due
from services.rules.engine.calendar import Calendar, midnight
from services.rules.engine.facts import days_of
from services.rules.engine.once import once
from services.rules.engine.periods import PERIOD_TYPES
from services.rules.engine.timeline import Timeline
from services.rules.language.model import After, Before, Computed, LastDays, Rule, Together, Window
from shared.contracts.advice import Advice
from shared.contracts.events import Change

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_PLANS = ("workout.planned", "workout.completed")
_FORTNIGHT = _WEEK * 2
_NEAR_A_DAY = timedelta(days=3)
"""No local day begins or ends further than this from an instant that belongs to it, whatever the journey."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An evaluation of the same athlete by the same rules and the same profile, and what has changed since.

    `stood` is the advice that it left standing; `unsettled` names the (rule, anchor key) that it had no word on: they
    failed, or held and were kept back.
    """

    at: datetime
    stood: Mapping[tuple[str, str], Advice]
    unsettled: frozenset[tuple[str, str]]
    changes: tuple[Change, ...]


class _Reach(NamedTuple):
    """How far from an anchor rules look, at the widest, and on what else than events their verdicts hang."""

    back: timedelta
    ahead: timedelta
    steady: bool
    """Whether all are live, and so not asked for all that they find, and none reads the time."""
    plans: bool
    periods: bool


@dataclass(slots=True)
class Spared:
    """Says of each anchor which rules must be judged there again, and what stood of the others' advice."""

    _earlier: Earlier
    _calendar: Calendar
    _starts: Mapping[str, list[datetime]]
    _all: list[datetime]
    _keys: frozenset[str]
    _stood: Mapping[str, Mapping[str, Advice]]
    _unsettled: frozenset[str]
    """Anchors that a rule had no word on."""

    def stood(self, due: Due) -> Mapping[str, Advice]:
        """Return the advice that stood on the anchor, by rule."""
        return self._stood.get(due.key, {})

    def left(self, together: Together, due: Due) -> Sequence[Rule]:
        """Return those of the rules which may find at the anchor what they did not find then."""
        if due.opens > self._earlier.at or due.key in self._keys:
            return together.rules
        reach = _reach_of_all(together)
        if reach.steady and due.key not in self._unsettled and not self._near(reach, due):
            return ()
        return [rule for rule in together.rules if not self._holds_good(rule, due)]

    def _near(self, reach: _Reach, due: Due) -> bool:
        """Whether something changed that any of the rules may see."""
        if reach.plans and any(kind in self._starts for kind in _PLANS):
            return True
        if reach.periods and "day.closed" in self._starts:
            return True
        changes, until = self._all, due.end + reach.ahead
        if not changes or changes[0] >= until:  # as it is with what comes in order
            return False
        place = bisect_left(changes, due.start - reach.back)
        return place < len(changes) and changes[place] < until

    def _holds_good(self, rule: Rule, due: Due) -> bool:
        reach = _reach(rule)
        return (
            reach.steady
            # Any session may take any plan away.
            and not (reach.plans and any(kind in self._starts for kind in _PLANS))
            and (rule.id, due.key) not in self._earlier.unsettled
            and not self._touched(rule, due)
        )

    def _touched(self, rule: Rule, due: Due) -> bool:
        """Whether something changed where the rule looks, or so near that it cannot be told."""
        for fact in rule.facts:
            if isinstance(fact, Computed) or fact.type not in self._starts:
                continue
            if self._within(fact.type, fact.window, due):
                return True
        if "day" not in rule.names and "week" not in rule.names:
            return False
        first = due.day - _WEEK if "week" in rule.names else due.day
        # A day is closed on it or any time after it.
        return "day.closed" in self._starts or any(
            self._moved_on(kind, first, due.day) for kind in PERIOD_TYPES if kind in self._starts
        )

    def _within(self, kind: str, window: Window, due: Due) -> bool:
        match window:
            case Before(span):
                return self._moved(kind, due.start - span, due.start)
            case After(span):
                return self._moved(kind, due.end, due.end + span)
            case _:
                return self._moved_on(kind, *days_of(window, due.day))

    def _moved_on(self, kind: str, first: date, last: date) -> bool:
        if self._calendar.travelled:
            since, until = midnight(first) - _DAY, midnight(last) + _DAY * 2  # no zone is a day from UTC
        else:
            since, until = self._calendar.start_of(first), self._calendar.start_of(last + _DAY)
        return self._moved(kind, since, until)

    def _moved(self, kind: str, since: datetime, until: datetime) -> bool:
        starts = self._starts[kind]
        place = bisect_left(starts, since)
        return place < len(starts) and starts[place] < until


def spared(earlier: Earlier, timeline: Timeline) -> Spared:
    """Return what the earlier evaluation spares this one. What has ended since then counts as having come."""
    changes = [
        *earlier.changes,
        *(Change(each.type, each.start, each.key) for each in timeline.ended_after(earlier.at)),
    ]
    changes.sort(key=attrgetter("start"))
    starts: dict[str, list[datetime]] = {}
    for change in changes:
        starts.setdefault(change.type, []).append(change.start)
    stood: dict[str, dict[str, Advice]] = {}
    for (rule, key), advice in earlier.stood.items():
        stood.setdefault(key, {})[rule] = advice
    return Spared(
        earlier,
        timeline.calendar,
        starts,
        [change.start for change in changes],
        frozenset(change.key for change in changes),
        stood,
        frozenset(key for _, key in earlier.unsettled),
    )


@once
def _reach_of_all(together: Together) -> _Reach:
    reaches = [_reach(rule) for rule in together.rules]
    return _Reach(
        max(each.back for each in reaches),
        max(each.ahead for each in reaches),
        all(each.steady for each in reaches),
        any(each.plans for each in reaches),
        any(each.periods for each in reaches),
    )


@once
def _reach(rule: Rule) -> _Reach:
    facts = [fact for fact in rule.facts if not isinstance(fact, Computed)]
    spans = [_span(fact.window) for fact in facts]
    periods = "day" in rule.names or "week" in rule.names
    if periods:
        spans.append((_WEEK + _NEAR_A_DAY, _NEAR_A_DAY))
    kinds = {fact.type for fact in facts} | {getattr(rule.anchor, "type", "")}
    return _Reach(
        max((back for back, _ in spans), default=timedelta()),
        max((ahead for _, ahead in spans), default=timedelta()),
        rule.mode == "live" and "now" not in rule.names,
        "workout.planned" in kinds,
        periods,
    )


def _span(window: Window) -> tuple[timedelta, timedelta]:
    """Return how far the window may lie before the anchor's start and after its end, at the most."""
    match window:
        case Before(span):
            return span, timedelta()
        case After(span):
            return timedelta(), span
        case LastDays(days):
            return _DAY * days + _NEAR_A_DAY, _NEAR_A_DAY
        case _:
            return _FORTNIGHT + _NEAR_A_DAY, _WEEK + _NEAR_A_DAY
