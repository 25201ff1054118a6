"""What a tick does for rules: wakes the athletes whose time has come, and makes good the wake-ups that were lost."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from celery import Celery

from shared.broker import EVALUATE, ROUTE, BrokerUnavailableError, send
from shared.store.connect import Store

ATHLETES_A_WAKE_UP = 50
"""Few enough that several workers share a burst, many enough that the queue's cost is spread."""

log = structlog.get_logger()


def sweep(store: Store, app: Celery, now: datetime) -> int:
    """Wake every athlete due by `now` and every outbox that was left unrouted. Return how many were woken.

    Athletes whose rules have changed are due, also when whoever changed them died before saying so.
    """
    store.due.mark_changed(now)
    wanted = store.due.collect(now)
    wake(app, EVALUATE, wanted.evaluate)
    wake(app, ROUTE, wanted.route)
    return len(wanted.evaluate) + len(wanted.route)


def wake(app: Celery, task: str, athletes: Sequence[tuple[str, str]]) -> None:
    """Send `task` for `athletes`, given as (club, athlete). A broker that is away costs time, not work."""
    for start in range(0, len(athletes), ATHLETES_A_WAKE_UP):
        part = athletes[start : start + ATHLETES_A_WAKE_UP]
        try:
            send(app, task, athletes=part)
        except BrokerUnavailableError as error:
            log.warning("wake_up.lost", task=task, athletes=len(athletes) - start, error=str(error))
            return
