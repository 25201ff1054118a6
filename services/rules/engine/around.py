"""Which anchors a rulebook asks about around an instant, and at which instants it looks at one that is open."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from services.rules.engine.anchors import Due, anchors, due_under
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Generation, Rule, Rulebook

LOOK_AGAIN = timedelta(minutes=15)
"""A rule that reads `now` is evaluated this often, from when it opens, while its advice may stand.

It reads the instant of the latest such look: else what it finds would hang on when a wake-up happened to come.
"""


def around(
    rulebook: Rulebook,
    timeline: Timeline,
    now: datetime,
    over: datetime,
    wanted: Callable[[Rule], bool] | None = None,
) -> Iterator[tuple[Due, tuple[Rule, ...]]]:
    """Yield each anchor with the rules that govern it, if advice on it may stand after `over`.

    An anchor belongs to the first load of rules under which it falls due while that is in force.
    """
    alone = len(rulebook) == 1 and rulebook[0].since is None
    for index, (generation, successor) in enumerate(zip_longest(rulebook, rulebook[1:])):
        for together in generation.rule_set.by_anchor:
            rules = together if wanted is None else tuple(filter(wanted, together))
            for due in anchors(rules[0], timeline, now, over) if rules else ():
                if alone:
                    yield due, rules
                elif _governs(generation, successor, due.due):
                    governed = tuple(
                        rule
                        for rule in rules
                        if not any(
                            _was_due(earlier, rulebook[position + 1], rule, due, timeline)
                            for position, earlier in enumerate(rulebook[:index])
                        )
                    )
                    yield due, governed


def _governs(generation: Generation, successor: Generation | None, due: datetime) -> bool:
    since, until = generation.since, successor.since if successor is not None else None
    return (since is None or since <= due) and (until is None or due < until)


def _was_due(earlier: Generation, successor: Generation, rule: Rule, due: Due, timeline: Timeline) -> bool:
    """Whether the anchor fell due under an earlier text of the rule, which governs it then: an edit moved its time."""
    for old in earlier.rule_set.rules:
        if old.id == rule.id and old.mode != "off" and old.trial == rule.trial:
            instant = due_under(old, due, timeline)
            return instant is not None and _governs(earlier, successor, instant)
    return False


def looks(due: Due, now: datetime) -> tuple[datetime, datetime]:
    """Return the latest look at an open anchor, and the one after it."""
    latest = due.opens + (now - due.opens) // LOOK_AGAIN * LOOK_AGAIN
    return latest, latest + LOOK_AGAIN
