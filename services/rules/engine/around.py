"""Which anchors a rulebook asks about around an instant, and at which instants it looks at one that is open."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import compress, zip_longest

from services.rules.engine.anchors import Due, anchors, due_under
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Generation, Rule, Rulebook, Together

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
) -> Iterator[tuple[Due, Together]]:
    """Yield each anchor with the rules that govern it, if advice on it may stand after `over`.

    An anchor belongs to the first load of rules under which it falls due while that is in force.
    """
    for index, (generation, successor) in enumerate(zip_longest(rulebook, rulebook[1:])):
        for together in generation.rule_set.by_anchor:
            if _is_past(successor, over - together.rules[0].expires):
                continue
            asked = together if wanted is None else _some(together, map(wanted, together.rules))
            moved: list[Rule] | None = None
            for due in anchors(asked.rules[0], timeline, now, over) if asked.rules else ():
                if not _governs(generation, successor, due.due):
                    continue
                if moved is None:
                    moved = (
                        [rule for rule in asked.rules if _has_moved(rulebook[:index], rule)] if index else []
                    )
                came = [rule for rule in moved if _came(rulebook, index, rule, due, timeline)]
                new = _some(asked, (rule not in came for rule in asked.rules)) if came else asked
                if new.rules:
                    yield due, new


def _some(together: Together, wanted: Iterable[bool]) -> Together:
    """Return the rules that are wanted: the same object where all are, for what is worked out of it."""
    rules = tuple(compress(together.rules, wanted))
    return together if len(rules) == len(together.rules) else Together(rules)


def _is_past(successor: Generation | None, instant: datetime) -> bool:
    """Whether all that falls due after `instant` is governed by later loads of rules."""
    return successor is not None and successor.since is not None and successor.since <= instant


def _governs(generation: Generation, successor: Generation | None, due: datetime) -> bool:
    since, until = generation.since, successor.since if successor is not None else None
    return (since is None or since <= due) and (until is None or due < until)


def _has_moved(earlier: Rulebook, rule: Rule) -> bool:
    """Whether the rule ever had another anchor: else what it looks at falls due when it did, under one load alone."""
    texts = (each.rule_set.named.get((rule.id, rule.trial), rule) for each in earlier)
    return any(text is not rule and text.anchor != rule.anchor for text in texts)


def _came(rulebook: Rulebook, index: int, rule: Rule, due: Due, timeline: Timeline) -> bool:
    """Whether the anchor fell due under a load of rules before that of `index`."""
    return any(
        _was_due(rulebook[position], rulebook[position + 1], rule, due, timeline) for position in range(index)
    )


def _was_due(earlier: Generation, successor: Generation, rule: Rule, due: Due, timeline: Timeline) -> bool:
    """Whether the anchor fell due under an earlier text of the rule, which governs it then: an edit moved its time."""
    old = earlier.rule_set.named.get((rule.id, rule.trial))
    instant = None if old is None else due_under(old, due, timeline)
    return instant is not None and _governs(earlier, successor, instant)


def looks(due: Due, now: datetime) -> tuple[datetime, datetime]:
    """Return the latest look at an open anchor, and the one after it."""
    latest = due.opens + (now - due.opens) // LOOK_AGAIN * LOOK_AGAIN
    return latest, latest + LOOK_AGAIN
