"""What rules have decided and notify has not yet routed: written with the advice, taken off when routed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from shared.contracts.advice import AdviceEventType
from shared.store import keys
from shared.store.codec import decode
from shared.store.line import Line, Reading
from shared.store.scripts import Call, Scripts

T = TypeVar("T")


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

    def __init__(self, line: Line, scripts: Scripts) -> None:
        self._line = line
        self._scripts = scripts

    def read(self, club: str, athlete: str) -> tuple[OutboxEntry, ...]:
        """Return the entries that wait, in the order in which they were written."""
        return self._line.read(waiting([(club, athlete)]))[0]

    def done(self, entries: Sequence[OutboxEntry]) -> None:
        """Take `entries` off, in one round trip; others may have come meanwhile, and stay."""
        self.done_and_read(entries, Reading((), lambda _: None))

    def done_and_read(self, entries: Sequence[OutboxEntry], reading: Reading[T]) -> T:
        """`done`, and then read something else, in one round trip."""
        calls = _done_calls(entries)
        if not calls:
            return self._line.read(reading)
        return reading.told(self._scripts.run_many(calls, then=reading.commands)[len(calls) :])


def waiting(athletes: Sequence[tuple[str, str]]) -> Reading[list[tuple[OutboxEntry, ...]]]:
    """Read what waits of each (club, athlete), in the order in which it was written."""

    def told(answers: list[Any]) -> list[tuple[OutboxEntry, ...]]:
        return [tuple(_entry(seq, each[seq]) for seq in sorted(each, key=int)) for each in answers]

    return Reading([("HGETALL", keys.AthleteKeys(*athlete).outbox) for athlete in athletes], told)


def _done_calls(entries: Sequence[OutboxEntry]) -> list[Call]:
    calls: list[Call] = []
    for (club, athlete), group in groupby(entries, key=attrgetter("club", "athlete")):
        place = keys.AthleteKeys(club, athlete)
        index = keys.PartitionKeys(place.tag)
        sequences = [entry.seq for entry in group]
        calls.append(("outbox_done", [place.outbox, index.outboxes], [place.ref, *sequences]))
    return calls


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
