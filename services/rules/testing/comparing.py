"""Whether a test held: what was expected beside what the engine said, each difference with its line."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.rules.language.documents import Place
from services.rules.language.model import RuleSet
from services.rules.testing.replay import Outcome, Outcomes, orders, replay
from services.rules.testing.scenario import Expectation, Expected, Scenario
from shared.contracts.advice import Advice


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was not as expected: where the file says it, at which instant, and lines that tell it."""

    place: Place
    at: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a test: all that is not as it expects, and what the engine said at its instants."""

    different: tuple[Difference, ...]
    outcomes: Outcomes


def play(rules: RuleSet, scenario: Scenario) -> Played:
    """Play the scenario in several orders of arrival, and compare what the engine says with what it expects."""
    runs = {name: replay(rules, scenario, arrivals) for name, arrivals in orders(scenario.arrivals).items()}
    (_, reference), *others = runs.items()
    found = []
    for expectation in scenario.expectations:
        outcome = reference[expectation.instant]
        lines = [*_failures(outcome), *_of_advice(expectation, outcome), *_of_withdrawn(expectation, outcome)]
        lines += [line for name, other in others for line in _of_order(name, expectation, outcome, other)]
        if lines:
            found.append(Difference(expectation.place, expectation.at, tuple(lines)))
    return Played(tuple(found), reference)


def _failures(outcome: Outcome) -> list[str]:
    return [f"rule failed  {fault.rule}: {fault.message}" for fault in outcome.faults]


def _of_advice(expectation: Expectation, outcome: Outcome) -> list[str]:
    if expectation.advice is None:
        return []
    pairs = _paired(expectation.advice, outcome.active)
    unexpected = [advice for index, advice in enumerate(outcome.active) if index not in pairs.values()]
    spoke = {advice.rule for advice in unexpected}
    lines = []
    for index, expected in enumerate(expectation.advice):
        if index not in pairs:
            lines.append(f"- expected   {expected}")
            lines += _why_not(expected.rule, outcome) if expected.rule not in spoke else []
    return lines + [f"+ found      {_said(advice)}" for advice in unexpected]


def _of_withdrawn(expectation: Expectation, outcome: Outcome) -> list[str]:
    if expectation.withdrawn is None:
        return []
    missing = sorted(expectation.withdrawn - outcome.withdrawn)
    unexpected = sorted(outcome.withdrawn - expectation.withdrawn)
    standing = {advice.rule for advice in outcome.active}
    return [
        *(f"- expected   {rule} to be withdrawn; it {'stands' if rule in standing else 'never stood, or expired'}"
          for rule in missing),
        *(f"+ found      {rule} withdrawn" for rule in unexpected),
    ]  # fmt: skip


def _of_order(name: str, expectation: Expectation, outcome: Outcome, others: Outcomes) -> list[str]:
    other = others[expectation.instant]
    if outcome.says_the_same(other):
        return []
    said = "; ".join(_said(advice) for advice in other.active) or "nothing"
    return [f"when the events arrive in another order ({name}), the engine says: {said}"]


def _paired(expected: Sequence[Expected], found: Sequence[Advice]) -> dict[int, int]:
    """Return for as many expectations as can be met, by position, the position of the advice that meets each."""
    meets = [[index for index, advice in enumerate(found) if each.meets(advice)] for each in expected]
    taken: dict[int, int] = {}

    def place(position: int, tried: set[int]) -> bool:
        for index in meets[position]:
            if index not in tried:
                tried.add(index)
                if index not in taken or place(taken[index], tried):
                    taken[index] = position
                    return True
        return False

    for position in range(len(expected)):
        place(position, set())
    return {position: index for index, position in taken.items()}


def _why_not(rule: str, outcome: Outcome) -> list[str]:
    """Return what the rule found at its anchors, where it did not speak."""
    lines = []
    for verdict in outcome.verdicts:
        if verdict.rule.id != rule or verdict.outcome == "error":
            continue
        why = verdict.outcome.replace("_", " ")
        if verdict.outcome == "pending":
            why = f"pending until {verdict.due.opens:%Y-%m-%d %H:%M} UTC"
        elif verdict.advice is not None:
            unsaid = outcome.unsaid.get(verdict.advice.id)
            why = f"holds, but {unsaid}" if unsaid else "holds, and meets another line of this test"
        elif verdict.missing:
            why += f", for want of {verdict.missing}"
        facts = ", ".join(f"{name} {_brief(value)}" for name, value in verdict.facts().items())
        lines.append(f"  why not    {verdict.due.day}: {why}{f' ({facts})' if facts else ''}")
    return lines or ["  why not    it has no anchor whose time has come and is not over"]


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("id", "none found"))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _said(advice: Advice) -> str:
    return f'{advice.rule}, {advice.severity}, "{advice.title}": "{advice.message}"'
