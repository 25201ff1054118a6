"""Posting events to a design: as fast as it takes them, or at a pace."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from tests.load.workload import WireEvent


class Door(Protocol):
    """Where events are posted, and with which headers."""

    @property
    def url(self) -> str:
        """The base URL."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request must carry."""


def post(url: str, headers: Mapping[str, str], body: Any, path: str = "/v1/events") -> Any:
    """Post JSON over a connection of its own and return what is answered."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request(
        "POST", path, body=json.dumps(body), headers={"Content-Type": "application/json", **headers}
    )
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    if answer.status not in {201, 202}:
        raise RuntimeError(found)
    return json.loads(found)


class Kept:
    """A connection that is kept, for one request after another.

    Written and read here: http.client would cost the machine as much as a third of what it measures.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        every = {"Host": host, "Content-Type": "application/json", **headers}
        self._lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
        self._connection = socket.create_connection((host, int(port)), timeout=60)
        self._answers = self._connection.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and body of an answer whose length its head gives, as those of all designs do."""
        head = f"{method} {path} HTTP/1.1\r\n{self._lines}Content-Length: {len(body)}\r\n\r\n"
        self._connection.sendall(head.encode() + body)
        status = int(self._answers.readline().split()[1])
        length = -1
        while (line := self._answers.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, self._answers.read(length)


def feed(
    door: Door, events: Sequence[WireEvent], batch: int, connections: int = 4, rate: float | None = None
) -> dict[str, float]:
    """Post the events in order, `batch` at once, over kept connections; return when each event was to be posted.

    With `rate`, so many requests a second, whether the earlier ones were answered or not as long as a connection is
    free: the time is when a request was due, not when a connection came free for it.
    """
    bodies = [
        (
            events[start]["id"],
            json.dumps(events[start : start + batch] if batch > 1 else events[start]).encode(),
        )
        for start in range(0, len(events), batch)
    ]
    posting = _Posting(bodies, rate)
    threads = [threading.Thread(target=posting.run, args=(door,)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if posting.errors:
        raise RuntimeError(posting.errors[0])
    return posting.times


class _Posting:
    def __init__(self, bodies: Sequence[tuple[str, bytes]], rate: float | None) -> None:
        self.times: dict[str, float] = {}
        self.errors: list[object] = []
        self._left = iter(enumerate(bodies))
        self._rate = rate
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def run(self, door: Door) -> None:
        with Kept(door.url, door.headers) as connection:
            while not self.errors:
                with self._lock:
                    number, (name, body) = next(self._left, (-1, ("", b"")))
                if number < 0:
                    break
                due = time.monotonic()
                if self._rate is not None:
                    due = self._began + number / self._rate
                    time.sleep(max(0.0, due - time.monotonic()))
                self.times[name] = due
                status, found = connection.ask("POST", "/v1/events", body)
                if status != 202:
                    self.errors.append((status, found[:500]))
