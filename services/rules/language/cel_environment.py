"""What CEL itself is told: the types of names, the message type of a set, and the functions beyond CEL's own."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from services.rules.language import kinds
from services.rules.language.functions import ABSENT_FUNCTION, DIVISOR_FUNCTION
from services.rules.language.model import Local, Record
from services.rules.language.rewritten import Read

ABSENT: Final = "tandem-absent:"
"""What the text of CEL's error holds, before the field's name, when an element's field was absent."""

_CLOCK: Final = "local_hour"
_here = threading.local()
_SECONDS = {"hours": 3600.0, "minutes": 60.0, "days": 86_400.0}


class CelFailureError(Exception):
    """A program came to no value: the words are CEL's."""


def compiled(text: str, reads: Mapping[str, Read]) -> Any:  # noqa: ANN401 - the library's own type has no name
    """Return the program for rewritten CEL; raise `RuntimeError` with CEL's own words when it is wrong."""
    variables = {name: cel.Type.BOOL if read.presence else _TYPES[read.kind] for name, read in reads.items()}
    return cel.NewEnv(descriptor_pool=_POOL, variables=variables, functions=_FUNCTIONS).compile(text)


def evaluated(program: Any, values: Mapping[str, object]) -> object:  # noqa: ANN401 - the same
    """Return the program's result; raise `CelFailureError` with CEL's own words when there is none."""
    result = program.eval(None, values)
    found: object = result.plain_value()
    # An error's value is its text. To ask each result for its type costs as much as a tenth of finding it.
    if isinstance(found, str) and result.type() == cel.Type.ERROR:
        raise CelFailureError(found)
    return found


def reads_clock(text: str) -> bool:
    """Whether rewritten CEL asks for the hour, which wants `here` to be told where."""
    return _CLOCK in text


def here(local: Local) -> None:
    """Have `local` answer `local_hour` in what this thread evaluates from now on."""
    _here.local = local


def kind_of(program: Any) -> str | None:  # noqa: ANN401 - the same
    """Return the kind that a program gives, or None when no name could stand for it."""
    given = program.return_type()
    return next(
        (kind for kind, known in _TYPES.items() if known == given and kind != kinds.RECORDS),
        None,
    )


def as_message(record: object) -> object:
    """Return a record of a list as CEL takes it."""
    return _SET(**record.fields) if isinstance(record, Record) else record


def _raise_absent(name: str) -> None:
    raise ValueError(ABSENT + name)


def _divisor(number: float) -> float:
    if number == 0:
        raise ValueError("division by zero")
    return number


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


def _function(
    name: str, takes: cel.Type, gives: cel.Type, implementation: Callable[..., object]
) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name, [cel.Overload(name, return_type=gives, parameters=[takes], impl=implementation)]
    )


def _per(seconds: float) -> Callable[[timedelta], float]:
    return lambda duration: duration.total_seconds() / seconds


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
_FUNCTIONS = [
    *(
        _function(name, cel.Type.DURATION, cel.Type.DOUBLE, _per(seconds))
        for name, seconds in _SECONDS.items()
    ),
    _function(_CLOCK, cel.Type.TIMESTAMP, cel.Type.DOUBLE, _local_hour),
    _function(DIVISOR_FUNCTION, cel.Type.DOUBLE, cel.Type.DOUBLE, _divisor),
    *(
        _function(name, cel.Type.STRING, _TYPES[kind], _raise_absent)
        for kind, name in ABSENT_FUNCTION.items()
    ),
]
