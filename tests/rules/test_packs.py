"""The packs that ship: checked, tested beside themselves, and none without a source and a grade."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from services.rules.cli import check
from services.rules.language.load import load
from services.rules.language.model import Rule
from services.rules.testing import run_tests
from shared.contracts.advice import GRADES

PACKS = Path(__file__).parents[2] / "services" / "rules" / "packs"
RULES = {rule.id: rule for rule in load([PACKS]).rules}
PROMISED = {
    "strength-before-run", "no-sprint-after-strength", "separate-days", "recovery-too-short", "refuel-after-run",
    "daily-surplus-short", "protein-after-strength", "supplement-reminder", "plan-strength-first",
    "plan-no-sprint-after-strength", "hard-run-after-leg-day", "easy-run-after-strength", "plan-separate-days",
    "same-muscles-48h", "no-rest-day", "load-jump", "pain-stop", "pain-ease", "listen-to-body",
    "sustained-deficit", "low-energy-availability", "daily-protein-short", "hydrate-after-long-run", "only-running",
    "add-intervals", "weekly-summary",
}  # fmt: skip


def test_the_tests_beside_the_rules_hold() -> None:
    console = Console(record=True, width=200)
    assert run_tests([PACKS], console) == 0, console.export_text()


def test_the_checker_finds_no_fault_and_warns_of_nothing() -> None:
    result = CliRunner().invoke(check, ["--strict", str(PACKS)])
    assert result.exit_code == 0, result.output


def test_the_promised_rules_ship() -> None:
    assert set(RULES) == PROMISED


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_names_its_source_and_speaks_live(rule: Rule) -> None:
    assert all(len(source) > 10 for source in rule.sources)
    assert rule.sources
    assert rule.evidence in GRADES
    assert rule.mode == "live"
