"""A lane hands each delivery to one worker at a time, in time, and forgets none when that worker dies."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.ids import delivery_id
from shared.contracts.subscriptions import Attempt, Delivery, DeliveryItem
from shared.store.claims import EndpointState, Outcome, Told
from shared.store.connect import Store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUB, LANE = "clb_test", "sub_test"
ITEM = DeliveryItem("adv_07x", "ada", 0, "advice.issued")


def delivery(name: str, *, advice: str = "adv_07x", due: datetime = NOW, digest: bool = False) -> Delivery:
    item = replace(ITEM, advice_id=advice)
    return Delivery(delivery_id(LANE, name), LANE, CLUB, "advice", (item,), NOW, due, digest=digest)


def claim(store: Store, now: datetime = NOW, in_flight: int = 4) -> Delivery | None:
    claims = store.deliveries.claim(CLUB, LANE, now, in_flight)
    return claims[0].delivery if claims else None


def told(store: Store) -> Mapping[str, Told]:
    """Return what whoever claims a delivery about the advice is told with it."""
    store.deliveries.enqueue(delivery("what was told"))
    (claim,) = store.deliveries.claim(CLUB, LANE, NOW, 4)
    return claim.told


def delivered(claimed: Delivery, item: DeliveryItem = ITEM, endpoint: EndpointState = "well") -> Outcome:
    return Outcome(replace(claimed, state="delivered", reason="delivered"), [item], endpoint, NOW)


def lapse(store: Store) -> None:
    """Make every claim's lease lie in the past, as if its worker had been dead for that long."""
    for key in [*store.client.scan_iter("flights:*"), *store.client.scan_iter("flying:*")]:
        for member in store.client.zrange(str(key), 0, -1):
            store.client.zadd(str(key), {str(member): time.time() * 1000 - 1})


def test_several_are_enqueued_together_each_once(store: Store) -> None:
    ones = [delivery("1"), delivery("2", due=NOW + timedelta(hours=1)), delivery("1")]
    elsewhere = replace(delivery("3"), subscription="sub_other")
    assert store.deliveries.enqueue_many([*ones, elsewhere]) == ["created", "created", "known", "created"]
    digests = [delivery("noon", advice=f"adv_07{number}", digest=True) for number in (1, 2, 2)]
    assert store.deliveries.enqueue_many(digests) == ["created", "gathered", "known"]
    speaking = store.deliveries.of_advice(CLUB, "adv_072")
    assert [each.id for each in speaking] == [digests[0].id]


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
    store.deliveries.finish(delivered(first))
    assert claim(store) is not None


def test_an_endpoint_takes_only_so_many_claims_at_once(store: Store) -> None:
    for number in range(3):
        store.deliveries.enqueue(delivery(str(number), advice=f"adv_07{number}"))
    assert claim(store, in_flight=2)
    assert claim(store, in_flight=2)
    assert claim(store, in_flight=2) is None


def test_several_are_claimed_together_in_their_order_and_no_advice_twice(store: Store) -> None:
    for number, advice in enumerate(["adv_07a", "adv_07b", "adv_07a", "adv_07c"]):
        due = NOW - timedelta(seconds=10 - number)
        store.deliveries.enqueue(delivery(str(number), advice=advice, due=due))
    first = store.deliveries.claim(CLUB, LANE, NOW, 4, most=3)
    assert [each.delivery.items[0].advice_id for each in first] == ["adv_07a", "adv_07b", "adv_07c"]
    store.deliveries.finish(*(delivered(each.delivery) for each in first))
    (last,) = store.deliveries.claim(CLUB, LANE, NOW, 4, most=3)
    assert last.delivery.id == delivery_id(LANE, "2")


