"""Which rule is asked before which: superseders first, and no rule supersedes itself by way of others."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from services.rules.language.documents import Place
from services.rules.language.faults import Fault
from services.rules.language.model import Rule
from services.rules.language.rules import Draft
from services.rules.language.schema import did_you_mean


def check_supersedes(standing: Mapping[str, Draft]) -> list[Fault]:
    """Return a fault for each superseded rule that does not exist, and for each cycle, naming its path."""
    faults: list[Fault] = []
    edges: dict[str, list[tuple[str, Place]]] = {}
    known = tuple(sorted(each for each in standing if not each.startswith("?")))
    for rule_id, draft in sorted(standing.items()):
        place = draft.place / "supersedes"
        named = place.value if isinstance(place.value, list) else []
        edges[rule_id] = []
        for index, other in enumerate(named):
            if not isinstance(other, str):
                continue  # the schema has said so
            if other in standing:
                edges[rule_id].append((other, place / index))
            else:
                hint = did_you_mean(other, known, what="rules")
                faults.append(
                    (place / index).fault(f'{rule_id} supersedes "{other}", which is no rule', hint)
                )
    return faults + _cycles(edges)


def superseders_first(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules with each before those that it supersedes, else by id. There must be no cycle."""
    by_id = {rule.id: rule for rule in rules}
    waiting = {rule.id: sum(rule.id in other.supersedes for other in rules) for rule in rules}
    ready = [rule_id for rule_id, above in waiting.items() if not above]
    heapify(ready)
    ordered: list[Rule] = []
    while ready:
        rule = by_id[heappop(ready)]
        ordered.append(rule)
        for below in rule.supersedes & by_id.keys():
            waiting[below] -= 1
            if not waiting[below]:
                heappush(ready, below)
    return tuple(ordered)


def _cycles(edges: Mapping[str, Sequence[tuple[str, Place]]]) -> list[Fault]:
    """Walk depth first without recursion: a chain may be as long as there are rules."""
    faults: list[Fault] = []
    done: set[str] = set()
    for first in edges:
        path: list[str] = []
        stack = [(first, iter(edges[first]))] if first not in done else []
        while stack:
            rule_id, below = stack[-1]
            if len(path) < len(stack):
                path.append(rule_id)
            step = next(below, None)
            if step is None:
                done.add(rule_id)
                stack.pop()
                path.pop()
                continue
            other, place = step
            if other in path:
                around = " supersedes ".join([*path[path.index(other) :], other])
                hint = "leave out one of them: one rule must have the last word"
                faults.append(place.fault(f"a cycle: {around}", hint))
            elif other not in done:
                stack.append((other, iter(edges[other])))
    return faults
