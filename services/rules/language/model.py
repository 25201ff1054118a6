"""What a checked rule is: the shape that the loader makes and the engine evaluates. No I/O, no CEL, no YAML here."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from shared.contracts.advice import Category, Grade, Severity
from shared.contracts.athletes import Param
from shared.contracts.events import EVENT_TYPES

Bound: TypeAlias = "bool | float | str | datetime | timedelta | Sequence[Bound] | Record"
"""A value that a name in an expression or template can stand for. A name that is absent is not bound at all."""
Local: TypeAlias = Callable[[datetime], datetime]
"""Gives the athlete's aware local time of a UTC instant."""


_DAY = timedelta(days=1)
_LOOSELY_TIMED = frozenset(name for name, kind in EVENT_TYPES.items() if "time_precision" in kind.fields)
"""Event types whose times may be known less than exactly."""

DERIVED_NUMBERS: Mapping[str, tuple[str, ...]] = {"workout.completed": ("session_load",)}
"""Numbers that the engine reckons from an event, which facts may add up like those that it carries."""


@dataclass(frozen=True, slots=True)
class Record:
    """A named bundle of fields (`anchor`, `athlete`, `day`, an event fact). Absent fields are left out of `fields`.

    `kind` names the declared type that the checker knows: an event type such as `meal.logged`, or `athlete`,
    `day`, `week`, `daily_anchor`, `weekly_anchor`, `params`, or `set`.
    """

    kind: str
    fields: Mapping[str, Bound]


