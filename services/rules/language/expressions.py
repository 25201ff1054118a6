"""Compiles and evaluates the CEL of a rule: typed, absence-aware, once a process."""

import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from services.rules.language import kinds
from services.rules.language.model import AbsentError, Bound, EvaluationError, Local, Record
from services.rules.language.rewriting import (
    ABSENT_FUNCTION,
    ExpressionFault,
    Read,
    Rewritten,
    nearest,
    rewrite,
)

__all__ = ["CompiledExpression", "ExpressionError", "ExpressionFault", "compile_expression"]

_ABSENT = "tandem-absent:"
_UNBOUND = re.compile(r'No value with name "(\w+)" found in Activation')
_FAULT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_MESSAGE_NOISE = re.compile(r" \(in container ''\)")
_here = threading.local()


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

    def evaluate(self, names: Mapping[str, Bound], local: Local) -> Bound:
        """Return its value; raise `AbsentError` when the value hangs on an absent one, else `EvaluationError`."""
        values: dict[str, object] = {}
        for variable, read in self._reads.items():
            _bind(values, variable, read, names)
        _here.local = local
        result = self._program.eval(data=values)
        if result.type() == cel.Type.ERROR:
            raise self._error(str(result.value()))
        return self._plain(result.plain_value())

    def _error(self, text: str) -> Exception:
        unbound = _UNBOUND.search(text)
        if unbound and unbound.group(1) in self._reads:
            return AbsentError(self._reads[unbound.group(1)].spelled)
        _, found, missing = text.partition(_ABSENT)
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
    environment = cel.NewEnv(
        descriptor_pool=_POOL,
        variables={
            name: cel.Type.BOOL if read.presence else _TYPES[read.kind]
            for name, read in rewritten.reads.items()
        },
        functions=_FUNCTIONS,
    )
    try:
        program = environment.compile(rewritten.text)
    except RuntimeError as error:
        raise ExpressionError(_faults(str(error), rewritten, source)) from None
    kind = _kind(program.return_type())
    if kind is None or (expect is not None and kind != expect):
        wanted = f"a {expect}" if expect else "a number, text, flag, time, duration or list of these"
        found = kind or str(program.return_type()).lower()
        raise ExpressionError([ExpressionFault(0, f"the expression gives {found}; it must give {wanted}")])
    used = frozenset(read.root for read in rewritten.reads.values())
    return CompiledExpression(source, kind, used, dict(rewritten.reads), program)


def _bind(values: dict[str, object], variable: str, read: Read, names: Mapping[str, Bound]) -> None:
    """Bind one flat variable, or leave it unbound when what it stands for is absent."""
    found = names.get(read.root)
    if read.field is not None:
        record = found if isinstance(found, Record) else None
        if read.presence:
            values[variable] = record is not None and read.field in record.fields
            return
        found = record.fields.get(read.field) if record is not None else None
    if found is not None:
        values[variable] = [_message(each) for each in found] if read.kind == kinds.RECORDS else found  # type: ignore[union-attr]  # the kind says it is a list


def _message(record: Bound) -> object:
    return _SET(**record.fields) if isinstance(record, Record) else record


def _faults(text: str, rewritten: Rewritten, source: str) -> list[ExpressionFault]:
    """Return CEL's errors at their places in the source, in the rule author's words."""
    starts = [0, *(match.end() for match in re.finditer("\n", rewritten.text))]
    faults = []
    for line, column, message in _FAULT.findall(text):
        position = starts[min(int(line), len(starts)) - 1] + int(column) - 1
        # At the end of the text CEL points past it.
        offset = len(source) if position >= len(rewritten.text) else rewritten.origin(position)
        told = _MESSAGE_NOISE.sub("", message.removesuffix(" [INVALID_ARGUMENT]"))
        unknown = re.search(r"undeclared reference to '([\w.]+)'", told)
        hint = (
            nearest(unknown.group(1), [*kinds.FUNCTIONS, "size", "has", "duration", "timestamp"])
            if unknown
            else ""
        )
        if "no matching overload" in told and "(double, double)" in told and "_%_" in told:
            hint = "numbers are doubles, which have no remainder"
        if unknown and source[:offset].endswith(unknown.group(1)):
            offset -= len(unknown.group(1))  # CEL points at a call's bracket
        faults.append(ExpressionFault(offset, _in_words(told), hint))
    return faults or [ExpressionFault(0, text)]


