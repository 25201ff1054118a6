"""What has become of deliveries: counted in memory, and written down in a trip that is made anyway."""

from collections import Counter

from shared.store.counters import Sample


class Tally:
    """Counts by channel, outcome and reason."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, channel: str, outcome: str, reason: str) -> None:
        """Count one more."""
        self.counts[channel, outcome, reason] += 1

    def add(self, other: "Tally") -> None:
        """Count what another has counted."""
        self.counts += other.counts

    def take(self) -> list[Sample]:
        """Return what was counted since this was last asked."""
        counts, self.counts = self.counts, Counter()
        return [
            Sample("deliveries_total", {"channel": channel, "outcome": outcome, "reason": reason}, amount)
            for (channel, outcome, reason), amount in counts.items()
        ]
