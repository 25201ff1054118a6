"""A change of rules makes its athletes due, whoever dies on the way; what went by the old rules is not committed."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.events import TIMELINE_TYPES, Event
from shared.contracts.overrides import Override
from shared.contracts.partitions import PARTITIONS
from shared.store.advice import Changes
from shared.store.connect import Store
from shared.store.rulebook import StoredGeneration
from shared.store.timelines import Snapshot

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADA, BOB = "ada", "bob"


@pytest.fixture
def clubs(store: Store) -> tuple[str, str]:
    """Return two clubs, each with an athlete for whom nothing is due before tomorrow."""
    made = (store.clubs.create("One", NOW).id, store.clubs.create("Two", NOW).id)
    for club, athlete in zip(made, (ADA, BOB), strict=True):
        meal = Event("gym", f"meal of {athlete}", "meal.logged", NOW, NOW, {"energy_kcal": 500})
        store.timelines.append(club, [(athlete, meal)])
        store.advice.commit(load(store, club, athlete), Changes(), NOW + timedelta(days=1))
    assert due_now(store) == []
    return made


def due_now(store: Store) -> list[tuple[str, str]]:
    store.due.collect(NOW)
    return sorted(store.due.take(range(PARTITIONS), 10).athletes)


def load(store: Store, club: str, athlete: str) -> Snapshot:
    since = dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1))
    return store.timelines.load(club, athlete, since, NOW + timedelta(days=1))


def lay(store: Store, club: str, after: int = 0) -> None:
    assert store.overrides.add(club, Override(0, "live", NOW), after=after) is not None


def test_a_clubs_change_makes_its_athletes_due_and_nobody_elses(store: Store, clubs: tuple[str, str]) -> None:
    lay(store, clubs[0])
    assert store.due.mark_changed(NOW) == 1
    assert due_now(store) == [(clubs[0], ADA)]
    assert store.due.mark_changed(NOW) == 0


def test_a_change_of_the_shared_rules_makes_everybody_due(store: Store, clubs: tuple[str, str]) -> None:
    for name in ("old", "new"):
        store.rulebook.register(StoredGeneration(None, name, (), ()), NOW, NOW)
    assert store.due.mark_changed(NOW) == 2
    assert due_now(store) == sorted(zip(clubs, (ADA, BOB), strict=True))


def test_the_first_rules_make_nobody_due(store: Store, clubs: tuple[str, str]) -> None:
    assert clubs
    store.rulebook.register(StoredGeneration(None, "first", (), ()), NOW, NOW)
    assert store.due.mark_changed(NOW) == 0


def test_what_is_due_earlier_stays_so(store: Store, clubs: tuple[str, str]) -> None:
    store.advice.commit(load(store, clubs[0], ADA), Changes(), NOW - timedelta(hours=1))
    lay(store, clubs[0])
    store.due.mark_changed(NOW)
    assert load(store, clubs[0], ADA).next_due == NOW - timedelta(hours=1)


def test_an_evaluation_by_the_old_rules_does_not_undo_the_mark(store: Store, clubs: tuple[str, str]) -> None:
    under_way = load(store, clubs[0], ADA)
    lay(store, clubs[0])
    store.due.mark_changed(NOW)
    assert not store.advice.commit(under_way, Changes(), NOW + timedelta(days=1)).taken
    assert load(store, clubs[0], ADA).next_due == NOW


def test_a_change_during_the_marking_of_another_is_marked_too(store: Store, clubs: tuple[str, str]) -> None:
    lay(store, clubs[0])
    store.due.mark_changed(NOW)
    lay(store, clubs[0], after=1)
    assert store.due.mark_changed(NOW) == 1
