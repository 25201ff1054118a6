"""A commit is taken only while nothing has changed since its load, and what is due is never forgotten."""

from datetime import UTC, datetime, timedelta

from shared.contracts.advice import Advice, AdviceRecord, AnchorRef, Because, advice_id
from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import TIMELINE_TYPES, Event
from shared.contracts.partitions import PARTITIONS
from shared.store.advice import Changes
from shared.store.calls import Heard
from shared.store.connect import Store
from shared.store.outbox import OutboxDraft
from shared.store.timelines import Snapshot

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUB, ADA = "clb_test", "ada"


def post(store: Store, name: str) -> None:
    store.timelines.append(CLUB, [(ADA, Event("gym", name, "meal.logged", NOW, NOW, {"energy_kcal": 500}))])


def load(store: Store) -> Snapshot:
    return store.timelines.load(
        CLUB, ADA, dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1)), NOW + timedelta(days=1)
    )


def issue(anchor: str = "gym/1") -> Changes:
    name = advice_id(CLUB, ADA, "refuel", anchor)
    because = Because(AnchorRef("each", anchor, NOW))
    advice = Advice(
        name,
        CLUB,
        ADA,
        "refuel",
        1,
        "h",
        "surplus",
        "info",
        "Eat",
        "Eat.",
        NOW,
        NOW + timedelta(hours=6),
        because,
        "strong",
    )
    record = AdviceRecord(advice, 0, "active", NOW, NOW)
    return Changes((record,), (OutboxDraft(CLUB, ADA, name, 0, "advice.issued", NOW),))


def test_a_commit_clears_the_mark_and_sets_the_next_time(store: Store) -> None:
    post(store, "1")
    committed = store.advice.commit(load(store), issue(), NOW + timedelta(hours=6))
    assert (committed.taken, committed.heard) == (True, Heard(up=0, free=0))
    assert store.due.backlog() == 0
    assert store.outlook.at(NOW).next_due == NOW + timedelta(hours=6)
    assert [entry.type for entry in store.outbox.read(CLUB, ADA)] == ["advice.issued"]


def test_evidence_that_came_during_the_evaluation_makes_the_commit_stale(store: Store) -> None:
    post(store, "1")
    snapshot = load(store)
    post(store, "2")
    assert not store.advice.commit(snapshot, issue(), None).taken
    assert store.outbox.read(CLUB, ADA) == ()
    assert store.due.backlog() == 1


def test_of_two_workers_with_the_same_athlete_one_commits(store: Store) -> None:
    post(store, "1")
    first, second = load(store), load(store)
    assert store.advice.commit(first, issue(), None).taken
    assert not store.advice.commit(second, issue(), None).taken
    assert len(store.outbox.read(CLUB, ADA)) == 1


def test_a_profile_and_feedback_are_evidence_too(store: Store) -> None:
    snapshot = load(store)
    store.athletes.put(Athlete(CLUB, ADA, (ZoneChange(None, "Europe/Berlin"),)), NOW)
    assert not store.advice.commit(snapshot, Changes(), None).taken
    store.advice.commit(load(store), issue(), None)
    snapshot = load(store)
    answered = store.advice.feedback(CLUB, issue().records[0].advice.id, "done", NOW)
    assert answered is not None
    assert (answered.state, answered.feedback) == ("acknowledged", ("done",))
    assert not store.advice.commit(snapshot, Changes(), None).taken


def test_a_time_that_has_come_is_collected_once_and_stays_until_committed(store: Store) -> None:
    post(store, "1")
    store.due.take(range(PARTITIONS), 10)
    store.advice.commit(load(store), Changes(), NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=1)
    assert store.due.collect(NOW).evaluate == ()
    assert store.due.take(range(PARTITIONS), 10).athletes == ()
    [partition] = store.due.collect(later).evaluate
    assert store.due.take([partition], 10).athletes == ((CLUB, ADA),)
    assert store.due.collect(later).evaluate == ()  # leased
    assert store.outlook.at(NOW).waiting == 1
    assert load(store).dirty


def test_routed_entries_leave_and_later_ones_stay(store: Store) -> None:
    post(store, "1")
    store.advice.commit(load(store), issue("gym/1"), None)
    routed = store.outbox.read(CLUB, ADA)
    post(store, "2")
    store.advice.commit(load(store), issue("gym/2"), None)
    store.outbox.done(routed)
    left = store.outbox.read(CLUB, ADA)
    assert [entry.advice_id for entry in left] == [advice_id(CLUB, ADA, "refuel", "gym/2")]
    assert store.outlook.at(NOW).waiting == 1
    store.outbox.done(left)
    assert store.outlook.at(NOW).waiting == 0


def test_advice_of_one_club_is_unknown_to_another(store: Store) -> None:
    post(store, "1")
    store.advice.commit(load(store), issue(), None)
    name = issue().records[0].advice.id
    assert store.advice.get(CLUB, name) == issue().records[0]
    assert store.advice.get("clb_other", name) is None
    assert store.advice.feedback("clb_other", name, "done", NOW) is None


def test_advice_is_listed_newest_first_and_in_pages(store: Store) -> None:
    for number in range(5):
        post(store, str(number))
        store.advice.commit(load(store), issue(f"gym/{number}"), None)
    first = store.advice.page(CLUB, ADA, None, None, None, 3)
    rest = store.advice.page(CLUB, ADA, None, None, first.next_cursor, 3)
    assert len(first.items) == 3
    assert len(rest.items) == 2
    assert rest.next_cursor is None
    assert len({record.advice.id for record in first.items + rest.items}) == 5


def test_a_zone_change_is_kept_with_its_time(store: Store) -> None:
    for number, zone in enumerate(["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo"]):
        store.athletes.put(Athlete(CLUB, ADA, (ZoneChange(None, zone),)), NOW + timedelta(days=number))
    known = store.athletes.get(CLUB, ADA)
    assert known is not None
    assert known.zones == (
        ZoneChange(None, "Europe/Berlin"),
        ZoneChange(NOW + timedelta(days=2), "Asia/Tokyo"),
    )
