"""How many events a club may post a second."""

from shared.store import keys
from shared.store.scripts import Scripts


class Limits:
    """Token buckets, one a club, each holding one second's worth."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def take(self, club: str, events: int, per_second: int) -> float:
        """Take `events` from the club's allowance. Return 0 when there were enough, else the seconds to wait."""
        wait_ms = self._scripts.run("take_tokens", [keys.rate_limit(club)], [per_second, events])
        return int(wait_ms) / 1000