def test_who_ends_claims_hears_when_the_next_of_the_lane_is_due(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    store.deliveries.enqueue(delivery("later", advice="adv_07y", due=NOW + timedelta(hours=1)))
    (first,) = store.deliveries.claim(CLUB, LANE, NOW, 4)
    assert store.deliveries.finish(delivered(first.delivery)) == NOW + timedelta(hours=1)
    (last,) = store.deliveries.claim(CLUB, LANE, NOW + timedelta(hours=1), 4)
    assert store.deliveries.finish(delivered(last.delivery)) is None


def test_who_ends_claims_may_claim_what_they_held_up(store: Store) -> None:
    for name in ("issued", "withdrawn"):  # both speak of one piece of advice
        store.deliveries.enqueue(delivery(name))
    (first,) = store.deliveries.claim(CLUB, LANE, NOW, 1, most=2)
    (second,), _ = store.deliveries.finish_and_claim([delivered(first.delivery)], NOW, 1, 2)
    assert second.delivery.id != first.delivery.id
    assert second.told == {"adv_07x": Told(0, certain=True)}


def test_a_notice_that_quotes_an_item_speaks_of_no_advice(store: Store) -> None:
    notice = replace(delivery("notice"), kind="notice", items=(), notice='"items":[{"advice_id":"adv_07x"}]')
    store.deliveries.enqueue_many([notice, delivery("advice")])
    found = store.deliveries.claim(CLUB, LANE, NOW, 4, most=2)
    assert {tuple(each.told) for each in found} == {()}
    assert len(found) == 2


def test_claims_held_together_leave_no_place_and_what_is_given_back_is_claimed_again(store: Store) -> None:
    for number in range(5):
        store.deliveries.enqueue(delivery(str(number), advice=f"adv_07{number}"))
    claims = store.deliveries.claim(CLUB, LANE, NOW, 2, most=4)
    assert len(claims) == 4
    assert store.deliveries.claim(CLUB, LANE, NOW, 2) == ()
    store.deliveries.finish(*(Outcome(each.delivery) for each in claims))
    assert {each.delivery.id for each in store.deliveries.claim(CLUB, LANE, NOW, 2, most=5)} >= {
        each.delivery.id for each in claims
    }


def test_from_a_slow_endpoint_one_is_claimed_when_none_is_held(store: Store) -> None:
    for number in range(3):
        store.deliveries.enqueue(delivery(str(number), advice=f"adv_07{number}"))
    first = claim(store)
    assert first is not None
    store.deliveries.finish(Outcome(replace(first, due=NOW + timedelta(hours=1)), (), "slow", NOW))
    (only,) = store.deliveries.claim(CLUB, LANE, NOW, 4, most=4)
    assert store.deliveries.claim(CLUB, LANE, NOW, 4, most=4) == ()
    store.deliveries.finish(delivered(only.delivery))
    assert claim(store) is not None


def test_a_lane_that_is_looked_at_soon_needs_no_second_wake_up(store: Store) -> None:
    lanes = [(CLUB, LANE), (CLUB, "sub_other")]
    assert store.deliveries.unexpected(lanes) == lanes
    assert store.deliveries.unexpected(lanes) == []
    assert claim(store) is None  # what was enqueued after this look needs a wake-up of its own
    assert store.deliveries.unexpected(lanes) == [(CLUB, LANE)]


def test_a_dead_workers_delivery_is_claimed_again_under_the_same_name(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    assert claim(store) is None
    lapse(store)
    assert store.deliveries.collect(NOW) == ((CLUB, LANE),)
    (again,) = store.deliveries.claim(CLUB, LANE, NOW, 4)
    assert again.delivery.id == first.id
    assert again.told == {"adv_07x": Told(0, certain=False)}


def test_another_try_waits_for_its_time_and_an_end_is_an_end(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    tried = replace(
        first, due=NOW + timedelta(seconds=5), attempts=(Attempt(NOW, 0.1, "retry", "http_503", 503),)
    )
    store.deliveries.finish(Outcome(tried, (), "failing", NOW))
    assert store.outlook.at(NOW).next_due == NOW + timedelta(seconds=5)
    assert store.deliveries.health(CLUB, LANE).failing_since == NOW
    second = claim(store, NOW + timedelta(seconds=5))
    assert second == tried
    store.deliveries.finish(delivered(tried))
    assert store.outlook.at(NOW).next_due is None
    assert store.outlook.at(NOW + timedelta(days=9)).waiting == 0
    assert store.deliveries.health(CLUB, LANE).failing_since is None
    assert told(store) == {"adv_07x": Told(0, certain=True)}


def test_whoever_was_told_of_the_withdrawal_has_nothing_left_to_unlearn(store: Store) -> None:
    store.deliveries.enqueue(delivery("1"))
    first = claim(store)
    assert first is not None
    store.deliveries.finish(delivered(first))
    store.deliveries.enqueue(delivery("2"))
    second = claim(store)
    assert second is not None
    withdrawn = replace(ITEM, type="advice.withdrawn", revision=1)
    store.deliveries.finish(delivered(second, withdrawn))
    assert told(store) == {}


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
    store.deliveries.finish(Outcome(replace(first, state="failed", reason="http_400")))
    later = NOW + timedelta(days=1)
    again = store.deliveries.redeliver(CLUB, first.id, later)
    assert again is not None
    assert (again.id, again.state, again.due) == (first.id, "pending", later)
    assert claim(store, later) == again


@pytest.mark.parametrize("name", ["dlv_07nothing", "nonsense", ""])
def test_an_unknown_delivery_is_none(store: Store, name: str) -> None:
    assert store.deliveries.get(CLUB, name) is None
    assert store.deliveries.redeliver(CLUB, name, NOW) is None
