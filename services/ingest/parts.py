"""What a request may use: the settings, the store, the clock, the wake-ups and the gate, wired once a process."""

from dataclasses import dataclass

from flask import Flask, current_app

from services.ingest.gate import Gate
from services.ingest.wakeups import Wakeups
from shared.clock import Clock
from shared.settings import Settings
from shared.store.connect import Store

_NAME = "tandem"


@dataclass(frozen=True, slots=True)
class Parts:
    """The application's own parts."""

    settings: Settings
    store: Store
    clock: Clock
    wake: Wakeups
    gate: Gate


def install(app: Flask, wired: Parts) -> None:
    """Give `app` its parts."""
    app.extensions[_NAME] = wired


def parts() -> Parts:
    """Return the parts of the application that answers the present request."""
    found: Parts = current_app.extensions[_NAME]
    return found
