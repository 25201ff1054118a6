"""Which small faults one can put into a module: each is a changed text, one place away from the right one.

Text is left alone, also inside f-strings: what an error says is held by the tests that read it. So are annotations and
decorators, which change nothing or only how fast it is found.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_OPPOSITE = {"min": "max", "max": "min", "any": "all", "all": "any"}
_TOLD_BY_AN_OPERATOR = (ast.Compare, ast.BoolOp, ast.Constant)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module's text with one fault, and the line on which it is."""

    line: int
    text: str


def mutants(text: str) -> Iterator[Mutant]:
    """Yield the mutants of a module's text, in the order of its syntax tree."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    source = text.encode()
    for node in _living(ast.parse(text)):
        for changed in _faults(node):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            spoilt = (source[:begin] + changed.encode() + source[end:]).decode()
            if spoilt != text:
                yield Mutant(node.lineno, spoilt)


def _living(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what runs: no annotation, no decorator, nothing inside an f-string (which tells no places)."""
    if isinstance(node, ast.expr | ast.stmt):
        yield node
    if isinstance(node, ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _living(child)


def _faults(node: ast.expr | ast.stmt) -> Iterator[str]:  # noqa: C901 - one flat case an operator
    match node:
        case ast.Compare(left, ops, comparators):
            for index, op in enumerate(ops):
                others = [*ops[:index], _COMPARE[type(op)](), *ops[index + 1 :]]
                yield ast.unparse(ast.Compare(left, others, comparators))
        case ast.BoolOp(op, values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"({ast.unparse(ast.BoolOp(other, values))})"
        case ast.BinOp(left, operator, right) if type(operator) in _ARITHMETIC:
            yield ast.unparse(ast.BinOp(left, _ARITHMETIC[type(operator)](), right))
        case ast.UnaryOp(ast.Not(), operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(bool() as value):
            yield str(not value)
        case ast.Constant(int() | float() as value):
            yield repr(value + 1)
        case ast.Name(name) if name in _OPPOSITE:
            yield _OPPOSITE[name]
        case ast.IfExp(test, body, orelse) if not isinstance(test, _TOLD_BY_AN_OPERATOR):
            yield f"({ast.unparse(ast.IfExp(test, orelse, body))})"
        case ast.Return(value) if value is not None and ast.unparse(value) != "None":
            yield "return None"
        case _:
            yield from _lost(node)


def _lost(node: ast.expr | ast.stmt) -> Iterator[str]:
    """Yield the text without the statement: what it does is not done."""
    match node:
        case ast.Expr(ast.Constant()):
            return  # a docstring
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield "pass"