class AbsentError(Exception):
    """An expression read something that the event, the profile or an unfound event lacks: no evidence either way."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"{missing} is absent")
        self.missing = missing


class EvaluationError(Exception):
    """An expression or template failed on values that the checker let pass: the rule is at fault, not the athlete."""


class Expression(Protocol):
    """A compiled CEL expression."""

    @property
    def source(self) -> str:
        """As the rule file has it."""

    @property
    def names(self) -> frozenset[str]:
        """The top-level names it reads (`anchor`, `day`, a fact's name, `now`)."""

    def parts(self) -> "Sequence[Expression]":
        """Return the conditions between its `&&` and `||`, in order; itself when it has neither."""

    def evaluate(self, names: Mapping[str, Bound], local: Local) -> Bound:
        """Return its value; raise `AbsentError` when the value hangs on an absent one, else `EvaluationError`."""

    def decided(self, names: Mapping[str, Bound]) -> "Bound | None":
        """Return its value when `names` decide it, whatever the other names stand for; None when they do not."""


class Template(Protocol):
    """A compiled title or message."""

    @property
    def source(self) -> str:
        """As the rule file has it."""

    @property
    def names(self) -> frozenset[str]:
        """The top-level names it reads."""

    def render(self, names: Mapping[str, Bound], local: Local) -> str:
        """Return the text; raise `EvaluationError` when a name or field that it uses is absent."""


class Condition(NamedTuple):
    """One line of a `where`: the event's `field` must satisfy `operator` with `value`; a lacking field never does."""

    field: str
    operator: Literal["in", "ne", "gt", "gte", "lt", "lte"]
    value: Param


Where: TypeAlias = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class During:
    """Events whose local day lies in the anchor's day or ISO week, or the one before it; the anchor counts."""

    span: Literal["today", "yesterday", "this_week", "last_week"]


@dataclass(frozen=True, slots=True)
class Before:
    """Events that start in [anchor.start - span, anchor.start), the anchor left out."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class After:
    """Events that start in [anchor.end, anchor.end + span), the anchor left out."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class LastDays:
    """Events of the anchor's local day and the `days - 1` before it; the anchor counts."""

    days: int


Window: TypeAlias = During | Before | After | LastDays

Precision: TypeAlias = Literal["any", "slot", "exact"]
"""How well the time of an event must be known at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which events: of a type, that meet a `where`, whose time is known well enough: `any` where it always is.

    What is the same choice is the same object, made by `choice_of`: it is looked up for each fact at each anchor.
    """

    type: str
    where: Where
    precision: Precision


@lru_cache(maxsize=65_536)
def choice_of(kind: str, where: Where, precision: Precision) -> Choice:
    """Return the choice of those events of a type."""
    return Choice(kind, where, precision if kind in _LOOSELY_TIMED else "any")


def precision_of(window: Window) -> Precision:
    """An inexact time never feeds a window shorter than a day; a day's precision only feeds whole days."""
    if not isinstance(window, Before | After):
        return "any"
    return "slot" if window.span >= _DAY else "exact"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What a fact asks for, whatever it calls it: rules that share an anchor ask much of the same.

    What is the same question is the same object, made by `question_of`.
    """

    operation: Literal["count", "days", "sum", "min", "max", "avg", "first", "last"]
    choice: Choice
    field: str | None
    window: Window


question_of = lru_cache(maxsize=65_536)(Question)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A number over the events of a type in a window. `field` is None for `count` and `days`."""

    name: str
    operation: Literal["count", "days", "sum", "min", "max", "avg"]
    type: str
    field: str | None
    where: Where
    window: Window
    choice: Choice = dataclasses.field(init=False, repr=False, compare=False)
    precision: Precision = dataclasses.field(init=False, repr=False, compare=False)
    question: Question = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once which events the fact is about, and how well their times and the anchor's must be known."""
        object.__setattr__(self, "precision", precision_of(self.window))
        object.__setattr__(self, "choice", choice_of(self.type, self.where, self.precision))
        asked = question_of(self.operation, self.choice, self.field, self.window)
        object.__setattr__(self, "question", asked)


@dataclass(frozen=True, slots=True)
class Pick:
    """The first or last event of a type in a window, with `found`."""

    name: str
    which: Literal["first", "last"]
    type: str
    where: Where
    window: Window
    choice: Choice = dataclasses.field(init=False, repr=False, compare=False)
    precision: Precision = dataclasses.field(init=False, repr=False, compare=False)
    question: Question = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once which events the fact is about, and how well their times and the anchor's must be known."""
        object.__setattr__(self, "precision", precision_of(self.window))
        object.__setattr__(self, "choice", choice_of(self.type, self.where, self.precision))
        object.__setattr__(self, "question", question_of(self.which, self.choice, None, self.window))


@dataclass(frozen=True, slots=True)
class Computed:
    """A fact that a CEL expression gives."""

    name: str
    expression: Expression


Fact: TypeAlias = Aggregate | Pick | Computed


@dataclass(frozen=True, slots=True)
class Each:
    """Every event of `type` that meets `where`; due `delay` after its end, or `lead` before a plan's start."""

    type: str
    where: Where = ()
    delay: timedelta = timedelta()
    lead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Daily:
    """Every local day, due at local time `at`."""

    at: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every local ISO week, due on `weekday` (1 Monday to 7 Sunday) at local time `at`."""

    weekday: int
    at: time


Anchor: TypeAlias = Each | Daily | Weekly


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule as the engine runs it. `hash` covers the rule's whole content with the club's `params` laid over it.

    Each is equal to itself alone: what is asked is which rule it is, never whether two read the same.
    """

    id: str
    pack: str
    version: int
    hash: str
    category: Category
    severity: Severity
    anchor: Anchor
    when: Expression
    title: Template
    message: Template
    expires: timedelta
    evidence: Grade
    settle: timedelta = timedelta()
    requires: Expression | None = None
    params: Mapping[str, Param] = dataclasses.field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    sources: tuple[str, ...] = ()
    supersedes: frozenset[str] = frozenset()
    mode: Literal["live", "shadow", "off"] = "live"
    trial: bool = False
    """Whether it stands, in shadow, beside the rule of its name that a club may put it in the place of."""
    most_a_day: int | None = None
    """How many pieces of advice of its severity the pack gives an athlete on one local day; None: no bound."""
    names: frozenset[str] = frozenset()
    """Every top-level name that any of its expressions and templates reads; `day` and `week` cost only who asks."""
    around: frozenset[str] = dataclasses.field(init=False, repr=False)
    """Those of them that stand for what is around the facts: most rules of a large pack read none."""
    worked_out: dict[object, Any] = dataclasses.field(default_factory=dict, init=False, repr=False)
    """What the engine has worked out of it, to be forgotten with it."""

    def __post_init__(self) -> None:
        """Tell apart what the names stand for."""
        object.__setattr__(self, "around", self.names - {fact.name for fact in self.facts})


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Rules that look at the same anchors and speak for as long."""

    rules: tuple[Rule, ...]
    worked_out: dict[object, Any] = dataclasses.field(default_factory=dict, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one load, in an order in which a rule stands before those that it supersedes."""

    rules: tuple[Rule, ...]
    hash: str
    by_anchor: tuple[Together, ...] = dataclasses.field(init=False, repr=False, compare=False)
    """Those that are not off, together where they can be."""
    named: Mapping[tuple[str, bool], Rule] = dataclasses.field(init=False, repr=False, compare=False)
    """The same by id and whether they are on trial."""

    def __post_init__(self) -> None:
        """Put the rules together, and where they can be found."""
        together: dict[tuple[Anchor, timedelta, timedelta], list[Rule]] = {}
        for rule in self.rules:
            if rule.mode != "off":
                together.setdefault((rule.anchor, rule.expires, rule.settle), []).append(rule)
        named = {(rule.id, rule.trial): rule for rule in self.rules if rule.mode != "off"}
        object.__setattr__(self, "named", named)
        object.__setattr__(self, "by_anchor", tuple(Together(tuple(rules)) for rules in together.values()))


@dataclass(frozen=True, slots=True)
class Generation:
    """A rule set and since when it governs: anchors due from `since` on, until the next one (None: from ever)."""

    since: datetime | None
    rule_set: RuleSet


Rulebook: TypeAlias = tuple[Generation, ...]
"""Oldest first, never empty. An edit governs anchors due after it was loaded, and no others."""
