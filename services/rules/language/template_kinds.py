"""Of what kind each expression of a template is, and whether its parts are known and fit together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from services.rules.language import kinds
from services.rules.language.rewritten import ExpressionFault, nearest
from services.rules.language.template_environment import ARGUMENTS, FILTERS, ROUNDINGS, TESTS
from services.rules.language.template_places import Words

DEEPEST: Final = 32
LOOP: Final = "loop"
"""The name, and the kind, that Jinja gives every loop."""
ELEMENTS: Final[Mapping[str, str]] = {
    kinds.TEXTS: kinds.TEXT,
    kinds.NUMBERS: kinds.NUMBER,
    kinds.RECORDS: "set",
}
"""The kind of a list's elements."""
ALLOWED: Final = "a message has {{ ... }}, {% if ... %} and {% for ... %}"
Scope: TypeAlias = Mapping[str, str | None]
"""The names that are known, with their kinds."""

_LOOP_FIELDS = {
    "index": kinds.NUMBER, "index0": kinds.NUMBER, "length": kinds.NUMBER, "first": kinds.FLAG, "last": kinds.FLAG,
}  # fmt: skip
_UNWRITTEN = {
    kinds.TIME: "write it as `| clock`",
    kinds.DURATION: "write minutes(...) or hours(...) of it",
    kinds.FLAG: "write {% if ... %}",
    kinds.RECORDS: "write {% for s in ... %}{{ s.exercise }}{% endfor %}",
}
_DIFFERENCES = {
    ("Sub", kinds.TIME, kinds.TIME): kinds.DURATION,
    ("Sub", kinds.TIME, kinds.DURATION): kinds.TIME,
    ("Add", kinds.TIME, kinds.DURATION): kinds.TIME,
    ("Sub", kinds.DURATION, kinds.DURATION): kinds.DURATION,
    ("Add", kinds.DURATION, kinds.DURATION): kinds.DURATION,
    ("Add", kinds.TEXT, kinds.TEXT): kinds.TEXT,
}
_RECKONED: tuple[type[nodes.Node], ...] = (
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
)  # fmt: skip
_SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "FloorDiv": "//", "Mod": "%"}
_EXAMPLES = {
    kinds.DURATION: "hours(anchor.end - anchor.start)",
    kinds.TIME: "local_hour(anchor.start)",
}


