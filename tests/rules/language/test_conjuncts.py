"""A condition falls into the parts that its author would name."""

import pytest

from services.rules.language.conjuncts import conjuncts


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a", ["a"]),
        ("a && b || c", ["a", "b", "c"]),
        ("(a || b) && !(c && d)", ["a", "b", "!(c && d)"]),
        ("((a && b))", ["a", "b"]),
        ("(a + b) > (c)", ["(a + b) > (c)"]),
        ("a && a", ["a"]),
        ("x ? a && b : c", ["x ? a && b : c"]),
        ("l.exists(s, s.x > 1 && s.y) && t == '&& ('", ["l.exists(s, s.x > 1 && s.y)", "t == '&& ('"]),
        ("a  // not && this\n  && b", ["a  // not && this", "b"]),
    ],
)
def test_the_parts_of_a_condition(source: str, parts: list[str]) -> None:
    assert list(conjuncts(source)) == parts
