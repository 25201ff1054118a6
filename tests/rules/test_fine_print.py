"""The fine print of the rule language, from the rule file's text to what is told: scenarios beside their rules."""

import io
from pathlib import Path

from rich.console import Console

from services.rules.testing import run_tests


def test_the_fine_print_of_the_rule_language_holds() -> None:
    out = io.StringIO()
    assert run_tests([Path(__file__).parent / "fine_print"], Console(file=out)) == 0, out.getvalue()
