"""What rules have decided and notify has not yet routed: written with the advice, taken off when routed."""

from dataclasses import dataclass
from datetime import datetime

import redis

from shared.contracts.advice import AdviceEventType
from shared.store import keys
from shared.store.codec import decode
from shared.store.errors import store_errors
from shared.store.scripts import Scripts


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
    """Entries of one athlete at a time. Routing twice does no harm: deliveries have derived names."""

    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def read(self, club: str, athlete: str) -> tuple[OutboxEntry, ...]:
        """Return the entries that wait, in the order in which they were written."""
        with store_errors():
            found = {
                str(k): str(v)
                for k, v in self._client.hgetall(keys.AthleteKeys(club, athlete).outbox).items()
            }
        entries = []
        for seq in sorted(found, key=int):
            draft = decode(found[seq], OutboxDraft)
            entries.append(
                OutboxEntry(
                    int(seq),
                    draft.club,
                    draft.athlete,
                    draft.advice_id,
                    draft.revision,
                    draft.type,
                    draft.at,
                    draft.visible,
                )
            )
        return tuple(entries)

    def done(self, club: str, athlete: str, entries: tuple[OutboxEntry, ...]) -> None:
        """Take `entries` off; others may have come meanwhile, and stay."""
        if not entries:
            return
        place = keys.AthleteKeys(club, athlete)
        index = keys.PartitionKeys(place.tag)
        self._scripts.run(
            "outbox_done", [place.outbox, index.outboxes], [place.ref, *(entry.seq for entry in entries)]
        )
