"""What a tick does for notify: wakes the lanes with something due, and those whose worker died in mid-delivery."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from celery import Celery

from shared.broker import DELIVER, BrokerUnavailableError, send
from shared.store.connect import Store

log = structlog.get_logger()


def sweep(store: Store, app: Celery, now: datetime) -> int:
    """Wake every lane that has something to send by `now`. Return how many were woken."""
    lanes = store.deliveries.collect(now)
    wake(app, lanes)
    return len(lanes)


def wake(app: Celery, lanes: Sequence[tuple[str, str]]) -> None:
    """Send `notify.deliver` for `lanes`, given as (club, subscription). A broker that is away costs time, not work.

    One lane a wake-up: a lane that hangs on a slow endpoint must not hold another's.
    """
    for sent, lane in enumerate(lanes):
        try:
            send(app, DELIVER, subscriptions=[lane])
        except BrokerUnavailableError as error:
            log.warning("wake_up.lost", task=DELIVER, lanes=len(lanes) - sent, error=str(error))
            return
