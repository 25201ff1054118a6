"""What the engine says at the instants of a test, with its events arriving in one order or another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from services.rules.engine.advise import Evaluation, RuleFault, advise
from services.rules.engine.judge import Verdict
from services.rules.engine.timeline import resolve
from services.rules.language.model import Each, Generation, Local, Rulebook, RuleSet
from services.rules.testing.scenario import Arrival, Scenario
from shared.contracts.advice import Advice
from shared.contracts.events import Event

_SEED = 20260302


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stood at an instant, what had been withdrawn by then and not come back, and the rules that failed.

    `active` is ordered by due time, rule and id.
    """

    active: tuple[Advice, ...]
    withdrawn: frozenset[str]
    faults: tuple[RuleFault, ...]
    verdicts: tuple[Verdict, ...]
    unsaid: Mapping[str, str]
    """Why advice that holds was kept back, by its id."""
    local: Local

    def says_the_same(self, other: "Outcome") -> bool:
        """Whether an athlete would be told the same."""
        return self.active == other.active and self.withdrawn == other.withdrawn


Outcomes = Mapping[datetime, Outcome]
"""By the instants of a test's expectations."""


def orders(arrivals: Sequence[Arrival]) -> dict[str, Sequence[Arrival]]:
    """Return the orders in which the events of a test arrive, by name; the first is that of the file."""
    shuffled, doubled = list(arrivals), [*arrivals, *arrivals]
    random = Random(_SEED)  # noqa: S311 - the same order at each run, not a secret one
    random.shuffle(shuffled)
    random.shuffle(doubled)
    return {
        "as in the file": arrivals,
        "the last first": arrivals[::-1],
        "shuffled": shuffled,
        "each twice, shuffled": doubled,
    }


def replay(rules: RuleSet, scenario: Scenario, arrivals: Sequence[Arrival]) -> Outcomes:
    """Evaluate the scenario at its instants, and at each instant between at which something may change.

    A rule in shadow speaks here: it is tried on athletes and tested at the same time.
    """
    book: Rulebook = (Generation(None, _out_of_shadow(rules)),)
    news = sorted({arrival.known for arrival in arrivals if arrival.known is not None})
    instants = sorted({expectation.instant for expectation in scenario.expectations})
    stood: dict[str, Advice] = {}
    withdrawn: dict[str, str] = {}
    outcomes: dict[datetime, Outcome] = {}
    now = _beginning(rules, scenario)
    while True:
        found = advise(book, scenario.athlete, _arrived(arrivals, now), now)
        _follow(found, stood, withdrawn, now)
        if now in instants:
            outcomes[now] = _outcome(found, withdrawn, scenario)
        later = [instant for instant in instants if instant > now]
        if not later:
            return outcomes
        # The engine names every instant at which time alone changes something; arrivals it cannot foresee.
        now = min(later[0], found.next_due or later[0], *(instant for instant in news if instant > now))


def _out_of_shadow(rules: RuleSet) -> RuleSet:
    live = (replace(rule, mode="live") if rule.mode == "shadow" else rule for rule in rules.rules)
    return replace(rules, rules=tuple(live))


def _follow(found: Evaluation, stood: dict[str, Advice], withdrawn: dict[str, str], now: datetime) -> None:
    """Bring up to date what stands, and what was withdrawn: gone though its time was not over."""
    for name, advice in list(stood.items()):
        if name not in found.active and name not in found.held:
            del stood[name]
            if now < advice.expires_at:
                withdrawn[name] = advice.rule
    for name, advice in found.active.items():
        stood[name] = advice
        withdrawn.pop(name, None)


def _outcome(found: Evaluation, withdrawn: Mapping[str, str], scenario: Scenario) -> Outcome:
    def looked_at(rule: str) -> bool:
        return scenario.only is None or rule in scenario.only

    active = sorted(found.active.values(), key=lambda advice: (advice.due, advice.rule, advice.id))
    return Outcome(
        tuple(advice for advice in active if looked_at(advice.rule)),
        frozenset(rule for rule in withdrawn.values() if looked_at(rule)),
        tuple(fault for fault in found.faults if looked_at(fault.rule)),
        tuple(verdict for verdict in found.verdicts if looked_at(verdict.rule.id)),
        found.unsaid,
        found.local,
    )


def _arrived(arrivals: Sequence[Arrival], now: datetime) -> Iterator[Event]:
    """Yield what is known at `now` and left on the timeline, in the order in which each first arrived."""
    known = [each.event for each in arrivals if each.known is None or each.known <= now]
    left = {event.key: event for event in resolve(known)}
    for event in known:
        if event.key in left:
            yield left.pop(event.key)


def _beginning(rules: RuleSet, scenario: Scenario) -> datetime:
    """Return the first instant of the test: its first event or expectation, or when its first plan may be due."""
    leads = [rule.anchor.lead for rule in rules.rules if isinstance(rule.anchor, Each) and rule.anchor.lead]
    lead = max(leads, default=timedelta())
    return min(
        [expectation.instant for expectation in scenario.expectations]
        + [
            arrival.event.start - (lead if arrival.event.type == "workout.planned" else timedelta())
            for arrival in scenario.arrivals
        ]
    )
