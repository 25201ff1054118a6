"""The rules worker's composition root: settings in, a Celery app out, connections made in the worker itself."""

from functools import cache

import structlog
from celery import Celery

from services.rules.rulebook import GoverningRules, install, rule_paths
from services.rules.tasks import RulesShell
from shared.broker import EVALUATE, celery_app, stopping
from shared.clock import clock_for
from shared.on_call import EVALUATION, OnCall
from shared.settings import Settings
from shared.store.connect import connect

log = structlog.get_logger()


def make_worker(settings: Settings) -> Celery:
    """Return the Celery app whose one task evaluates who waits in partitions of athletes.

    `settings.redis_url` must be set. Raise `RuleFileError` when the rule files are wrong and `StoreUnavailableError`
    when the store is away: a worker that could not do its work does not start.
    """
    app = celery_app(settings, "rules")

    @cache
    def shell() -> RulesShell:
        store = connect(str(settings.redis_url))
        return RulesShell(store, clock_for(settings, store), GoverningRules(store).knowing(installed), app)

    @cache
    def on_call() -> OnCall[int]:
        return OnCall(shell().store.calls, app, EVALUATION)

    @app.task(name=EVALUATE, shared=False)  # or Celery gives it to every app of the process
    def evaluate() -> None:
        on_call().serve(shell().drain, stopping)

    store = connect(str(settings.redis_url))
    installed = install(rule_paths(settings), store, clock_for(settings, store).now())
    store.close()
    return app
