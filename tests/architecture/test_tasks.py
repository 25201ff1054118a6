"""Services meet by task name only: every name that is sent is consumed, on the queue that its worker reads."""

import pytest

import services.notify.worker
import services.rules.worker
from shared import broker
from shared.settings import read_settings


@pytest.fixture
def consumed(store_url: str) -> dict[str, str]:
    """Task names by the queue of the worker that knows them, from the workers' own composition roots."""
    settings = read_settings({"TANDEM_REDIS_URL": store_url})
    workers = {
        broker.RULES_QUEUE: services.rules.worker.make_worker(settings),
        broker.NOTIFY_QUEUE: services.notify.worker.make_worker(settings),
    }
    return {
        name: queue for queue, app in workers.items() for name in app.tasks if not name.startswith("celery.")
    }


def test_every_task_that_can_be_sent_is_consumed_from_the_queue_it_is_sent_to(
    consumed: dict[str, str],
) -> None:
    assert consumed == dict(broker.QUEUES)
