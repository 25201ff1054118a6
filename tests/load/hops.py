"""What Celery and the store cost by themselves: no-op tasks, two hops, and pipelined writes.

    BROKER=redis://... python -m tests.load.hops

runs the worker of the bare tasks.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import requests
from celery import Celery

from tests.load.cases import BOUNDS
from tests.load.figures import Figure
from tests.load.latency import ranks
from tests.load.plan import Sizes
from tests.load.rig import Rig, await_that, cpu_seconds, end, rig

QUEUE: Final = "bare"
_WRITE: Final = b"x" * 500
_AT_ONCE: Final = 1000


def bare_app(broker: str) -> Celery:
    """Return the bare app: `nothing`, and `first` that sends `second`, which posts."""
    app = Celery("bare", broker=broker, set_as_current=False)
    app.conf.update(task_ignore_result=True, task_acks_late=True, task_default_queue=QUEUE)
    session = requests.Session()
    session.trust_env = False

    @app.task(name="nothing")
    def nothing() -> None:
        return

    @app.task(name="first")
    def first(url: str, name: str) -> None:
        app.send_task("second", args=(url, name))

    @app.task(name="second")
    def second(url: str, name: str) -> None:
        session.post(url, json={"data": {"because": {"anchor": {"id": name}}}}, timeout=5)

    return app


def measure(sizes: Sizes) -> Iterator[Figure]:
    """Yield a figure for each bound and round."""
    with rig() as at:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.load.hops"],
            env={**os.environ, "BROKER": at.store_url},
            stdout=at.output,
            stderr=at.output,
        )
        app = bare_app(at.store_url)
        try:
            _two_hops(at, app, 20)
            for _ in range(sizes.rounds):
                yield Figure(
                    BOUNDS, "no-op tasks", "bare Celery", _nothing(at, app, sizes.of(2000), worker.pid)
                )
                yield Figure(BOUNDS, "two hops, idle", "bare Celery", _two_hops(at, app, sizes.of(100)))
                yield Figure(BOUNDS, "pipelined writes of 500 bytes", "store", _writes(at, sizes.of(200_000)))
        finally:
            app.close()
            end(worker)


def _nothing(at: Rig, app: Celery, many: int, worker: int) -> dict[str, float]:
    client = at.client()
    before = cpu_seconds({"worker": worker})
    began = time.monotonic()
    for _ in range(many):
        app.send_task("nothing")
    published = time.monotonic()
    await_that(lambda: not client.llen(QUEUE) and not client.hlen("unacked"), 60, 0.01)
    used = cpu_seconds({"worker": worker})["worker"] - before["worker"]
    return {
        "published/s": many / (published - began),
        "tasks/s": many / (time.monotonic() - began),
        "worker CPU ms a task": used * 1000 / many,
    }


def _two_hops(at: Rig, app: Celery, many: int) -> dict[str, float]:
    took = []
    for number in range(many):
        at.forget()
        began = time.monotonic()
        app.send_task("first", args=(f"{at.hook_url}/hook", str(number)))
        await_that(lambda: at.hooks() > 0, 10, 0.005)
        took.append(at.arrivals()[str(number)] - began)
        time.sleep(0.02)
    return ranks(took)


def _writes(at: Rig, many: int) -> dict[str, float]:
    client = at.client()
    began = time.monotonic()
    for _ in range(many // _AT_ONCE):
        pipeline = client.pipeline(transaction=False)
        for _ in range(_AT_ONCE):
            pipeline.rpush("writes", _WRITE)
        pipeline.execute()
    took = time.monotonic() - began
    client.delete("writes")
    return {"writes/s": many // _AT_ONCE * _AT_ONCE / took}


if __name__ == "__main__":
    _pool = ["--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    bare_app(os.environ["BROKER"]).worker_main(["worker", *_pool])
