"""The mutants of a module: which faults are put in, and what is left alone."""

import ast
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants

FOLDER = Path(__file__).parents[2] / "services" / "rules" / "engine"


@pytest.mark.parametrize(
    ("right", "faults"),
    [
        ("a <= b < c", ["a < b < c", "a <= b <= c"]),
        ("a and b", ["(a or b)"]),
        ("not a", ["(a)"]),
        ("a - b", ["a + b"]),
        ("x = True", ["x = False"]),
        ("min(a)", ["max(a)"]),
        ("x = f'{a + 1}'", []),
        ("x: int | None", []),
        ("del a", []),
    ],
)
def test_each_fault_is_one_place_away_from_the_right_text(right: str, faults: list[str]) -> None:
    assert [mutant.text for mutant in mutants(right) if mutant.text != "pass"] == faults


def test_a_statement_is_lost_and_the_text_around_it_stays() -> None:
    right = '"""Ä."""\nä = 2  # why\nrun(ä)\n'
    assert [(mutant.line, mutant.text) for mutant in mutants(right)] == [
        (2, '"""Ä."""\nä = 3  # why\nrun(ä)\n'),
        (3, '"""Ä."""\nä = 2  # why\npass\n'),
    ]


def test_every_mutant_of_the_engine_is_python_and_differs() -> None:
    for path in FOLDER.glob("*.py"):
        text = path.read_text()
        for mutant in mutants(text):
            ast.parse(mutant.text)
            assert mutant.text != text
