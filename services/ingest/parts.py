"""What a request may use: the settings, the store, the clock, the wake-ups and the gate, wired once a process."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Flask, current_app

from services.ingest.gate import Gate
from services.ingest.wakeups import Wakeups
from shared.clock import Clock
from shared.contracts.traces import Trace
from shared.settings import Settings
from shared.store.connect import Store

_NAME = "tandem"


class UnknownRuleError(Exception):
    """No rule in force has that id; the text says so, with the nearest that there is."""


class RuleDesk(Protocol):
    """What requests ask of the rules. Services do not import each other: whoever deploys them hands this over."""

    def trace(self, club: str, athlete: str, rule: str, at: datetime) -> tuple[Trace, ...]:
        """Return what `rule` found about the athlete around `at`; raise `UnknownRuleError` when there is none."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The application's own parts."""

    settings: Settings
    store: Store
    clock: Clock
    wake: Wakeups
    gate: Gate
    desk: RuleDesk


def install(app: Flask, wired: Parts) -> None:
    """Give `app` its parts."""
    app.extensions[_NAME] = wired


def parts() -> Parts:
    """Return the parts of the application that answers the present request."""
    found: Parts = current_app.extensions[_NAME]
    return found
