"""How services wake each other: Celery apps, task names, queues, and a send that never blocks for long.

A task is only a wake-up. The store says what is due, and the scheduler's tick finds what a lost wake-up left behind,
so nothing here needs a result backend, an ETA or a broker that never forgets.
"""

from collections.abc import Mapping
from typing import Any

import kombu.exceptions
import kombu.transport.redis
import kombu.transport.virtual
from celery import Celery, Task
from celery.signals import task_postrun, task_prerun
from celery.worker import state
from structlog.contextvars import bind_contextvars, clear_contextvars

from shared.settings import Settings

EVALUATE = "rules.evaluate"
ROUTE = "notify.route"
DELIVER = "notify.deliver"
RULES_QUEUE = "rules"
NOTIFY_QUEUE = "notify"
QUEUES: Mapping[str, str] = {EVALUATE: RULES_QUEUE, ROUTE: NOTIFY_QUEUE, DELIVER: NOTIFY_QUEUE}


class BrokerUnavailableError(Exception):
    """The broker did not take the wake-up. What it was about is in the store; the next tick will find it."""


class _ForgettingQoS(kombu.transport.redis.QoS):
    """Counts a message as done with even when the broker is away at that moment.

    Kombu (5.7) goes on counting a message whose acknowledgement failed. A worker that may have one at a time then
    never asks for another, and as it waits for nothing, it never sees that its connection is gone: it is deaf for ever.
    The broker still has the message, and gives it back after the visibility timeout.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except BaseException:
            kombu.transport.virtual.QoS.ack(self, delivery_tag)  # its own count alone
            raise


kombu.transport.redis.Channel.QoS = _ForgettingQoS  # the channel's own hook; Sentinel's channel inherits it


def celery_app(settings: Settings, name: str) -> Celery:
    """Make the Celery app of one service. Nothing connects before the first send or the worker's start."""
    app = Celery(name, broker=settings.broker, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],  # never pickle: a broker must not be able to run code in a worker
        task_ignore_result=True,
        result_backend=None,
        # Acknowledged when done: a killed worker's wake-up comes back by itself. That is a second chance, not the
        # promise; the promise is the store's dirty mark.
        task_acks_late=True,
        # A lost child's message is not requeued at once: Celery has no limit on that, and a task that kills its
        # worker would do so for ever. The dirty mark's lease brings the work back at a bounded pace.
        task_reject_on_worker_lost=False,
        # One message ahead a process: a wake-up covers many athletes, so more would only starve the other workers.
        worker_prefetch_multiplier=1,
        # Longer than any task may take (`task_time_limit`), shorter than an operator's patience.
        broker_transport_options={
            "visibility_timeout": 120,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
        },
        task_time_limit=90,
        task_soft_time_limit=60,
        worker_soft_shutdown_timeout=20,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        task_send_sent_event=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_create_missing_queues=True,
        task_routes={task: {"queue": queue} for task, queue in QUEUES.items()},
        task_default_queue=name,
        timezone="UTC",
    )
    return app


def send(app: Celery, task: str, **payload: object) -> None:
    """Put a wake-up on its queue. Raise `BrokerUnavailableError` within seconds when the broker is away."""
    try:
        app.send_task(
            task,
            kwargs=payload,
            queue=QUEUES[task],
            retry=False,
            ignore_result=True,
            # Celery would write out every argument once more, for monitors that none of the messages has to please.
            argsrepr="",
            kwargsrepr="",
        )
    except (kombu.exceptions.OperationalError, OSError) as error:
        raise BrokerUnavailableError(f"{task} was not queued: {error}") from error


def stopping() -> bool:
    """Whether this worker was told to stop, and is to begin nothing more."""
    flags: Any = state  # its types say None, for that is what they begin with
    return flags.should_stop is not None or flags.should_terminate is not None


@task_prerun.connect
def _bind_ids(task_id: str, task: "Task[Any, Any]", **_: object) -> None:
    bind_contextvars(task_id=task_id, task_name=task.name)


@task_postrun.connect
def _forget_ids(**_: object) -> None:
    clear_contextvars()
