"""What a tick does for rules: wakes the athletes whose time has come, and makes good the wake-ups that were lost."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from celery import Celery

from shared.broker import BrokerUnavailableError
from shared.on_call import EVALUATION, ROUTING, OnCall, Wanted
from shared.store.connect import Store

log = structlog.get_logger()


def sweep(store: Store, app: Celery, now: datetime) -> int:
    """Wake the partitions with athletes due by `now`, and every outbox that was left unrouted. Return how many.

    Athletes whose rules have changed are due, also when whoever changed them died before saying so.
    """
    store.due.mark_changed(now)
    wanted = store.due.collect(now)
    wake_evaluation(store, app, wanted.evaluate)
    wake_routing(store, app, wanted.route)
    return len(wanted.evaluate) + len(wanted.route)


def wake_routing(store: Store, app: Celery, athletes: Sequence[tuple[str, str]]) -> None:
    """Have the outboxes of (club, athlete) routed. A broker that is away costs time, not work."""
    _call(OnCall(store.calls, app, ROUTING), athletes)


def wake_evaluation(store: Store, app: Celery, partitions: Sequence[int]) -> None:
    """Have the athletes who wait in these partitions evaluated."""
    _call(OnCall(store.calls, app, EVALUATION), partitions)


def _call(on_call: OnCall[Wanted], wanted: Sequence[Wanted]) -> None:
    if not wanted:
        return
    try:
        on_call.call(wanted)
    except BrokerUnavailableError as error:
        log.warning("wake_up.lost", lost=len(wanted), error=str(error))
