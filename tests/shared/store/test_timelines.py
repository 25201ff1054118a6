"""An append is one atomic write: each event once, at its highest revision, and never a mark without its event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.events import TIMELINE_TYPES, Event
from shared.contracts.partitions import partition_of_athlete
from shared.store import keys
from shared.store.calls import Heard
from shared.store.connect import Store, StoreUnavailableError, connect

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUB = "clb_test"


def run(name: str, revision: int = 0, hours_ago: float = 1, source: str = "gym", **data: object) -> Event:
    start = NOW - timedelta(hours=hours_ago)
    fields = {"activity": "run", "duration_s": 1800, **data}
    return Event(source, name, "workout.completed", start, start + timedelta(minutes=30), fields, revision)


def deletion(name: str, of: str, source: str = "gym") -> Event:
    return Event(source, name, "event.deleted", NOW, NOW, {"event_id": of})


def statuses(store: Store, *events: tuple[str, Event]) -> list[str]:
    return [outcome.status for outcome in store.timelines.append(CLUB, events).outcomes]


def timeline(store: Store, athlete: str = "ada") -> list[tuple[str, int]]:
    snapshot = store.timelines.load(
        CLUB, athlete, dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=30)), NOW + timedelta(days=30)
    )
    return [(event.id, event.revision) for event in snapshot.events]


def test_the_same_event_twice_is_a_duplicate_even_within_one_batch(store: Store) -> None:
    assert statuses(store, ("ada", run("1")), ("ada", run("1"))) == ["accepted", "duplicate"]
    assert statuses(store, ("ada", run("1"))) == ["duplicate"]
    assert timeline(store) == [("1", 0)]


def test_other_content_under_a_known_revision_is_a_conflict_that_changes_nothing(store: Store) -> None:
    store.timelines.append(CLUB, [("ada", run("1"))])
    outcome = store.timelines.append(CLUB, [("ada", run("1", rpe=9))]).outcomes[0]
    assert (outcome.status, outcome.field) == ("conflict", "revision")
    assert "higher revision" in outcome.message
    snapshot = store.timelines.load(CLUB, "ada", dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1)), NOW)
    assert "rpe" not in snapshot.events[0].data


def test_an_id_of_another_athlete_is_a_conflict(store: Store) -> None:
    store.timelines.append(CLUB, [("ada", run("1"))])
    outcome = store.timelines.append(CLUB, [("ben", run("1"))]).outcomes[0]
    assert (outcome.status, outcome.field) == ("conflict", "subject")
    assert timeline(store, "ben") == []


def test_who_names_an_event_first_in_a_batch_owns_it(store: Store) -> None:
    assert statuses(store, ("ada", run("1")), ("ben", run("1")), ("ben", run("2"))) == [
        "accepted", "conflict", "accepted",
    ]  # fmt: skip
    assert [timeline(store), timeline(store, "ben")] == [[("1", 0)], [("2", 0)]]


def test_a_club_lists_the_athletes_of_what_it_took_and_no_others(store: Store) -> None:
    store.timelines.append(CLUB, [("ada", run("1")), ("ben", run("1"))])
    assert store.client.zrange(keys.club_athletes(CLUB), 0, -1) == ["ada"]


def test_a_store_that_has_lost_its_scripts_is_given_them_again(store: Store) -> None:
    store.timelines.append(CLUB, [("ada", run("1"))])
    store.client.script_flush()
    assert statuses(store, ("ada", run("1")), ("ben", run("2"))) == ["duplicate", "accepted"]
    assert store.client.zrange(keys.club_athletes(CLUB), 0, -1) == ["ada", "ben"]


def test_the_same_id_from_another_source_or_club_is_another_event(store: Store) -> None:
    assert statuses(store, ("ada", run("1")), ("ben", run("1", source="watch"))) == ["accepted", "accepted"]
    assert store.timelines.append("clb_other", [("eve", run("1"))]).outcomes[0].status == "accepted"


def test_the_highest_revision_stands_whatever_order_they_come_in(store: Store) -> None:
    assert (
        statuses(store, ("ada", run("1", 2)), ("ada", run("1", 0)), ("ada", run("1", 1))) == ["accepted"] * 3
    )
    assert timeline(store) == [("1", 2)]


def test_a_revision_may_move_an_event_in_time(store: Store) -> None:
    statuses(
        store,
        ("ada", run("1", hours_ago=1)),
        ("ada", run("2", hours_ago=2)),
        ("ada", run("1", 1, hours_ago=3)),
    )
    assert timeline(store) == [("1", 1), ("2", 0)]


@pytest.mark.parametrize("deletion_first", [True, False])
def test_a_deletion_is_for_good_even_when_it_comes_first(store: Store, *, deletion_first: bool) -> None:
    events = [("ada", deletion("d", "1")), ("ada", run("1"))]
    statuses(store, *(events if deletion_first else events[::-1]))
    statuses(store, ("ada", run("1", 7)))
    assert timeline(store) == []


def test_a_deletion_reaches_its_own_source_only(store: Store) -> None:
    statuses(store, ("ada", run("1")), ("ada", deletion("d", "1", source="watch")))
    assert timeline(store) == [("1", 0)]


def test_a_deletion_of_another_athletes_event_is_a_conflict(store: Store) -> None:
    store.timelines.append(CLUB, [("ada", run("1"))])
    outcome = store.timelines.append(CLUB, [("ben", deletion("d", "1"))]).outcomes[0]
    assert (outcome.status, outcome.field) == ("conflict", "subject")
    assert timeline(store) == [("1", 0)]


def asked_for(store: Store) -> list[int]:
    return sorted(int(str(each)) for each in store.client.zrange(keys.QueueKeys("rules").calls, 0, -1))


def test_what_was_accepted_waits_and_its_partitions_are_asked_for(store: Store) -> None:
    appended = store.timelines.append(CLUB, [("ada", run("1")), ("ben", run("2"))])
    assert appended.heard == Heard(up=0, free=0)
    assert asked_for(store) == sorted({partition_of_athlete(CLUB, name) for name in ("ada", "ben")})
    assert store.due.backlog() == 2


def test_a_repeat_asks_again_when_the_first_call_was_lost(store: Store) -> None:
    store.timelines.append(CLUB, [("ada", run("1"))])
    store.client.delete(keys.QueueKeys("rules").calls)
    store.timelines.append(CLUB, [("ada", run("1"))])
    assert asked_for(store) == [partition_of_athlete(CLUB, "ada")]


def test_a_revision_may_change_what_an_event_is(store: Store) -> None:
    planned = replace(run("1", revision=1), type="workout.planned")
    assert statuses(store, ("ada", run("1")), ("ada", planned)) == ["accepted", "accepted"]
    assert timeline(store) == [("1", 1)]
    statuses(store, ("ada", deletion("d", "1")))
    assert timeline(store) == []


def test_a_load_reads_each_type_as_far_back_as_it_is_asked_for_and_no_other(store: Store) -> None:
    meals = [replace(run(f"m{hours}", hours_ago=hours), type="meal.logged") for hours in (1, 5, 50)]
    checkin = replace(run("c"), type="checkin.recorded")
    statuses(store, *(("ada", event) for event in [run("50", hours_ago=50), *meals, checkin]))
    since = {"workout.completed": NOW - timedelta(hours=60), "meal.logged": NOW - timedelta(hours=5)}
    snapshot = store.timelines.load(CLUB, "ada", since, NOW)
    assert [event.id for event in snapshot.events] == ["50", "m5", "m1"]


def test_a_load_reads_only_the_span_it_names(store: Store) -> None:
    statuses(store, *(("ada", run(str(hours), hours_ago=hours)) for hours in (1, 5, 50, 500)))
    snapshot = store.timelines.load(
        CLUB, "ada", dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(hours=50)), NOW
    )
    assert [event.id for event in snapshot.events] == ["50", "5", "1"]


def test_a_store_that_is_away_says_so_and_promises_nothing() -> None:
    absent = connect("redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailableError, match="away"):
        absent.timelines.append(CLUB, [("ada", run("1"))])


arrivals = st.lists(
    st.one_of(
        st.builds(run, st.sampled_from("abc"), st.integers(0, 2), st.just(1)),
        st.builds(deletion, st.sampled_from(["x", "y"]), st.just("b")),
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(events=arrivals, data=st.data())
def test_any_order_grouping_and_repetition_gives_the_same_timeline(
    store: Store, events: list[Event], data: st.DataObject
) -> None:
    store.client.flushall()
    statuses(store, *(("ada", event) for event in events))
    expected = timeline(store)
    store.client.flushall()
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=4) if events else st.just([]))
    for event in data.draw(st.permutations(repeated)):
        statuses(store, ("ada", event))
    assert timeline(store) == expected
