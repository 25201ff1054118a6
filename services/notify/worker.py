"""The notify worker's composition root: settings in, a Celery app out, connections made in the worker itself."""

import threading
from functools import cache

from celery import Celery

from services.notify.channels.registry import senders
from services.notify.tasks import NotifyShell
from shared.broker import DELIVER, ROUTE, celery_app
from shared.clock import clock_for
from shared.settings import Settings
from shared.store.connect import connect


def make_worker(settings: Settings) -> Celery:
    """Return the Celery app that routes and delivers. `settings.redis_url` must be set."""
    app = celery_app(settings, "notify")

    lock = threading.Lock()

    @cache
    def build() -> NotifyShell:
        store = connect(str(settings.redis_url))
        return NotifyShell(store, clock_for(settings, store), senders(settings, store), app)

    def shell() -> NotifyShell:
        with lock:  # many threads may bring the first task
            return build()

    @app.task(name=ROUTE, shared=False)  # or Celery gives it to every app of the process
    def route(athletes: list[tuple[str, str]]) -> None:
        shell().route([(club, athlete) for club, athlete in athletes])

    @app.task(name=DELIVER, shared=False)
    def deliver(subscriptions: list[tuple[str, str]]) -> None:
        shell().deliver([(club, subscription) for club, subscription in subscriptions])

    return app
