"""How far from now an event can matter: the slice of a timeline that gives the same advice as the whole."""

from dataclasses import dataclass
from datetime import timedelta

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
_SLACK = timedelta(
    days=4
)  # local days begin at other instants than UTC's, journeys move them, notes come early


@dataclass(frozen=True, slots=True)
class Horizon:
    """Events that start in [now - `back`, now + `ahead`] are all that `advise` can read at `now`.

    That holds for plans up to `PLAN_HORIZON` ahead, which is as far as they may lie when they are made.
    """

    back: timedelta
    ahead: timedelta


def horizon(rulebook: Rulebook) -> Horizon:
    """Return the reach of the widest rule of all generations."""
    rules = [rule for generation in rulebook for rule in generation.rule_set.rules]
    # What is active is held against all that fell due on its local day and may be over by now, and that against what
    # muted it then.
    back_then = max((rule.expires for rule in rules if rule.most_a_day is not None), default=None)
    reaches = [_reach(rule, back_then) for rule in rules]
    return Horizon(max(reaches, default=_DAY) + MAX_DURATION + _SLACK, PLAN_HORIZON + MAX_DURATION)


def _reach(rule: Rule, back_then: timedelta | None) -> timedelta:
    """Return how long before now the start of an anchor lies at most, and how much further the rule looks from it.

    `back_then` is how long before now the anchor of active advice that is counted by the day may have fallen due.
    """
    windows = [_window_reach(fact.window) for fact in rule.facts if not isinstance(fact, Computed)]
    if "week" in rule.names:
        windows.append(_WEEK)
    # A session that names a plan, and so takes it away, may have come as long before it as it was planned ahead.
    plans = PLAN_HORIZON if _reads_plans(rule) else timedelta()
    return _anchor_age(rule, back_then) + max(windows, default=timedelta()) + plans


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


def _reads_plans(rule: Rule) -> bool:
    anchor = isinstance(rule.anchor, Each) and rule.anchor.type == "workout.planned"
    return anchor or any(
        fact.type == "workout.planned" for fact in rule.facts if not isinstance(fact, Computed)
    )


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
