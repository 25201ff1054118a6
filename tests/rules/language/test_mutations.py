"""Whatever a person types into a good file, the answer is rules or faults that have a place, never a traceback."""

import random
from collections.abc import Mapping

import pytest

from services.rules.language.load import RuleFileError, SourceFile, load_sources
from services.rules.language.model import RuleSet
from tests.rules.language.examples import EVENING, SPRINT

GOOD = {"sprint.yaml": SPRINT, "evening.yaml": EVENING}
PIECES = [
    ":", ": ", " - ", "\n", "\n  ", "\t", "{", "}", "[", "]", '"', "'", "&a ", "*a", "!!int ", "!x ", "#", "|", ">-\n",
    "0", "-1", "1e999", ".inf", ".nan", "null", "true", "9" * 400, "{{", "}}", "{%", "&&", "||", "?", "%", "\\", "\\x",
    "\x00", "\x85", "\u2028", "\ufeff", "\ud800", "💪", "é", "<<", "anchor", "day", "params", "count", "where", "when",
    "gte", "---\n", "...\n", ".", ",", "(", ")", "%YAML 1.1\n", "\r", "meal.logged", "workout.planned",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(300))
def test_a_mutated_file_gives_rules_or_faults_with_a_place(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - for variety, not for secrets
    texts = dict(GOOD)
    name = chance.choice(sorted(texts))
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        texts[name] = mutated(texts[name], chance)
    outcome = loaded(texts)
    if isinstance(outcome, RuleFileError):
        assert outcome.faults
        for fault in outcome.faults:
            lines = texts[fault.file].removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
            assert fault.text == lines[fault.line - 1]
            assert 1 <= fault.column <= len(fault.text) + 1
            assert fault.message
            assert fault.message.isprintable()
            assert f"{fault.file}:{fault.line}:{fault.column}: {fault.message}" in str(outcome)
    else:
        assert len({rule.id for rule in outcome.rules}) == len(outcome.rules)


def loaded(texts: Mapping[str, str]) -> RuleSet | RuleFileError:
    try:
        return load_sources([SourceFile(file, text, 0) for file, text in texts.items()])
    except RuleFileError as error:
        return error


def mutated(text: str, chance: random.Random) -> str:
    at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    lines = text.split("\n")
    match chance.randrange(6):
        case 0:
            return text[:at] + chance.choice(PIECES) + text[at:]
        case 1:
            return text[:at] + text[at + chance.randrange(1, 8) :]
        case 2:
            del lines[chance.randrange(len(lines))]
            return "\n".join(lines)
        case 3:
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            return "\n".join(lines)
        case 4:
            words = text.split(" ")
            words[chance.randrange(len(words))] = chance.choice(PIECES)
            return " ".join(words)
        case _:
            return text[:to] + text[at:]
