"""What an earlier evaluation leaves to be judged: only anchors that are new, or that something new could touch.

A verdict hangs on the rule, the profile, the anchor and the events in the rule's windows. Where none of these has
changed, it is what it was: the advice that stood still stands, and where none stood, none does now.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.rules.engine.anchors import Due
from services.rules.engine.calendar import Calendar, midnight
from services.rules.engine.facts import days_of
from services.rules.engine.periods import PERIOD_TYPES
from services.rules.engine.timeline import Timeline
from services.rules.language.model import After, Before, Computed, Rule, Window
from shared.contracts.advice import Advice
from shared.contracts.events import Change

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_PLANS = ("workout.planned", "workout.completed")


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


@dataclass(slots=True)
class Spared:
    """Says of each anchor whether the earlier verdict on it is good."""

    earlier: Earlier
    _calendar: Calendar
    _starts: Mapping[str, list[datetime]]
    _keys: frozenset[str]
    _judged: dict[int, bool] = field(default_factory=dict)

    def holds_good(self, rule: Rule, due: Due) -> bool:
        """Whether the rule would find at the anchor what it found then."""
        ref = due.ref
        return (
            due.opens <= self.earlier.at
            and ref.key not in self._keys
            and self._fit(rule)
            and (rule.id, ref.key) not in self.earlier.unsettled
            and not self._touched(rule, due)
        )

    def _fit(self, rule: Rule) -> bool:
        """Whether the rule's verdicts hang on nothing but events: not on the time, nor is it asked for all it finds."""
        found = self._judged.get(id(rule))
        if found is None:
            kinds = {fact.type for fact in rule.facts if not isinstance(fact, Computed)}
            reads_plans = "workout.planned" in kinds or getattr(rule.anchor, "type", "") == "workout.planned"
            # Any session may take any plan away.
            plans_moved = reads_plans and any(kind in self._starts for kind in _PLANS)
            found = self._judged[id(rule)] = (
                rule.mode == "live" and "now" not in rule.names and not plans_moved
            )
        return found

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
    starts: dict[str, list[datetime]] = {}
    for change in sorted(changes, key=lambda change: change.start):
        starts.setdefault(change.type, []).append(change.start)
    return Spared(earlier, timeline.calendar, starts, frozenset(change.key for change in changes))
