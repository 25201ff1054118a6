"""A rules worker looks for cycles between its tasks: none is kept for long, and none is looked for in their midst."""

import subprocess
import sys

WORKER = """
import gc, weakref
from celery.signals import heartbeat_sent
from deploy.workers import collect_between_tasks

class Knot: pass

def tied():
    knot = Knot()
    knot.itself = knot
    return weakref.ref(knot)

collect_between_tasks()
knot = tied()
many = [[number] for number in range(100_000)]
assert knot() is not None, "collected in the midst of work"
heartbeat_sent.send(sender=None)
assert knot() is None, "kept after a heartbeat"
"""


def test_cycles_are_collected_at_a_workers_heartbeat_and_not_before() -> None:
    found = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
