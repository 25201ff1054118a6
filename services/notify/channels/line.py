"""A connection to one judged address, on which everything together ends by a deadline, and which may be used again."""

import http.client
import io
import socket
import threading
import time
import weakref
from typing import Any

from shared.guard import Target

IDLE_S = 1.5
"""How long a line is kept unused: less than the least that servers commonly wait (gunicorn: 2 s)."""
OLDEST_S = 30.0
"""How long a line is used at all: a name that has moved is followed, and a certificate looked at again, by then."""
MOST_KEPT = 256
"""Well under the files that a process may have open."""


class Line(http.client.HTTPConnection):
    """Speaks HTTP over a socket that was connected to a judged address. It never connects by itself."""

    auto_open = 0  # http.client would look the name up anew, unjudged

    def __init__(self, connected: socket.socket, target: Target) -> None:
        super().__init__(target.host, target.port)
        self._wire = _Wire(connected)
        self.sock: Any = self._wire  # http.client forgets it when the answer says `Connection: close`
        self._unsent = b""
        self.made = self.used = time.monotonic()
        weakref.finalize(self, connected.close)

    def send(self, data: Any) -> None:  # noqa: ANN401 - whatever http.client sends
        """Put by what http.client would write: head and body by themselves, each of which wakes the receiver."""
        self._unsent += data

    def getresponse(self) -> http.client.HTTPResponse:
        """Send the whole request in one write, and return the answer."""
        whole, self._unsent = self._unsent, b""
        self._wire.sendall(whole)
        return super().getresponse()

    def ends_by(self, deadline: float) -> None:
        """Give the next exchange until `deadline`, on the monotonic clock: all of it, not each byte."""
        self._wire.deadline = deadline

    @property
    def kept_open(self) -> bool:
        """Whether the last answer did not say that the connection ends with it."""
        return self.sock is not None

    @property
    def quiet(self) -> bool:
        """Whether the other side has neither hung up meanwhile nor said what nobody asked for."""
        return self._wire.quiet()

    def hang_up(self) -> None:
        """Close the connection."""
        self._wire.connected.close()


class _Wire:
    """The socket, as far as http.client needs one. Its own timeout would count anew from each byte."""

    def __init__(self, connected: socket.socket) -> None:
        self.connected = connected
        self.deadline = 0.0

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wait()
            rest = rest[self.connected.send(rest) :]

    def receive_into(self, buffer: Any) -> int:  # noqa: ANN401 - whatever io.BufferedReader hands down
        self._wait()
        return self.connected.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Do nothing: http.client lets go while it still reads. Whoever made the line hangs up."""

    def quiet(self) -> bool:
        """Whether there is nothing to read: neither an end nor a word that nobody asked for."""
        try:
            self.connected.settimeout(0)
            # Beneath TLS too: an end or a word of any kind shows there.
            socket.socket.recv(self.connected, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _wait(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connected.settimeout(left)


class _Incoming(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        return self._wire.receive_into(buffer)


class Lines:
    """Lines that are kept for the next request to the same place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, int], list[Line]] = {}
        self._count = 0
        self._looked = time.monotonic()

    def take(self, target: Target) -> Line | None:
        """Return a line to the target's host and port that can be used, or None."""
        while True:
            with self._lock:
                self._drop_old()
                kept = self._kept.get(_place(target))
                line = kept.pop() if kept else None
                self._count -= line is not None
            if line is None or (_young(line) and line.quiet):
                return line
            line.hang_up()

    def keep(self, target: Target, line: Line) -> None:
        """Keep a line for the next request; hang up when there are as many as may be."""
        line.used = time.monotonic()
        with self._lock:
            self._drop_old()
            if self._count < MOST_KEPT:
                self._kept.setdefault(_place(target), []).append(line)
                self._count += 1
                return
        line.hang_up()

    def _drop_old(self) -> None:
        now = time.monotonic()
        if now - self._looked < IDLE_S:
            return
        self._looked = now
        lines = [(place, line) for place, kept in self._kept.items() for line in kept]
        self._kept, self._count = {}, 0
        for place, line in lines:
            if _young(line):
                self._kept.setdefault(place, []).append(line)
                self._count += 1
            else:
                line.hang_up()


def _place(target: Target) -> tuple[str, str, int]:
    return target.scheme, target.host, target.port


def _young(line: Line) -> bool:
    now = time.monotonic()
    return now - line.used < IDLE_S and now - line.made < OLDEST_S
