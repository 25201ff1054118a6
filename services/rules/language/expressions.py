"""Compiles and evaluates the CEL of a rule: typed, absence-aware, once a process."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.rules.language import kinds
from services.rules.language.cel_environment import (
    ABSENT,
    CelFailureError,
    as_message,
    compiled,
    evaluated,
    here,
    kind_of,
    reads_clock,
)
from services.rules.language.cel_errors import faults_of, in_words
from services.rules.language.conjuncts import conjuncts
from services.rules.language.model import AbsentError, Bound, EvaluationError, Local, Record
from services.rules.language.rewriting import rewrite
from services.rules.language.rewritten import ExpressionFault, Rewritten

__all__ = ["CompiledExpression", "ExpressionError", "ExpressionFault", "compile_expression"]

_UNBOUND = re.compile(r'No value with name "(\w+)" found in Activation')
_SHOWN = 60
_LISTS = frozenset({kinds.TEXTS, kinds.NUMBERS, kinds.RECORDS})
_NEVER_TWICE = _LISTS | {kinds.TIME, kinds.DURATION}
"""Kinds whose values hardly come again, or cannot be looked up."""
_MOST_KNOWN = 256
"""Results that are kept with an expression: what it reads are flags, words and small counts mostly."""
_NO_FIELDS: Mapping[str, Bound] = {}


class ExpressionError(Exception):
    """The expression cannot be compiled; `faults` say where and why."""

    def __init__(self, faults: Sequence[ExpressionFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


class _Variable(NamedTuple):
    """One flat variable of a program, and what it stands for."""

    name: str
    root: str
    field: str | None
    presence: bool
    listed: bool
    spelled: str


@dataclass(frozen=True, slots=True)
class CompiledExpression:
    """A checked expression, ready to evaluate. `kind` says what it gives."""

    source: str
    kind: str
    names: frozenset[str]
    _variables: tuple[_Variable, ...]
    _program: Any
    _reads_clock: bool
    _scope: tuple[Mapping[str, str], Mapping[str, str]]
    _known: dict[tuple[object, ...], Bound] | None = field(repr=False, compare=False)
    """What it gave before, by the values of its variables; None where those are never the same."""
    _parts: list["CompiledExpression"] = field(default_factory=list, compare=False)

    def parts(self) -> Sequence["CompiledExpression"]:
        """Return the conditions between its `&&` and `||`, in order: compiled when they are first asked for."""
        if not self._parts:
            self._parts.extend(compile_expression(part, *self._scope) for part in conjuncts(self.source))
        return self._parts

    def evaluate(self, names: Mapping[str, Bound], local: Local) -> Bound:
        """Return its value; raise `AbsentError` when the value hangs on an absent one, else `EvaluationError`."""
        values = _values(self._variables, names)
        if self._known is None:
            return self._value(self._variables, values, local)
        key = tuple(values)
        known = self._known.get(key)
        if known is None:
            known = self._value(self._variables, values, local)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = known
        return known

    def decided(self, names: Mapping[str, Bound]) -> "Bound | None":
        """Return its value when `names` decide it, whatever the other names stand for; None when they do not."""
        # Of a name that is not given, not even `has(...)` is known: it stays unbound, as an absent value does.
        given = [variable for variable in self._variables if variable.root in names]
        try:
            return self._value(given, _values(given, names), lambda instant: instant)
        except (AbsentError, EvaluationError):
            return None

    def _value(self, variables: Iterable[_Variable], values: Iterable[object], local: Local) -> Bound:
        if self._reads_clock:
            here(local)
        # What is absent is left out, and so stays unbound.
        bound = {
            variable.name: value
            for variable, value in zip(variables, values, strict=True)
            if value is not None
        }
        try:
            found = evaluated(self._program, bound)
        except CelFailureError as failure:
            raise self._error(str(failure)) from None
        return found if found is True or found is False else self._plain(found)

    def _error(self, text: str) -> Exception:
        unbound = _UNBOUND.search(text)
        for variable in self._variables if unbound else ():
            if unbound and variable.name == unbound.group(1):
                return AbsentError(variable.spelled)
        _, found, missing = text.partition(ABSENT)
        if found:
            return AbsentError(missing)
        return EvaluationError(f"{self.source}: {text.partition(': ')[2] or text}")

    def _plain(self, value: object) -> Bound:
        if isinstance(value, (bool, str, datetime, timedelta)):
            return value
        if isinstance(value, (float, int)):
            if not math.isfinite(value):
                raise EvaluationError(f"{self.source}: the result is not a finite number")
            return float(value)
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        raise EvaluationError(
            f"{self.source}: the result, a {type(value).__name__}, is not a value that rules know"
        )


def compile_expression(
    source: str, names: Mapping[str, str], params: Mapping[str, str], expect: str | None = None
) -> CompiledExpression:
    """Compile `source`, in which the top-level `names` have the given kinds and `params` are this rule's.

    Raise `ExpressionError` with every fault: an unknown name or field, a wrong type, bad syntax, a result other than
    `expect`, or an expression over the bounds on length and nesting.
    """
    rewritten = rewrite(source, names, params)
    if rewritten.faults:
        raise ExpressionError(rewritten.faults)
    try:
        program = compiled(rewritten.text, rewritten.reads)
    except RuntimeError as error:
        raise ExpressionError(faults_of(str(error), rewritten, source)) from None
    kind = kind_of(program)
    if kind is None or (expect is not None and kind != expect):
        wanted = f"a {expect}" if expect else "a number, text, flag, time, duration or list of these"
        found = kind or in_words(str(program.return_type()).lower())[:_SHOWN]
        raise ExpressionError([ExpressionFault(0, f"the expression gives {found}; it must give {wanted}")])
    variables = _variables(rewritten)
    used = frozenset(variable.root for variable in variables)
    scope = (dict(names), dict(params))
    clock = reads_clock(rewritten.text)
    again = (
        not clock
        and kind not in _LISTS
        and all(read.presence or read.kind not in _NEVER_TWICE for read in rewritten.reads.values())
    )
    known: dict[tuple[object, ...], Bound] | None = {} if again else None
    return CompiledExpression(source, kind, used, variables, program, clock, scope, known)


def _variables(rewritten: Rewritten) -> tuple[_Variable, ...]:
    return tuple(
        _Variable(name, read.root, read.field, read.presence, read.kind in _LISTS, read.spelled)
        for name, read in rewritten.reads.items()
    )


def _values(variables: Iterable[_Variable], names: Mapping[str, Bound]) -> list[object]:
    """Return what the variables stand for, None for what is absent."""
    values: list[object] = []
    for _, root, field_, presence, listed, _ in variables:
        found: object = names.get(root)
        if field_ is not None:
            fields = found.fields if isinstance(found, Record) else _NO_FIELDS
            found = field_ in fields if presence else fields.get(field_)
        if listed and isinstance(found, Sequence):  # CEL takes lists, not tuples
            found = [as_message(each) for each in found]
        values.append(found)
    return values
