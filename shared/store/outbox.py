"""What rules have decided and notify has not yet routed: written with the advice, taken off when routed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

import redis

from shared.contracts.advice import AdviceEventType
from shared.store import keys
from shared.store.codec import decode
from shared.store.errors import store_errors
from shared.store.scripts import Call, Scripts


@dataclass(frozen=True, slots=True)
class OutboxDraft:
    """An advice event before the store gives it its place in the athlete's sequence.

    `visible` is False when only the evidence changed, so that a reader would see the same text again.
    """

    club: str
    athlete: str
    advice_id: str
    revision: int
    type: AdviceEventType
    at: datetime
    visible: bool = True


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An advice event that waits for routing; `seq` counts up for each athlete."""

    seq: int
    club: str
    athlete: str
    advice_id: str
    revision: int
    type: AdviceEventType
    at: datetime
    visible: bool


class Outbox:
    """What waits, athlete by athlete. Routing twice does no harm: deliveries have derived names."""

    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def read(self, club: str, athlete: str) -> tuple[OutboxEntry, ...]:
        """Return the entries that wait, in the order in which they were written."""
        return self.read_many([(club, athlete)])[0]

    def read_many(self, athletes: Sequence[tuple[str, str]]) -> list[tuple[OutboxEntry, ...]]:
        """`read` for several (club, athlete), in one round trip."""
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            for club, athlete in athletes:
                pipeline.hgetall(keys.AthleteKeys(club, athlete).outbox)
            found: list[dict[str, str]] = pipeline.execute()
        return [tuple(_entry(seq, each[seq]) for seq in sorted(each, key=int)) for each in found]

    def done(self, entries: Sequence[OutboxEntry]) -> None:
        """Take `entries` off, in one round trip; others may have come meanwhile, and stay."""
        calls: list[Call] = []
        for (club, athlete), group in groupby(entries, key=attrgetter("club", "athlete")):
            place = keys.AthleteKeys(club, athlete)
            index = keys.PartitionKeys(place.tag)
            sequences = [entry.seq for entry in group]
            calls.append(("outbox_done", [place.outbox, index.outboxes], [place.ref, *sequences]))
        self._scripts.run_many(calls)


def _entry(seq: str, text: str) -> OutboxEntry:
    draft = decode(text, OutboxDraft)
    return OutboxEntry(
        int(seq),
        draft.club,
        draft.athlete,
        draft.advice_id,
        draft.revision,
        draft.type,
        draft.at,
        draft.visible,
    )
