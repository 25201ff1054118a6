"""A lane hands each delivery to one worker at a time, in time, and forgets none when that worker dies."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.ids import delivery_id
from shared.contracts.subscriptions import Attempt, Delivery, DeliveryItem
from shared.store.connect import Store
from shared.store.deliveries import Told

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUB, LANE = "clb_test", "sub_test"
ITEM = DeliveryItem("adv_07x", "ada", 0, "advice.issued")


def delivery(name: str, *, advice: str = "adv_07x", due: datetime = NOW, digest: bool = False) -> Delivery:
    item = replace(ITEM, advice_id=advice)
    return Delivery(delivery_id(LANE, name), LANE, CLUB, "advice", (item,), NOW, due, digest=digest)


def claim(store: Store, now: datetime = NOW, in_flight: int = 4) -> Delivery | None:
    return store.deliveries.claim(CLUB, LANE, now, in_flight)


def lapse(store: Store) -> None:
    """Make every claim's lease lie in the past, as if its worker had been dead for that long."""
    for key in [*store.client.scan_iter("flights:*"), *store.client.scan_iter("flying:*")]:
        for member in store.client.zrange(str(key), 0, -1):
            store.client.zadd(str(key), {str(member): time.time() * 1000 - 1})


def test_a_delivery_is_enqueued_once_however_often_it_is_routed(store: Store) -> None:
    assert [store.deliveries.enqueue(delivery("1")) for _ in range(2)] == ["created", "known"]
    assert len(store.deliveries.page(CLUB, LANE, None, None, 10).items) == 1
    assert store.deliveries.of_advice(CLUB, "adv_07x") == (delivery("1"),)


def test_deliveries_are_claimed_in_the_order_of_their_time_and_not_before_it(store: Store) -> None:
    store.deliveries.enqueue(delivery("late", advice="adv_07b", due=NOW + timedelta(minutes=5)))
    store.deliveries.enqueue(delivery("soon", advice="adv_07a"))
    assert claim(store) == delivery("soon", advice="adv_07a")
    assert claim(store) is None
    assert claim(store, NOW + timedelta(minutes=5)) == delivery(
        "late", advice="adv_07b", due=NOW + timedelta(minutes=5)
    )


def test_no_two_claims_speak_of_one_advice_at_once(store: Store) -> None:
    store.deliveries.enqueue(delivery("issued"))
    store.deliveries.enqueue(delivery("withdrawn"))
    first = claim(store)
    assert first is not None
    assert claim(store) is None
    store.deliveries.finish(replace(first, state="delivered", reason="delivered"), [ITEM], "well", NOW)
    assert claim(store) is not None


def test_an_endpoint_takes_only_so_many_claims_at_once(store: Store) -> None:
    for number in range(3):
        store.deliveries.enqueue(delivery(str(number), advice=f"adv_07{number}"))
    assert claim(store, in_flight=2)
    assert claim(store, in_flight=2)
    assert claim(store, in_flight=2) is None


def test_a_dead_workers_delivery_is_claimed_again_under_the_same_name(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    assert claim(store) is None
    lapse(store)
    assert store.deliveries.collect(NOW) == ((CLUB, LANE),)
    again = claim(store)
    assert again is not None
    assert again.id == first.id
    assert store.deliveries.told(CLUB, LANE, ["adv_07x"]) == {"adv_07x": Told(0, certain=False)}


def test_another_try_waits_for_its_time_and_an_end_is_an_end(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    tried = replace(
        first, due=NOW + timedelta(seconds=5), attempts=(Attempt(NOW, 0.1, "retry", "http_503", 503),)
    )
    store.deliveries.finish(tried, (), "failing", NOW)
    assert store.outlook.at(NOW).next_due == NOW + timedelta(seconds=5)
    assert store.deliveries.health(CLUB, LANE).failing_since == NOW
    second = claim(store, NOW + timedelta(seconds=5))
    assert second == tried
    store.deliveries.finish(replace(tried, state="delivered", reason="delivered"), [ITEM], "well", NOW)
    assert store.outlook.at(NOW).next_due is None
    assert store.outlook.at(NOW + timedelta(days=9)).waiting == 0
    assert store.deliveries.health(CLUB, LANE).failing_since is None
    assert store.deliveries.told(CLUB, LANE, ["adv_07x"]) == {"adv_07x": Told(0, certain=True)}


def test_whoever_was_told_of_the_withdrawal_has_nothing_left_to_unlearn(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    store.deliveries.finish(replace(first, state="delivered", reason="delivered"), [ITEM])
    store.deliveries.enqueue(delivery("2"))
    second = claim(store)
    assert second is not None
    withdrawn = replace(ITEM, type="advice.withdrawn", revision=1)
    store.deliveries.finish(replace(second, state="delivered", reason="delivered"), [withdrawn])
    assert store.deliveries.told(CLUB, LANE, ["adv_07x"]) == {}


def test_a_digest_gathers_until_it_is_tried(store: Store) -> None:
    assert store.deliveries.enqueue(delivery("noon", digest=True)) == "created"
    assert store.deliveries.enqueue(delivery("noon", advice="adv_07y", digest=True)) == "gathered"
    assert store.deliveries.enqueue(delivery("noon", advice="adv_07y", digest=True)) == "known"
    claimed = claim(store)
    assert claimed is not None
    assert [item.advice_id for item in claimed.items] == ["adv_07x", "adv_07y"]
    assert store.deliveries.enqueue(delivery("noon", advice="adv_07z", digest=True)) == "closed"


def test_a_lane_is_woken_once_for_what_is_due(store: Store) -> None:
    store.deliveries.enqueue(delivery("1", due=NOW + timedelta(hours=1)))
    assert store.deliveries.collect(NOW) == ()
    assert store.deliveries.collect(NOW + timedelta(hours=1)) == ((CLUB, LANE),)
    assert store.deliveries.collect(NOW + timedelta(hours=1)) == ()


def test_an_ended_delivery_can_be_sent_again_under_its_name(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    store.deliveries.finish(replace(first, state="failed", reason="http_400"))
    later = NOW + timedelta(days=1)
    again = store.deliveries.redeliver(CLUB, first.id, later)
    assert again is not None
    assert (again.id, again.state, again.due) == (first.id, "pending", later)
    assert claim(store, later) == again


@pytest.mark.parametrize("name", ["dlv_07nothing", "nonsense", ""])
def test_an_unknown_delivery_is_none(store: Store, name: str) -> None:
    assert store.deliveries.get(CLUB, name) is None
    assert store.deliveries.redeliver(CLUB, name, NOW) is None
