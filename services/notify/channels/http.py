"""One outgoing HTTP request: to a judged address, within bounds of time and size, never following anyone anywhere."""

import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from services.notify.channels.line import Line, Lines
from services.notify.channels.message import Sent, TransportError
from services.notify.schedule import retry_after
from shared.guard import (
    Resolve,
    Target,
    TargetRefusedError,
    UnresolvedError,
    judged_addresses,
    read_url,
    resolve,
)
from shared.settings import Network

CONNECT_S = 5.0
WHOLE_S = 15.0
MOST_BYTES = 64 * 1024
_RETRIED = frozenset({408, 425, 429})
_GONE = 410


@dataclass(frozen=True, slots=True)
class _Request:
    target: Target
    body: bytes
    headers: Mapping[str, str]
    named: bool
    deadline: float


@dataclass(frozen=True)  # no slots: the TLS context is made when it is first needed
class Poster:
    """Posts to URLs that the guard lets pass. Every connection goes to an address that was judged for it."""

    allowed: Sequence[Network]
    look_up: Resolve = resolve
    whole_s: float = WHOLE_S
    lines: Lines = field(default_factory=Lines)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], now: datetime, *, named: bool = False
    ) -> Sent:
        """Post once; return a 2xx answer, else raise `TransportError` that says whether to try again.

        `named`: `headers` hold a name by which the receiver knows a repeat. Such a request may go over the connection
        of an earlier one, and when the other side has closed that one meanwhile, over a new one at once.
        """
        deadline = time.monotonic() + self.whole_s
        try:
            target = read_url(url)
            status, answer, asked = self._exchange(_Request(target, body, headers, named, deadline))
        except UnresolvedError as error:
            raise TransportError("name_not_found", detail=str(error)) from None
        except TargetRefusedError as error:
            raise TransportError("target_refused", permanent=True, detail=str(error)) from None
        except TimeoutError:
            told = f"no whole answer within {self.whole_s:g} s"
            raise TransportError("timeout", detail=told, uncertain=True) from None
        except (http.client.HTTPException, OSError) as error:
            raise TransportError("connection_lost", detail=_short(error), uncertain=True) from None
        return _judged(status, answer, retry_after(asked, now))

    def _exchange(self, request: _Request) -> tuple[int, str, str | None]:
        kept = self.lines.take(request.target) if request.named else None
        if kept is not None:
            try:
                return self._over(kept, request)
            except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                pass  # a server may close a kept connection at any time, also while a request is on its way
        return self._over(self._connected(request.target, request.deadline), request)

    def _over(self, line: Line, request: _Request) -> tuple[int, str, str | None]:
        line.ends_by(request.deadline)
        fixed = {"Host": _host(request.target), "Accept-Encoding": "identity", "User-Agent": "Tandem"}
        if not request.named:
            fixed["Connection"] = "close"
        keep = False
        try:
            line.request("POST", request.target.path, request.body, {**fixed, **request.headers})
            response = line.getresponse()
            answer = _read(response)
            keep = request.named and line.kept_open and response.isclosed()
        finally:
            if keep:
                self.lines.keep(request.target, line)
            else:
                line.hang_up()
        return response.status, answer, response.getheader("Retry-After")

    def _connected(self, target: Target, deadline: float) -> Line:
        """Connect to the first judged address that takes it: of a v6 and a v4 one this machine may reach only one."""
        addresses = judged_addresses(target, self.allowed, self._look_up_in_time)
        last = len(addresses) - 1
        for number, address in enumerate(addresses):
            try:
                return Line(self._connection(target, address), target)
            except ssl.SSLError as error:
                raise TransportError("tls_failed", detail=_short(error)) from None
            except OSError as error:
                if number == last or time.monotonic() + CONNECT_S > deadline:
                    raise _not_connected(error) from None
        raise AssertionError("a target has at least one address")

    def _connection(self, target: Target, address: str) -> socket.socket:
        """Return a connection to the judged address, on which TLS still asks for the name."""
        plain = socket.create_connection((address, target.port), CONNECT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme == "http":
            return plain
        try:
            return self._tls.wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _look_up_in_time(self, host: str, port: int) -> Sequence[str]:
        """Resolve, but wait no longer than for a connection: a resolver has no timeout of its own that we could set."""
        found: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found.put(self.look_up(host, port))
            except Exception as error:  # noqa: BLE001 - handed over to whoever waits
                found.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = found.get(timeout=CONNECT_S)
        except queue.Empty:
            raise OSError(f"no answer from the resolver within {CONNECT_S:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _not_connected(error: OSError) -> TransportError:
    if isinstance(error, TimeoutError):
        return TransportError("connect_timeout", detail=f"no connection within {CONNECT_S:g} s")
    return TransportError("connection_failed", detail=_short(error))


def _host(target: Target) -> str:
    name = f"[{target.host}]" if ":" in target.host else target.host
    usual = {"http": 80, "https": 443}[target.scheme]
    return name if target.port == usual else f"{name}:{target.port}"


def _read(response: http.client.HTTPResponse) -> str:
    """Read at most 64 KiB of the answer."""
    answer = response.read(MOST_BYTES)
    if response.length and len(answer) < MOST_BYTES:
        raise http.client.IncompleteRead(answer, response.length)
    return answer.decode(errors="replace")


def _judged(status: int, answer: str, wait: timedelta | None) -> Sent:
    if 200 <= status < 300:  # noqa: PLR2004 - the range is the name
        return Sent(status, answer[:200])
    retried = status in _RETRIED or status >= 500  # noqa: PLR2004
    raise TransportError(
        f"http_{status}",
        permanent=not retried,
        gone=status == _GONE,
        status=status,
        detail=answer[:200],
        retry_after=wait if retried else None,
    )


def _short(error: Exception) -> str:
    return str(error).rpartition(": ")[2][:200]
