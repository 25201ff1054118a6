"""What is due: the athletes who wait for an evaluation, by mark or by time. The only record that work exists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

import redis

from shared.contracts.clubs import Club
from shared.contracts.partitions import PARTITIONS
from shared.store import keys
from shared.store.codec import to_ms
from shared.store.errors import store_errors
from shared.store.scripts import Scripts

WAKE_UP_LEASE_MS: Final = 5_000
"""Wall time that a writer's own wake-up is given before a tick sends another."""
SWEEP_LEASE_MS: Final = 30_000
"""Wall time that a tick's wake-up is given; longer, so that a backlog is not woken over and over."""

_PARTITIONS = tuple(keys.PartitionKeys(f"{number:02x}") for number in range(PARTITIONS))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Athletes, as (club, athlete), who want an evaluation and whose outboxes want routing."""

    evaluate: tuple[tuple[str, str], ...]
    route: tuple[tuple[str, str], ...]


class Due:
    """The indexes over all partitions."""

    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def backlog(self) -> int:
        """Return how many athletes wait for an evaluation that is already due."""
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            for place in _PARTITIONS:
                pipeline.zcard(place.dirty)
            return sum(pipeline.execute())

    def collect(self, now: datetime, most: int = 1000) -> Wanted:
        """Take up to `most` athletes a partition whose time has come or whose wake-up was lost, and lease them."""
        answers = self._scripts.run_many(
            [
                ("collect", [at.dirty, at.due, at.outboxes], [to_ms(now), SWEEP_LEASE_MS, most])
                for at in _PARTITIONS
            ]
        )
        return Wanted(
            tuple(keys.split_ref(ref) for ref in chain.from_iterable(answer[0] for answer in answers)),
            tuple(keys.split_ref(ref) for ref in chain.from_iterable(answer[1] for answer in answers)),
        )

    def mark_all(self, clubs: Iterable[Club], now: datetime) -> int:
        """Make every athlete of `clubs` due `now`, as new rules ask for. Return how many there are."""
        marked = 0
        for club in clubs:
            with store_errors():
                for name, _ in self._client.zscan_iter(keys.club_athletes(club.id), count=1000):
                    place = keys.AthleteKeys(club.id, str(name))
                    self._client.zadd(keys.PartitionKeys(place.tag).due, {place.ref: to_ms(now)}, lt=True)
                    marked += 1
        return marked
