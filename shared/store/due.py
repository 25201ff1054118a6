"""What is due: the athletes who wait for an evaluation, by mark or by time. The only record that work exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

import redis

from shared.contracts.instants import to_ms
from shared.contracts.partitions import PARTITIONS
from shared.store import keys
from shared.store.errors import store_errors
from shared.store.line import Line
from shared.store.scripts import Scripts

TAKEN_LEASE_MS: Final = 5_000
"""Wall time that a worker is given for the athletes that it took, before a tick lines them up again."""
CALL_LEASE_MS: Final = 5_000
"""Wall time for which a tick leaves an outbox alone whose routing the commit has asked for."""
SWEEP_LEASE_MS: Final = 30_000
"""Wall time for which a tick leaves an outbox alone that it has had routed."""
WAITING_MS: Final = 100_000_000_000_000
"""What `dirty` adds to the wall time since when an athlete waits, as `with/waiting.lua` has it."""

_PARTITIONS = tuple(keys.PartitionKeys(f"{number:02x}") for number in range(PARTITIONS))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Partitions in which athletes wait for an evaluation, and (club, athlete) whose outboxes want routing."""

    evaluate: tuple[int, ...]
    route: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """Athletes, as (club, athlete), that are the caller's to evaluate, and the partitions where others wait."""

    athletes: tuple[tuple[str, str], ...]
    more: tuple[int, ...]


class Due:
    """The indexes over all partitions."""

    def __init__(self, client: redis.Redis, line: Line, scripts: Scripts) -> None:
        self._client = client
        self._line = line
        self._scripts = scripts

    def backlog(self) -> int:
        """Return how many athletes wait for an evaluation that is already due."""
        return sum(self._line.ask([("ZCARD", place.dirty) for place in _PARTITIONS]))

    def oldest_s(self) -> float:
        """Return for how many seconds of wall time the athlete that has waited longest has waited; 0: nobody does."""
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.time()
            for place in _PARTITIONS:
                pipeline.zrange(
                    place.dirty, WAITING_MS, "+inf", byscore=True, offset=0, num=1, withscores=True
                )
            (seconds, micros), *found = pipeline.execute()
        marked = [score - WAITING_MS for first in found for _, score in first]
        return max(0.0, seconds + micros / 1e6 - min(marked) / 1000) if marked else 0.0

    def take(self, partitions: Sequence[int], most: int) -> Taken:
        """Take the next athletes of these partitions, up to `most` of each, whose turn it is to be evaluated.

        They are the caller's for `TAKEN_LEASE_MS`; then a tick lines up again those that were not committed. Nobody is
        asked for the partitions any more: those that still have others are the caller's to come back to.
        """
        answers = self._scripts.run_many(
            [
                ("take", [at.dirty, at.waiting, at.turns], [TAKEN_LEASE_MS, most])
                for at in map(_PARTITIONS.__getitem__, partitions)
            ],
            first=[("ZREM", keys.QueueKeys("rules").calls, *partitions)],
        )
        return Taken(
            tuple(keys.split_ref(ref) for ref in chain.from_iterable(answer[1:] for answer in answers)),
            tuple(partition for partition, answer in zip(partitions, answers, strict=True) if int(answer[0])),
        )

    def collect(self, now: datetime, most: int = 1000) -> Wanted:
        """Mark up to `most` athletes a partition whose time has come, and line up those whose evaluation was lost.

        Return the partitions in which somebody waits, and the athletes whose outbox was left unrouted, leased.
        """
        answers = self._scripts.run_many(
            [
                (
                    "collect",
                    [at.dirty, at.due, at.outboxes, at.waiting, at.turns],
                    [to_ms(now), SWEEP_LEASE_MS, most],
                )
                for at in _PARTITIONS
            ]
        )
        return Wanted(
            tuple(partition for partition, answer in enumerate(answers) if answer[0]),
            tuple(keys.split_ref(ref) for ref in chain.from_iterable(answer[1:] for answer in answers)),
        )

    def mark_changed(self, now: datetime) -> int:
        """Make due `now` every athlete whose rules have changed, and return how many there are.

        What was due next was reckoned by the old rules; the new ones may be due earlier. Each change of rules leaves a
        note in the write that makes it, and the note goes when its athletes are marked: whoever dies between the two,
        the next call does it. To mark twice does no harm.
        """
        with store_errors():
            notes = {str(note) for note in self._client.smembers(keys.RULES_CHANGED)}
            named = {club for club, _ in map(keys.split_ref, notes)}
            clubs = map(str, self._client.hkeys(keys.CLUBS)) if "" in named else named
            marked = sum(self._mark_all(club, now) for club in clubs)
            if notes:
                self._client.srem(keys.RULES_CHANGED, *notes)
        return marked

    def _mark_all(self, club: str, now: datetime) -> int:
        marked = cursor = 0
        while True:
            cursor, found = self._client.zscan(keys.club_athletes(club), cursor, count=1000)
            places = [keys.AthleteKeys(club, str(name)) for name, _ in found]
            self._scripts.run_many(
                [
                    (
                        "rules_changed",
                        [place.meta, keys.PartitionKeys(place.tag).due],
                        [place.ref, to_ms(now)],
                    )
                    for place in places
                ]
            )
            marked += len(places)
            if cursor == 0:
                return marked
