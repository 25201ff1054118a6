"""What a rule test says: an athlete, events, and the advice that is expected at certain instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.rules.language.documents import Place
from shared.contracts.advice import Advice, Category, Severity
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event and since when it is known; None: from ever, as a plan is unless the test says otherwise."""

    event: Event
    known: datetime | None


@dataclass(frozen=True, slots=True)
class Expected:
    """A piece of advice that should stand; what is None may be anything. `title` and `message` are substrings."""

    place: Place
    rule: str
    severity: Severity | None = None
    category: Category | None = None
    title: str | None = None
    message: str | None = None

    def meets(self, advice: Advice) -> bool:
        """Whether `advice` is what was expected."""
        return (
            advice.rule == self.rule
            and self.severity in {None, advice.severity}
            and self.category in {None, advice.category}
            and (self.title or "") in advice.title
            and (self.message or "") in advice.message
        )

    def __str__(self) -> str:
        says = [f"{name} {text!r}" for name in ("severity", "category", "title", "message")
                if (text := getattr(self, name)) is not None]  # fmt: skip
        return ", ".join([self.rule, *says])


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should be so at an instant. `at` is as the file has it; None for what the file does not speak of."""

    place: Place
    at: str
    instant: datetime
    advice: tuple[Expected, ...] | None
    withdrawn: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test. `only` limits which rules are looked at (None: all)."""

    place: Place
    name: str
    athlete: Athlete
    arrivals: tuple[Arrival, ...]
    expectations: tuple[Expectation, ...]
    only: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TestFile:
    """A file of tests, and the rule files or folders that it tests."""

    __test__ = False  # pytest takes its name for a test's

    path: Path
    place: Place
    packs: tuple[Path, ...]
    scenarios: tuple[Scenario, ...]

    def rules_named(self) -> Sequence[tuple[str, Place]]:
        """Return every rule id in the file, and where it stands."""
        top = _listed(self.place, "only")
        for scenario in self.scenarios:
            top += _listed(scenario.place, "only")
            for expectation in scenario.expectations:
                top += _listed(expectation.place, "withdrawn")
                top += [(each.rule, each.place / "rule") for each in expectation.advice or ()]
        return top


def _listed(place: Place, key: str) -> list[tuple[str, Place]]:
    names = (place / key).value or ()
    return [(str(name), place / key / index) for index, name in enumerate(names)]
