"""What stands on a page of the documentation: its snippets in order, its commands, its links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
_MARKER = re.compile(r"<!-- (not run|second terminal, until): (.+) -->")
_NAMED = re.compile(r"# ([\w./-]+\.ya?ml)(, at its end)?")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A fenced block. Comments in HTML right before it say why it is not run, or that it has a terminal of its own."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str = ""
    until: str = ""
    """What its output holds when it is ready; the next snippets are run beside it."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str:
        """The file that the first line names, or ''."""
        found = _NAMED.fullmatch(self.text.partition("\n")[0])
        return found[1] if found else ""

    @property
    def is_addition(self) -> bool:
        """Whether it goes to the end of what the file holds already."""
        found = _NAMED.fullmatch(self.text.partition("\n")[0])
        return found is not None and found[2] is not None

    @property
    def content(self) -> str:
        """What the file holds: all but the line that names it."""
        return self.text.partition("\n")[2] if self.file else self.text


def snippets(page: Path) -> list[Snippet]:
    """Return the page's fenced blocks in order."""
    found, marks = [], dict[str, str]()
    for token in _tokens(page):
        if token.type == "html_block":
            marks = dict(_MARKER.findall(token.content))
        elif token.type == "fence" and token.map is not None:
            not_run, until = marks.get("not run", ""), marks.get("second terminal, until", "")
            found.append(Snippet(page, token.map[0] + 1, token.info.strip(), token.content, not_run, until))
            marks = {}
        elif token.nesting == 0:
            marks = {}
    return found


def words_of_code(page: Path) -> Iterator[str]:
    """Yield what stands between backticks in the page's sentences and tables."""
    for token in _inline(page):
        if token.type == "code_inline":
            yield token.content


def links(page: Path) -> Iterator[str]:
    """Yield where the page's links lead."""
    for token in _inline(page):
        if token.type == "link_open":
            yield str(token.attrs["href"])


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield from token.children or ()
