"""Compiles and renders titles and messages: sandboxed Jinja over the rule's names, checked when the rule is loaded."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.rules.language import kinds
from services.rules.language.expressions import ExpressionError
from services.rules.language.model import Bound, EvaluationError, Local, Record
from services.rules.language.rewritten import ExpressionFault, nearest

MOST_CHARACTERS = 2_000
"""The longest text that a rule may give."""


class _Environment(ImmutableSandboxedEnvironment):
    """No globals, and `*` for numbers only: a template cannot make a text of a billion characters."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: object, right: object
    ) -> object:
        """Multiply numbers; refuse anything else."""
        if operator != "*" or not isinstance(left, int | float) or not isinstance(right, int | float):
            raise jinja2.exceptions.SecurityError(f"{operator} is for numbers, and ** is not allowed")
        return super().call_binop(context, operator, left, right)


_environment = _Environment(undefined=jinja2.StrictUndefined, autoescape=False)
_environment.globals.clear()
_environment.filters["clock"] = lambda instant: f"{instant:%H:%M}"
_FUNCTIONS = frozenset(kinds.FUNCTIONS)
_LACKS = re.compile(r"'[\w.]*_View object' has no attribute")


class _View:
    """A record as a template sees it: `{{ lift.start }}`; an absent field is undefined."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> object:
        return self._fields[name]


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A checked template, ready to render."""

    source: str
    names: frozenset[str]
    _template: jinja2.Template

    def render(self, names: Mapping[str, Bound], local: Local) -> str:
        """Return the text, times in the athlete's zone; raise `EvaluationError` when something it uses is absent."""
        context = {name: _shown(names[name], local) for name in self.names if name in names}
        try:
            text = self._template.render(context, **_functions(local))
        except jinja2.UndefinedError as error:
            told = _LACKS.sub("a record lacks", str(error.message))
            raise EvaluationError(f"{self.source}: {told}") from None
        except Exception as error:
            raise EvaluationError(f"{self.source}: {error}") from error
        text = " ".join(text.split())
        if len(text) > MOST_CHARACTERS:
            raise EvaluationError(
                f"{self.source}: the text has {len(text)} characters; at most {MOST_CHARACTERS}"
            )
        return text


def compile_template(source: str, names: Mapping[str, str], params: Mapping[str, str]) -> CompiledTemplate:
    """Compile a title or message in which the top-level `names` have the given kinds.

    Raise `ExpressionError` with every unknown name or field and every fault of syntax.
    """
    try:
        tree = _environment.parse(source)
        template = _environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError([ExpressionFault(_line(source, error.lineno), str(error.message))]) from None
    except RecursionError:
        raise ExpressionError([ExpressionFault(0, "the template nests too deep")]) from None
    used = meta.find_undeclared_variables(tree)
    faults = [*_unknown_names(tree, source, names, used), *_unknown_fields(tree, source, names, params)]
    if faults:
        raise ExpressionError(faults)
    return CompiledTemplate(source, frozenset(used - _FUNCTIONS), template)


def _unknown_names(
    tree: nodes.Template, source: str, names: Mapping[str, str], used: set[str]
) -> Iterator[ExpressionFault]:
    for name in sorted(used - names.keys() - _FUNCTIONS):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        hint = nearest(name, [*names, *_FUNCTIONS]) or f"known here: {', '.join(sorted(names))}"
        yield ExpressionFault(_place(source, line, rf"\b{name}\b"), f"unknown name {name!r}", hint)
    unknown_filters = {node.name: node.lineno for node in tree.find_all(nodes.Filter)}
    for name, line in unknown_filters.items():
        if name not in _environment.filters:
            hint = nearest(name, list(_environment.filters))
            yield ExpressionFault(_place(source, line, rf"\b{name}\b"), f"unknown filter {name!r}", hint)


def _unknown_fields(
    tree: nodes.Template, source: str, names: Mapping[str, str], params: Mapping[str, str]
) -> Iterator[ExpressionFault]:
    fields = {**kinds.RECORD_FIELDS, "params": params}
    for node in tree.find_all(nodes.Getattr):
        if not isinstance(node.node, nodes.Name):
            continue
        root, kind = node.node.name, names.get(node.node.name, "")
        if kind in fields and node.attr not in fields[kind]:
            hint = nearest(node.attr, list(fields[kind])) or f"its fields: {', '.join(sorted(fields[kind]))}"
            place = _place(source, node.lineno, rf"\b{root}\s*\.\s*{node.attr}\b")
            yield ExpressionFault(place, f"{root!r} has no field {node.attr!r}", hint)
        elif kind and kind not in fields:
            place = _place(source, node.lineno, rf"\b{root}\s*\.\s*{node.attr}\b")
            yield ExpressionFault(place, f"{root!r} is a {kind}, which has no fields")


def _shown(value: Bound, local: Local) -> object:
    if isinstance(value, Record):
        return _View({name: _shown(each, local) for name, each in value.fields.items()})
    if isinstance(value, datetime):
        return local(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shown(each, local) for each in value]
    return value


def _functions(local: Local) -> dict[str, object]:
    def per(seconds: float) -> object:
        def converted(duration: timedelta) -> float:
            return duration.total_seconds() / seconds

        return converted

    def local_hour(instant: datetime) -> float:
        at = local(instant)
        return at.hour + at.minute / 60 + at.second / 3600

    return {"hours": per(3600), "minutes": per(60), "days": per(86_400), "local_hour": local_hour}


def _line(source: str, number: int) -> int:
    """Return the offset at which line `number`, from 1, begins."""
    starts = [0, *(match.end() for match in re.finditer("\n", source))]
    return starts[min(number, len(starts)) - 1]


def _place(source: str, line: int, pattern: str) -> int:
    """Return the offset of `pattern` at or after line `line`, or of the line."""
    start = _line(source, line)
    found = re.compile(pattern).search(source, start)
    return found.start() if found else start
