"""What a tick does for rules: wakes the athletes whose time has come, and makes good the wake-ups that were lost."""

from datetime import datetime

import structlog
from celery import Celery

from shared.broker import BrokerUnavailableError
from shared.on_call import EVALUATION, ROUTING, OnCall
from shared.store.connect import Store

TICK_PATIENCE_S = 0.1
"""How long what was asked for may lie before a tick wakes another worker for it."""

log = structlog.get_logger()


def sweep(store: Store, app: Celery, now: datetime) -> int:
    """Have everybody evaluated who is due by `now`, and every outbox routed that was left. Return how many.

    Athletes whose rules have changed are due, also when whoever changed them died before saying so.
    """
    store.due.mark_changed(now)
    wanted = store.due.collect(now)
    evaluation, routing = OnCall(store.calls, app, EVALUATION), OnCall(store.calls, app, ROUTING)
    try:
        if wanted.evaluate:
            evaluation.call(wanted.evaluate)
        if wanted.route:
            routing.call(wanted.route)
        # Whoever asked may have died before it woke somebody, and a worker that was counted on with what it took.
        for each in (evaluation, routing):
            each.wake(TICK_PATIENCE_S)
    except BrokerUnavailableError as error:
        log.warning("wake_up.lost", lost=len(wanted.evaluate) + len(wanted.route), error=str(error))
    return len(wanted.evaluate) + len(wanted.route)
