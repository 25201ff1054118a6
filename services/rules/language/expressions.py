"""Compiles and evaluates the CEL of a rule: typed, absence-aware, once a process."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cel_expr_python import cel

from services.rules.language import kinds
from services.rules.language.cel_environment import ABSENT, as_message, compiled, evaluated, kind_of
from services.rules.language.cel_errors import faults_of, in_words
from services.rules.language.conjuncts import conjuncts
from services.rules.language.model import AbsentError, Bound, EvaluationError, Local, Record
from services.rules.language.rewriting import rewrite
from services.rules.language.rewritten import ExpressionFault, Read

__all__ = ["CompiledExpression", "ExpressionError", "ExpressionFault", "compile_expression"]

_UNBOUND = re.compile(r'No value with name "(\w+)" found in Activation')
_SHOWN = 60
_LISTS = frozenset({kinds.TEXTS, kinds.NUMBERS, kinds.RECORDS})


class ExpressionError(Exception):
    """The expression cannot be compiled; `faults` say where and why."""

    def __init__(self, faults: Sequence[ExpressionFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class CompiledExpression:
    """A checked expression, ready to evaluate. `kind` says what it gives."""

    source: str
    kind: str
    names: frozenset[str]
    _reads: Mapping[str, Read]
    _program: Any
    _scope: tuple[Mapping[str, str], Mapping[str, str]]
    _parts: list["CompiledExpression"] = field(default_factory=list, compare=False)

    def parts(self) -> Sequence["CompiledExpression"]:
        """Return the conditions between its `&&` and `||`, in order: compiled when they are first asked for."""
        if not self._parts:
            self._parts.extend(compile_expression(part, *self._scope) for part in conjuncts(self.source))
        return self._parts

    def evaluate(self, names: Mapping[str, Bound], local: Local) -> Bound:
        """Return its value; raise `AbsentError` when the value hangs on an absent one, else `EvaluationError`."""
        return self._value(self._reads, names, local)

    def decided(self, names: Mapping[str, Bound]) -> "Bound | None":
        """Return its value when `names` decide it, whatever the other names stand for; None when they do not."""
        # Of a name that is not given, not even `has(...)` is known: it stays unbound, as an absent value does.
        given = {variable: read for variable, read in self._reads.items() if read.root in names}
        try:
            return self._value(given, names, lambda instant: instant)
        except (AbsentError, EvaluationError):
            return None

    def _value(self, reads: Mapping[str, Read], names: Mapping[str, Bound], local: Local) -> Bound:
        values: dict[str, object] = {}
        for variable, read in reads.items():
            _bind(values, variable, read, names)
        result = evaluated(self._program, values, local)
        if result.type() == cel.Type.ERROR:
            raise self._error(str(result.value()))
        return self._plain(result.plain_value())

    def _error(self, text: str) -> Exception:
        unbound = _UNBOUND.search(text)
        if unbound and unbound.group(1) in self._reads:
            return AbsentError(self._reads[unbound.group(1)].spelled)
        _, found, missing = text.partition(ABSENT)
        if found:
            return AbsentError(missing)
        return EvaluationError(f"{self.source}: {text.partition(': ')[2] or text}")

    def _plain(self, value: object) -> Bound:
        if isinstance(value, bool | str | datetime | timedelta):
            return value
        if isinstance(value, int | float):
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
    used = frozenset(read.root for read in rewritten.reads.values())
    return CompiledExpression(source, kind, used, dict(rewritten.reads), program, (dict(names), dict(params)))


def _bind(values: dict[str, object], variable: str, read: Read, names: Mapping[str, Bound]) -> None:
    """Bind one flat variable, or leave it unbound when what it stands for is absent."""
    found = names.get(read.root)
    if read.field is not None:
        record = found if isinstance(found, Record) else None
        if read.presence:
            values[variable] = record is not None and read.field in record.fields
            return
        found = record.fields.get(read.field) if record is not None else None
    if found is None:
        return
    if read.kind in _LISTS and isinstance(found, Sequence):
        values[variable] = [as_message(each) for each in found]  # CEL takes lists, not tuples
    else:
        values[variable] = found
