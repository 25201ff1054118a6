"""Tests and files that pages name are there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, words_of_code

DEFINED = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_test_that_a_page_names_is_there(page: Path) -> None:
    named = {word for word in words_of_code(page) if re.fullmatch(r"test_\w+", word)}
    assert named <= DEFINED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    ours = r"(deploy|docs|services|shared|tests)/[\w./-]+"
    # NAME stands for a name of the reader's choice.
    named = {word for word in words_of_code(page) if re.fullmatch(ours, word) and "NAME" not in word}
    assert {word for word in named if not (ROOT / word).exists()} == set()


def test_every_law_names_what_keeps_it_and_what_holds_it() -> None:
    laws = re.split(r"^## \d\. ", (ROOT / "docs/laws.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(laws) == 8
    for law in laws:
        for part in ("Promises", "Kept by", "Held by", "Does not promise"):
            assert f"**{part}" in law, law
        assert re.search(r"`(services|shared)/[\w/]+\.(py|lua)`", law)
        assert re.search(r"`test_\w+`", law)
