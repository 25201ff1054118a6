"""What an expression is rewritten to, with the way back to what its author wrote."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class ExpressionFault:
    """One fault, at a character offset into the source."""

    offset: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """One flat variable: the name and field that it stands for, its kind, and whether it only asks for presence."""

    root: str
    field: str | None
    kind: str
    presence: bool = False

    @property
    def spelled(self) -> str:
        """As the rule's author would write it."""
        return self.root if self.field is None else f"{self.root}.{self.field}"


@dataclass(slots=True)
class Rewritten:
    """The CEL to compile, its variables, and for each piece of it the offset it came from."""

    text: str = ""
    reads: dict[str, Read] = field(default_factory=dict)
    faults: list[ExpressionFault] = field(default_factory=list)
    _pieces: list[tuple[int, int]] = field(default_factory=list)

    def add(self, piece: str, offset: int) -> None:
        """Append `piece`, which stands for what the source has at `offset`."""
        self._pieces.append((len(self.text), offset))
        self.text += piece

    def origin(self, position: int) -> int:
        """Return the source offset of what stands at `position` of the text."""
        best = 0
        for start, offset in self._pieces:
            if start > position:
                break
            best = offset
        return best

    def variable(self, read: Read) -> str:
        """Return the name of the flat variable for `read`."""
        for name, known in self.reads.items():
            if known == read:
                return name
        name = f"v{len(self.reads)}_"
        self.reads[name] = read
        return name


def nearest(found: str, allowed: Sequence[str]) -> str:
    """Return "did you mean ...?" for the closest of `allowed`, else ''."""
    close = get_close_matches(found, allowed, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
