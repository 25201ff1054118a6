"""Deliveries: one lane a subscription, so that a slow or dead endpoint delays nobody else's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final, Literal

import redis

from shared.contracts.instants import from_ms, to_ms
from shared.contracts.partitions import PARTITIONS
from shared.contracts.subscriptions import Delivery, DeliveryState
from shared.store import keys
from shared.store.claims import Claim, Outcome, claim_call, claims_of, finish_call
from shared.store.codec import decode, encode
from shared.store.errors import store_errors
from shared.store.pages import Page, offset_of
from shared.store.scripts import Call, Scripts

_SWEEP_LEASE_MS: Final = 5_000

Enqueued = Literal["created", "gathered", "known", "closed"]

_PARTITIONS = tuple(keys.LanePartitionKeys(f"{number:02x}") for number in range(PARTITIONS))


@dataclass(frozen=True, slots=True)
class Health:
    """An endpoint's record since it last answered well. `slow`: its last failure was a timeout."""

    failing_since: datetime | None = None
    slow: bool = False


class Deliveries:
    """Lanes, claims, outcomes and the log."""

    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def enqueue(self, delivery: Delivery) -> Enqueued:
        """Put a delivery into its lane, once. An untried digest gathers new items; a tried one is `closed` to them."""
        return self.enqueue_many([delivery])[0]

    def enqueue_many(self, deliveries: Sequence[Delivery]) -> list[Enqueued]:
        """`enqueue` several in one round trip; digests, whose answer decides what they speak of, take a second."""
        single = [each for each in deliveries if not each.digest]
        calls = [_enqueue_call(each) for each in deliveries]
        answers: list[Enqueued] = self._scripts.run_many([*calls, *_link_calls(single)])[: len(calls)]
        taken = [
            each
            for each, answer in zip(deliveries, answers, strict=True)
            if each.digest and answer != "closed"
        ]
        self._scripts.run_many(_link_calls(taken))
        return answers

    def claim(
        self, club: str, subscription: str, now: datetime, in_flight: int, most: int = 1
    ) -> tuple[Claim, ...]:
        """Claim up to `most` of the earliest deliveries due by `now`, never two of one advice at once.

        None when `in_flight` claims are held already. While the endpoint is slow, one is claimed when none is held.
        A claim is leased. When its worker dies the lease lapses, the items count as perhaps told, and the delivery
        is claimed again under the same id.
        """
        return claims_of(self._scripts.run(*claim_call(club, subscription, now, in_flight, most)))

    def finish(self, *outcomes: Outcome) -> None:
        """End claims, in one round trip."""
        self._scripts.run_many([finish_call(outcome) for outcome in outcomes])

    def unexpected(self, lanes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return those of the (club, subscription) lanes that have no wake-up on its way, and note that they have now.

        A lane is looked at whole when its wake-up comes, so a second one before that would find nothing.
        """
        places = [keys.LaneKeys(club, subscription) for club, subscription in lanes]
        answers = self._scripts.run_many(
            [("expect", [keys.LanePartitionKeys(at.tag).woken], [at.ref, _SWEEP_LEASE_MS]) for at in places]
        )
        return [lane for lane, answer in zip(lanes, answers, strict=True) if answer]

    def health(self, club: str, subscription: str) -> Health:
        """Return how the subscription's endpoint has been doing."""
        with store_errors():
            found = dict(self._client.hgetall(keys.LaneKeys(club, subscription).health))
        if not found:
            return Health()
        return Health(from_ms(float(found["failing_since"])), found.get("slow") == "1")

    def forgive(self, club: str, subscription: str) -> None:
        """Forget how the subscription's endpoint has been doing, so that its failures are counted anew."""
        with store_errors():
            self._client.delete(keys.LaneKeys(club, subscription).health)

    def get(self, club: str, delivery_id: str) -> Delivery | None:
        """Return one of the club's deliveries, or None."""
        if not delivery_id.startswith("dlv_"):
            return None
        with store_errors():
            owner = self._client.hget(keys.LanePartitionKeys(delivery_id[4:6]).delivery_owner, delivery_id)
            if owner is None:
                return None
            owner_club, subscription = keys.split_ref(str(owner))
            if owner_club != club:
                return None
            found = self._client.hget(keys.LaneKeys(club, subscription).deliveries, delivery_id)
        return None if found is None else decode(str(found), Delivery)

    def page(
        self, club: str, subscription: str, state: DeliveryState | None, cursor: str | None, limit: int
    ) -> Page[Delivery]:
        """Return up to `limit` deliveries of a subscription, the newest first, in `state` (None: any)."""
        place = keys.LaneKeys(club, subscription)
        offset = offset_of(cursor)
        chosen: list[Delivery] = []
        while True:
            with store_errors():
                names = [str(name) for name in self._client.zrevrange(place.log, offset, offset + 199)]
                found = self._client.hmget(place.deliveries, names) if names else []
            if not names:
                return Page(tuple(chosen))
            for text in found:
                delivery = None if text is None else decode(str(text), Delivery)
                if delivery and (state is None or delivery.state == state):
                    if len(chosen) == limit:
                        return Page(tuple(chosen), str(offset))
                    chosen.append(delivery)
                offset += 1

    def of_advice(self, club: str, advice_id: str) -> tuple[Delivery, ...]:
        """Return every delivery that speaks of a piece of the club's advice, the oldest first."""
        with store_errors():
            names = [str(name) for name in self._client.smembers(keys.advice_deliveries(advice_id))]
        found = (self.get(club, name) for name in names)
        return tuple(sorted((each for each in found if each), key=lambda each: (each.created_at, each.id)))

    def redeliver(self, club: str, delivery_id: str, now: datetime) -> Delivery | None:
        """Make a delivery that has ended pending again, due `now`, under the same id. None: there is none such."""
        delivery = self.get(club, delivery_id)
        if delivery is None or delivery.state == "pending":
            return delivery
        again = replace(delivery, state="pending", reason=None, due=now, counted_from=len(delivery.attempts))
        self.finish(Outcome(again))
        return again

    def collect(self, now: datetime, most: int = 1000) -> tuple[tuple[str, str], ...]:
        """Take and lease up to `most` lanes a partition, as (club, subscription), with work or a lapsed claim."""
        answers = self._scripts.run_many(
            [
                ("collect_lanes", [at.lanes, at.flying, at.woken], [to_ms(now), _SWEEP_LEASE_MS, most])
                for at in _PARTITIONS
            ]
        )
        return tuple(keys.split_ref(ref) for ref in chain.from_iterable(answers))


def _enqueue_call(delivery: Delivery) -> Call:
    place = keys.LaneKeys(delivery.club, delivery.subscription)
    index = keys.LanePartitionKeys(place.tag)
    return (
        "enqueue",
        [place.deliveries, place.lane, place.log, index.lanes, index.delivery_owner],
        [
            place.ref, delivery.id, encode(delivery), to_ms(delivery.due), to_ms(delivery.created_at),
            "1" if delivery.digest else "0",
        ],
    )  # fmt: skip


def _link_calls(deliveries: Sequence[Delivery]) -> list[Call]:
    return [
        ("link", [keys.advice_deliveries(item.advice_id)], [each.id])
        for each in deliveries
        for item in each.items
    ]
