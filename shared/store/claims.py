"""What a worker holds of a lane: a claim, how it ends, and the scripts' words for both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final, Literal

from shared.contracts.instants import to_ms
from shared.contracts.subscriptions import Delivery, DeliveryItem
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.scripts import Call

CLAIM_LEASE_MS: Final = 30_000
"""Twice what a whole attempt may take: when it lapses, the worker is gone."""

EndpointState = Literal["well", "slow", "failing"]


@dataclass(frozen=True, slots=True)
class Told:
    """The highest revision that a subscription was told of. Not `certain`: a worker died while it was telling."""

    revision: int
    certain: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is this worker's to make, and what the subscription was told of its advice before."""

    delivery: Delivery
    told: Mapping[str, Told]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a claim ends. A delivery that is still pending is tried again at its `due`.

    `told` items reached the receiver; `uncertain` ones may have. `endpoint` (with `at`) records how the endpoint did;
    None leaves its record alone.
    """

    delivery: Delivery
    told: Collection[DeliveryItem] = ()
    endpoint: EndpointState | None = None
    at: datetime | None = None
    uncertain: Collection[DeliveryItem] = ()


def claim_call(club: str, subscription: str, now: datetime, in_flight: int, most: int) -> Call:
    """Return the call that claims."""
    place = keys.LaneKeys(club, subscription)
    return "claim", _keys(place), [place.ref, to_ms(now), CLAIM_LEASE_MS, in_flight, most]


def _keys(place: keys.LaneKeys) -> list[str]:
    index = keys.LanePartitionKeys(place.tag)
    return [
        place.deliveries, place.lane, place.flights, place.busy, place.told,
        index.lanes, index.flying, index.woken, place.health,
    ]  # fmt: skip


def claims_of(answer: Any) -> tuple[Claim, ...]:  # noqa: ANN401 - the script's own shape
    """Return the claims that the script answered with."""
    claims = []
    for payload, told in answer:
        delivery = decode(payload, Delivery)
        known = {
            item.advice_id: decode(text, Told)
            for item, text in zip(delivery.items, told, strict=True)
            if text
        }
        claims.append(Claim(delivery, known))
    return tuple(claims)


def finish_call(outcomes: Sequence[Outcome]) -> Call:
    """Return the call that ends claims of one lane."""
    [(club, subscription)] = {(each.delivery.club, each.delivery.subscription) for each in outcomes}
    place = keys.LaneKeys(club, subscription)
    arguments: list[str | int] = [place.ref]
    for outcome in outcomes:
        delivery = outcome.delivery
        known = [(item.advice_id, encode(Told(item.revision, certain=False))) for item in outcome.uncertain]
        for item in outcome.told:
            forgotten = item.type == "advice.withdrawn"
            known.append((item.advice_id, "" if forgotten else encode(Told(item.revision, certain=True))))
        arguments += [
            delivery.id,
            encode(delivery),
            to_ms(delivery.due) if delivery.state == "pending" else "",
            outcome.endpoint or "",
            to_ms(outcome.at) if outcome.at else "",
            len(delivery.items),
            len(known),
            *(item.advice_id for item in delivery.items),
            *chain.from_iterable(known),
        ]
    return "finish", _keys(place), arguments
