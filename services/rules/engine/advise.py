"""What an athlete is to be told: `advise`, a pure function of the rules, the athlete, the events and the instant."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import zip_longest
from typing import Literal

from services.rules.engine.anchors import Due, anchors
from services.rules.engine.calendar import Calendar
from services.rules.engine.energy import day_record, week_record
from services.rules.engine.facts import Knowledge, event_record, learn
from services.rules.engine.timeline import Timeline
from services.rules.language.model import AbsentError, Bound, EvaluationError, Record, Rule, Rulebook
from shared.contracts.advice import Advice, Because, EventRef, advice_id
from shared.contracts.athletes import Athlete, Param
from shared.contracts.events import Event, Value

LOOK_AGAIN = timedelta(minutes=15)
"""A rule that reads `now` is evaluated at least this often while its advice may stand."""
MOST_EVENTS = 50
"""Events listed as evidence, the latest ones; the facts count them all."""

Verdict = Literal["pending", "holds", "does_not_hold", "insufficient_data", "error"]


@dataclass(frozen=True, slots=True)
class Trace:
    """What one rule found at one anchor: its verdict, the facts with their values, and what was missing or wrong."""

    rule: str
    anchor: str
    verdict: Verdict
    facts: Mapping[str, Value] = field(default_factory=dict)
    missing: str | None = None
    muted_by: str | None = None


@dataclass(frozen=True, slots=True)
class RuleFault:
    """A rule that failed at an anchor: the rule is at fault, not the athlete."""

    rule: str
    anchor: str
    advice_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome at one instant.

    `active` is all advice that holds, by id. `held` names advice whose rule failed: neither issue it nor withdraw it.
    `next_due` is the next instant at which the outcome may differ with no new input, or None.
    """

    active: Mapping[str, Advice]
    held: frozenset[str]
    faults: tuple[RuleFault, ...]
    next_due: datetime | None
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class _Finding:
    rule: Rule
    due: Due
    advice: Advice


def advise(rulebook: Rulebook, athlete: Athlete, events: Iterable[Event], now: datetime) -> Evaluation:
    """Return what holds at `now`. The order of `events`, each at its highest revision, makes no difference."""
    calendar = Calendar(athlete.zones)
    timeline = Timeline(events, calendar, now)
    later = list(timeline.coming)
    findings: list[_Finding] = []
    faults: list[RuleFault] = []
    traces: list[Trace] = []
    for rule, since, until in _governing(rulebook):
        for due in anchors(rule, timeline, now):
            if (since is not None and due.ref.due < since) or (until is not None and due.ref.due >= until):
                continue
            if due.opens > now:
                later.append(due.opens)
                traces.append(Trace(rule.id, due.ref.key, "pending"))
                continue
            later.append(due.closes)
            if "now" in rule.names:
                later.append(now + LOOK_AGAIN)
            outcome, trace = _judge(rule, due, athlete, timeline, now)
            traces.append(trace)
            if isinstance(outcome, Advice) and rule.mode == "live":
                findings.append(_Finding(rule, due, outcome))
            elif isinstance(outcome, RuleFault):
                faults.append(outcome)
    active = _unmuted(findings)
    return Evaluation(
        {finding.advice.id: finding.advice for finding in active},
        frozenset(fault.advice_id for fault in faults),
        tuple(faults),
        min((instant for instant in later if instant > now), default=None),
        tuple(traces),
    )


def _governing(rulebook: Rulebook) -> Iterator[tuple[Rule, datetime | None, datetime | None]]:
    """Yield each rule with the span of due times, [since, until), that it governs."""
    for generation, successor in zip_longest(rulebook, rulebook[1:]):
        until = successor.since if successor is not None else None
        for rule in generation.rule_set.rules:
            if rule.mode != "off":
                yield rule, generation.since, until


def _judge(
    rule: Rule, due: Due, athlete: Athlete, timeline: Timeline, now: datetime
) -> tuple[Advice | RuleFault | None, Trace]:
    """Evaluate one rule at one anchor whose time has come."""
    local = timeline.calendar.local
    known = Knowledge(_names(rule, due, athlete, timeline, now))
    try:
        learn(rule.facts, known, timeline, due, local)
        if rule.requires is not None and rule.requires.evaluate(known.names, local) is not True:
            return None, _trace(rule, due, "insufficient_data", known, missing=rule.requires.source)
        if rule.when.evaluate(known.names, local) is not True:
            return None, _trace(rule, due, "does_not_hold", known)
        advice = Advice(
            id=advice_id(athlete.club, athlete.id, rule.id, due.ref.key),
            club=athlete.club,
            athlete=athlete.id,
            rule=rule.id,
            rule_version=rule.version,
            rule_hash=rule.hash,
            category=rule.category,
            severity=rule.severity,
            title=rule.title.render(known.names, local),
            message=rule.message.render(known.names, local),
            due=due.ref.due,
            expires_at=due.closes,
            because=_because(rule, due, known),
            evidence=rule.evidence,
            sources=rule.sources,
        )
    except AbsentError as error:
        return None, _trace(rule, due, "insufficient_data", known, missing=known.root_of(error.missing))
    except EvaluationError as error:
        name = advice_id(athlete.club, athlete.id, rule.id, due.ref.key)
        return RuleFault(rule.id, due.ref.key, name, str(error)), _trace(
            rule, due, "error", known, missing=str(error)
        )
    return advice, _trace(rule, due, "holds", known)


