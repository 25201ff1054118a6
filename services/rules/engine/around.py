"""Which anchors a rulebook asks about around an instant, and at which instants it looks at one that is open."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from services.rules.engine.anchors import Due, anchors
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Rule, Rulebook

LOOK_AGAIN = timedelta(minutes=15)
"""A rule that reads `now` is evaluated this often, from when it opens, while its advice may stand.

It reads the instant of the latest such look: else what it finds would hang on when a wake-up happened to come.
"""


def around(
    rulebook: Rulebook,
    timeline: Timeline,
    now: datetime,
    over: datetime,
    wanted: Callable[[Rule], bool] = lambda _: True,
) -> Iterator[tuple[Rule, Due]]:
    """Yield each rule with each anchor that it governs, if advice on it may stand after `over`."""
    for generation, successor in zip_longest(rulebook, rulebook[1:]):
        since, until = generation.since, successor.since if successor is not None else None
        for rule in generation.rule_set.rules:
            for due in anchors(rule, timeline, now, over) if rule.mode != "off" and wanted(rule) else ():
                if (since is None or since <= due.ref.due) and (until is None or due.ref.due < until):
                    yield rule, due


def looks(due: Due, now: datetime) -> tuple[datetime, datetime]:
    """Return the latest look at an open anchor, and the one after it."""
    latest = due.opens + (now - due.opens) // LOOK_AGAIN * LOOK_AGAIN
    return latest, latest + LOOK_AGAIN
