"""How a CEL source falls into tokens, which brackets belong together, and where an operand begins and ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

OPENING: Final = {"(": ")", "[": "]", "{": "}"}
CLOSING: Final = frozenset(OPENING.values())
WORDS: Final = frozenset({"true", "false", "null", "in"})
"""Names to a tokenizer, but not to CEL."""
MACROS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*)"
    r"|(?P<text>(?:[bB]?[rR]|[rR][bB])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"[^\"\n]*\"|'[^'\n]*')"
    r"|[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))"
    r"|(?P<number>\.?[0-9](?:[eE][+-][0-9]|[\w.])*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||<=|>=|==|!=|.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of source: `kind` is text, number, name or sign."""

    kind: str
    text: str
    offset: int


class Tokens:
    """The tokens of a source by their position, white space and comments left out."""

    def __init__(self, source: str) -> None:
        self._tokens = [
            Token(str(found.lastgroup), found.group(), found.start())
            for found in _TOKEN.finditer(source)
            if found.lastgroup != "space"
        ]

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[Token]:
        return iter(self._tokens)

    def __getitem__(self, at: int) -> Token:
        return self._tokens[at]

    def text(self, at: int) -> str:
        """Return the text of the token at position `at`, or '' beyond either end."""
        return self._tokens[at].text if 0 <= at < len(self._tokens) else ""

    def kind(self, at: int) -> str:
        """Return the kind of the token at position `at`, or '' beyond either end."""
        return self._tokens[at].kind if 0 <= at < len(self._tokens) else ""

    def is_name(self, at: int) -> bool:
        """Whether a name stands there that is no word of CEL's."""
        return self.kind(at) == "name" and self.text(at) not in WORDS

    def match(self, at: int) -> int | None:
        """Return where the bracket at `at` has its other half, or None when it has none."""
        step = 1 if self.text(at) in OPENING else -1
        depth = 0
        while 0 <= at < len(self._tokens):
            text = self.text(at) if self.kind(at) == "sign" else ""
            depth += step if text in OPENING else -step if text in CLOSING else 0
            if depth == 0:
                return at
            at += step
        return None

    def operand_begin(self, end: int) -> int | None:
        """Return where the operand that ends at `end` begins: names, dots, calls and indexes."""
        begin = end
        while begin >= 0:
            while self.text(begin) in CLOSING:
                opening = self.match(begin)
                if opening is None:
                    return None
                attached = self.is_name(opening - 1) or self.text(opening - 1) in CLOSING
                begin = opening - 1 if attached else opening
                if not attached:
                    break
            if self.text(begin - 1) != ".":
                return begin
            begin -= 2
        return None

    def operand_end(self, begin: int) -> int | None:
        """Return where the operand that begins at `begin`, signs before it included, ends."""
        end = begin
        while self.text(end) in {"-", "!"}:
            end += 1
        if self.text(end) in OPENING:
            closing = self.match(end)
            if closing is None:
                return None
            end = closing
        while True:
            if self.text(end + 1) == "." and self.kind(end + 2) == "name":
                end += 2
            elif self.text(end + 1) in {"(", "["} and (self.is_name(end) or self.text(end) in CLOSING):
                closing = self.match(end + 1)
                if closing is None:
                    return None
                end = closing
            else:
                return end if end < len(self._tokens) else None
