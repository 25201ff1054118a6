"""A real worker on a real broker: hanging receivers beside a healthy one."""

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker

from services.notify.worker import make_worker
from shared.broker import DELIVER, NOTIFY_QUEUE, send
from shared.on_call import ROUTING, OnCall
from tests.notify.conftest import CLUB, Bench, Endpoint


def working(app: Celery, threads: int) -> AbstractContextManager[object]:
    """Run a worker of so many threads in this process."""
    found: AbstractContextManager[object] = start_worker(
        app,
        pool="threads",
        concurrency=threads,
        perform_ping_check=False,
        queues=[NOTIFY_QUEUE],
        shutdown_timeout=30,
    )
    return found


def test_receivers_that_hang_delay_nobody_else(bench: Bench, endpoint: Endpoint) -> None:
    release = threading.Event()

    def hang(handler: Any) -> None:
        release.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    bench.clock.instant = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    hanging = [
        bench.subscribe(target=f"{endpoint.url}/hang/{number}", categories=("surplus",))
        for number in range(5)
    ]
    endpoint.answers = [hang] * 20
    for number in range(4):
        bench.advise(anchor=f"gym\x1f{number}", expires=timedelta(days=10_000))
    app = make_worker(replace(bench.settings, notify_threads=64))
    routing = OnCall(bench.store.calls, app, ROUTING)
    with working(app, threads=64):
        routing.call([(CLUB, "ada")])
        while len(endpoint.requests) < 5:
            time.sleep(0.01)
        for each in hanging * 3:  # each takes the four places that one endpoint may have
            send(app, DELIVER, subscriptions=[[CLUB, each.id]])
        while len(endpoint.requests) < 20:
            time.sleep(0.01)
        healthy = bench.subscribe(target=f"{endpoint.url}/healthy", categories=("hydration",))
        bench.advise(anchor="gym\x1fhealthy", category="hydration", expires=timedelta(days=10_000))
        routing.call([(CLUB, "ada")])
        while not any(each.state == "delivered" for each in bench.deliveries(healthy)):
            time.sleep(0.01)
        assert {each.state for one in hanging for each in bench.deliveries(one)} == {"pending"}
        release.set()
        while {each.state for one in hanging for each in bench.deliveries(one)} != {"delivered"}:
            time.sleep(0.01)
    app.close()
    assert len(endpoint.requests) == 21


def test_an_only_thread_never_stands_by_while_deliveries_are_to_be_begun(
    bench: Bench, endpoint: Endpoint
) -> None:
    bench.clock.instant = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    told = bench.subscribe(target=f"{endpoint.url}/hook")
    bench.store.client.config_resetstat()
    app = make_worker(replace(bench.settings, notify_threads=1))
    routing = OnCall(bench.store.calls, app, ROUTING)
    with working(app, threads=1):
        for number in range(3):
            bench.advise(anchor=f"gym\x1f{number}", expires=timedelta(days=10_000))
            routing.call([(CLUB, "ada")])
            while len(endpoint.requests) <= number:
                time.sleep(0.01)
    app.close()
    assert [each.state for each in bench.deliveries(told)] == ["delivered"] * 3
    assert "cmdstat_bzmpop" not in bench.store.client.info("commandstats")
