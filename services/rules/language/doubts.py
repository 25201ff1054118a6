"""What a checked rule has that is legal and probably wrong."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from services.rules.language.documents import Place
from services.rules.language.faults import Doubt
from services.rules.language.model import (
    After,
    Computed,
    Each,
    Record,
    Rule,
)
from services.rules.language.rules import Draft


def doubts(rule: Rule, draft: Draft) -> Iterator[Doubt]:
    """Yield what is doubtful about one rule: it can never hold, has facts for nothing, or looks past its due time."""
    yield from _never_holds(rule, draft.place)
    yield from _unused_facts(rule, draft.place)
    yield from _windows_after_due(rule, draft.place)


def unless_allowed(draft: Draft, found: Iterable[Doubt]) -> Iterator[Doubt]:
    """Yield the doubts that the rule's `allow` does not name."""
    allowed = (draft.place / "allow").value or ()
    return (doubt for doubt in found if doubt.name not in allowed)


def unversioned(rule: Rule, draft: Draft, old: Rule | None, old_draft: Draft | None) -> Iterator[Doubt]:
    """Yield a doubt when the rule's text is another than it was and its version is the same."""
    if old is None or old_draft is None or old.version != rule.version:
        return
    if draft.place.value != old_draft.place.value:
        message = f"{rule.id} is not what it was, and its version is still {rule.version}"
        yield Doubt("changed-unversioned", (draft.place / "id").fault(message, "raise `version` of the pack"))


def _never_holds(rule: Rule, place: Place) -> Iterator[Doubt]:
    """A condition that is false whatever happens: CEL decides an `&&` by one side that is."""
    known = {"params": Record("params", rule.params)}
    for key, expression in (("requires", rule.requires), ("when", rule.when)):
        if expression is not None and expression.decided(known) is False:
            message = f"{key} is false whatever happens, so the rule can never hold"
            yield Doubt("never-holds", (place / key).fault(message, "correct the condition or its params"))
    lead = rule.anchor.lead if isinstance(rule.anchor, Each) else None
    if lead is not None and rule.settle >= lead:
        message = "advice on a plan ends when the session starts, and settle reaches that, so it would never be active"
        key = "settle" if rule.settle else "lead"
        yield Doubt("never-holds", (place / key).fault(message, "settle for less, or give a longer lead"))


def _unused_facts(rule: Rule, place: Place) -> Iterator[Doubt]:
    expressions = [fact.expression.names for fact in rule.facts if isinstance(fact, Computed)]
    texts = [each.names for each in (rule.requires, rule.when, rule.title, rule.message) if each is not None]
    used = frozenset().union(*expressions, *texts)
    for fact in rule.facts:
        if fact.name not in used:
            message = f"the fact {fact.name} is never used"
            where = place / "facts" / fact.name
            yield Doubt("unused-fact", where.fault(message, "use it, or leave it out", key=True))


def _windows_after_due(rule: Rule, place: Place) -> Iterator[Doubt]:
    """A window that is still open when the rule first looks: what is yet to come is taken as absent."""
    anchor = rule.anchor
    waits = (anchor.delay if isinstance(anchor, Each) else timedelta()) + rule.settle
    for fact in rule.facts:
        window = None if isinstance(fact, Computed) else fact.window
        if isinstance(window, After) and window.span > waits:
            message = (
                f"the window of {fact.name} ends after the rule is due: it looks before all can have happened"
            )
            hint = "let `delay` (or `settle`) be as long as the window"
            yield Doubt("window-after-due", (place / "facts" / fact.name).fault(message, hint))
