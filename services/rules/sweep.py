"""What a tick does for rules: wakes the athletes whose time has come, and makes good the wake-ups that were lost."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from celery import Celery

from shared.broker import EVALUATE, ROUTE, BrokerUnavailableError, send
from shared.store.connect import Store

ATHLETES_A_WAKE_UP = 50
"""Few enough that several workers share a burst, many enough that the queue's cost is spread."""
PARTITIONS_A_WAKE_UP = 4
"""The same; what a worker does not get done in its slice of time it hands on one by one."""

log = structlog.get_logger()


def sweep(store: Store, app: Celery, now: datetime) -> int:
    """Wake the partitions with athletes due by `now`, and every outbox that was left unrouted. Return how many.

    Athletes whose rules have changed are due, also when whoever changed them died before saying so.
    """
    store.due.mark_changed(now)
    wanted = store.due.collect(now)
    wake_evaluation(app, wanted.evaluate, PARTITIONS_A_WAKE_UP)
    wake_routing(app, wanted.route)
    return len(wanted.evaluate) + len(wanted.route)


def wake_routing(app: Celery, athletes: Sequence[tuple[str, str]]) -> None:
    """Have the outboxes of (club, athlete) routed. A broker that is away costs time, not work."""
    _send(app, ROUTE, "athletes", athletes, ATHLETES_A_WAKE_UP)


def wake_evaluation(app: Celery, partitions: Sequence[int], together: int = 1) -> None:
    """Have the athletes who wait in these partitions evaluated, `together` of them by one worker."""
    _send(app, EVALUATE, "partitions", partitions, together)


def _send(app: Celery, task: str, name: str, wanted: Sequence[object], together: int) -> None:
    for start in range(0, len(wanted), together):
        try:
            send(app, task, **{name: wanted[start : start + together]})
        except BrokerUnavailableError as error:
            log.warning("wake_up.lost", task=task, lost=len(wanted) - start, error=str(error))
            return
