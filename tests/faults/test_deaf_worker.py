"""A broker that is away while a worker acknowledges: the worker must hear of the next task all the same."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedStore, claim_place
from shared.broker import EVALUATE, celery_app, send
from shared.settings import read_settings

pytestmark = pytest.mark.timeout(120)

WORKER = f"""
import pathlib, sys, time
from shared.broker import celery_app
from shared.settings import read_settings

folder = pathlib.Path(sys.argv[1])
app = celery_app(read_settings({{"TANDEM_REDIS_URL": sys.argv[2]}}), "rules")

@app.task(name="{EVALUATE}")
def evaluate(name):
    (folder / f"{{name}}.began").touch()
    while (folder / f"{{name}}.wait").exists():
        time.sleep(0.02)
    (folder / f"{{name}}.done").touch()

app.worker_main(["--quiet", "worker", "--pool", sys.argv[3], "--concurrency", "1", "--queues", "rules",
                 "--without-gossip", "--without-mingle", "--loglevel", "WARNING"])
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[EmbeddedStore]:
    claimed = claim_place(tmp_path / "store")
    yield claimed
    claimed.close()


@contextmanager
def process(*command: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with (log or Path(os.devnull)).open("wb") as output:
        started = subprocess.Popen([sys.executable, *command], stdout=output, stderr=output)
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def until(true: Callable[[], bool], what: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_a_worker_whose_acknowledgement_failed_takes_the_next_task(
    place: EmbeddedStore, tmp_path: Path, pool: str
) -> None:
    app = celery_app(read_settings({"TANDEM_REDIS_URL": place.url}), "test")
    log = tmp_path / "worker.log"
    (tmp_path / "first.wait").touch()
    with process("-c", WORKER, str(tmp_path), place.url, pool, log=log):
        with process("-m", "deploy.store_process", str(place.config)) as store:
            place.await_answer()
            send(app, EVALUATE, name="first")
            until((tmp_path / "first.began").exists, "the first task never began")
            store.kill()
            store.wait()
            (tmp_path / "first.wait").unlink()
            until(lambda: "Couldn't ack" in log.read_text(), "the acknowledgement did not fail")
        with process("-m", "deploy.store_process", str(place.config)):
            place.await_answer()
            send(app, EVALUATE, name="second")
            until((tmp_path / "second.done").exists, "the worker is deaf")
