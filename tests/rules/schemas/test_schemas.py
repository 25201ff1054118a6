"""What editors are told of rule and test files: made from the code, true of what ships, and never stricter than it."""

import json
import random
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from services.rules.language.documents import read
from services.rules.language.load import RuleFileError, SourceFile, load_sources, sources
from services.rules.schemas import SCHEMAS
from tests.rules.language.test_malformed import MUTATIONS, bases

ROOT = Path(__file__).parents[3]
PACKS = ROOT / "services" / "rules" / "packs"
SPOILT = 600
RULE = """
pack: p
version: 1
rules:
  - id: one
    category: recovery
    severity: info
    each: workout.completed
    where: {activity: run}
    facts: {lift: {last: workout.completed, before: 24h}}
    when: lift.found
    advise: {title: T, message: M}
    expires: 24h
    evidence: heuristic
    sources: [someone]
"""
TEST = """
pack: p.yaml
tests:
  - name: one
    athlete: {timezone: Europe/Berlin}
    events: [{type: workout.completed, at: "2026-03-02T17:00", for: 60m, activity: strength}]
    expect: [{at: "2026-03-02T20:30", advice: [{rule: one, message: M}]}]
"""


def validator(kind: str) -> Any:
    return jsonschema_rs.Draft202012Validator(SCHEMAS[kind]())


def values(text: str) -> Any:
    return read("file.yaml", text).value


@pytest.mark.parametrize("kind", ["rules", "tests"])
def test_the_schemas_that_editors_fetch_are_those_that_the_code_makes(kind: str) -> None:
    kept = (ROOT / "docs" / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    again = f"run `tandem rules schema {kind} > docs/schemas/{kind}.schema.json`"
    assert json.loads(kept) == SCHEMAS[kind](), again


@pytest.mark.parametrize(
    "file", [*PACKS.glob("*.yaml"), *(ROOT / "tests" / "rules" / "fine_print").glob("*.yaml")], ids=str
)
def test_what_ships_is_right_to_an_editor(file: Path) -> None:
    kind = "tests" if file.name.endswith(".test.yaml") else "rules"
    told = [str(error) for error in validator(kind).iter_errors(values(file.read_text(encoding="utf-8")))]
    assert told == []


@pytest.mark.parametrize(
    ("kind", "was", "now"),
    [
        ("rules", "severity: info", "severty: info"),
        ("rules", "severity: info", "severity: loud"),
        ("rules", "expires: 24h", "expires: 24 hours"),
        ("rules", "expires: 24h", "expires: 0h"),
        ("rules", "each: workout.completed", "each: workout.done"),
        ("rules", "each: workout.completed", 'each: workout.completed\n    daily: "20:30"'),
        ("rules", "{activity: run}", "{activty: run}"),
        ("rules", "{activity: run}", "{activity: running}"),
        ("rules", "{activity: run}", "{rpe: 11}"),
        ("rules", "before: 24h", "before: 24h, during: today"),
        ("rules", "last: workout.completed", "sum: workout.completed"),
        ("rules", "last: workout.completed", "sum: workout.completed.title"),
        ("rules", "sources: [someone]", "sources: []"),
        ("rules", "    evidence: heuristic\n", ""),
        ("rules", "version: 1", 'version: "1"'),
        ("tests", "for: 60m", "for: 60"),
        ("tests", "activity: strength", "activity: lifting"),
        ("tests", "activity: strength", "energy: 4"),
        ("tests", "Europe/Berlin", "[Europe/Berlin]"),
        ("tests", "message: M", "mesage: M"),
        ("tests", "type: workout.completed, ", ""),
    ],
)
def test_a_usual_mistake_is_seen_while_typing(kind: str, was: str, now: str) -> None:
    good = RULE if kind == "rules" else TEST
    assert was in good
    assert validator(kind).is_valid(values(good))
    assert not validator(kind).is_valid(values(good.replace(was, now)))


def test_whatever_an_editor_refuses_the_checker_refuses_too() -> None:
    dice = random.Random(7)  # noqa: S311 - the same files at each run
    editor, good = validator("rules"), bases()
    references = [file for file in sources([PACKS]) if "references:" in file.text]
    refused = 0
    for _ in range(SPOILT):
        text = dice.choice(MUTATIONS)(dice, dice.choice(good))
        try:
            document = values(text)
        except RuleFileError:
            continue  # no YAML: an editor says so by itself
        try:
            wrong = not editor.is_valid(document)
        except ValueError:
            continue  # NaN and infinity are no JSON
        if wrong:
            refused += 1
            with pytest.raises(RuleFileError):
                load_sources([*references, SourceFile("spoilt.yaml", text, 0)])
    assert refused > SPOILT // 8
