"""The reference is what the code makes, and what people wrote beside it speaks of what is there."""

import re
from pathlib import Path

import pytest

from services.rules.language.functions import FUNCTIONS, METHODS
from services.rules.language.load import load
from services.rules.language.model import DERIVED_NUMBERS
from services.rules.language.schema import DOUBTS
from services.rules.language.template_environment import FILTERS
from services.rules.language.where import OPERATORS
from shared.contracts.events import TIMELINE_TYPES
from tests.docs import wording
from tests.docs.reference import PACKS, PAGES, PARTS, parts_of, whole
from tests.docs.shipped_rules import SHIPPED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_the_reference_is_what_the_code_makes(page: Path) -> None:
    assert page.read_text("utf-8") == whole(page), "run `make docs`"


def test_every_part_that_can_be_made_stands_on_a_page_once() -> None:
    assert sorted(part for page in PAGES for part in parts_of(page)) == sorted(PARTS)


def test_nothing_is_explained_that_is_not_there() -> None:
    assert set(wording.WARNINGS) == set(DOUBTS)
    assert set(wording.OPERATORS) == set(OPERATORS)
    assert set(wording.EVENTS) == set(TIMELINE_TYPES)
    assert set(wording.FUNCTIONS) == set(FUNCTIONS)
    assert set(wording.METHODS) == set(METHODS)
    assert set(wording.DERIVED) == {name for names in DERIVED_NUMBERS.values() for name in names}
    assert set(wording.GIVES) == {name for name, (_, gives) in FILTERS.items() if gives is None}


def test_what_people_wrote_of_the_shipped_rules_speaks_of_each_and_of_params_that_it_has() -> None:
    rules = {rule.id: rule for rule in load([PACKS]).rules}
    assert set(SHIPPED) == set(rules)
    for name, said in SHIPPED.items():
        assert set(re.findall(r"`(\w+)`", said.speaks)) <= set(rules[name].params), name
