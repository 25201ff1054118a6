"""One outgoing HTTP request: to a judged address, within bounds of time and size, never following anyone anywhere."""

import contextlib
import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_match_hostname import CertificateError

from services.notify.channels.message import Sent, TransportError
from services.notify.schedule import retry_after
from shared.guard import Resolve, Target, TargetRefusedError, UnresolvedError, check_url, resolve
from shared.settings import Network

CONNECT_S = 5.0
WHOLE_S = 15.0
MOST_BYTES = 64 * 1024
_PIECE = 4096
_RETRIED = frozenset({408, 425, 429})
_GONE = 410


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts to URLs that the guard lets pass. Every connection goes to an address that was judged for it."""

    allowed: Sequence[Network]
    look_up: Resolve = resolve
    whole_s: float = WHOLE_S

    def post(self, url: str, body: bytes, headers: Mapping[str, str], now: datetime) -> Sent:
        """Post once; return a 2xx answer, else raise `TransportError` that says whether to try again."""
        deadline = time.monotonic() + self.whole_s
        try:
            target = check_url(url, self.allowed, self._look_up_in_time)
        except UnresolvedError as error:
            raise TransportError("name_not_found", detail=str(error)) from None
        except TargetRefusedError as error:
            raise TransportError("target_refused", permanent=True, detail=str(error)) from None
        try:
            status, answer, asked = self._exchange(target, body, headers, deadline)
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            told = f"no whole answer within {self.whole_s:g} s"
            raise TransportError("timeout", detail=told, uncertain=True) from None
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise TransportError("connection_lost", detail=_short(error), uncertain=True) from None
        return _judged(status, answer, retry_after(asked, now))

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

    def _exchange(
        self, target: Target, body: bytes, headers: Mapping[str, str], deadline: float
    ) -> tuple[int, str, str | None]:
        connection = _connected(target, deadline)
        line = connection.sock  # kept: http.client lets go of it when the answer says `Connection: close`
        # A timeout of a socket counts from its last byte; this one ends even an answer that drips byte by byte.
        alarm = threading.Timer(max(0.0, deadline - time.monotonic()), _hang_up, (line,))
        alarm.daemon = True
        alarm.start()
        try:
            line.settimeout(self.whole_s)
            fixed = {
                "Host": _host(target),
                "Accept-Encoding": "identity",
                "User-Agent": "Tandem",
                "Connection": "close",
            }
            connection.request(
                "POST",
                target.path,
                body=body,
                headers={**fixed, **headers},
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            answer = _read(response)
            if time.monotonic() >= deadline:  # an answer without a length ends wherever we hang up
                raise TimeoutError
            return response.status, answer, response.headers.get("Retry-After")
        except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError):
            if time.monotonic() >= deadline:
                raise TimeoutError from None
            raise
        finally:
            alarm.cancel()
            connection.close()


def _connected(target: Target, deadline: float) -> HTTPConnection:
    """Connect to the first judged address that takes it: a name may have one in v6 where this machine has only v4."""
    last = len(target.addresses) - 1
    for number, address in enumerate(target.addresses):
        connection = _connection(target, address)
        try:
            connection.connect()
        except (ssl.SSLError, CertificateError) as error:
            connection.close()
            raise TransportError("tls_failed", detail=_short(error)) from None
        except (OSError, urllib3.exceptions.HTTPError) as error:
            connection.close()
            if number == last or time.monotonic() + CONNECT_S > deadline:
                raise _not_connected(error) from None
        else:
            return connection
    raise AssertionError("a target has at least one address")


def _not_connected(error: Exception) -> TransportError:
    # In urllib3 a refused connection is a kind of timeout.
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    if isinstance(error, (TimeoutError, urllib3.exceptions.ConnectTimeoutError)) and not refused:
        return TransportError("connect_timeout", detail=f"no connection within {CONNECT_S:g} s")
    return TransportError("connection_failed", detail=_short(error))


def _connection(target: Target, address: str) -> HTTPConnection:
    """Return a connection to the judged address, on which TLS still asks for the name."""
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=CONNECT_S)
    return HTTPSConnection(
        address,
        target.port,
        timeout=CONNECT_S,
        server_hostname=target.host,
        assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
    )


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _host(target: Target) -> str:
    name = f"[{target.host}]" if ":" in target.host else target.host
    usual = {"http": 80, "https": 443}[target.scheme]
    return name if target.port == usual else f"{name}:{target.port}"


def _read(response: urllib3.BaseHTTPResponse) -> str:
    """Read at most 64 KiB of the answer."""
    pieces, size = [], 0
    while size < MOST_BYTES:
        piece = response.read1(min(_PIECE, MOST_BYTES - size))
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces).decode(errors="replace")


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
