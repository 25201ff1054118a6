"""Whose turn it is: clubs in turn, and what a dead worker took comes back."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.events import TIMELINE_TYPES, Event
from shared.contracts.partitions import PARTITIONS, partition_of_athlete
from shared.store.advice import Changes
from shared.store.connect import Store
from shared.store.due import TAKEN_LEASE_MS, WAITING_MS
from shared.store.keys import PartitionKeys, QueueKeys, athlete_ref

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUB, ADA = "clb_test", "ada"
PARTITION = partition_of_athlete(CLUB, ADA)
PLACE = PartitionKeys(f"{PARTITION:02x}")
EVERY = range(PARTITIONS)


def post(store: Store, *athletes: str, club: str = CLUB) -> None:
    """Post a meal of each of the athletes."""
    name = str(store.client.incr("posted"))
    events = [(each, Event("gym", f"{each}-{name}", "meal.logged", NOW, NOW, {})) for each in athletes]
    store.timelines.append(club, events)


def asked_for(store: Store) -> list[int]:
    """Return the partitions that rules workers are asked for."""
    return [int(str(each)) for each in store.client.zrange(QueueKeys("rules").calls, 0, -1)]


def commit(store: Store, club: str, athlete: str) -> bool:
    since = dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1))
    snapshot = store.timelines.load(club, athlete, since, NOW + timedelta(days=1))
    return store.advice.commit(snapshot, Changes(), None).taken


def neighbours(club: str, many: int) -> list[str]:
    """Return so many athletes of a club who are in ada's partition."""
    names = (f"a{number}" for number in range(100 * many))
    return [name for name in names if partition_of_athlete(club, name) == PARTITION][:many]


def lapse(store: Store, athlete: str) -> None:
    store.client.zincrby(PLACE.dirty, -TAKEN_LEASE_MS - 1, athlete_ref(CLUB, athlete))


def test_who_waits_is_taken_once_in_the_order_of_arrival(store: Store) -> None:
    names = neighbours(CLUB, 5)
    for name in [*names, names[0]]:
        post(store, name)
    first = store.due.take([PARTITION], 3)
    assert first.athletes == tuple((CLUB, name) for name in names[:3])
    assert first.more == (PARTITION,)
    second = store.due.take([PARTITION], 3)
    assert second.athletes == tuple((CLUB, name) for name in names[3:])
    assert second.more == ()
    assert store.due.take(EVERY, 3).athletes == ()


def test_another_club_waits_behind_one_athlete_of_an_import_not_behind_all(store: Store) -> None:
    importing = neighbours(CLUB, 200)
    post(store, *importing)
    assert store.due.take([PARTITION], 8).athletes == tuple((CLUB, name) for name in importing[:8])
    [late, later] = neighbours("clb_other", 2)
    post(store, late, later, club="clb_other")
    taken = store.due.take([PARTITION], 4).athletes
    assert [club for club, _ in taken].count("clb_other") == 2
    assert store.due.take([PARTITION], 4).athletes == tuple((CLUB, name) for name in importing[10:14])


@pytest.mark.parametrize("clubs", [2, 3, 7])
def test_clubs_with_much_to_do_are_served_alike(store: Store, clubs: int) -> None:
    for number in range(clubs):
        post(store, *neighbours(f"clb_{number}", 20 + 10 * number), club=f"clb_{number}")
    taken = [club for _ in range(20) for club, _ in store.due.take([PARTITION], clubs).athletes]
    counts = [taken.count(f"clb_{number}") for number in range(clubs)]
    assert max(counts) - min(counts) <= 1


def test_a_partition_is_asked_for_once_until_somebody_takes_from_it(store: Store) -> None:
    names = neighbours(CLUB, 4)
    for name in names[:3]:
        post(store, name)
        assert asked_for(store) == [PARTITION]
    store.due.take([PARTITION], 1)  # those that are left are that worker's to come back to
    assert asked_for(store) == []
    post(store, names[3])
    assert asked_for(store) == [PARTITION]


def test_a_call_that_was_lost_is_made_good_by_a_tick(store: Store) -> None:
    post(store, ADA)
    store.client.delete(QueueKeys("rules").calls)
    assert store.due.collect(NOW).evaluate == (PARTITION,)
    assert store.due.take(EVERY, 8).athletes == ((CLUB, ADA),)
    assert store.due.collect(NOW).evaluate == ()


def test_athletes_whose_worker_died_are_lined_up_again_when_the_lease_has_lapsed(store: Store) -> None:
    post(store, ADA)
    store.due.take(EVERY, 8)
    assert store.due.collect(NOW).evaluate == ()
    assert store.due.take(EVERY, 8).athletes == ()
    lapse(store, ADA)
    assert store.due.collect(NOW).evaluate == (PARTITION,)
    assert store.due.take(EVERY, 8).athletes == ((CLUB, ADA),)


def test_an_event_that_comes_while_its_athlete_is_evaluated_is_not_lost(store: Store) -> None:
    post(store, ADA)
    store.due.take(EVERY, 8)
    since = dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1))
    snapshot = store.timelines.load(CLUB, ADA, since, NOW + timedelta(days=1))
    post(store, ADA)  # the worker that has the athlete finds its commit turned away, and looks again
    assert not store.advice.commit(snapshot, Changes(), None).taken
    assert commit(store, CLUB, ADA)
    post(store, ADA)
    assert store.due.take(EVERY, 8).athletes == ((CLUB, ADA),)


def test_an_athlete_that_somebody_else_evaluated_meanwhile_is_passed_over(store: Store) -> None:
    ben = neighbours(CLUB, 1)[0]
    post(store, ADA, ben)
    assert commit(store, CLUB, ADA)
    assert store.due.take(EVERY, 8).athletes == ((CLUB, ben),)


def test_a_store_of_an_earlier_version_is_lined_up_when_its_leases_lapse(store: Store) -> None:
    post(store, ADA)
    store.client.delete(PLACE.waiting, PLACE.turns)
    store.client.zincrby(PLACE.dirty, -WAITING_MS - 1, athlete_ref(CLUB, ADA))
    assert store.due.collect(NOW).evaluate == (PARTITION,)
    assert store.due.take(EVERY, 8).athletes == ((CLUB, ADA),)


def test_it_is_known_how_long_the_one_who_has_waited_longest_has_waited(store: Store) -> None:
    assert store.due.oldest_s() == 0
    post(store, ADA, "ben")
    store.client.zincrby(PLACE.dirty, -90_000, athlete_ref(CLUB, ADA))
    assert 90 <= store.due.oldest_s() < 100
    store.due.take(EVERY, 8)
    assert store.due.oldest_s() == 0


def test_nothing_is_kept_of_turns_when_nobody_waits(store: Store) -> None:
    for club in ("clb_one", "clb_two"):
        post(store, *neighbours(club, 3), club=club)
    store.due.take(EVERY, 8)
    assert store.client.exists(PLACE.turns, PLACE.waiting) == 0
