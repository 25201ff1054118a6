"""What is wrong with a rule file: the place, the line at fault, and what to write instead."""

from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 160
_BEFORE = 120


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. `line` and `column` count from 1; `text` is the whole source line at fault."""

    file: str
    line: int
    column: int
    text: str
    message: str
    hint: str

    def __str__(self) -> str:
        """Render it as compilers do: the place and message, the line, a caret under the column, and the hint."""
        first = max(
            0, self.column - 1 - _BEFORE
        )  # a line may be a megabyte long; show what is around the column
        shown = "".join(char if char.isprintable() else " " for char in self.text[first : first + _SHOWN])
        lines = [f"{self.file}:{self.line}:{self.column}: {self.message}"]
        if shown.strip():
            lines += [f"    {shown}", f"    {' ' * (self.column - 1 - first)}^"]
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is legal and probably wrong, under a name that stays: `fault` says what and where."""

    name: str
    fault: Fault

    def __str__(self) -> str:
        """Render it like a fault, with its name."""
        place, _, rest = str(self.fault).partition(": ")
        return f"{place}: warning [{self.name}] {rest}"


class RuleFileError(Exception):
    """The files break the rule language; `faults` lists every way in which they do, in reading order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(
            sorted(faults, key=lambda fault: (fault.file, fault.line, fault.column, fault.message))
        )
        super().__init__("\n".join(str(fault) for fault in self.faults))
