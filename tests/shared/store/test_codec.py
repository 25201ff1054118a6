"""Records are read by many threads of a process, also the first ones of their kind; many are read as one by one."""

import subprocess
import sys

import pytest

from shared.store.codec import CorruptRecordError, decode, decode_many, encode
from shared.store.timelines import Evaluated
from tests.rules.engine.diary import at

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


def test_many_records_are_read_as_one_by_one_and_the_one_that_is_wrong_is_told() -> None:
    texts = [encode(Evaluated(at("2026-03-14T17:00Z"), f"v{number}")) for number in range(3)]
    assert decode_many(f"[{','.join(texts)}]", Evaluated) == tuple(decode(text, Evaluated) for text in texts)
    assert decode_many("[]", Evaluated) == ()
    with pytest.raises(CorruptRecordError, match=r'found .{"at":1}.'):
        decode_many(f'[{texts[0]},{{"at":1}},{texts[2]}]', Evaluated)
    with pytest.raises(CorruptRecordError, match="not all JSON"):
        decode_many(f"[{texts[0]},]", Evaluated)
