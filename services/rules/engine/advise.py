"""What an athlete is to be told: `advise`, a pure function of the rules, the athlete, the events and the instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.rules.engine.around import around, looks
from services.rules.engine.calendar import Calendar
from services.rules.engine.digest import Digest
from services.rules.engine.earlier import Earlier, spared
from services.rules.engine.facts import Asked
from services.rules.engine.judge import Verdict, judge
from services.rules.engine.periods import periods
from services.rules.engine.sparing import Finding, kept_back
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Local, Rulebook
from shared.contracts.advice import Advice, advice_id
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event


@dataclass(frozen=True, slots=True)
class RuleFault:
    """A rule that failed at an anchor: the rule is at fault, not the athlete."""

    rule: str
    anchor: str
    advice_id: str
    message: str
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome at one instant.

    `active` is all advice that holds, by id. `held` names advice whose rule failed: neither issue it nor withdraw it.
    `next_due` is the next instant at which the outcome may differ with no new input, or None.
    `unsaid` says, by id, why advice that holds is kept back: another mutes it, or the day's bound is reached.
    `verdicts` has one entry for each rule and anchor that was due and is not over, and for those that are next, but
    for those on which an earlier evaluation's word still held good. `unsettled` names the (rule, anchor key) that
    must be judged again next time, whatever happens: they failed, or are unsaid.
    """

    active: Mapping[str, Advice]
    held: frozenset[str]
    faults: tuple[RuleFault, ...]
    next_due: datetime | None
    verdicts: tuple[Verdict, ...]
    unsaid: Mapping[str, str]
    unsettled: frozenset[tuple[str, str]]
    local: Local = field(compare=False)
    """The athlete's local time, for what is asked about a verdict later."""


def advise(
    rulebook: Rulebook,
    athlete: Athlete,
    events: Iterable[Event],
    now: datetime,
    earlier: Earlier | None = None,
    digest: Digest | None = None,
) -> Evaluation:
    """Return what holds at `now`. The order of `events`, each at its highest revision, makes no difference.

    Nor does `earlier`, an evaluation by the same rules and profile at or before `now`: it only saves judging again.
    With a `digest` of the events before its `until`, `events` need hold only the others; raise `NotReadError` when
    that is not enough.
    """
    timeline = Timeline(events, Calendar(athlete.zones), now, digest)
    summed = periods(timeline, athlete)
    known = None if earlier is None else spared(earlier, timeline)
    later = list(timeline.coming)
    findings: list[Finding] = []
    faults: list[RuleFault] = []
    verdicts: list[Verdict] = []
    spoke: list[Finding] = []
    for due, together in around(rulebook, timeline, now, now):
        rules = together.rules
        if due.opens > now:
            later.append(due.opens)
            verdicts += [Verdict(rule, due, "pending") for rule in rules]
            continue
        left = rules if known is None else known.left(together, due)
        stood = {} if known is None else known.stood(due)
        if not left and not stood:
            continue
        judged = set(left) if stood else ()
        asked = Asked(timeline, due)
        for rule in rules if stood else left:
            if stood and rule not in judged:
                if rule.id in stood:
                    spoke.append(Finding(rule, due, stood[rule.id]))
                    findings.append(spoke[-1])
                    later.append(due.closes)
                continue
            verdict = judge(rule, asked, summed, now)
            verdicts.append(verdict)
            turns = _turns(verdict, now)
            if turns is not None:
                later.append(turns)
            if verdict.error is not None:
                name = advice_id(athlete.club, athlete.id, rule.id, due.key)
                faults.append(RuleFault(rule.id, due.key, name, verdict.error, rule.trial))
            elif verdict.advice is not None and rule.mode == "live":
                findings.append(Finding(rule, due, verdict.advice))
    unsaid = kept_back(findings, rulebook, summed, now)
    # What is newly kept back is told of with its reasons, and so must be judged after all.
    verdicts += [
        judge(said.rule, Asked(timeline, said.due), summed, now) for said in spoke if said.advice.id in unsaid
    ]
    return Evaluation(
        {finding.advice.id: finding.advice for finding in findings if finding.advice.id not in unsaid},
        frozenset(fault.advice_id for fault in faults if not fault.trial),
        tuple(faults),
        min(later, default=None),
        tuple(verdicts),
        unsaid,
        frozenset(
            [(fault.rule, fault.anchor) for fault in faults]
            + [(said.rule.id, said.due.key) for said in findings if said.advice.id in unsaid]
        ),
        timeline.calendar.local,
    )


def _turns(verdict: Verdict, now: datetime) -> datetime | None:
    """Return when the verdict on an open anchor may differ with no new input: by the clock, or when its advice ends."""
    due = verdict.due
    if "now" in verdict.rule.names:
        return min(due.closes, looks(due, now)[1])
    return due.closes if verdict.advice is not None or verdict.error is not None else None
