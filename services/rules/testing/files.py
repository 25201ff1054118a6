"""How a file of rule tests is read: every key checked, every fault with its place."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.rules.engine.calendar import Calendar
from services.rules.language.documents import Place, read
from services.rules.language.faults import Fault, RuleFileError
from services.rules.language.load import read_text
from services.rules.language.schema import MAX_RULES, FileSchema, RuleId, checked
from services.rules.testing.diary import NOBODY, arrivals_at, athlete_at, instant_at
from services.rules.testing.scenario import Expectation, Expected, Scenario, TestFile
from shared.contracts.advice import CATEGORIES, SEVERITIES
from shared.contracts.wire_fields import JsonValue, Text, Texts

MAX_TESTS: Final = 1000
_MAX_PART: Final = 2000


class TestFileSchema(FileSchema):
    """A file of tests."""

    __test__ = False  # pytest takes its name for a test's

    pack = JsonValue(required=True)
    only = Texts(RuleId(), most=MAX_RULES)  # type: ignore[assignment] # the metaclass takes fields off the class
    tests = JsonValue(required=True)


class ScenarioSchema(FileSchema):
    """One test."""

    name = Text(required=True, max_length=200)
    athlete = JsonValue()
    only = Texts(RuleId(), most=MAX_RULES)  # type: ignore[assignment] # the metaclass takes fields off the class
    events = JsonValue()
    expect = JsonValue(required=True)


class ExpectationSchema(FileSchema):
    """What should be so at an instant."""

    at = JsonValue(required=True)
    advice = JsonValue()
    withdrawn = Texts(RuleId(), most=MAX_RULES)


class ExpectedSchema(FileSchema):
    """A piece of advice that should stand."""

    rule = RuleId(required=True)
    severity = Text(choices=SEVERITIES)
    category = Text(choices=CATEGORIES)
    title = Text(max_length=_MAX_PART)
    message = Text(max_length=_MAX_PART, lines=True)


def read_tests(path: Path) -> TestFile:
    """Return the tests in a file. Raise `RuleFileError` with all that is wrong with it."""
    root = Place(read(str(path), read_text(path)))
    faults: list[Fault] = []
    found = checked(TestFileSchema(), root, faults)
    packs = _packs(root / "pack", path.parent, faults) if "pack" in found else ()
    tests = _items(root / "tests", faults) if "tests" in found else ()
    scenarios = tuple(_scenario(place, _named(found), faults) for place in tests)
    if faults:
        raise RuleFileError(dict.fromkeys(faults))
    return TestFile(path, root, packs, scenarios)


def _packs(place: Place, folder: Path, faults: list[Fault]) -> tuple[Path, ...]:
    """Return the rule files or folders that the tests are about; a later one is laid over those before it."""
    packs = []
    for each in _items(place, faults) if isinstance(place.value, list) else (place,):
        pack = folder / each.value if isinstance(each.value, str) else None
        if pack is None or not pack.exists():
            message = f"{each.name} must be the path of a rule file or folder; found {each.value!r}"
            faults.append(each.fault(message, f"write it as it lies from the folder of this file: {folder}"))
        else:
            packs.append(pack)
    return tuple(packs)


def _scenario(place: Place, only: frozenset[str] | None, faults: list[Fault]) -> Scenario:
    found = checked(ScenarioSchema(), place, faults)
    athlete = (athlete_at(place / "athlete", faults) if "athlete" in found else None) or NOBODY
    calendar = Calendar(athlete.zones)
    events = _items(place / "events", faults, some=False) if "events" in found else ()
    arrivals = arrivals_at(events, calendar, faults)
    limit = _named(found) if "only" in found else only
    read = [
        _expectation(each, calendar, limit, faults)
        for each in (_items(place / "expect", faults) if "expect" in found else ())
    ]
    expectations = tuple(each for each in read if each is not None)
    return Scenario(place, found.get("name", ""), athlete, arrivals, expectations, limit)


def _expectation(
    place: Place, calendar: Calendar, only: frozenset[str] | None, faults: list[Fault]
) -> Expectation | None:
    found = checked(ExpectationSchema(), place, faults)
    instant: datetime | None = instant_at(place / "at", calendar, faults) if "at" in found else None
    if "advice" not in found and "withdrawn" not in found:
        faults.append(place.fault("advice is required", "add `advice: []` for none, or what should stand"))
    advice = None
    if "advice" in found:
        listed = _items(place / "advice", faults, some=False)
        advice = tuple(each for each in (_expected(item, faults) for item in listed) if each is not None)
    named = [(each.rule, each.place / "rule") for each in advice or ()]
    named += [(rule, place / "withdrawn" / index) for index, rule in enumerate(found.get("withdrawn", ()))]
    for rule, where in named:
        if only is not None and rule not in only:
            message = f"{rule} is not looked at here, so it would never be found"
            faults.append(where.fault(message, f"`only` names {', '.join(sorted(only)) or 'nothing'}"))
    if instant is None:
        return None
    withdrawn = frozenset(found["withdrawn"]) if "withdrawn" in found else None
    return Expectation(place, str((place / "at").value), instant, advice, withdrawn)


def _expected(place: Place, faults: list[Fault]) -> Expected | None:
    before = len(faults)
    found = checked(ExpectedSchema(), place, faults)
    return Expected(place, **found) if len(faults) == before else None


def _named(found: dict[str, Any]) -> frozenset[str] | None:
    return frozenset(found["only"]) if "only" in found else None


def _items(place: Place, faults: list[Fault], *, some: bool = True) -> Sequence[Place]:
    """Return the places of a list's items; none, with a fault, where there is no list or nothing in it."""
    value = place.value
    if not isinstance(value, list) or (some and not value) or len(value) > MAX_TESTS:
        message = f"{place.name} must be a list of {'1' if some else '0'} to {MAX_TESTS:,}"
        faults.append(place.fault(message, "write [a, b], or a line `- a` for each"))
        return ()
    return [place / index for index in range(len(value))]
