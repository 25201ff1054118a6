"""Deliveries: one lane a subscription, so that a slow or dead endpoint delays nobody else's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final, Literal

import redis

from shared.contracts.instants import from_ms, to_ms
from shared.contracts.partitions import PARTITIONS
from shared.contracts.subscriptions import Delivery, DeliveryState
from shared.store import keys
from shared.store.claims import Claim, Outcome, claim_call, claims_of, finish_call
from shared.store.codec import decode, encode
from shared.store.counters import Sample, adding
from shared.store.errors import store_errors
from shared.store.line import Command, Line
from shared.store.pages import Page, offset_of
from shared.store.scripts import Call, Scripts

_SWEEP_LEASE_MS: Final = 5_000
_MOST_ENQUEUED: Final = 200  # deliveries a script, which collects its arguments on Lua's stack

Enqueued = Literal["created", "gathered", "known", "closed"]

_PARTITIONS = tuple(keys.LanePartitionKeys(f"{number:02x}") for number in range(PARTITIONS))


@dataclass(frozen=True, slots=True)
class Health:
    """An endpoint's record since it last answered well. `slow`: its last failure was a timeout."""

    failing_since: datetime | None = None
    slow: bool = False


class Deliveries:
    """Lanes, claims, outcomes and the log."""

    def __init__(self, client: redis.Redis, line: Line, scripts: Scripts) -> None:
        self._client = client
        self._line = line
        self._scripts = scripts

    def enqueue(self, delivery: Delivery) -> Enqueued:
        """Put a delivery into its lane, once. An untried digest gathers new items; a tried one is `closed` to them."""
        return self.enqueue_many([delivery])[0]

    def enqueue_many(self, deliveries: Sequence[Delivery]) -> list[Enqueued]:
        """`enqueue` several in one round trip; digests, whose answer decides what they speak of, take a second."""
        return self._enqueue(deliveries, ())[0]

    def enqueue_and_claim(
        self, deliveries: Sequence[Delivery], lane: tuple[str, str], now: datetime, in_flight: int, most: int
    ) -> tuple[list[Enqueued], tuple[Claim, ...]]:
        """`enqueue_many`, and then `claim` in the lane of a (club, subscription), in the same trip."""
        answers, [claimed] = self._enqueue(deliveries, [claim_call(*lane, now, in_flight, most)])
        return answers, claims_of(claimed)

    def _enqueue(
        self, deliveries: Sequence[Delivery], after: Sequence[Call]
    ) -> tuple[list[Enqueued], list[Any]]:
        # A lane at a time, each with the places that its deliveries have among the answers.
        lanes: dict[tuple[str, str], list[int]] = {}
        for place, each in enumerate(deliveries):
            lanes.setdefault((each.club, each.subscription), []).append(place)
        parts = [
            places[start : start + _MOST_ENQUEUED]
            for places in lanes.values()
            for start in range(0, len(places), _MOST_ENQUEUED)
        ]
        found = self._scripts.run_many(
            [*(_enqueue_call([deliveries[place] for place in places]) for places in parts), *after],
            then=_links([each for each in deliveries if not each.digest]),
        )
        answers: dict[int, Enqueued] = {
            place: answer
            for places, of_part in zip(parts, found, strict=False)
            for place, answer in zip(places, of_part, strict=True)
        }
        digests = [
            each for place, each in enumerate(deliveries) if each.digest and answers[place] != "closed"
        ]
        if digests:
            self._line.ask(_links(digests))
        return [answers[place] for place in range(len(deliveries))], found[
            len(parts) : len(parts) + len(after)
        ]

    def claim(
        self, club: str, subscription: str, now: datetime, in_flight: int, most: int = 1
    ) -> tuple[Claim, ...]:
        """Claim up to `most` of the earliest deliveries due by `now`, never two of one advice at once.

        None when `in_flight` claims are held already. While the endpoint is slow, one is claimed when none is held.
        A claim is leased. When its worker dies the lease lapses, the items count as perhaps told, and the delivery
        is claimed again under the same id.
        """
        return claims_of(self._scripts.run(*claim_call(club, subscription, now, in_flight, most)))

    def finish(self, *outcomes: Outcome, counted: Sequence[Sample] = ()) -> datetime | None:
        """End claims of one lane, and count, in one round trip. Return when the next delivery there is due, or None."""
        [due] = self._scripts.run_many([finish_call(outcomes)], first=adding(counted))
        return from_ms(float(due)) if due else None

    def finish_and_claim(
        self,
        outcomes: Sequence[Outcome],
        now: datetime,
        in_flight: int,
        most: int,
        *,
        counted: Sequence[Sample] = (),
    ) -> tuple[tuple[Claim, ...], datetime | None]:
        """`finish`, and then `claim` in the same lane, in one round trip; return what both do."""
        lane = outcomes[0].delivery
        claim = claim_call(lane.club, lane.subscription, now, in_flight, most)
        due, claimed = self._scripts.run_many([finish_call(outcomes), claim], first=adding(counted))
        return claims_of(claimed), from_ms(float(due)) if due else None

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


def _enqueue_call(deliveries: Sequence[Delivery]) -> Call:
    """Return the call that puts deliveries into the one lane that is theirs."""
    place = keys.LaneKeys(deliveries[0].club, deliveries[0].subscription)
    index = keys.LanePartitionKeys(place.tag)
    arguments: list[str | int] = [place.ref]
    for each in deliveries:
        arguments += [
            each.id, encode(each), to_ms(each.due), to_ms(each.created_at), "1" if each.digest else "0"
        ]  # fmt: skip
    return (
        "enqueue",
        [place.deliveries, place.lane, place.log, index.lanes, index.delivery_owner],
        arguments,
    )


def _links(deliveries: Sequence[Delivery]) -> list[Command]:
    """Return the commands that note which deliveries speak of a piece of advice."""
    speaking: dict[str, list[str]] = {}
    for each in deliveries:
        for item in each.items:
            speaking.setdefault(item.advice_id, []).append(each.id)
    return [("SADD", keys.advice_deliveries(advice), *names) for advice, names in speaking.items()]
