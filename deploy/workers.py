"""Runs one Celery worker process, with the pool that its service's work asks for."""

import structlog

import services.notify.worker
import services.rules.worker
from services.rules.language.load import RuleFileError
from shared.broker import NOTIFY_QUEUE, RULES_QUEUE
from shared.settings import Settings

log = structlog.get_logger()

# No gossip, no mingle: workers meet only in the store, and a start must not wait for others' answers.
_COMMON = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]


def run_worker(service: str, settings: Settings) -> int:
    """Run the worker of `service` until it is told to stop. Return the process's exit status."""
    if service == "rules":
        # Evaluation is pure CPU: one process is one worker, and more of them are more processes or containers.
        try:
            app = services.rules.worker.make_worker(settings)
        except RuleFileError as error:
            log.error("rules.files_wrong", error=str(error))  # noqa: TRY400 - the faults, not the traceback, help
            return 2
        pool = ["--pool", "solo", "--queues", RULES_QUEUE]
    else:
        # Delivery is waiting for others: many threads, so that a slow endpoint holds one of them and no more.
        app = services.notify.worker.make_worker(settings)
        pool = ["--pool", "threads", "--concurrency", str(settings.notify_threads), "--queues", NOTIFY_QUEUE]
    app.worker_main(["worker", *pool, *_COMMON])
    return 0
