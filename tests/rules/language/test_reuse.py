"""Files that repeat what was compiled before share its rules, and make the same rules and faults as without it."""

import pytest

from services.rules.language.load import RuleFileError, SourceFile, compile_sources, load_sources, sources
from services.rules.language.model import Rule
from services.rules.language.reuse import Before, read_before
from tests.rules.language.examples import EVENING, REPOSITORY, SPRINT
from tests.rules.language.test_references import KEYED, ROBINEAU

REFERENCES = SourceFile("references.yaml", ROBINEAU, 0)
MOST = SourceFile(
    "most.yaml", "pack: evening\nmost_a_day: {suggestion: 2}\nparams: {evening-protein: {per_kg: 2}}\n", 0
)
SHARED = [SourceFile("keyed.yaml", KEYED, 0), SourceFile("evening.yaml", EVENING, 0), REFERENCES, MOST]
IN_EVENING = {"evening-protein", "no-meal-after", "plan-tomorrow", "week-review"}


def told(files: list[SourceFile], before: Before | None) -> object:
    """Return all that can be told of compiled rules from outside, or their faults."""
    try:
        found, drafts = compile_sources(files, before)
    except RuleFileError as error:
        return error.faults
    rules = [
        (each.id, each.hash, each.most_a_day, each.params, each.sources, each.supersedes)
        for each in found.rules
    ]
    return found.hash, rules, drafts


@pytest.mark.parametrize(
    ("own", "another"),
    [
        ("params: {evening-protein: {per_kg: 1.8}}", {"evening-protein"}),
        ("params: {evening-protein: {per_kg: 2}}", {"evening-protein"}),
        ("pack: concurrent-training\nmost_a_day: {warning: 1}", {"no-sprint-after-strength"}),
        ("pack: evening\nmost_a_day: {warning: 1}", IN_EVENING),
        (ROBINEAU.replace("30:672", "30:673"), None),
        (SPRINT.replace("version: 3", "version: 4"), {"no-sprint-after-strength"}),
        (SPRINT.replace("no-sprint-after-strength", "another"), {"another"}),
        ("params: {evening-protein: {per_kg: much}}", None),
        ("params: {evening-protien: {per_kg: 2}}", None),
        (SPRINT.replace("evening-protein", "evening-protien"), None),
        ("pack: [", None),
    ],
)
def test_what_was_compiled_before_is_shared_and_changes_no_rule_and_no_fault(
    own: str, another: set[str] | None
) -> None:
    shared = load_sources(SHARED)
    before = read_before(SHARED, shared)
    files = [*SHARED, SourceFile("own.yaml", own, 1)]
    assert told(files, before) == told(files, None)
    if another is not None:
        theirs = {rule.id: rule for rule in shared.rules}
        assert {
            each.id for each in load_sources(files, before).rules if theirs.get(each.id) is not each
        } == another


def test_the_very_same_files_are_the_very_same_rules() -> None:
    files = sources([REPOSITORY / "services/rules/packs"])
    shared = load_sources(files)
    again: tuple[Rule, ...] = load_sources(files, read_before(files, shared)).rules
    assert all(one is other for one, other in zip(shared.rules, again, strict=True))
