"""Which of the fixed partitions an athlete or a subscription belongs to.

All keys of one athlete, and the index that says the athlete is due, carry the partition as their hash tag. They lie
in one slot of a cluster, so the write that makes 202 a promise stays atomic there, and 16 nodes can share the load.
A tick looks into every partition, so more of them would cost an idle machine more.
"""

import zlib

PARTITIONS = 16
"""Fixed for the life of a store: ids name their partition."""


def partition_of_athlete(club: str, athlete: str) -> int:
    """0 to 15, the same on every machine and in every process."""
    return zlib.crc32(f"{club}/{athlete}".encode()) % PARTITIONS


def partition_of_subscription(subscription: str) -> int:
    """0 to 15, the same on every machine and in every process."""
    return zlib.crc32(subscription.encode()) % PARTITIONS
