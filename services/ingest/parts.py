"""What a request may use: the settings, the store, the clock, the wake-ups and the gate, wired once a process."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Flask, current_app

from services.ingest.gate import Gate
from services.ingest.wakeups import Wakeups
from shared.clock import Clock
from shared.contracts.overrides import Override
from shared.contracts.traces import Trace
from shared.settings import Settings
from shared.store.connect import Store
from shared.store.rulebook import RuleInfo

_NAME = "tandem"


class UnknownRuleError(Exception):
    """No rule in force has that id; the text says so, with the nearest that there is."""


@dataclass(frozen=True, slots=True)
class CheckedOverride:
    """What a club's own rules change: the ids that differ from the shared rules, and what is doubtful about them."""

    rules: tuple[str, ...]
    warnings: tuple[str, ...]


class RuleDesk(Protocol):
    """What requests ask of the rules. Services do not import each other: whoever deploys them hands this over."""

    def trace(self, club: str, athlete: str, rule: str, at: datetime) -> tuple[Trace, ...]:
        """Return what `rule` found about the athlete around `at`; raise `UnknownRuleError` when there is none."""

    def rules(self, club: str) -> tuple[RuleInfo, ...]:
        """Return the rules that speak in a club, by id."""

    def check(self, club: str, own: Override) -> CheckedOverride:
        """Return what `own` changes in a club; raise `InvalidError` with every fault of it."""


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
