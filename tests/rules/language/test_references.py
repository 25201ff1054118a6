"""Rules point into references: the key of each is checked, and advice carries its citation."""

import pytest

from services.rules.language.load import RuleFileError, SourceFile, load_sources
from tests.rules.language.examples import SPRINT, rule

ROBINEAU = """\
references:
  robineau-2016:
    citation: "Robineau 2016, J Strength Cond Res 30:672"
    found: Less than 6 hours between strength and endurance costs strength.
    grade: moderate
"""
KEYED = SPRINT.replace('["Robineau 2016"]', "[robineau-2016, Our own coach]").replace(
    "supersedes: [evening-protein]", "supersedes: []"
)


def files(*texts: str) -> list[SourceFile]:
    return [SourceFile(f"{number}.yaml", text, number) for number, text in enumerate(texts)]


def test_advice_carries_the_citation_of_a_key_and_other_sources_as_they_stand() -> None:
    found = rule(load_sources(files(KEYED, ROBINEAU)), "no-sprint-after-strength")
    assert found.sources == ("Robineau 2016, J Strength Cond Res 30:672", "Our own coach")


def test_a_changed_citation_is_a_changed_rule() -> None:
    newer = ROBINEAU.replace("30:672", "30:673")
    one, two = (load_sources(files(KEYED, text)) for text in (ROBINEAU, newer))
    assert one.rules[0].hash != two.rules[0].hash
    assert load_sources(files(KEYED, ROBINEAU, newer)).rules[0].sources == two.rules[0].sources


def test_without_references_every_source_is_its_own_text() -> None:
    assert load_sources(files(KEYED)).rules[0].sources == ("robineau-2016", "Our own coach")


@pytest.mark.parametrize(
    ("pack", "references", "at", "message", "hint"),
    [
        (KEYED.replace("robineau-2016", "robinau-2016"), ROBINEAU, "0.yaml:22", "no reference", "robineau-2016?"),
        (KEYED, ROBINEAU.replace("grade: moderate", "grade: good"), "1.yaml:5", "grade must be one of", "choose"),
        (KEYED, ROBINEAU.replace("    found", "    fond"), "1.yaml:4", "fond is not a known key", "found?"),
        (KEYED, ROBINEAU.replace("robineau-2016:", "Robineau 2016:"), "1.yaml:2", "is no key", "such as robineau-2016"),
        (KEYED, "references: []\n", "1.yaml:1", "references must map", "citation"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_reference_is_told_at_its_place(
    pack: str, references: str, at: str, message: str, hint: str
) -> None:
    with pytest.raises(RuleFileError) as caught:
        load_sources(files(pack, references))
    told = [fault for fault in caught.value.faults if message in fault.message]
    assert told, caught.value
    assert f"{told[0].file}:{told[0].line}".startswith(at)
    assert hint in told[0].hint


def test_a_key_given_twice_names_the_other_place() -> None:
    twice = [
        SourceFile("a.yaml", ROBINEAU, 0),
        SourceFile("b.yaml", ROBINEAU, 0),
        SourceFile("c.yaml", KEYED, 0),
    ]
    with pytest.raises(RuleFileError, match=r"robineau-2016 is given twice, first at a.yaml:3"):
        load_sources(twice)
