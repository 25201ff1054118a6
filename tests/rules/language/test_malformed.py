"""A thousand spoilt rule files: a clear error with a place for each, or another right file; never a traceback.

`make fuzz` tries as many as TANDEM_FUZZ says.
"""

import os
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from services.rules.language.faults import Fault
from services.rules.language.load import RuleFileError, SourceFile, load_sources, sources

PACKS = Path(__file__).parents[3] / "services" / "rules" / "packs"
FILES = int(os.environ.get("TANDEM_FUZZ", "1000"))
SHARES = 4
"""The files are tried in so many tests, each from a seed of its own."""
ODD = (
    "\t",
    "\x00",
    "\ud800",
    "\u2028",
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "#",
    "'",
    '"',
    "|",
    "&x ",
    "*x ",
    "!!int ",
    "é",
    "💪",
    "\r",
)
WORDS = (
    "null",
    "true",
    "-1",
    "1e999",
    ".nan",
    "24h",
    "[]",
    "{}",
    "''",
    "run",
    "workout.completed",
    "anchor",
    "~",
    "0x10",
)

Mutation = Callable[[random.Random, str], str]


def lines_of(change: Callable[[random.Random, list[str], int], None]) -> Mutation:
    """Return a mutation that changes one line of the text."""

    def mutation(dice: random.Random, text: str) -> str:
        lines = text.split("\n")
        change(dice, lines, dice.randrange(len(lines)))
        return "\n".join(lines)

    return mutation


def drop(_: random.Random, lines: list[str], at: int) -> None:
    del lines[at]


def repeat(_: random.Random, lines: list[str], at: int) -> None:
    lines.insert(at, lines[at])


def swap(dice: random.Random, lines: list[str], at: int) -> None:
    other = dice.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def indent(dice: random.Random, lines: list[str], at: int) -> None:
    lines[at] = " " * dice.randint(0, 9) + lines[at].lstrip()


def hollow(_: random.Random, lines: list[str], at: int) -> None:
    """Leave of a list's item, or of a key, nothing that it holds."""
    head = re.match(r" *(- |[\w-]+:)?", lines[at])
    kept = head.group() if head else ""
    depth = len(lines[at]) - len(lines[at].lstrip())
    end = at + 1
    while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > depth:
        end += 1
    lines[at:end] = [kept]


def insert(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(ODD) + text[at:]


def cut(dice: random.Random, text: str) -> str:
    return text[: dice.randrange(len(text))]


def erase(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.randint(1, 12) :]


def replace_word(dice: random.Random, text: str) -> str:
    found = dice.choice(list(re.finditer(r"[\w.]+", text)))
    return text[: found.start()] + dice.choice(WORDS) + text[found.end() :]


def misspell(dice: random.Random, text: str) -> str:
    found = dice.choice(list(re.finditer(r"[a-z_]{4,}", text)))
    at = found.start() + dice.randrange(len(found.group()))
    return text[:at] + dice.choice("abcxyz_") + text[at + 1 :]


MUTATIONS: tuple[Mutation, ...] = (
    *(lines_of(change) for change in (drop, repeat, swap, indent, hollow)),
    insert, cut, erase, replace_word, misspell,
)  # fmt: skip


def bases() -> list[str]:
    """Return each shipped rule as a file of its own that loads alone."""
    found = []
    for file in sources([PACKS]):
        head, *rules = re.split(r"(?m)^(?=  - id: )", file.text)
        found += [head + re.sub(r"(?m)^    supersedes:.*\n(      .*\n)*", "", rule) for rule in rules]
    return found


@pytest.mark.parametrize("share", range(SHARES))
def test_a_spoilt_file_is_told_with_its_place_or_is_another_right_file(share: int) -> None:
    dice = random.Random(20261124 + share)  # noqa: S311 - the same files at each run
    good = bases()
    references = [file for file in sources([PACKS]) if "references:" in file.text]
    refused = 0
    for number in range(FILES // SHARES):
        base = dice.choice(good)
        text = base
        while text == base:
            for _ in range(dice.randint(1, 2)):
                text = dice.choice(MUTATIONS)(dice, text) or base
        faults = faults_of([*references, SourceFile("spoilt.yaml", text, 0)])
        refused += bool(faults)
        for fault in faults:
            assert fault.file == "spoilt.yaml", f"{share}.{number}: {fault}"
            assert fault.line >= 1, fault
            assert fault.column >= 1, fault
            assert fault.message, fault
            assert str(fault).encode(errors="strict")
            assert not re.search(r"Traceback|0x[0-9a-f]{6,}|<class|\bobject at\b", fault.message), fault
    assert refused > FILES // SHARES // 2


def faults_of(files: list[SourceFile]) -> Sequence[Fault]:
    """Return what is wrong; nothing when the files are right. No error but the one for rule files gets through."""
    try:
        assert load_sources(files).rules
    except RuleFileError as error:
        assert error.faults  # noqa: PT017 - an error that names nothing would be one
        return error.faults
    return ()


def test_the_files_that_are_spoilt_are_right_before() -> None:
    references = [file for file in sources([PACKS]) if "references:" in file.text]
    for text in bases():
        assert not faults_of([*references, SourceFile("base.yaml", text, 0)])


@pytest.mark.parametrize("item", ["", "null", "7", "text", "[]"])
def test_a_rule_that_is_no_mapping_is_told_at_its_place(item: str) -> None:
    faults = faults_of([SourceFile("spoilt.yaml", f"pack: p\nversion: 1\nrules:\n  - {item}\n", 0)])
    assert "rules[0] must be a mapping of keys to values" in faults[0].message
    assert 4 <= faults[0].line <= 5
