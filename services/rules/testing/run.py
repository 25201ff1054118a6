"""`tandem rules test`: find the test files, run each on its packs, and tell what held."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.rules.language.faults import Fault, RuleFileError
from services.rules.language.load import RULES_SUFFIX, TESTS_SUFFIX, load
from services.rules.language.model import RuleSet
from services.rules.language.schema import did_you_mean
from services.rules.testing.comparing import Difference, play
from services.rules.testing.coverage import Coverage
from services.rules.testing.files import read_tests
from services.rules.testing.scenario import Scenario, TestFile

ALL_HELD, SOME_FAILED, FILE_WRONG = 0, 1, 2


def run_tests(paths: Sequence[Path], console: Console, *, coverage: bool = False) -> int:
    """Run the test files at `paths` (files, or folders that hold them) and print what held, and what `coverage` lacks.

    Return 0 when all tests held, 1 when some failed, 2 when a file is wrong.
    """
    held = failed = files = 0
    faults: list[Fault] = []
    packs: dict[tuple[Path, ...], RuleSet] = {}
    seen = Coverage()
    for path in _found(paths, faults):
        try:
            tests = read_tests(path)
            if tests.packs not in packs:
                packs[tests.packs] = load(tests.packs)
            rules = packs[tests.packs]
            _check_names(tests, rules)
            if coverage:
                seen.expect(rules)
        except RuleFileError as error:
            faults += error.faults
            continue
        files += 1
        console.print(Text(str(path), "bold"), soft_wrap=True)
        for scenario in tests.scenarios:
            played = play(rules, scenario)
            _tell(scenario, played.different, console)
            held, failed = held + (not played.different), failed + bool(played.different)
            if coverage:
                seen.see(played.outcomes)
    for fault in dict.fromkeys(faults):
        console.print(Text(str(fault), "red"), soft_wrap=True)
    for line in seen.report() if coverage else ():
        console.print(
            Text(line, "yellow" if ": " in line and not line.startswith("covered") else "bold"),
            soft_wrap=True,
        )
    _sum_up(held, failed, files, len(dict.fromkeys(faults)), console)
    if faults:
        return FILE_WRONG
    return SOME_FAILED if failed else ALL_HELD


def _found(paths: Sequence[Path], faults: list[Fault]) -> Iterator[Path]:
    """Yield the test files; a rule file stands for the tests beside it. What yields none is a fault."""
    seen: set[Path] = set()
    for path in paths:
        beside = path.with_name(path.name.removesuffix(RULES_SUFFIX) + TESTS_SUFFIX)
        if path.is_dir():
            files = [file for file in sorted(path.rglob(f"*{TESTS_SUFFIX}")) if _in_sight(file, path)]
        elif path.name.endswith(TESTS_SUFFIX):
            files = [path]
        else:
            files = [beside] if path.exists() and beside.exists() else []
        if not files:
            message = "holds no tests" if path.exists() else "there is no such file or folder"
            hint = f"tests stand beside the rules, in a file named *{TESTS_SUFFIX}"
            faults.append(Fault(str(path), 1, 1, "", message, hint))
        for file in files:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _in_sight(file: Path, folder: Path) -> bool:
    """Whether nothing on the way begins with a dot: rule files there are passed over too."""
    return not any(part.startswith(".") for part in file.relative_to(folder).parts)


def _check_names(tests: TestFile, rules: RuleSet) -> None:
    """Refuse a rule id that no rule has: an expectation that it stays silent would hold for ever."""
    known = tuple(sorted(rule.id for rule in rules.rules))
    faults = [
        place.fault(f"there is no rule {name} in the pack", did_you_mean(name, known, what="rules"))
        for name, place in tests.rules_named()
        if name not in known
    ]
    if faults:
        raise RuleFileError(dict.fromkeys(faults))


def _tell(scenario: Scenario, different: Sequence[Difference], console: Console) -> None:
    if not different:
        console.print(Text.assemble(("  held    ", "green"), scenario.name), soft_wrap=True)
        return
    console.print(Text.assemble(("  failed  ", "bold red"), (scenario.name, "bold")), soft_wrap=True)
    styles = {"-": "red", "+": "yellow", " ": "dim"}
    for each in different:
        console.print(Text(f"    at {each.at} ({each.place.spot})"), soft_wrap=True)
        for line in each.lines:
            console.print(Text(f"      {line}", styles.get(line[0], "red")), soft_wrap=True)


def _sum_up(held: int, failed: int, files: int, faults: int, console: Console) -> None:
    parts = (
        [f"{held} held"]
        + ([f"{failed} failed"] if failed else [])
        + ([_some(faults, "fault")] if faults else [])
    )
    style = "bold red" if failed or faults else "bold green"
    console.print(
        Text(f"{_some(held + failed, 'test')} in {_some(files, 'file')}: {', '.join(parts)}", style),
        soft_wrap=True,
    )


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
