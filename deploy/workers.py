"""Runs one Celery worker process, with the pool that its service's work asks for."""

import gc
import warnings
from itertools import count

from celery.exceptions import SecurityWarning
from celery.signals import heartbeat_sent, worker_ready

import services.notify.worker
import services.rules.worker
from deploy.heartbeat import beat
from shared.broker import NOTIFY_QUEUE, RULES_QUEUE
from shared.settings import Settings

_FULL = 150
"""One in so many collections looks through everything: every five minutes."""

# No gossip, no mingle: workers meet only in the store, and a start must not wait for others' answers.
_COMMON = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]


def run_worker(service: str, settings: Settings) -> None:
    """Run the worker of `service` until it is told to stop; raise `RuleFileError` when its rules are wrong."""
    if service == "rules":
        collect_between_tasks()
        # Evaluation is pure CPU: one process is one worker, and more of them are more processes or containers.
        app = services.rules.worker.make_worker(settings)
        pool = ["--pool", "solo", "--queues", RULES_QUEUE]
    else:
        # Delivery is waiting for others: many threads, so that a slow endpoint holds one of them and no more.
        app = services.notify.worker.make_worker(settings)
        pool = ["--pool", "threads", "--concurrency", str(settings.notify_threads), "--queues", NOTIFY_QUEUE]

    def alive(**_: object) -> None:
        beat(service)

    for sign in (
        worker_ready,
        heartbeat_sent,
    ):  # the second every other second, from the loop that takes tasks
        sign.connect(alive, weak=False)
    # Said to root by every worker, because of pickled tasks, which none here takes. `tandem up` says it once.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # --quiet: Celery's banner is no log line.
    app.worker_main(["--quiet", "worker", *pool, *_COMMON])  # ends the process itself


def collect_between_tasks() -> None:
    """Have Python look for cycles every other second between two tasks, and never of its own accord.

    Evaluations leave next to none. Collections in their midst, and those at the start, which leave what is kept
    scattered over the memory, cost a rules worker a fifth of its time.
    """
    gc.disable()
    beats = count(1)

    def collect(**_: object) -> None:
        gc.collect(2 if next(beats) % _FULL == 0 else 1)

    heartbeat_sent.connect(collect, weak=False)