_OPERATOR = re.compile(r"found no matching overload for '(@?[\w?:!<>=+*/%&|\[\]-]+)' applied to '\((.*)\)'")
_WORDS = {"double": "number", "string": "text", "bool": "flag", "google.protobuf.Timestamp": "time",
          "google.protobuf.Duration": "duration", "tandem.Set": "set"}  # fmt: skip


def _in_words(message: str) -> str:
    match = _OPERATOR.search(message)
    if match is None:
        return message
    operator = match.group(1).strip("_").replace("_", " ").removeprefix("@")
    found = match.group(2)
    for name, word in _WORDS.items():
        found = found.replace(name, word)
    return f"{operator!r} does not go with ({found})"


def _kind(kind: object) -> str | None:
    return next((name for name, known in _RESULTS.items() if known == kind), None)


def _raise_absent(name: str) -> None:
    raise ValueError(_ABSENT + name)


def _local_hour(instant: datetime) -> float:
    local = _here.local(instant)
    return float(local.hour + local.minute / 60 + local.second / 3600)


def _set_message() -> tuple[Any, Any]:
    """Return a descriptor pool with the message type `tandem.Set`, and its class."""
    file = descriptor_pb2.FileDescriptorProto(name="tandem/set.proto", package="tandem", syntax="proto3")
    message = file.message_type.add(name="Set")
    numbers = {kinds.NUMBER: 1, kinds.TEXT: 9, kinds.FLAG: 8}  # protobuf's double, string, bool
    for position, (name, kind) in enumerate(kinds.RECORD_FIELDS["set"].items()):
        message.field.add(
            name=name,
            number=position + 1,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            type=numbers[kind],
            proto3_optional=True,
            oneof_index=position,
        )
        message.oneof_decl.add(name=f"_{name}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool, message_factory.GetMessageClass(pool.FindMessageTypeByName("tandem.Set"))


_POOL, _SET = _set_message()
_TYPES = {
    kinds.NUMBER: cel.Type.DOUBLE,
    kinds.TEXT: cel.Type.STRING,
    kinds.FLAG: cel.Type.BOOL,
    kinds.TIME: cel.Type.TIMESTAMP,
    kinds.DURATION: cel.Type.DURATION,
    kinds.TEXTS: cel.Type.List(cel.Type.STRING),
    kinds.NUMBERS: cel.Type.List(cel.Type.DOUBLE),
    kinds.RECORDS: cel.Type.List(cel.Type("tandem.Set")),
}
_RESULTS = {
    **{kind: of for kind, of in _TYPES.items() if kind != kinds.RECORDS},
    "whole number": cel.Type.INT,
}
_SECONDS = {"hours": 3600.0, "minutes": 60.0, "days": 86_400.0}


def _function(
    name: str, takes: cel.Type, gives: cel.Type, implementation: Callable[..., object]
) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name, [cel.Overload(name, return_type=gives, parameters=[takes], impl=implementation)]
    )


def _per(seconds: float) -> Callable[[timedelta], float]:
    return lambda duration: duration.total_seconds() / seconds


_FUNCTIONS = [
    *(
        _function(name, cel.Type.DURATION, cel.Type.DOUBLE, _per(seconds))
        for name, seconds in _SECONDS.items()
    ),
    _function("local_hour", cel.Type.TIMESTAMP, cel.Type.DOUBLE, _local_hour),
    *(
        _function(name, cel.Type.STRING, _TYPES[kind], _raise_absent)
        for kind, name in ABSENT_FUNCTION.items()
    ),
]
