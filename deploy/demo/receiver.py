"""What the demo's advice arrives at: one HTTP server that verifies webhook signatures and reads team chat."""

import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

TOLERANCE = timedelta(minutes=5)
"""How old a webhook may be, as Standard Webhooks has it."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message. `body` is the parsed JSON; `path` tells the channels apart; `verified` is None for chat."""

    path: str
    id: str | None
    body: dict[str, Any]
    verified: bool | None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""


@dataclass(slots=True)
class Receiver:
    """Listens on `host`; `base_url` is where others reach it. Webhooks on `/webhook`, chat on any other path."""

    host: str = "127.0.0.1"
    public_host: str | None = None
    on_message: Callable[[Received], None] = lambda _: None
    received: list[Received] = field(default_factory=list)
    secret: str | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _server: ThreadingHTTPServer | None = None

    @property
    def base_url(self) -> str:
        """The URL under which the workers reach this receiver."""
        if self._server is None:
            raise RuntimeError("the receiver is not started")
        return f"http://{self.public_host or self.host}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Listen on a free port."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver.take(self.path, raw, headers)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing on stderr."""

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def take(self, path: str, raw: bytes, headers: dict[str, str]) -> int:
        """Judge one request and keep it. Return the status to answer: 401 for a webhook that does not verify."""
        verified = self._verified(raw, headers) if path == "/webhook" else None
        message = Received(path, headers.get("webhook-id"), json.loads(raw), verified, headers, raw)
        self.received.append(message)
        self.on_message(message)
        return 401 if verified is False else 204

    def _verified(self, raw: bytes, headers: dict[str, str]) -> bool:
        if self.secret is None:
            return False
        # The library's own `verify` holds timestamps against the machine's clock; here time is stepped, so the
        # signature is made again and compared, and the timestamp is held against the clock that sent it.
        try:
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            expected = Webhook(self.secret).sign(headers["webhook-id"], at, raw.decode())
        except (KeyError, ValueError):
            return False
        given = headers.get("webhook-signature", "").split()
        genuine = any(hmac.compare_digest(expected, signature) for signature in given)
        return genuine and abs(self.now() - at) <= TOLERANCE
