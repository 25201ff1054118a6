"""What one rule says at one anchor whose time has come: its verdict, with the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.rules.engine.anchors import Due
from services.rules.engine.evidence import because, shown
from services.rules.engine.facts import Asked, Knowledge, learn
from services.rules.engine.names import bind
from services.rules.engine.periods import Period, Periods
from services.rules.language.model import AbsentError, Bound, EvaluationError, Expression, Local, Rule
from shared.contracts.advice import Advice, advice_id
from shared.contracts.events import Value
from shared.contracts.traces import Condition

Outcome = Literal["pending", "holds", "does_not_hold", "insufficient_data", "error"]


@dataclass(slots=True)  # one a rule and anchor: a frozen one takes three times as long to make
class Verdict:
    """What one rule found at one anchor.

    `missing` names what was absent in the first place, or the `requires` that was not met; `error` says what failed.
    """

    rule: Rule
    due: Due
    outcome: Outcome
    advice: Advice | None = None
    missing: str | None = None
    error: str | None = None
    known: Knowledge = field(default_factory=lambda: Knowledge({}))
    read: Mapping[str, Period] = field(default_factory=dict)

    def conditions(self, local: Local) -> tuple[Condition, ...]:
        """Return each part of `requires` and `when`, with what it came to on the names that were bound."""
        if self.outcome == "pending":
            return ()
        whole = [self.rule.when] if self.rule.requires is None else [self.rule.requires, self.rule.when]
        parts = [part for expression in whole for part in expression.parts()]
        return tuple(Condition(part.source, _held(part, self.known, local)) for part in parts)

    def facts(self) -> dict[str, Value]:
        """Return what was found before the verdict fell: reckoned when it is asked for."""
        return shown(self.rule, self.known, self.read)


def judge(rule: Rule, asked: Asked, periods: Periods, now: datetime) -> Verdict:
    """Evaluate `rule` at an anchor that is due, as it looks at `now`."""
    due, timeline, athlete = asked.due, periods.timeline, periods.athlete
    local = timeline.calendar.local
    read: dict[str, Period] = {}
    names: dict[str, Bound] = {}
    if rule.around:
        for name in ("day", "week"):
            if name in rule.around:
                read[name] = periods.of(name, due.day)
        names = bind(rule, due, athlete, timeline, read, now)
    known = Knowledge(names)
    try:
        learn(rule, known, asked, local)
        if rule.requires is not None and rule.requires.evaluate(known.names, local) is not True:
            return Verdict(
                rule, due, "insufficient_data", missing=rule.requires.source, known=known, read=read
            )
        if rule.when.evaluate(known.names, local) is not True:
            return Verdict(rule, due, "does_not_hold", None, None, None, known, read)
        title, message = (text.render(known.names, local) for text in (rule.title, rule.message))
    except AbsentError as error:
        missing = known.root_of(error.missing)
        return Verdict(rule, due, "insufficient_data", missing=missing, known=known, read=read)
    except EvaluationError as error:
        return Verdict(rule, due, "error", error=str(error), known=known, read=read)
    advice = Advice(
        id=advice_id(athlete.club, athlete.id, rule.id, due.key),
        club=athlete.club,
        athlete=athlete.id,
        rule=rule.id,
        rule_version=rule.version,
        rule_hash=rule.hash,
        category=rule.category,
        severity=rule.severity,
        title=title,
        message=message,
        due=due.due,
        expires_at=due.closes,
        because=because(rule, due, known, read, timeline.calendar),
        evidence=rule.evidence,
        sources=rule.sources,
    )
    return Verdict(rule, due, "holds", advice, known=known, read=read)


def _held(part: Expression, known: Knowledge, local: Local) -> bool | None:
    try:
        return part.evaluate(known.names, local) is True
    except (AbsentError, EvaluationError):
        return None
