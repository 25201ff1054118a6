"""A rule as prose: when it looks, at what, what must hold, what it says and for how long, and what that rests on."""

from collections.abc import Iterator
from datetime import timedelta

from services.rules.language.model import (
    After,
    Aggregate,
    Anchor,
    Before,
    Computed,
    Condition,
    Daily,
    During,
    Each,
    Fact,
    LastDays,
    Pick,
    Rule,
    Where,
    Window,
)
from shared.contracts.athletes import Param

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SIGNS = {"gt": "over", "gte": "at least", "lt": "under", "lte": "at most", "ne": "other than"}
_WINDOWS = {
    "today": "on the anchor's local day",
    "yesterday": "on the local day before the anchor's",
    "this_week": "in the anchor's ISO week",
    "last_week": "in the ISO week before the anchor's",
}
_OVER = {"sum": "the sum", "min": "the least", "max": "the most", "avg": "the mean"}
_MODES = {
    "live": "",
    "shadow": "It is in shadow: evaluated, and nobody is told.",
    "off": "It is off: never evaluated.",
}


def explain(rule: Rule) -> str:
    """Return several paragraphs of plain text about `rule`, every condition and param as its file has them."""
    return "\n\n".join(_paragraphs(rule))


def _paragraphs(rule: Rule) -> Iterator[str]:
    yield f"{rule.id} (pack {rule.pack}, version {rule.version}): a {rule.severity} about {rule.category}."
    if _MODES[rule.mode]:
        yield _MODES[rule.mode]
    yield f"Looks {_anchor(rule.anchor)}.{_settled(rule)}"
    if rule.params:
        params = "\n".join(f"  {name} = {_value(value)}" for name, value in sorted(rule.params.items()))
        yield f"Params, which a club or an athlete may set:\n{params}"
    if rule.facts:
        facts = "\n".join(f"  {fact.name}: {_fact(fact)}" for fact in rule.facts)
        yield f"Finds out, one after the other:\n{facts}"
    if rule.requires is not None:
        yield f"Says nothing, for want of data, unless\n  {_flat(rule.requires.source)}"
    yield f"Speaks when\n  {_flat(rule.when.source)}"
    yield f'and says\n  "{_flat(rule.title.source)}"\n  {_flat(rule.message.source)}'
    lasts = f"{spelled(rule.expires)}{_plan_end(rule.anchor)}"
    yield f"It stands for {lasts}, as long as that holds, and is withdrawn when it no longer does."
    if rule.supersedes:
        yield f"While it stands, these say nothing about the same local day: {', '.join(sorted(rule.supersedes))}."
    yield f"Evidence: {rule.evidence}. {'; '.join(rule.sources)}."


def spelled(span: timedelta) -> str:
    """Return a duration in words: `1 day 12 h`, `90 min` as `1 h 30 min`, nothing as `0 s`."""
    seconds = int(span.total_seconds())
    parts = []
    for unit, size in (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}")
    return " ".join(parts) or "0 s"


def _anchor(anchor: Anchor) -> str:
    match anchor:
        case Each(type=kind, where=where, lead=timedelta() as lead):
            return f"at every {kind}{_where(where)}, {spelled(lead)} before its start"
        case Each(type=kind, where=where, delay=delay):
            when = f"{spelled(delay)} after its end" if delay else "at its end"
            return f"at every {kind}{_where(where)}, {when}"
        case Daily(at=at):
            return f"every day at {at:%H:%M}, the athlete's time"
        case _:
            return f"every {_WEEKDAYS[anchor.weekday - 1]} at {anchor.at:%H:%M}, the athlete's time"


def _settled(rule: Rule) -> str:
    return f" It waits {spelled(rule.settle)} for what is logged late." if rule.settle else ""


def _plan_end(anchor: Anchor) -> str:
    return (
        ", and not beyond the session's start" if isinstance(anchor, Each) and anchor.lead is not None else ""
    )


def _fact(fact: Fact) -> str:
    match fact:
        case Computed(expression=expression):
            return _flat(expression.source)
        case Pick(which=which, type=kind, where=where, window=window):
            return f"the {which} {kind}{_where(where)} {_window(window)}"
        case Aggregate(operation="count", type=kind, where=where, window=window):
            return f"how many {kind}{_where(where)} {_window(window)}"
        case Aggregate(operation="days", type=kind, where=where, window=window):
            return f"on how many local days there was a {kind}{_where(where)} {_window(window)}"
        case _:
            over = f"{_OVER[fact.operation]} of {fact.field} over every {fact.type}"
            return f"{over}{_where(fact.where)} {_window(fact.window)}"


def _window(window: Window) -> str:
    match window:
        case During(span):
            return _WINDOWS[span]
        case Before(span):
            return f"that starts in the {spelled(span)} before the anchor's start"
        case After(span):
            return f"that starts in the {spelled(span)} after the anchor's end"
        case LastDays(days):
            return f"on the anchor's local day or the {days - 1} before it"


def _where(where: Where) -> str:
    return f" with {' and '.join(_condition(each) for each in where)}" if where else ""


def _condition(condition: Condition) -> str:
    values = condition.value if isinstance(condition.value, list | tuple) else [condition.value]
    return (
        f"{condition.field} {_SIGNS.get(condition.operator, '')} ".rstrip()
        + f" {' or '.join(map(_value, values))}"
    )


def _value(value: Param | object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _flat(source: str) -> str:
    """Return the text on one line, as templates and expressions may span several."""
    return " ".join(source.split())
