"""Why a rule did or did not speak to an athlete at an instant: each anchor, its verdict, its facts, their events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.judge import Verdict
from services.rules.language.model import Rulebook
from shared.contracts.advice import advice_id
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event, Value


@dataclass(frozen=True, slots=True)
class Traced:
    """One anchor: what was found there and what came of it, in words. `behind` lists the events under each fact."""

    anchor: str
    due: datetime
    opens: datetime
    closes: datetime
    version: int
    outcome: str
    why: str
    facts: Mapping[str, Value]
    behind: Mapping[str, Sequence[Event]]
    title: str | None
    message: str | None


def trace(
    rulebook: Rulebook, athlete: Athlete, events: Iterable[Event], now: datetime, rule: str
) -> tuple[Traced, ...]:
    """Return the anchors of `rule` whose advice could stand at `now`, and the next ones to come, by their due time.

    `events` are judged by when they happened: one that was posted after `now` counts as if it had been known.
    """
    found = advise(rulebook, athlete, events, now)
    traced = (_traced(verdict, found, athlete) for verdict in found.verdicts if verdict.rule.id == rule)
    return tuple(sorted(traced, key=lambda each: (each.due, each.anchor)))


def as_json(traced: Iterable[Traced]) -> list[dict[str, Any]]:
    """Return what was found as JSON holds it, times in UTC."""
    return [
        {
            "anchor": each.anchor,
            "due": each.due.isoformat(),
            "opens": each.opens.isoformat(),
            "closes": each.closes.isoformat(),
            "rule_version": each.version,
            "verdict": each.outcome,
            "why": each.why,
            "facts": dict(each.facts),
            "events": {name: [_event(event) for event in events] for name, events in each.behind.items()},
            "title": each.title,
            "message": each.message,
        }
        for each in traced
    ]


def as_text(traced: Sequence[Traced], condition: str) -> str:
    """Return what was found for people to read; `condition` is the rule's own `when`."""
    return "\n\n".join("\n".join(_lines(each, condition)) for each in traced)


def _lines(each: Traced, condition: str) -> Iterable[str]:
    yield f"{each.anchor}, due {_time(each.due)}, may stand {_time(each.opens)} to {_time(each.closes)}"
    yield f"  {each.outcome.replace('_', ' ')}: {each.why}"
    if each.outcome == "pending":
        return
    yield f"  when {condition}"
    for name, value in each.facts.items():
        yield f"    {name} = {_shown(value)}"
        for event in each.behind.get(name, ()):
            yield f"      from {event.type} {event.id} ({event.source}) at {_time(event.start)}"
    if each.message is not None:
        yield f'  says "{each.title}": {each.message}'


def _traced(verdict: Verdict, found: Evaluation, athlete: Athlete) -> Traced:
    due, advice = verdict.due, verdict.advice
    return Traced(
        due.ref.key,
        due.ref.due,
        due.opens,
        due.closes,
        verdict.rule.version,
        verdict.outcome,
        why(verdict, found.unsaid.get(advice_id(athlete.club, athlete.id, verdict.rule.id, due.ref.key))),
        {} if verdict.outcome == "pending" else verdict.facts(),
        dict(verdict.known.behind),
        None if advice is None else advice.title,
        None if advice is None else advice.message,
    )


def why(verdict: Verdict, unsaid: str | None) -> str:
    """Return in words what came of a verdict; `unsaid` is why its advice, though it holds, was kept back."""
    match verdict.outcome:
        case "pending":
            return f"nothing is evaluated before {_time(verdict.due.opens)}"
        case "insufficient_data":
            return f"for want of {verdict.missing}"
        case "error":
            return f"the rule failed: {verdict.error}"
        case "does_not_hold":
            return "the condition is not met"
        case _ if verdict.rule.mode != "live":
            return f"the rule's mode is {verdict.rule.mode}: it tells nobody"
        case _:
            return unsaid or "the advice stands"


def _event(event: Event) -> dict[str, str]:
    return {"source": event.source, "id": event.id, "type": event.type, "time": event.start.isoformat()}


def _shown(value: Value) -> str:
    if isinstance(value, dict):
        return str(value.get("id", "none found"))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant.second else f"{instant:%Y-%m-%d %H:%M} UTC"
