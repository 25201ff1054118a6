"""What a request leaves in the log: its id, who sent it, what came of it, how long it took."""

import os
import re
import time

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from services.ingest.metrics import observe_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_UNKNOWN_ROUTE = "unknown"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})

log = structlog.get_logger()


class _Trace:
    """What is known of one request so far."""

    __slots__ = ("began", "id", "noted")

    def __init__(self, sent_id: str) -> None:
        self.began = time.perf_counter()
        self.id = sent_id if _REQUEST_ID.fullmatch(sent_id) else f"req_{os.urandom(8).hex()}"
        self.noted: dict[str, str | int] = {}


def register(app: Flask) -> None:
    """Give every request of `app` an id, a log line and a place in the metrics."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """Return the id of the present request: the sender's own X-Request-ID when it is a plain one."""
    return _trace().id


def note(**fields: str | int) -> None:
    """Add fields to the request's log line. Never a token, never a target: they are secrets."""
    _trace().noted.update(fields)


def _trace() -> _Trace:
    found: _Trace | None = g.get("trace")
    if found is None:
        found = g.trace = _Trace(request.environ.get("HTTP_X_REQUEST_ID", ""))
    return found


def _begin() -> None:
    clear_contextvars()
    bind_contextvars(request_id=request_id())


def _end(response: Response) -> Response:
    trace = _trace()
    took = time.perf_counter() - trace.began
    method, rule = request.method, request.url_rule
    route = rule.rule if rule else _UNKNOWN_ROUTE
    observe_request(method if rule else "ANY", route, response.status_code, took)
    headers = response.headers
    headers["X-Request-ID"] = trace.id
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
    write = log.debug if route in _QUIET else log.info
    write(
        "http.request",
        method=method,
        route=route,
        status=response.status_code,
        ms=round(took * 1000, 2),
        **trace.noted,
    )
    clear_contextvars()
    return response
