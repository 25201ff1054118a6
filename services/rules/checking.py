"""`tandem rules check`: every fault of rule files, and what is legal and probably wrong, tests that are missing too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.rules.language.doubts import doubts, unless_allowed, unversioned
from services.rules.language.faults import Doubt, Fault, RuleFileError
from services.rules.language.load import TESTS_SUFFIX, compile_sources, sources
from services.rules.language.model import Rule
from services.rules.language.rules import Draft
from services.rules.testing.files import read_tests
from services.rules.testing.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. With `faults` there are no `rules`; `doubts` are warnings."""

    files: int = 0
    rules: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return what an editor wants: each finding with its place."""
        found = [(fault, "error", "fault") for fault in self.faults]
        found += [(doubt.fault, "warning", doubt.name) for doubt in self.doubts]
        return {
            "files": self.files,
            "rules": [rule.id for rule in self.rules],
            "findings": [
                {
                    "file": fault.file,
                    "line": fault.line,
                    "column": fault.column,
                    "severity": severity,
                    "name": name,
                    "message": fault.message,
                    "hint": fault.hint,
                    "text": fault.text,
                }
                for fault, severity, name in found
            ],
        }


def check(paths: Sequence[Path], against: Sequence[Path] = ()) -> Report:
    """Check the files at `paths`; `against` names the rules as they were, to see what changed under an old version."""
    try:
        files = sources(paths)
        rules, drafts = compile_sources(files)
        before, drafts_before = compile_sources(sources(against)) if against else (None, {})
    except RuleFileError as error:
        return Report(faults=error.faults)
    old = {rule.id: rule for rule in before.rules} if before else {}
    tested = _Tested()
    found: list[Doubt] = []
    for rule in sorted(rules.rules, key=lambda rule: rule.id):
        draft = drafts[rule.id]
        of_rule = [
            *doubts(rule, draft),
            *unversioned(rule, draft, old.get(rule.id), drafts_before.get(rule.id)),
            *tested.lacks(rule, draft),
        ]
        found += unless_allowed(draft, of_rule)
    place = {doubt: (doubt.fault.file, doubt.fault.line, doubt.fault.column, doubt.name) for doubt in found}
    return Report(len(files), rules.rules, (), tuple(sorted(found, key=lambda doubt: place[doubt])))


@dataclass(slots=True)
class _Tested:
    """The tests that lie beside rule files, read once a folder. What is wrong with them, `tandem rules test` says."""

    _scenarios: dict[Path, tuple[Scenario, ...]] = field(default_factory=dict)

    def lacks(self, rule: Rule, draft: Draft) -> Iterator[Doubt]:
        """Yield a doubt for each kind of test that the rule has none of."""
        if rule.mode == "off":
            return
        scenarios = [
            each for each in self._beside(Path(draft.place.document.file)) if _speaks_of(each, rule.id)
        ]
        missing: Mapping[str, tuple[bool, str]] = {
            "no-test-holding": (
                any(rule.id in _expected(each) for each in scenarios), "in which it holds",
            ),
            "no-test-silent": (
                any(_silent(each, rule.id) for each in scenarios), "in which it is looked at and keeps still",
            ),
            "no-test-late": (
                any(_late(each) for each in scenarios), "in which something comes late",
            ),
        }  # fmt: skip
        for name, (there, what) in missing.items():
            if not there:
                fault = (draft.place / "id").fault(
                    f"{rule.id} has no test {what}", "add one to the tests beside it"
                )
                yield Doubt(name, fault)

    def _beside(self, file: Path) -> tuple[Scenario, ...]:
        folder = file.parent
        if folder not in self._scenarios:
            found: list[Scenario] = []
            for path in sorted(folder.glob(f"*{TESTS_SUFFIX}")):
                try:
                    found += read_tests(path).scenarios
                except RuleFileError:
                    continue
            self._scenarios[folder] = tuple(found)
        return self._scenarios[folder]


def _expected(scenario: Scenario) -> set[str]:
    return {each.rule for expectation in scenario.expectations for each in expectation.advice or ()}


def _speaks_of(scenario: Scenario, rule: str) -> bool:
    """Whether the test is about the rule: it names it, and not merely passes it by."""
    withdrawn = {name for expectation in scenario.expectations for name in expectation.withdrawn or ()}
    return rule in _expected(scenario) | withdrawn | (scenario.only or frozenset())


def _silent(scenario: Scenario, rule: str) -> bool:
    looked_at = scenario.only is None or rule in scenario.only
    return looked_at and any(
        expectation.advice is not None and rule not in {each.rule for each in expectation.advice}
        for expectation in scenario.expectations
    )


def _late(scenario: Scenario) -> bool:
    """Whether something comes after its time: an event, a plan, a revision or a deletion."""
    return any(
        arrival.known is not None
        and (
            arrival.known > arrival.event.end
            or arrival.event.revision > 0
            or arrival.event.type in {"event.deleted", "workout.planned"}
        )
        for arrival in scenario.arrivals
    )
