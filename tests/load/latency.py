"""How long from POST to webhook received, on an idle machine, beside a bare two-task Celery chain on the same broker.

    make latency

Both are measured in one run, interleaved: one event, one chain, and so on. The chain is what Celery itself costs: a
task that sends a second task, which posts to the same receiver. Prints p50, p99 and their ratios with the spread of
the rounds.
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery import Celery

from deploy import local
from deploy.demo.receiver import Received, Receiver
from shared.contracts.clubs import SCOPES
from shared.settings import read_settings
from shared.store.connect import connect

CHAIN_QUEUE = "bare-chain"


def chain_app(broker: str) -> Celery:
    """Return the bare app: `first` sends `second`, which posts."""
    app = Celery("bare", broker=broker, set_as_current=False)
    app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=1)

    @app.task(name="first")
    def first(host: str, port: int, number: int) -> None:
        app.send_task("second", args=(host, port, number), queue=CHAIN_QUEUE)

    @app.task(name="second")
    def second(host: str, port: int, number: int) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request("POST", "/chain", body=json.dumps({"number": number}))
        connection.getresponse().read()
        connection.close()

    return app


@dataclass
class Arrivals:
    """Waits for messages by what they are about."""

    seen: dict[str, float] = field(default_factory=dict)
    change: threading.Condition = field(default_factory=threading.Condition)

    def note(self, message: Received) -> None:
        """Take the time of an arrival."""
        now = time.perf_counter()
        name = str(message.body.get("number", message.body.get("subject")))
        with self.change:
            self.seen[name] = now
            self.change.notify_all()

    def wait(self, name: str) -> float:
        """Return when `name` arrived; fail after ten seconds."""
        with self.change:
            if not self.change.wait_for(lambda: name in self.seen, 10):
                raise TimeoutError(f"{name} did not arrive")
            return self.seen[name]


def events(number: int) -> list[dict[str, Any]]:
    """Return a lift and a sprint of an athlete of their own: one piece of advice."""
    now = datetime.now(UTC)

    def workout(name: str, ended_min: int, minutes: int, **data: Any) -> dict[str, Any]:
        start = (now - timedelta(minutes=ended_min + minutes)).isoformat()
        about = {
            "id": f"{name}-{number}",
            "type": "workout.completed",
            "subject": f"a{number}",
            "time": start,
        }
        return {**about, "data": {"duration_s": minutes * 60, **data}}

    return [
        workout("lift", 90, 60, activity="strength"),
        workout("run", 10, 20, activity="run", intensity="sprint"),
    ]


def measure(rounds: int) -> None:
    """Run both, interleaved, and print what came of it."""
    receiver, arrivals = Receiver(), Arrivals()
    receiver.on_message = arrivals.note
    receiver.start()
    host, port = receiver.base_url.removeprefix("http://").split(":")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as output:
        environ = {"TANDEM_DATA_DIR": folder, "TANDEM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8"}
        tree = local.start(read_settings(environ), 0, environ=environ, output=output)
        store = connect(str(tree.settings.redis_url))
        club = store.clubs.create("Latency", datetime.now(UTC))
        _, token = store.clubs.issue_key(club.id, "bench", SCOPES, datetime.now(UTC))
        broker = str(tree.settings.redis_url)
        worker = [sys.executable, "-m", "tests.load.latency", "--chain-worker"]
        chain = subprocess.Popen(
            worker, env={**os.environ, "BROKER": broker}, stdout=output, stderr=output, start_new_session=True
        )
        app = chain_app(broker)
        try:
            connection = http.client.HTTPConnection(tree.url.removeprefix("http://"), timeout=10)

            def call(path: str, body: object) -> Any:
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                connection.request("POST", path, body=json.dumps(body), headers=headers)
                answer = connection.getresponse()
                found = json.loads(answer.read())
                if answer.status not in {201, 202}:
                    raise RuntimeError(found)
                return found

            made = call("/v1/subscriptions", {"channel": "webhook", "target": f"{receiver.base_url}/webhook"})
            receiver.secret = made["secret"]
            ours, bare = [], []
            for number in range(-10, rounds):  # the first ten warm both up
                lift, run = events(number)
                call("/v1/events", lift)
                time.sleep(0.03)  # the lift's own evaluation is over before the sprint comes
                began = time.perf_counter()
                call("/v1/events", run)
                took = arrivals.wait(f"a{number}") - began
                began = time.perf_counter()
                app.send_task("first", args=(host, int(port), number), queue=CHAIN_QUEUE)
                base = arrivals.wait(str(number)) - began
                if number >= 0:
                    ours.append(took * 1000)
                    bare.append(base * 1000)
            report(ours, bare)
        finally:
            os.killpg(chain.pid, signal.SIGTERM)
            chain.wait(20)
            app.close()
            store.close()
            tree.stop()
            receiver.stop()


def report(ours: list[float], bare: list[float]) -> None:
    """Print percentiles in ms, and the ratio of the two by fifths of the run."""
    for name, values in (("tandem: POST to webhook received", ours), ("bare two-task Celery chain", bare)):
        ranks = statistics.quantiles(values, n=100)
        print(f"{name:34} p50 {ranks[49]:6.1f} ms   p99 {ranks[98]:6.1f} ms   ({len(values)} rounds)")  # noqa: T201
    size = max(1, len(ours) // 5)
    ratios = [
        statistics.median(ours[start : start + size]) / statistics.median(bare[start : start + size])
        for start in range(0, size * 5, size)
    ]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"ratio of medians {statistics.median(ratios):.2f} (by fifths of the run {spread})")  # noqa: T201


def main() -> None:
    """Measure, or be the chain's worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--chain-worker", action="store_true")
    chosen = parser.parse_args()
    if chosen.chain_worker:
        plain = [
            "worker",
            "--pool",
            "solo",
            "--queues",
            CHAIN_QUEUE,
            "--loglevel",
            "WARNING",
            "--without-gossip",
        ]
        chain_app(os.environ["BROKER"]).worker_main([*plain, "--without-mingle"])
    else:
        measure(chosen.rounds)


if __name__ == "__main__":
    main()
