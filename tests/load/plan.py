"""How much is measured: how many rounds, and whether at full size or only to see that all of it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """`rounds` of what is quick, `few` of what takes long. `quick`: a tenth of each number of events and athletes."""

    rounds: int = 5
    quick: bool = False
    most_athletes: int = 200_000

    @property
    def few(self) -> int:
        """Rounds of what takes long."""
        return -(-self.rounds // 2)

    @property
    def more(self) -> int:
        """Rounds of what lies near its threshold, where the median of few hangs on the machine's mood."""
        return self.rounds + 2

    def of(self, full: int, least: int = 20) -> int:
        """Return how many to take where a whole run takes `full`."""
        return max(least, full // 10) if self.quick else full
