"""What is at a bound is right, and one more is an error that names the bound."""

from collections.abc import Callable

import pytest

from services.rules.language.faults import Fault, RuleFileError
from services.rules.language.load import SourceFile, load_sources
from tests.rules.language.examples import SPRINT

ALONE = SPRINT.replace("supersedes: [evening-protein]", "supersedes: []")
REFERENCE = "citation: c, found: f, grade: strong"


def with_condition(condition: str) -> str:
    return ALONE.replace("lift.found && gap_h < params.min_gap_h", condition)


def rules(number: int) -> str:
    head, _, body = ALONE.partition("  - ")
    return head + "".join(f"  - {body.replace('no-sprint-after', f'n{index}')}" for index in range(number))


def facts(number: int) -> str:
    more = "\n".join(f"      f{index}: lift.found" for index in range(number - 2))
    return ALONE.replace("lift.end)\n", f"lift.end)\n{more}\n")


def references(number: int) -> str:
    return (
        ALONE + "references: {" + ", ".join(f"a-{index}: {{{REFERENCE}}}" for index in range(number)) + "}\n"
    )


def title(text: str) -> str:
    return ALONE.replace("Keep the run after lifting relaxed", text)


def message(text: str) -> str:
    head, _, rest = ALONE.partition("      message: >-\n")
    return f"{head}      message: {text}\n    {rest[rest.index('expires') :]}"


def most(number: int) -> str:
    return ALONE + f"most_a_day: {{warning: {number}, suggestion: {number}, info: {number}}}\n"


def sources(number: int, length: int = 1) -> str:
    return ALONE.replace('["Robineau 2016"]', f"[{', '.join(['x' * length] * number)}]")


LIMITS: list[tuple[Callable[[int], str], int, str]] = [
    (rules, 500, "at most 500 rules; found 501"),
    (facts, 50, "at most 50 facts; found 51"),
    (references, 2000, "must map 1 to 2,000 keys"),
    (
        lambda n: ALONE.replace("min_gap_h: 6}", f"min_gap_h: 6, many: {[1] * n}}}"),
        100,
        "many must be a number",
    ),
    (lambda n: with_condition("true".ljust(n - 7) + "|| true"), 2000, "the bound is 2,000"),
    (lambda n: with_condition("(" * n + "true" + ")" * n), 32, "nest deeper than 32"),
    (lambda n: title("x" * n), 200, "1 to 200 characters"),
    (lambda n: message("x" * n), 2000, "1 to 2000 characters"),
    (lambda n: ALONE.replace("no-sprint-after-strength", "x" * n), 64, "up to 64 characters"),
    (sources, 20, "at most 20"),
    (lambda n: sources(1, n), 500, "1 to 500 characters"),
    (most, 100, "from 0 to 100"),
    (lambda n: ALONE.replace("before: 24h", f"before: {n}d"), 366, "must be at most 366d"),
    (lambda n: ALONE.replace("before: 24h", f"last_days: {n}"), 366, "from 1 to 366"),
    (lambda n: ALONE.replace("version: 3", f"version: {n}"), 1_000_000_000, "from 1 to 1000000000"),
    (lambda n: ALONE + "#" * (n - len(ALONE)), 1024 * 1024, "larger than 1 MiB"),
]


def faults_of(text: str) -> tuple[Fault, ...]:
    try:
        load_sources([SourceFile("a.yaml", text, 0)])
    except RuleFileError as error:
        return error.faults
    return ()


@pytest.mark.parametrize(("text", "bound", "said"), LIMITS, ids=[said for *_, said in LIMITS])
def test_what_is_at_a_bound_is_right_and_one_more_is_an_error(
    text: Callable[[int], str], bound: int, said: str
) -> None:
    assert faults_of(text(bound)) == ()
    assert said in str(faults_of(text(bound + 1))[0])
