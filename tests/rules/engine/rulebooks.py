"""Rules made of the model's own parts, with real compiled expressions: what a rule file would be loaded to."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from services.rules.language import kinds
from services.rules.language.expressions import CompiledExpression, compile_expression
from services.rules.language.messages import CompiledTemplate, compile_template
from services.rules.language.model import (
    Aggregate,
    Anchor,
    Computed,
    Daily,
    During,
    Each,
    Fact,
    Generation,
    Pick,
    Rule,
    Rulebook,
    RuleSet,
    Weekly,
    Where,
    Window,
)
from shared.contracts.athletes import Param

TODAY = During("today")
_PARAM_KINDS = {bool: kinds.FLAG, str: kinds.TEXT, tuple: kinds.NUMBERS}


def hours(number: float) -> timedelta:
    """Return a span."""
    return timedelta(hours=number)


def count(name: str, kind: str, window: Window = TODAY, where: Where = ()) -> Aggregate:
    """Return the fact `{count: kind}`."""
    return Aggregate(name, "count", kind, None, where, window)


def of(
    name: str,
    operation: Literal["sum", "min", "max", "avg"],
    kind_and_field: str,
    window: Window = TODAY,
) -> Aggregate:
    """Return the fact `{operation: kind.field}`."""
    kind, _, field = kind_and_field.rpartition(".")
    return Aggregate(name, operation, kind, field, (), window)


def last(name: str, kind: str, window: Window, where: Where = ()) -> Pick:
    """Return the fact `{last: kind}`."""
    return Pick(name, "last", kind, where, window)


def rule(
    id: str,  # noqa: A002 - the rule's own word
    anchor: Anchor,
    when: str = "true",
    *,
    facts: Iterable[Fact | tuple[str, str]] = (),
    params: Mapping[str, Param] | None = None,
    requires: str | None = None,
    title: str = "Title",
    message: str = "Message",
    expires: timedelta = timedelta(hours=24),
    settle: timedelta = timedelta(),
    supersedes: Iterable[str] = (),
    mode: Literal["live", "shadow", "off"] = "live",
    version: int = 1,
) -> Rule:
    """Return a checked rule; a fact that is a pair is a name and its expression."""
    params = params or {}
    of_params = tuple((name, _PARAM_KINDS.get(type(value), kinds.NUMBER)) for name, value in params.items())
    names = {
        "anchor": _anchor_kind(anchor), "athlete": "athlete", "params": "params", "now": kinds.TIME,
        "day": "day", "week": "week",
    }  # fmt: skip
    made: list[Fact] = []
    read: list[CompiledExpression | CompiledTemplate] = []
    for fact in facts:
        if isinstance(fact, tuple):
            expression = _expression(fact[1], tuple(names.items()), of_params)
            read.append(expression)
            made.append(Computed(fact[0], expression))
            names[fact[0]] = expression.kind
        else:
            made.append(fact)
            names[fact.name] = fact.type if isinstance(fact, Pick) else kinds.NUMBER
    known = tuple(names.items())
    texts = (_template(title, known, of_params), _template(message, known, of_params))
    needed = _expression(requires, known, of_params) if requires else None
    condition = _expression(when, known, of_params)
    read += [condition, *texts, *([needed] if needed else [])]
    return Rule(
        id=id,
        pack="test",
        version=version,
        hash=f"hash of {id} {version}",
        category="ordering",
        severity="suggestion",
        anchor=anchor,
        when=condition,
        title=texts[0],
        message=texts[1],
        expires=expires,
        evidence="heuristic",
        settle=settle,
        requires=needed,
        params=params,
        facts=tuple(made),
        supersedes=frozenset(supersedes),
        mode=mode,
        names=frozenset().union(*(each.names for each in read)),
    )


def rulebook(*rules: Rule) -> Rulebook:
    """Return a rulebook that has always held these rules."""
    return (Generation(None, RuleSet(rules, "hash")),)


def edited(*generations: tuple[datetime | None, Iterable[Rule]]) -> Rulebook:
    """Return a rulebook of several loads, each from its instant on."""
    return tuple(Generation(since, RuleSet(tuple(rules), str(since))) for since, rules in generations)


def _anchor_kind(anchor: Anchor) -> str:
    match anchor:
        case Each():
            return anchor.type
        case Daily():
            return "daily_anchor"
        case Weekly():
            return "weekly_anchor"


@cache
def _expression(
    source: str, names: tuple[tuple[str, str], ...], params: tuple[tuple[str, str], ...]
) -> CompiledExpression:
    return compile_expression(source, dict(names), dict(params))


@cache
def _template(
    source: str, names: tuple[tuple[str, str], ...], params: tuple[tuple[str, str], ...]
) -> CompiledTemplate:
    return compile_template(source, dict(names), dict(params))