class Kinds:
    """Finds kinds and gathers faults. A kind of None is one that nobody knows, and fits everywhere."""

    def __init__(self, words: Words, params: Mapping[str, str]) -> None:
        self._words = words
        self._fields: Mapping[str, Mapping[str, str]] = {
            **kinds.RECORD_FIELDS, "params": params, LOOP: _LOOP_FIELDS,
        }  # fmt: skip
        self._depth = 0
        self.faults: list[ExpressionFault] = []
        self._forms: Mapping[type[nodes.Node], Callable[[Any, Scope], str | None]] = {
            nodes.Const: self._constant, nodes.Name: self._name, nodes.Getattr: self._field,
            nodes.Getitem: self._field, nodes.Filter: self._filter, nodes.Call: self._call, nodes.Test: self._test,
            nodes.Compare: self._compare, nodes.Not: self._sign, nodes.Neg: self._sign, nodes.Pos: self._sign,
            nodes.And: self._either, nodes.Or: self._either, nodes.CondExpr: self._choice,
            nodes.Concat: self._joined, nodes.List: self._list, nodes.Tuple: self._list,
            **dict.fromkeys(_RECKONED, self._reckon),
        }  # fmt: skip

    def write(self, node: nodes.Node, scope: Scope) -> None:
        """Check an expression whose value is written out."""
        if isinstance(node, nodes.TemplateData):
            return
        kind = self.kind(node, scope)
        if kind in _UNWRITTEN:
            self._at(node, f"a {kind} cannot be written as it is", _UNWRITTEN[kind])

    def kind(self, node: nodes.Node, scope: Scope) -> str | None:
        """Return the kind of an expression that is no record, adding a fault for all that is wrong in it."""
        kind = self._any_kind(node, scope)
        if kind is not None and kind in self._fields:
            example = next(iter(self._fields[kind]), "field")
            self._at(node, "a record stands for many values; name one of its fields", f"such as .{example}")
            return None
        return kind

    def _any_kind(self, node: nodes.Node, scope: Scope) -> str | None:
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                if not any("nests" in fault.message for fault in self.faults):
                    self._at(
                        node, f"the template nests deeper than {DEEPEST}", "give parts of it names, as facts"
                    )
                return None
            form = self._forms.get(type(node))
            if form is not None:
                return form(node, scope)
            self._at(node, f"{type(node).__name__.lower()} is not allowed in a template", ALLOWED)
            return None
        finally:
            self._depth -= 1

    def _constant(self, node: nodes.Const, _: Scope) -> str | None:
        value = node.value
        if isinstance(value, bool):
            return kinds.FLAG
        if isinstance(value, int | float):
            return kinds.NUMBER
        if isinstance(value, str):
            return kinds.TEXT
        self._at(node, "none is no value", "what is absent is told by `is defined`")
        return None

    def _sign(self, node: nodes.UnaryExpr, scope: Scope) -> str | None:
        kind = self.kind(node.node, scope)
        return kinds.FLAG if isinstance(node, nodes.Not) else kind

    def _either(self, node: nodes.BinExpr, scope: Scope) -> str | None:
        return _same(self.kind(node.left, scope), self.kind(node.right, scope))

    def _choice(self, node: nodes.CondExpr, scope: Scope) -> str | None:
        self.kind(node.test, scope)
        other = self.kind(node.expr2, scope) if node.expr2 is not None else None
        return _same(self.kind(node.expr1, scope), other)

    def _joined(self, node: nodes.Concat, scope: Scope) -> str:
        for each in node.nodes:
            self.write(each, scope)
        return kinds.TEXT

    def _list(self, node: nodes.List | nodes.Tuple, scope: Scope) -> str | None:
        found = {self.kind(each, scope) for each in node.items}
        return next((many for many, one in ELEMENTS.items() if found == {one}), None)

    def _name(self, node: nodes.Name, scope: Scope) -> str | None:
        if node.name in scope:
            return scope[node.name]
        known = sorted(name for name in scope if name != LOOP)
        if node.name in kinds.FUNCTIONS:
            hint = f"write {node.name}(...)"
        else:
            hint = nearest(node.name, [*known, *kinds.FUNCTIONS]) or f"known here: {', '.join(known)}"
        self.say(node, node.name, f"unknown name {node.name!r}", hint)
        return None

    def _field(self, node: nodes.Getattr | nodes.Getitem, scope: Scope) -> str | None:
        of = self._any_kind(node.node, scope)
        name = node.attr if isinstance(node, nodes.Getattr) else None
        if isinstance(node, nodes.Getitem):
            if not isinstance(node.arg, nodes.Const):
                self.kind(node.arg, scope)
                return None
            if not isinstance(node.arg.value, str):
                return ELEMENTS.get(of or "")
            name = node.arg.value
        if of is None or name is None:
            return None
        if of not in self._fields:
            self.say(node, name, f"a {of} has no fields", "use a filter, such as `| round(1)`", after=".")
            return None
        if name not in self._fields[of]:
            fields = sorted(self._fields[of])
            what = {"params": "this rule's params have", "set": "a set has"}.get(
                of, f"{_spelled(node.node)} has"
            )
            hint = nearest(name, fields) or f"its fields: {', '.join(fields) or 'none'}"
            self.say(node, name, f"{what} no field {name!r}", hint, after=".")
        return self._fields[of].get(name)

    def _filter(self, node: nodes.Filter, scope: Scope) -> str | None:
        kind = self.kind(node.node, scope) if node.node is not None else None
        more = [self.kind(each, scope) for each in node.args]
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.say(
                node, node.name, f"{node.name} takes plain values only", "such as `| round(1)`", after="|"
            )
        if node.name not in FILTERS:
            hint = nearest(node.name, list(FILTERS)) or f"filters: {', '.join(FILTERS)}"
            self.say(node, node.name, f"unknown filter {node.name!r}", hint, after="|")
            return None
        takes, gives = FILTERS[node.name]
        if kind is not None and kind not in takes:
            message = f"{node.name} is for a {' or '.join(sorted(takes))}, not for a {kind}"
            self.say(node, node.name, message, _UNWRITTEN.get(kind, ""), after="|")
            return gives
        if node.name == "default":
            return _same(kind, *more)
        self._arguments(node, more)
        return gives or ELEMENTS.get(kind or "")

    def _arguments(self, node: nodes.Filter, found: Sequence[str | None]) -> None:
        wanted = ARGUMENTS.get(node.name, ())
        if len(found) > len(wanted) or any(
            each not in {kind, None} for each, kind in zip(found, wanted, strict=False)
        ):
            takes = f"({', '.join(wanted)})" if wanted else "nothing in brackets"
            given = ", ".join(each or "unknown" for each in found)
            self.say(node, node.name, f"{node.name} takes {takes}; found ({given})", "", after="|")
        elif node.name == "round" and len(node.args) > 1:
            method = node.args[1]
            if not isinstance(method, nodes.Const) or method.value not in ROUNDINGS:
                self.say(
                    node, node.name, "round knows no such way", f"one of {', '.join(ROUNDINGS)}", after="|"
                )

    def _call(self, node: nodes.Call, scope: Scope) -> str | None:
        called = node.node
        name = called.name if isinstance(called, nodes.Name) else ""
        arguments = [self.kind(each, scope) for each in node.args]
        if name not in kinds.FUNCTIONS or name in scope:
            hint = nearest(name, list(kinds.FUNCTIONS)) or f"functions: {', '.join(kinds.FUNCTIONS)}"
            self._at(node, f"unknown function {_spelled(called)}", f"{hint}; of a value: a filter")
            return None
        takes, gives = kinds.FUNCTIONS[name]
        if len(arguments) != 1 or node.kwargs or arguments[0] not in {takes, None}:
            found = ", ".join(each or "unknown" for each in arguments)
            self.say(node, name, f"{name} takes a {takes}; found ({found})", f"such as {_EXAMPLES[takes]}")
        return gives

    def _test(self, node: nodes.Test, scope: Scope) -> str:
        self._any_kind(node.node, scope)
        for each in node.args:
            self.kind(each, scope)
        if node.name not in TESTS:
            hint = nearest(node.name, list(TESTS)) or f"tests: {', '.join(TESTS)}"
            self.say(node, node.name, f"unknown test {node.name!r}", hint)
        return kinds.FLAG

    def _compare(self, node: nodes.Compare, scope: Scope) -> str:
        left = self.kind(node.expr, scope)
        for operand in node.ops:
            right = self.kind(operand.expr, scope)
            if operand.op not in {"in", "notin"} and None not in {left, right} and left != right:
                self._at(node, f"a {left} cannot be compared with a {right}", "compare like with like")
        return kinds.FLAG

    def _reckon(self, node: nodes.BinExpr, scope: Scope) -> str | None:
        left, right = self.kind(node.left, scope), self.kind(node.right, scope)
        if None in {left, right}:
            return None
        if left == right == kinds.NUMBER:
            return kinds.NUMBER
        sign = type(node).__name__
        kind = _DIFFERENCES.get((sign, str(left), str(right)))
        if kind is None:
            self._at(node, f"{_SIGNS[sign]!r} does not go with ({left}, {right})", "reckon with numbers")
        return kind

    def _at(self, node: nodes.Node, message: str, hint: str) -> None:
        first = node if isinstance(node, nodes.Name) else node.find(nodes.Name)
        self.say(node, first.name if first is not None else "", message, hint)

    def say(self, node: nodes.Node, word: str, message: str, hint: str, after: str = "") -> None:
        """Add a fault at `word` in the node's line; `after` is the sign that stands right before the word."""
        self.faults.append(ExpressionFault(self._words.place(word, node.lineno, after), message, hint))


def _same(*found: str | None) -> str | None:
    known: Sequence[str] = sorted({kind for kind in found if kind is not None})
    return known[0] if len(known) == 1 else None


def _spelled(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return repr(node.name)
    return (
        repr(f"{_spelled(node.node).strip(chr(39))}.{node.attr}") if isinstance(node, nodes.Getattr) else "it"
    )
