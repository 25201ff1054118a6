"""Deliveries: one lane a subscription, so that a slow or dead endpoint delays nobody else's."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final, Literal

import redis

from shared.contracts.partitions import PARTITIONS
from shared.contracts.subscriptions import Delivery, DeliveryItem, DeliveryState
from shared.store import keys
from shared.store.codec import decode, encode, from_ms, to_ms
from shared.store.errors import store_errors
from shared.store.pages import Page, offset_of
from shared.store.scripts import Scripts

CLAIM_LEASE_MS: Final = 30_000
"""Twice what a whole attempt may take: when it lapses, the worker is gone."""
_SWEEP_LEASE_MS: Final = 5_000

_PARTITIONS = tuple(keys.LanePartitionKeys(f"{number:02x}") for number in range(PARTITIONS))

EndpointState = Literal["well", "slow", "failing"]


@dataclass(frozen=True, slots=True)
class Told:
    """The highest revision that a subscription was told of. Not `certain`: a worker died while it was telling."""

    revision: int
    certain: bool


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

    def enqueue(self, delivery: Delivery) -> Literal["created", "gathered", "known", "closed"]:
        """Put a delivery into its lane, once. An untried digest gathers new items; a tried one is `closed` to them."""
        place = keys.LaneKeys(delivery.club, delivery.subscription)
        index = keys.LanePartitionKeys(place.tag)
        answer: Literal["created", "gathered", "known", "closed"] = self._scripts.run(
            "enqueue",
            [place.deliveries, place.lane, place.log, index.lanes, index.delivery_owner],
            [
                place.ref, delivery.id, encode(delivery), to_ms(delivery.due), to_ms(delivery.created_at),
                "1" if delivery.digest else "0",
            ],
        )  # fmt: skip
        if answer in {"created", "gathered"} and delivery.items:
            with store_errors():
                pipeline = self._client.pipeline(transaction=False)
                for item in delivery.items:
                    pipeline.sadd(keys.advice_deliveries(item.advice_id), delivery.id)
                pipeline.execute()
        return answer

    def claim(self, club: str, subscription: str, now: datetime, in_flight: int) -> Delivery | None:
        """Claim the earliest delivery due by `now`, at most `in_flight` at once, never two of one advice at once.

        A claim is leased. When its worker dies the lease lapses, the items count as perhaps told, and the delivery
        is claimed again under the same id.
        """
        place = keys.LaneKeys(club, subscription)
        index = keys.LanePartitionKeys(place.tag)
        payload = self._scripts.run(
            "claim",
            [
                place.deliveries, place.lane, place.flights, place.busy, place.told,
                index.lanes, index.flying, index.woken,
            ],
            [place.ref, to_ms(now), CLAIM_LEASE_MS, in_flight],
        )  # fmt: skip
        return decode(payload, Delivery) if payload else None

    def finish(
        self,
        delivery: Delivery,
        told: Collection[DeliveryItem] = (),
        endpoint: EndpointState | None = None,
        now: datetime | None = None,
        uncertain: Collection[DeliveryItem] = (),
    ) -> None:
        """End a claim. A delivery that is still pending is tried again at its `due`.

        `told` items reached the receiver; `uncertain` ones may have. `endpoint` (with `now`) records how the
        endpoint did; None leaves its record alone.
        """
        place = keys.LaneKeys(delivery.club, delivery.subscription)
        index = keys.LanePartitionKeys(place.tag)
        arguments: list[str | int] = [
            place.ref,
            delivery.id,
            encode(delivery),
            to_ms(delivery.due) if delivery.state == "pending" else "",
            endpoint or "",
            to_ms(now) if now else "",
            *(item.advice_id for item in delivery.items),
            "--",
        ]
        for item in uncertain:
            arguments += [item.advice_id, encode(Told(item.revision, certain=False))]
        for item in told:
            forgotten = item.type == "advice.withdrawn"
            arguments += [item.advice_id, "" if forgotten else encode(Told(item.revision, certain=True))]
        self._scripts.run(
            "finish",
            [
                place.deliveries, place.lane, place.flights, place.busy, place.told,
                index.lanes, index.flying, index.woken, place.health,
            ],
            arguments,
        )  # fmt: skip

    def told(self, club: str, subscription: str, advice_ids: Collection[str]) -> dict[str, Told]:
        """Return what the subscription has been, or may have been, told of each advice and not been told to forget."""
        wanted = list(advice_ids)
        if not wanted:
            return {}
        with store_errors():
            found = self._client.hmget(keys.LaneKeys(club, subscription).told, wanted)
        return {
            name: decode(str(text), Told)
            for name, text in zip(wanted, found, strict=True)
            if text is not None
        }

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
        self.finish(again)
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
