"""What an athlete is to be told: `advise`, a pure function of the rules, the athlete, the events and the instant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from services.rules.engine.anchors import Due, anchors
from services.rules.engine.calendar import Calendar
from services.rules.engine.judge import Verdict, judge
from services.rules.engine.periods import periods
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Rule, Rulebook
from shared.contracts.advice import Advice, advice_id
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event

LOOK_AGAIN = timedelta(minutes=15)
"""A rule that reads `now` is evaluated this often, from when it opens, while its advice may stand.

It reads the instant of the latest such look: else what it finds would hang on when a wake-up happened to come.
"""


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
    `verdicts` has one entry for each rule and anchor that was due and is not over, and for those that are next.
    """

    active: Mapping[str, Advice]
    held: frozenset[str]
    faults: tuple[RuleFault, ...]
    next_due: datetime | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class _Finding:
    rule: Rule
    due: Due
    advice: Advice


def advise(rulebook: Rulebook, athlete: Athlete, events: Iterable[Event], now: datetime) -> Evaluation:
    """Return what holds at `now`. The order of `events`, each at its highest revision, makes no difference."""
    timeline = Timeline(events, Calendar(athlete.zones), now)
    summed = periods(timeline, athlete)
    later = list(timeline.coming)
    findings: list[_Finding] = []
    faults: list[RuleFault] = []
    verdicts: list[Verdict] = []
    for rule, due in _around(rulebook, timeline, now):
        if due.opens > now:
            later.append(due.opens)
            verdicts.append(Verdict(rule, due, "pending"))
            continue
        verdict = judge(rule, due, summed, _looks(due, now)[0])
        verdicts.append(verdict)
        later.extend(_next(verdict, now))
        if verdict.error is not None:
            name = advice_id(athlete.club, athlete.id, rule.id, due.ref.key)
            faults.append(RuleFault(rule.id, due.ref.key, name, verdict.error))
        elif verdict.advice is not None and rule.mode == "live":
            findings.append(_Finding(rule, due, verdict.advice))
    return Evaluation(
        {finding.advice.id: finding.advice for finding in _unmuted(findings)},
        frozenset(fault.advice_id for fault in faults),
        tuple(faults),
        min(later, default=None),
        tuple(verdicts),
    )


def _around(rulebook: Rulebook, timeline: Timeline, now: datetime) -> Iterator[tuple[Rule, Due]]:
    """Yield each rule with each anchor that it governs, if advice on it may stand now or later."""
    for generation, successor in zip_longest(rulebook, rulebook[1:]):
        since, until = generation.since, successor.since if successor is not None else None
        for rule in generation.rule_set.rules:
            for due in anchors(rule, timeline, now) if rule.mode != "off" else ():
                if (since is None or since <= due.ref.due) and (until is None or due.ref.due < until):
                    yield rule, due


def _next(verdict: Verdict, now: datetime) -> Iterator[datetime]:
    """Yield when the verdict on an open anchor may differ with no new input: by the clock, or when its advice ends."""
    due = verdict.due
    if "now" in verdict.rule.names:
        yield min(due.closes, _looks(due, now)[1])
    elif verdict.advice is not None or verdict.error is not None:
        yield due.closes


def _looks(due: Due, now: datetime) -> tuple[datetime, datetime]:
    """Return the latest look at an open anchor, and the one after it."""
    latest = due.opens + (now - due.opens) // LOOK_AGAIN * LOOK_AGAIN
    return latest, latest + LOOK_AGAIN


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
