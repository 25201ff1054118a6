"""Where in a title or message the words of its tags stand: Jinja itself knows lines alone."""

import re
from dataclasses import dataclass

import jinja2

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str
    offset: int
    line: int


class Words:
    """The words inside a template's tags, in order, with their offsets."""

    def __init__(self, environment: jinja2.Environment, source: str) -> None:
        self._source = source
        self._words: list[_Word] = []
        at = 0
        for line, kind, text in environment.lex(source):
            at = max(at, source.find(text, at))  # white space that a tag strips is in no token
            if kind not in {"data", "whitespace", "comment"}:
                self._words.append(_Word(kind, text, at, line))
            at += len(text)

    def place(self, text: str, line: int, after: str = "") -> int:
        """Return the offset of the word at or after a line, else of the first one, else of the line.

        `after` is the sign that must stand right before it, such as a dot. Without `text`, any word will do.
        """
        pairs = zip([_Word("", "", 0, 0), *self._words], self._words, strict=False)
        found = [
            word
            for sign, word in pairs
            if (not text and sign.kind.endswith("_begin"))
            or (word.text == text and (sign.text == after if after else sign.text != "."))
        ]
        at_line = [word for word in found if word.line >= line]
        return (at_line or found)[0].offset if found else _line(self._source, line)


def place_of_syntax_error(environment: jinja2.Environment, source: str, line: int) -> int:
    """Return the offset of the first tag that is wrong by itself, else of the last tag, else of the line."""
    last = None
    for tag in _TAG.finditer(source):
        last = tag
        if tag.group().startswith("{{"):
            try:
                environment.parse(tag.group())
            except jinja2.TemplateSyntaxError:
                return tag.start()
    opened = max(source.rfind("{{"), source.rfind("{%"))
    if opened >= 0 and (last is None or opened >= last.end()):
        return opened  # a tag that is never closed
    return last.start() if last is not None else _line(source, line)


def _line(source: str, number: int) -> int:
    """Return the offset at which line `number`, from 1, begins."""
    starts = [0, *(match.end() for match in re.finditer("\n", source))]
    return starts[min(number, len(starts)) - 1]
