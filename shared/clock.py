"""What time it is: the system's clock, or in the demo and the tests one that is held in the store and stepped."""

from datetime import UTC, datetime
from typing import Protocol

from shared.settings import Settings
from shared.store.connect import Store


class Clock(Protocol):
    """The one source of "now" for the shell; everything below takes the instant as an argument."""

    def now(self) -> datetime:
        """Return the present as an aware UTC instant in whole milliseconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present as an aware UTC instant in whole milliseconds."""
        present = datetime.now(UTC)
        return present.replace(microsecond=present.microsecond // 1000 * 1000)


class SteppedClock:
    """A clock that stands still until it is set, the same for every process on the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """Return the instant the clock was last set to; before that, the system's."""
        return self._store.clock.read() or SystemClock().now()


def clock_for(settings: Settings, store: Store) -> Clock:
    """The stepped clock where TANDEM_STEPPED_CLOCK asks for it (demo and tests), else the system's."""
    return SteppedClock(store) if settings.stepped_clock else SystemClock()
