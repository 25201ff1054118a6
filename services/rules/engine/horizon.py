"""How far from now an event can matter: the slice of a timeline that gives the same advice as the whole."""

from dataclasses import dataclass
from datetime import timedelta

from services.rules.language.model import (
    After,
    Before,
    Computed,
    Daily,
    During,
    Each,
    LastDays,
    Rule,
    Rulebook,
    Weekly,
    Window,
)
from shared.contracts.events import MAX_DURATION, PLAN_HORIZON

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_SLACK = timedelta(days=3)  # local days begin at other instants than UTC's, and journeys move them


@dataclass(frozen=True, slots=True)
class Horizon:
    """Events that start in [now - `back`, now + `ahead`] are all that `advise` can read at `now`."""

    back: timedelta
    ahead: timedelta


def horizon(rulebook: Rulebook) -> Horizon:
    """Return the reach of the widest rule of all generations."""
    reaches = [_reach(rule) for generation in rulebook for rule in generation.rule_set.rules]
    return Horizon(max(reaches, default=_DAY) + MAX_DURATION + _SLACK, PLAN_HORIZON + MAX_DURATION)


def _reach(rule: Rule) -> timedelta:
    """Return how long before now the start of an anchor lies at most, and how much further its facts look."""
    anchor_age = rule.expires
    match rule.anchor:
        case Each():
            anchor_age += rule.anchor.delay
        case Daily() | Weekly():
            pass
    windows = [_window_reach(fact.window) for fact in rule.facts if not isinstance(fact, Computed)]
    records = [_WEEK] if "week" in rule.names else [_DAY] if "day" in rule.names else []
    # `day.closed` may be noted up to nine days from the day that it closes.
    closings = _DAY * 9 if {"day", "week"} & rule.names else _DAY * 0
    return anchor_age + max([*windows, *records], default=_DAY * 0) + closings


def _window_reach(window: Window) -> timedelta:
    match window:
        case Before(span):
            return span
        case After():
            return _DAY * 0
        case LastDays(days):
            return _DAY * days
        case During("this_week"):
            return _WEEK
        case During("last_week"):
            return _WEEK * 2
        case During():
            return _DAY * 2