def _names(rule: Rule, due: Due, athlete: Athlete, timeline: Timeline, now: datetime) -> dict[str, Bound]:
    calendar = timeline.calendar
    date = due.day.isoformat()
    if due.event is not None:
        anchor = event_record(due.event)
        anchor = Record(anchor.kind, {**anchor.fields, "date": date})
    else:
        kind = "daily_anchor" if due.ref.kind == "daily" else "weekly_anchor"
        anchor = Record(kind, {"start": due.start, "end": due.end, "date": date})
    names: dict[str, Bound] = {
        "anchor": anchor,
        "athlete": _athlete_record(athlete, due, calendar),
        "params": Record("params", {name: _listed(value) for name, value in _params(rule, athlete).items()}),
    }
    if "now" in rule.names:
        names["now"] = now
    if "day" in rule.names:
        names["day"] = day_record(timeline, athlete, due)
    if "week" in rule.names:
        names["week"] = week_record(timeline, athlete, due)
    return names


def _params(rule: Rule, athlete: Athlete) -> dict[str, Param]:
    """Return the rule's params with the athlete's own laid over them, where name and type are the rule's."""
    own = athlete.params.get(rule.id, {})
    return {name: _overridden(value, own.get(name)) for name, value in rule.params.items()}


def _overridden(value: Param, own: Param | None) -> Param:
    if isinstance(value, bool) or isinstance(own, bool):
        return own if isinstance(value, bool) and isinstance(own, bool) else value
    if isinstance(value, int | float) and isinstance(own, int | float):
        return float(own)
    return own if own is not None and type(own) is type(value) else value


def _listed(value: Param) -> Bound:
    if isinstance(value, bool | str):
        return value
    return list(value) if isinstance(value, tuple | list) else float(value)


def _athlete_record(athlete: Athlete, due: Due, calendar: Calendar) -> Record:
    given: dict[str, Bound | None] = {
        "id": athlete.id,
        "name": athlete.name,
        "timezone": calendar.timezone(due.start),
        "goal": athlete.goal,
        "sex": athlete.sex,
        "birth_year": None if athlete.birth_year is None else float(athlete.birth_year),
        # The age that is reached in the anchor's year: the profile knows no birthday.
        "age": None if athlete.birth_year is None else float(due.day.year - athlete.birth_year),
        "height_cm": athlete.height_cm,
        "body_mass_kg": athlete.body_mass_kg,
        "everyday_activity": athlete.everyday_activity,
        "locale": athlete.locale,
        "supplements": athlete.supplements,
        "no_energy_targets": athlete.no_energy_targets,
        "pregnant": athlete.pregnant,
        "medical_care": athlete.medical_care,
    }
    return Record("athlete", {name: _number(value) for name, value in given.items() if value is not None})


def _number(value: Bound) -> Bound:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _because(rule: Rule, due: Due, known: Knowledge) -> Because:
    events = {**known.events, **({due.event.key: due.event} if due.event else {})}
    ordered = sorted(events.values(), key=lambda event: event.order)[-MOST_EVENTS:]
    refs = tuple(
        EventRef(event.source, event.id, event.revision, event.type, event.start, event.end)
        for event in ordered
    )
    return Because(due.ref, refs, _shown(rule, known))


def _trace(rule: Rule, due: Due, verdict: Verdict, known: Knowledge, missing: str | None = None) -> Trace:
    return Trace(rule.id, due.ref.key, verdict, _shown(rule, known), missing)


def _shown(rule: Rule, known: Knowledge) -> dict[str, Value]:
    """Return every fact, and every param and field of day, week and athlete that the rule reads, with its value."""
    shown = {fact.name: _plain(known.names[fact.name]) for fact in rule.facts if fact.name in known.names}
    for root, name in _reads(rule):
        record = known.names.get(root)
        if isinstance(record, Record) and name in record.fields:
            shown[f"{root}.{name}"] = _plain(record.fields[name])
    return shown


@lru_cache(maxsize=4096)
def _reads_of(sources: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = (re.findall(r"\b(anchor|athlete|params|day|week)\.(\w+)", source) for source in sources)
    return tuple(sorted({pair for pairs in found for pair in pairs}))


def _reads(rule: Rule) -> tuple[tuple[str, str], ...]:
    expressions = [getattr(fact, "expression", None) for fact in rule.facts]
    texts = [rule.requires, rule.when, rule.title, rule.message, *expressions]
    return _reads_of(tuple(text.source for text in texts if text is not None))


def _plain(value: Bound) -> Value:
    """Return a bound value as JSON holds it; numbers to six decimals, so that equal evidence reads equal."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return round(float(value), 6)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Record):
        return {name: _plain(value.fields[name]) for name in sorted(value.fields)}
    return [_plain(each) for each in value]


def _unmuted(findings: Sequence[_Finding]) -> list[_Finding]:
    """Return the findings that no active one supersedes for the same local day.

    A muted finding mutes nothing. The checker refuses cycles within one load of rules; should two loads form one,
    the finding that is asked about first stands.
    """
    decided: dict[int, bool] = {}

    def stands(index: int) -> bool:
        if index not in decided:
            decided[index] = True
            mine = findings[index]
            decided[index] = not any(
                mine.rule.id in other.rule.supersedes and mine.due.day == other.due.day and stands(position)
                for position, other in enumerate(findings)
                if position != index
            )
        return decided[index]

    return [finding for index, finding in enumerate(findings) if stands(index)]
