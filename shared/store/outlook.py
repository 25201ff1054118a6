"""Whether everything that is due has been done, and when the next thing is due: what the stepped clock's hand asks."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.partitions import PARTITIONS
from shared.store import keys
from shared.store.codec import from_ms, to_ms
from shared.store.scripts import Scripts

_TAGS = tuple(f"{number:02x}" for number in range(PARTITIONS))
_PARTITIONS = tuple((keys.PartitionKeys(tag), keys.LanePartitionKeys(tag)) for tag in _TAGS)


@dataclass(frozen=True, slots=True)
class Outlook:
    """`waiting` athletes and lanes have something due, marked, unrouted or in flight; `next_due` is the clock's."""

    waiting: int
    next_due: datetime | None


class Outlooks:
    """Looks over all partitions of athletes and subscriptions in one round trip."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def at(self, now: datetime) -> Outlook:
        """Return how things stand at `now`."""
        answers = self._scripts.run_many(
            [
                (
                    "outlook",
                    [athletes.dirty, athletes.outboxes, athletes.due, lanes.lanes, lanes.flying],
                    [to_ms(now)],
                )
                for athletes, lanes in _PARTITIONS
            ]
        )
        dues = [int(due) for _, due in answers if due]
        return Outlook(sum(int(count) for count, _ in answers), from_ms(min(dues)) if dues else None)
