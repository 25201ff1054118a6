"""A rule in plain words: nothing that decides is left out."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.rules.cli import rules
from services.rules.explaining import explain, spelled
from services.rules.language.load import load
from services.rules.language.model import Aggregate, Pick, Rule
from tests.rules.test_packs import RULES

LITERAL = """pack: house
version: 3
rules:
  - id: no-sprint-after-strength
    category: ordering
    severity: warning
    each: workout.completed
    where: {activity: run, intensity: [hard, sprint], duration_s: {gte: 600, lt: 7200}}
    params: {min_gap_h: 6}
    facts:
      lift: {last: workout.completed, where: {activity: strength}, before: 24h}
      gap_h: hours(anchor.start - lift.end)
      eaten: {sum: meal.logged.energy_kcal, after: 90m}
    requires: lift.found
    when: gap_h < params.min_gap_h
    advise: {title: Easy now, message: "{{ gap_h | round(1) }} h after lifting"}
    expires: 36h
    settle: 15m
    mode: shadow
    evidence: moderate
    sources: ["Robineau 2016, J Strength Cond Res 30:672"]
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(LITERAL)
    return path


def test_a_rule_is_told_from_its_anchor_to_its_source(pack: Path) -> None:
    [rule] = load([pack]).rules
    assert (
        explain(rule)
        == """\
no-sprint-after-strength (pack house, version 3): a warning about ordering.

It is in shadow: evaluated, and nobody is told.

Looks at every workout.completed with activity run and intensity hard or sprint and duration_s at least 600 and \
duration_s under 7200, at its end. It waits 15 min for what is logged late.

Params, which a club or an athlete may set:
  min_gap_h = 6

Finds out, one after the other:
  lift: the last workout.completed with activity strength that starts in the 1 day before the anchor's start
  gap_h: hours(anchor.start - lift.end)
  eaten: the sum of energy_kcal over every meal.logged that starts in the 1 h 30 min after the anchor's end

Says nothing, for want of data, unless
  lift.found

Speaks when
  gap_h < params.min_gap_h

and says
  "Easy now"
  {{ gap_h | round(1) }} h after lifting

It stands for 1 day 12 h, as long as that holds, and is withdrawn when it no longer does.

Evidence: moderate. Robineau 2016, J Strength Cond Res 30:672."""
    )


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_fact_param_condition_or_source_of_a_shipped_rule_is_left_out(rule: Rule) -> None:
    said = explain(rule)
    for fact in rule.facts:
        assert f"  {fact.name}: " in said
        if isinstance(fact, Aggregate | Pick):
            assert fact.type in said
            assert all(condition.field in said for condition in fact.where)
    assert all(f"  {name} = " in said for name in rule.params)
    assert all(source in said for source in rule.sources)
    assert all(each in said for each in rule.supersedes)
    assert " ".join(rule.when.source.split()) in said
    assert spelled(rule.expires) in said


def test_the_command_says_it_of_the_shipped_rules_and_of_files(pack: Path) -> None:
    shipped = CliRunner().invoke(rules, ["explain", "weekly-summary"])
    assert shipped.exit_code == 0
    assert "every Sunday at 20:45, the athlete's time" in shipped.output
    own = CliRunner().invoke(rules, ["explain", "no-sprint-after-strength", str(pack)])
    assert "pack house, version 3" in own.output


def test_a_plan_is_told_from_before_its_start() -> None:
    assert "1 day 12 h before its start" in explain(RULES["plan-strength-first"])
    assert "not beyond the session's start" in explain(RULES["plan-strength-first"])


def test_an_unknown_rule_is_named_with_the_nearest_one() -> None:
    result = CliRunner().invoke(rules, ["explain", "weekly-sumary"])
    assert result.exit_code == 2
    assert "there is no rule 'weekly-sumary'" in result.output
    assert "weekly-summary" in result.output


def test_a_wrong_file_is_told_as_the_checker_tells_it(pack: Path) -> None:
    pack.write_text(LITERAL.replace("lift.found", "lift.fond"))
    result = CliRunner().invoke(rules, ["explain", "no-sprint-after-strength", str(pack)])
    assert result.exit_code == 2
    assert "house.yaml:14:20" in result.output
