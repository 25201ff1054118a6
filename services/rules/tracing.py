"""Why a rule did or did not speak to an athlete at an instant: each anchor, its verdict, its facts, their events."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.evidence import event_ref
from services.rules.engine.facts import Knowledge
from services.rules.engine.judge import Verdict
from services.rules.language.model import Rulebook
from shared.contracts.advice import Advice, AdviceRecord, EventRef
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event, Value
from shared.contracts.traces import Condition, Trace

MOST_EVENTS_A_FACT = 50
"""Events listed under one fact, the latest; advice itself lists all that it rests on."""
_HELD = {True: "holds", False: "does not hold", None: "cannot be told"}


def trace(
    rulebook: Rulebook, athlete: Athlete, events: Iterable[Event], now: datetime, rule: str
) -> tuple[Trace, ...]:
    """Return the anchors of `rule` whose advice could stand at `now`, and the next ones to come, by their due time.

    `events` are judged by when they happened: one that was posted after `now` counts as if it had been known.
    """
    found = advise(rulebook, athlete, events, now)
    traced = (_traced(verdict, found, now) for verdict in found.verdicts if verdict.rule.id == rule)
    return tuple(sorted(traced, key=lambda each: (each.anchor.due, each.anchor.key)))


def traces_of(changed: Collection[AdviceRecord], found: Evaluation, now: datetime) -> dict[str, Trace]:
    """Return what stands behind each change of advice, and each failure of a rule, by advice id."""
    if not changed and not found.held and not found.faults:
        return {}
    records = {record.advice.id: record for record in changed}
    wanted = {name for name, record in records.items() if record.state != "expired"} | found.held
    places = {_place(records[name].advice): name for name in wanted if name in records}
    places |= {(fault.rule, fault.anchor): fault.advice_id for fault in found.faults if not fault.trial}
    traces: dict[str, Trace] = {}
    for verdict in found.verdicts if wanted else ():
        name = places.get((verdict.rule.id, verdict.due.key))
        if name is not None and not verdict.rule.trial:  # that bears the name of what the live rule says
            traces[name] = _traced(verdict, found, now)
    return traces | {name: _gone(records[name], now) for name in wanted - traces.keys() if name in records}


def _place(advice: Advice) -> tuple[str, str]:
    return advice.rule, advice.because.anchor.key


def as_text(traced: Sequence[Trace]) -> str:
    """Return what was found for people to read."""
    return "\n\n".join("\n".join(_lines(each)) for each in traced)


def _lines(each: Trace) -> Iterable[str]:
    key = each.anchor.key.partition("\x1f")[2] or each.anchor.key
    yield f"{key}, due {_time(each.anchor.due)}, may stand {_time(each.opens)} to {_time(each.closes)}"
    yield f"  {each.verdict.replace('_', ' ')}: {each.why}"
    for condition in each.conditions:
        yield f"  {_HELD[condition.held]}: {' '.join(condition.text.split())}"
    for name, value in each.facts.items():
        yield f"    {name} = {_shown(value)}"
        for event in each.events.get(name, ()):
            yield f"      from {event.type} {event.id} ({event.source}) at {_time(event.start)}"
    if each.message is not None:
        yield f'  says "{each.title}": {each.message}'


def _traced(verdict: Verdict, found: Evaluation, now: datetime) -> Trace:
    due, advice, rule = verdict.due, verdict.advice, verdict.rule
    kept_back = None
    if advice is not None and rule.mode != "live":
        kept_back = f"the rule's mode is {rule.mode}: it tells nobody"
    elif advice is not None:
        kept_back = found.unsaid.get(advice.id)
    conditions = verdict.conditions(found.local)
    return Trace(
        rule.id,
        rule.version,
        now,
        due.ref,
        due.opens,
        due.closes,
        verdict.outcome if kept_back is None else "kept_back",
        kept_back or _why(verdict, conditions),
        conditions,
        {} if verdict.outcome == "pending" else verdict.facts(),
        _behind(verdict.known),
        None if advice is None else advice.title,
        None if advice is None else advice.message,
    )


def _gone(record: AdviceRecord, now: datetime) -> Trace:
    """Return the trace of advice that was withdrawn because there is nothing any more that its rule looks at."""
    advice = record.advice
    why = (
        "what the rule looked at is gone: the event was deleted, moved, or no longer meets the rule's `where`"
    )
    due, closes = advice.because.anchor, advice.expires_at
    return Trace(advice.rule, advice.rule_version, now, due, due.due, closes, "no_anchor", why)


def _behind(known: Knowledge) -> dict[str, tuple[EventRef, ...]]:
    return {
        name: tuple(event_ref(event) for event in events[-MOST_EVENTS_A_FACT:])
        for name, events in known.behind().items()
    }


def _why(verdict: Verdict, conditions: Sequence[Condition]) -> str:
    match verdict.outcome:
        case "pending":
            return f"nothing is evaluated before {_time(verdict.due.opens)}"
        case "insufficient_data":
            return f"for want of {verdict.missing}"
        case "error":
            return f"the rule failed: {verdict.error}"
        case "holds":
            return "the advice stands"
        case "does_not_hold":
            failed = [" ".join(each.text.split()) for each in conditions if each.held is False]
            return f"the condition is not met: not {', and not '.join(failed)}"


def _shown(value: Value) -> str:
    if isinstance(value, dict):
        return str(value.get("id", "none found"))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant.second else f"{instant:%Y-%m-%d %H:%M} UTC"
