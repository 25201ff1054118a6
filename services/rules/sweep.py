"""What a tick does for rules: wakes the athletes whose time has come, and makes good the wake-ups that were lost."""

from collections.abc import Sequence
from datetime import datetime

from celery import Celery

from shared.on_call import EVALUATION, ROUTING, OnCall, Wanted, left_to_the_tick
from shared.store.connect import Store

TICK_PATIENCE_S = 0.1
"""How long what was asked for may lie before a tick wakes another worker for it."""


def sweep(store: Store, app: Celery, now: datetime) -> int:
    """Have everybody evaluated who is due by `now`, and every outbox routed that was left. Return how many.

    Athletes whose rules have changed are due, also when whoever changed them died before saying so.
    """
    store.due.mark_changed(now)
    wanted = store.due.collect(now)
    _call(OnCall(store.calls, app, EVALUATION), wanted.evaluate)
    _call(OnCall(store.calls, app, ROUTING), wanted.route)
    return len(wanted.evaluate) + len(wanted.route)


def _call(on_call: OnCall[Wanted], wanted: Sequence[Wanted]) -> None:
    with left_to_the_tick():
        if wanted:
            on_call.call(wanted)
        # Whoever asked may have died before it woke somebody, and a worker that was counted on with what it took.
        on_call.wake(TICK_PATIENCE_S)
