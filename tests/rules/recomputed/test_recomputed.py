"""Every number that a shipped rule says can be reckoned again by hand from its evidence: here it is, in plain Python.

Nothing of the engine is used: only the events, params and profile fields that `because` names, and the text itself.
A number that is not reckoned must stand in the rule's own text as it is, or be a param.
"""

from collections.abc import Mapping
from functools import cache

import pytest

from services.rules.language.load import load
from services.rules.testing.files import read_tests
from services.rules.testing.replay import replay
from shared.contracts.advice import Advice
from tests.rules.recomputed.evidence import Evidence, evidence_of
from tests.rules.recomputed.reckoning import PACKS, RULES, assert_reckoned_again


@cache
def advice_in_tests() -> Mapping[str, tuple[tuple[str, Advice, Evidence], ...]]:
    """Return by rule what the tests beside the rules have the engine say, with its evidence; muted advice too."""
    found: dict[str, dict[str, tuple[str, Advice, Evidence]]] = {}
    for path in sorted(PACKS.glob("*.test.yaml")):
        tests = read_tests(path)
        rules = load(tests.packs)
        for scenario in tests.scenarios:
            posted = {(each.event.key, each.event.revision): each.event for each in scenario.arrivals}
            for outcome in replay(rules, scenario, scenario.arrivals).values():
                for advice in (verdict.advice for verdict in outcome.verdicts):
                    if advice is not None:
                        told = found.setdefault(advice.rule, {})
                        told[repr(advice)] = (scenario.name, advice, evidence_of(advice, posted))
    return {rule: tuple(told.values()) for rule, told in found.items()}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_number_that_a_rule_says_is_reckoned_again_from_its_evidence(rule: str) -> None:
    told = advice_in_tests().get(rule, ())
    assert told, "no test beside the rule has it speak"
    for scenario, advice, evidence in told:
        assert_reckoned_again(advice, evidence, scenario)
