"""What CEL's errors mean, in the words of a rule's author and at their places in what the author wrote."""

import re
from typing import Final

from services.rules.language.bounds import DEEPEST, SPLIT
from services.rules.language.rewritten import ExpressionFault, Rewritten

_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_NOISE = re.compile(r" \(in container ''\)| \[INVALID_ARGUMENT\]$")
_OVERLOAD = re.compile(r"found no matching overload for '(.*)' applied to '\((.*)\)'")
_SELECT = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")
_WORD = re.compile(r"\w+|\S")
_KINDS: Final = (
    ("google.protobuf.Timestamp", "time"), ("google.protobuf.Duration", "duration"), ("tandem.Set", "set"),
    ("double", "number"), ("string", "text"), ("bool", "flag"), ("list(", "list of ("),
)  # fmt: skip
_ONCE: Final = {"=": "write == to compare", "&": "write &&", "|": "write ||"}
_NO_REMAINDER: Final = "numbers are doubles, which have no remainder"


def faults_of(text: str, rewritten: Rewritten, source: str) -> list[ExpressionFault]:
    """Return CEL's errors about `rewritten`. Of those of syntax the first alone: the others follow from it."""
    starts = [0, *(match.end() for match in re.finditer("\n", rewritten.text))]
    faults: list[ExpressionFault] = []
    for line, column, told in _ERROR.findall(text):
        if int(line) < 1:
            break
        position = starts[min(int(line), len(starts)) - 1] + int(column) - 1
        # At the end of the text CEL points past it.
        offset = len(source) if position >= len(rewritten.text) else rewritten.origin(position)
        message = _NOISE.sub("", told)
        if message.startswith("Syntax error"):
            return [_of_syntax(message, offset, source)]
        faults.append(_of_types(message, offset))
    if not faults and "recursion depth" in text:
        told = f"the expression nests deeper than {DEEPEST}, or joins more than {DEEPEST} parts in a row"
        return [ExpressionFault(0, told, SPLIT)]
    return faults or [ExpressionFault(0, text)]


def in_words(type_name: str) -> str:
    """Return CEL's name of a type in words."""
    for name, word in _KINDS:
        type_name = type_name.replace(name, word).replace(name.lower(), word)
    return type_name


def _of_syntax(message: str, offset: int, source: str) -> ExpressionFault:
    found = _WORD.search(source, offset)
    if found is None:
        return ExpressionFault(len(source.rstrip()), "the expression ends too early", "say what follows")
    here = found.group()
    if "token recognition" in message:
        told = f"{here!r} means nothing in an expression"
        return ExpressionFault(found.start(), told, _ONCE.get(here, "leave it out"))
    hint = "is a sign such as && or a comma missing before it?"
    return ExpressionFault(found.start(), f"{here!r} cannot stand here", hint)


def _of_types(message: str, offset: int) -> ExpressionFault:
    overload = _OVERLOAD.search(message)
    if overload is not None:
        operator = overload.group(1).removeprefix("@")
        if "_" in operator and not operator.replace("_", "").isalnum():
            operator = operator.strip("_").replace("_", " ")
        applied = in_words(overload.group(2))
        hint = _NO_REMAINDER if operator == "%" and "text" not in applied else ""
        return ExpressionFault(offset, f"{operator!r} does not go with ({applied})", hint)
    select = _SELECT.search(message)
    if select is not None:
        return ExpressionFault(offset, f"a {in_words(select.group(1))} has no fields")
    undeclared = _UNDECLARED.search(message)
    if undeclared is not None:
        told = f"unknown name {undeclared.group(1)!r}"
        return ExpressionFault(offset, told, "an element's name is known inside its list function alone")
    return ExpressionFault(offset, in_words(message))
