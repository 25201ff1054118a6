"""The tests beside each shipped rule are of every kind.

Speaking, silent, on each threshold, over a change of clocks, for an athlete whose profile lacks what the rule reads.
That something comes late is asked for by `tandem rules check --strict`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.rules.engine.judge import Verdict
from services.rules.language.load import load
from services.rules.language.model import Rule
from services.rules.testing.files import read_tests
from services.rules.testing.replay import replay
from services.rules.testing.scenario import Scenario

PACKS = Path(__file__).parents[2] / "services" / "rules" / "packs"
RULE_SET = load([PACKS])
RULES = {rule.id: rule for rule in RULE_SET.rules}
A_HAIR = 1e-6
FIELDS = ("goal", "sex", "birth_year", "height_cm", "body_mass_kg", "everyday_activity")
NO_THRESHOLD: Mapping[str, set[str]] = {
    "hydrate-after-long-run": {"litres_per_kg"},
    "low-energy-availability": {"lean_share_female", "lean_share_male"},
    "protein-after-strength": {"meal_g_per_kg", "most_g"},
    "refuel-after-run": {"spread"},
    "daily-surplus-short": {"spread"},
    "sustained-deficit": {"spread"},
    "weekly-summary": {"lifts_wanted", "sessions_wanted", "surplus_kcal", "protein_g_per_kg", "sleep_h"},
}
"""Params that a figure is reckoned with: a hair more of them is a hair more of it, and nothing flips."""
of_each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@cache
def all_scenarios() -> tuple[Scenario, ...]:
    files = sorted(PACKS.glob("*.test.yaml"))
    return tuple(scenario for file in files for scenario in read_tests(file).scenarios)


def scenarios(rule: str) -> list[Scenario]:
    """Return the tests that name the rule."""
    return [each for each in all_scenarios() if rule in named(each)]


def named(scenario: Scenario) -> set[str]:
    expected = {each.rule for expectation in scenario.expectations for each in expectation.advice or ()}
    return expected | (scenario.only or set())


def verdicts(rule: Rule, scenario: Scenario) -> Iterator[Verdict]:
    """Yield what the rule alone finds at the instants at which the test expects something."""
    alone = replace(RULE_SET, rules=(rule,))
    for outcome in replay(alone, scenario, scenario.arrivals).values():
        yield from (verdict for verdict in outcome.verdicts if verdict.outcome != "pending")


def found(rule: Rule, scenario: Scenario) -> Sequence[object]:
    return [(each.outcome, each.advice and each.advice.message) for each in verdicts(rule, scenario)]


@of_each_rule
def test_a_rule_is_tested_speaking_and_keeping_still_at_an_anchor(rule: Rule) -> None:
    outcomes = {verdict.outcome for scenario in scenarios(rule.id) for verdict in verdicts(rule, scenario)}
    assert "holds" in outcomes
    assert outcomes & {"does_not_hold", "insufficient_data"}


@of_each_rule
def test_each_threshold_of_a_rule_has_a_test_that_stands_on_it(rule: Rule) -> None:
    thresholds = {name: value for name, value in rule.params.items() if isinstance(value, int | float)}
    for name in thresholds.keys() - NO_THRESHOLD.get(rule.id, set()):
        moved = [
            replace(rule, params={**rule.params, name: thresholds[name] + by}) for by in (A_HAIR, -A_HAIR)
        ]
        assert any(
            found(other, scenario) != found(rule, scenario)
            for scenario in scenarios(rule.id)
            for other in moved
        ), f"no test tells {name} {thresholds[name]} from a hair more or less"


@of_each_rule
def test_a_rule_is_tested_speaking_over_a_night_in_which_the_clocks_change(rule: Rule) -> None:
    assert any(
        verdict.outcome == "holds" and clocks_change(verdict, ZoneInfo(scenario.athlete.zones[0].timezone))
        for scenario in scenarios(rule.id)
        for verdict in verdicts(rule, scenario)
    )


def clocks_change(verdict: Verdict, zone: ZoneInfo) -> bool:
    """Whether they do between a day before the anchor, or what the rule looked at, and a day after."""
    due, a_day = verdict.due, timedelta(days=1)
    first = min([due.start - a_day, *(event.start for event in verdict.known.events().values())])
    return first.astimezone(zone).utcoffset() != (due.end + a_day).astimezone(zone).utcoffset()


@of_each_rule
def test_each_field_of_the_profile_that_a_rule_depends_on_is_missing_in_a_test(rule: Rule) -> None:
    missing = {
        field
        for scenario in scenarios(rule.id)
        if any(verdicts(rule, scenario))
        for field in FIELDS
        if getattr(scenario.athlete, field) is None
    }
    for field in set(FIELDS) - missing:
        for scenario in scenarios(rule.id):
            without: Any = {field: None}
            other = replace(scenario, athlete=replace(scenario.athlete, **without))
            assert found(rule, other) == found(rule, scenario), f"no test of an athlete without {field}"
