"""Records are read by many threads of a process, also the first ones of their kind."""

import subprocess
import sys

import pytest

FIRST_READS = """
import sys, threading
from datetime import UTC, datetime
from shared.contracts.advice import Advice, AdviceRecord, AnchorRef, Because
from shared.store.codec import decode, encode

sys.setswitchinterval(1e-6)
now = datetime(2026, 3, 2, tzinfo=UTC)
because = Because(AnchorRef("each", "gym/1", now))
words = ("refuel", 1, "h", "surplus", "info", "Eat", "Eat.")
advice = Advice("adv", "clb", "ada", *words, now, now, because, "strong", ())
text = encode(AdviceRecord(advice, 0, "active", now, now))
together = threading.Barrier(8)

def read():
    together.wait()
    for _ in range(50):
        assert decode(text, AdviceRecord).advice == advice

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("process", range(8))
def test_threads_that_read_the_first_record_of_a_kind_at_once_all_read_it(process: int) -> None:
    # Without the codec's lock more than every second process dies of a segmentation fault.
    found = subprocess.run([sys.executable, "-c", FIRST_READS], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, ""), process
