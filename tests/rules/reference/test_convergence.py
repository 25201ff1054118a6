"""The engine says what the reference says, whatever arrives in whatever order: advice is proven to be a pure function.

`make converge` plays tens of thousands of cases, as CI does; `make test` plays enough to notice.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta

from hypothesis import given, note, settings

from services.rules.commit import reconcile
from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.timeline import resolve
from services.rules.language.load import SourceFile, load_sources
from services.rules.language.model import Generation, Rulebook
from shared.contracts.advice import STANDING, AdviceRecord
from shared.contracts.events import Value
from tests.rules.reference.cases import Case, cases
from tests.rules.reference.evaluator import DAY, Outcome, Said, World, outcome

PACKS = int(os.environ.get("TANDEM_PACKS", "120"))
"""Each is tried on up to four months, and each of these at up to eight instants: some ten cases a pack."""


@settings(max_examples=PACKS)
@given(cases())
def test_the_engine_says_what_the_reference_says(case: Case) -> None:
    book = loaded(case)
    note("\n".join(f"# from {since}\n{text}" for since, text in case.texts()))
    for month in case.months:
        standing: dict[str, AdviceRecord] = {}
        for look in month.looks:
            athlete = look.life.athlete
            note(f"at {look.now}\n{athlete}\n" + "\n".join(map(str, look.arrived)))
            found = advise(book, athlete, resolve(look.arrived), look.now)
            expected = outcome(case.packs, case.most_a_day, World(look.life, look.arrived, look.now))
            engine = said(found)
            note(f"the engine alone: {engine.said - expected.said} {engine.verdicts - expected.verdicts}")
            note(f"the reference alone: {expected.said - engine.said} {expected.verdicts - engine.verdicts}")
            assert engine == expected
            carry(standing, found, look.now)
            assert {
                name: record.advice for name, record in standing.items() if name not in found.held
            } == found.active
            later = min(look.now + DAY, found.next_due or look.now + DAY) - timedelta(milliseconds=1)
            assert advise(book, athlete, resolve(look.arrived), later).active == found.active, later


def carry(standing: dict[str, AdviceRecord], found: Evaluation, now: datetime) -> None:
    """Let what stood become what stands, as a commit does."""
    for record in reconcile(tuple(standing.values()), {}, found.active, found.held, now).records:
        if record.state in STANDING:
            standing[record.advice.id] = record
        else:
            del standing[record.advice.id]


def said(found: Evaluation) -> Outcome:
    """Return what the engine says, in the reference's words."""
    told = {
        Said(each.rule, each.because.anchor.key, numbers(each.because.facts))
        for each in found.active.values()
    }
    verdicts = {
        (verdict.rule.id, verdict.due.ref.key, verdict.outcome)
        for verdict in found.verdicts
        if verdict.outcome != "pending" and verdict.due.opens < verdict.due.closes
    }
    return Outcome(frozenset(told), frozenset(verdicts))


def numbers(facts: Mapping[str, Value]) -> tuple[tuple[str, float], ...]:
    """Return the facts that are numbers, by name."""
    found = ((name, value) for name, value in facts.items() if name in {"n", "d", "kcal"})
    return tuple(sorted((name, value) for name, value in found if isinstance(value, float)))


def loaded(case: Case) -> Rulebook:
    """Return the case's packs as the engine has them: read from text, as a coach's are."""
    return tuple(
        Generation(since, load_sources([SourceFile("random.yaml", text, 0)])) for since, text in case.texts()
    )
