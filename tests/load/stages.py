"""Where the time of one event goes, from the socket that brings it to the socket that its webhook leaves by.

The store sees most of what happens to an event. It is asked to tell each command as it comes (`MONITOR`), and the first
command of each stage marks its beginning. One event at a time is posted to a design that has nothing else to do.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from tests.load.cases import Name
from tests.load.designs import Design
from tests.load.feeding import feed
from tests.load.figures import Figure
from tests.load.plan import Sizes
from tests.load.rig import Rig, await_that
from tests.load.seeds import Seeds
from tests.load.workload import Workload

TOPIC = "stages"
_MARKS: Final[Mapping[Name, Sequence[tuple[str, str]]]] = {
    "plain": (
        ("ingest: read, checked, to be stored", r'"RPUSH" "history:'),
        ("ingest: stored, first task sent", r'"LPUSH" "plain"'),
        ("worker has the task", r'"HSET" "unacked"'),
        ("worker: begun, history asked for", r'"LRANGE" "history:'),
        ("worker: read and evaluated, second task sent", r'"LPUSH" "plain"'),
        ("worker has the second task", r'"HSET" "unacked"'),
    ),
    "tandem": (
        ("ingest: read, checked, to be stored", r'"EVALSHA" "\w+" "\d+" "seen:'),
        ("ingest: stored; rules worker has the call", r'"EVALSHA" "\w+" "\d+" "dirty:'),
        ("rules: athlete taken, to be read", r'"EVALSHA" "\w+" "\d+" "profile:'),
        ("rules: read and evaluated, to be committed", r'"EVALSHA" "\w+" "\d+" "meta:'),
        ("rules: committed; notify worker has the call", r'"HGETALL" "outbox:'),
        ("notify: read and routed, to be queued", r'"EVALSHA" "\w+" "\d+" "deliveries:'),
        ("notify: queued, to be claimed", r'"EVALSHA" "\w+" "\d+" "deliveries:'),
    ),
}
"""What has been done when the store first sees a command that matches, after the one before it."""
LAST: Final = "webhook signed, sent and received"
_LINE = re.compile(r"\+?(\d+\.\d+) \[\d+ [^\]]*\] (.*)")


def measure(seeds: Seeds, sizes: Sizes) -> Iterator[Figure]:
    """Yield the median time of each stage for each round; the designs run side by side, one is asked at a time."""
    telling = Workload(sizes.of(500), 150, sizes.of(100), datetime.now(UTC), one_in=1)
    with ExitStack() as stack:
        running = {name: stack.enter_context(seeds.running(name, telling)) for name in _MARKS}
        for number in range(sizes.rounds):
            for name in list(_MARKS)[:: 1 if number % 2 else -1]:
                at, design = running[name]
                live = replace(telling, live=sizes.of(100))
                found = [
                    stages(at, design, name, event) for event in live.stream(datetime.now(UTC), f"s{number}-")
                ]
                parts = [each for each in found if each is not None]
                yield Figure(
                    TOPIC, "one event, nothing else to do", name,
                    {stage: median(each[stage] for each in parts) for stage in parts[0]}
                    | {"in all": median(sum(each.values()) for each in parts), "events": len(parts)},
                )  # fmt: skip


def stages(at: Rig, design: Design, name: Name, event: dict[str, object]) -> dict[str, float] | None:
    """Post the event; return the milliseconds of each stage, None when the store saw them in another order."""
    at.forget()
    with _watching(at) as watch:
        clock = time.time() - time.monotonic()
        [posted] = feed(design, [event], 1, connections=1).values()
        await_that(lambda: at.hooks() > 0, 10, 0.005)
        time.sleep(0.02)
        arrived = at.arrivals()[str(event["id"])]
    marks = [posted + clock]
    seen = iter(watch.seen)
    for _, pattern in _MARKS[name]:
        found = next((when for when, command in seen if re.match(pattern, command)), None)
        if found is None:
            return None
        marks.append(found)
    marks.append(arrived + clock)
    names = [*(stage for stage, _ in _MARKS[name]), LAST]
    return {
        stage: (after - before) * 1000 for stage, (before, after) in zip(names, pairwise(marks), strict=True)
    }


@dataclass(slots=True)
class _Watch:
    """What the store was asked: when (seconds since 1970), and the command as it tells it."""

    seen: list[tuple[float, str]]


@contextmanager
def _watching(at: Rig) -> Iterator[_Watch]:
    """Have the store tell what it is asked, but for what scripts ask of it."""
    place = urlsplit(at.store_url)
    watch = _Watch([])
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as connection:
        connection.sendall(b"MONITOR\r\n")
        lines = connection.makefile("r", encoding="utf-8", errors="replace")
        lines.readline()

        def listen() -> None:
            for line in lines:
                found = _LINE.match(line)
                if found and " lua] " not in line:
                    watch.seen.append((float(found.group(1)), found.group(2)))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        yield watch
        connection.shutdown(socket.SHUT_RDWR)
        listener.join(5)
