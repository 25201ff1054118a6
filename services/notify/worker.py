"""The notify worker's composition root: settings in, a Celery app out, connections made in the worker itself."""

import threading
from functools import cache

from celery import Celery

from services.notify.channels.registry import senders
from services.notify.tasks import NotifyShell
from shared.broker import DELIVER, ROUTE, celery_app, stopping
from shared.clock import clock_for
from shared.on_call import ROUTING, OnCall
from shared.settings import Settings
from shared.store.connect import connect


def make_worker(settings: Settings) -> Celery:
    """Return the Celery app that routes and delivers. `settings.redis_url` must be set."""
    app = celery_app(settings, "notify")

    lock = threading.Lock()

    @cache
    def build() -> tuple[NotifyShell, OnCall[tuple[str, str]]]:
        store = connect(str(settings.redis_url))
        shell = NotifyShell(store, clock_for(settings, store), senders(settings, store), app)
        return shell, OnCall(store.calls, app, ROUTING)

    def built() -> tuple[NotifyShell, OnCall[tuple[str, str]]]:
        with lock:  # many threads may bring the first task
            return build()

    @app.task(name=ROUTE, shared=False)  # or Celery gives it to every app of the process
    def route() -> None:
        shell, on_call = built()
        # An only thread has deliveries to begin, and cannot stand by.
        on_call.serve(shell.route, stopping if settings.notify_threads > 1 else lambda: True)

    @app.task(name=DELIVER, shared=False)
    def deliver(subscriptions: list[tuple[str, str]]) -> None:
        shell, _ = built()
        shell.deliver([(club, subscription) for club, subscription in subscriptions])

    return app
