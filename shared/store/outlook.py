"""Whether everything that is due has been done, and when the next thing is due: what the stepped clock's hand asks."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.instants import from_ms, to_ms
from shared.contracts.partitions import PARTITIONS
from shared.store import keys
from shared.store.scripts import Scripts


def _keys(tag: str) -> tuple[str, ...]:
    athletes, lanes = keys.PartitionKeys(tag), keys.LanePartitionKeys(tag)
    return athletes.dirty, athletes.outboxes, athletes.due, lanes.lanes, lanes.flying


# All at once: on one server a single short script. A cluster would be asked partition by partition.
_KEYS = [key for number in range(PARTITIONS) for key in _keys(f"{number:02x}")]


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
        count, due = self._scripts.run("outlook", _KEYS, [to_ms(now)])
        return Outlook(int(count), from_ms(int(due)) if due else None)
