"""How far from now an event can matter: the slice of a timeline that gives the same advice as the whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.rules.engine.periods import PERIOD_TYPES
from services.rules.language.model import (
    After,
    Before,
    Computed,
    During,
    Each,
    LastDays,
    Rule,
    Rulebook,
    Window,
)
from shared.contracts.events import MAX_DURATION, PLAN_HORIZON

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_UNCERTAIN = MAX_DURATION + timedelta(days=4)
"""An event may start long before it ends; local days begin at other instants than UTC's, journeys move them, and notes
come early."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Events that start in [now - `back`, now + `ahead`] are all that `advise` can read at `now`.

    `back` is by event type, for a meal is soon forgotten and a session is not; a type that it lacks is never read.
    That holds for plans up to `PLAN_HORIZON` ahead, which is as far as they may lie when they are made.
    """

    back: Mapping[str, timedelta]
    ahead: timedelta

    @property
    def longest(self) -> timedelta:
        """How far back the type reaches that matters longest."""
        return max(self.back.values(), default=_DAY + _UNCERTAIN)

    def since(self, now: datetime) -> dict[str, datetime]:
        """Return by event type the earliest start that matters at `now`."""
        return {kind: now - back for kind, back in self.back.items()}


def horizon(rulebook: Rulebook) -> Horizon:
    """Return the reach of the widest rule of all generations, for each event type."""
    rules = [rule for generation in rulebook for rule in generation.rule_set.rules]
    # What is active is held against all that fell due on its local day and may be over by now, and that against what
    # muted it then.
    back_then = max((rule.expires for rule in rules if rule.most_a_day is not None), default=None)
    back: dict[str, timedelta] = {}
    for rule in rules:
        age = _anchor_age(rule, back_then) + _UNCERTAIN
        for kind, further in _reaches(rule):
            back[kind] = max(back.get(kind, timedelta()), age + further)
    return Horizon(back, PLAN_HORIZON + MAX_DURATION)


def _reaches(rule: Rule) -> Iterator[tuple[str, timedelta]]:
    """Yield the event types that the rule reads, each with how much further back than its anchor it looks for them."""
    reaches = [
        (fact.type, _window_reach(fact.window)) for fact in rule.facts if not isinstance(fact, Computed)
    ]
    if isinstance(rule.anchor, Each):
        reaches.append((rule.anchor.type, timedelta()))
    for period, further in (("day", _DAY), ("week", _WEEK)):
        if period in rule.names:
            reaches.extend((kind, further) for kind in PERIOD_TYPES)
    yield from reaches
    # A session that names a plan, and so takes it away, may have come as long before it as it was planned ahead.
    plans = [further for kind, further in reaches if kind == "workout.planned"]
    if plans:
        yield "workout.completed", max(plans) + PLAN_HORIZON


def _anchor_age(rule: Rule, back_then: timedelta | None) -> timedelta:
    anchor = rule.anchor
    delay = anchor.delay if isinstance(anchor, Each) else timedelta()
    # A plan's advice ends when the plan begins.
    stands = timedelta() if isinstance(anchor, Each) and anchor.lead is not None else rule.expires
    if back_then is None:
        return stands + delay
    if rule.supersedes:
        return back_then + _DAY * 2 + stands + delay
    return max(stands, back_then + _DAY if rule.most_a_day is not None else timedelta()) + delay


def _window_reach(window: Window) -> timedelta:
    match window:
        case Before(span):
            return span
        case After():
            return timedelta()
        case LastDays(days):
            return _DAY * days
        case During("this_week"):
            return _WEEK
        case During("last_week"):
            return _WEEK * 2
        case During():
            return _DAY * 2
