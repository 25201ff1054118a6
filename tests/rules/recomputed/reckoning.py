"""Whether what a piece of advice says is what its evidence comes to."""

import re
from collections.abc import Iterator
from pathlib import Path

from services.rules.language.load import load
from shared.contracts.advice import Advice
from tests.rules.recomputed import food, training
from tests.rules.recomputed.evidence import Evidence
from tests.rules.recomputed.rounding import Constant

PACKS = Path(__file__).parents[3] / "services" / "rules" / "packs"
RULE_SET = load([PACKS])
RULES = {rule.id: rule for rule in RULE_SET.rules}
RECKONED = {**training.RECKONED, **food.RECKONED}
_NUMBER = re.compile(r"\d+(?:[.:]\d+)?")


def assert_reckoned_again(advice: Advice, evidence: Evidence, where: str) -> None:
    """Fail, naming the place, when the advice says another number than its evidence gives."""
    expected = RECKONED[advice.rule](evidence)
    assert _NUMBER.findall(f"{advice.title} {advice.message}") == expected, (where, advice.message)
    assert {each for each in expected if isinstance(each, Constant)} <= set(_constants(advice.rule))


def _constants(rule: str) -> Iterator[str]:
    """Yield the numbers that stand in a rule's text outside of what Jinja fills in."""
    for text in (RULES[rule].title, RULES[rule].message):
        yield from _NUMBER.findall(re.sub(r"\{[{%].*?[%}]\}", " ", text.source, flags=re.DOTALL))
