"""What a request leaves in the log: its id, who sent it, what came of it, how long it took."""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from services.ingest.metrics import observe_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_UNKNOWN_ROUTE = "unknown"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})

log = structlog.get_logger()


def register(app: Flask) -> None:
    """Give every request of `app` an id, a log line and a place in the metrics."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """Return the id of the present request: the sender's own X-Request-ID when it is a plain one."""
    known: str | None = g.get("request_id")
    if known is None:
        sent = request.headers.get("X-Request-ID", "")
        known = sent if _REQUEST_ID.fullmatch(sent) else f"req_{secrets.token_hex(8)}"
        g.request_id = known
    return known


def note(**fields: str | int) -> None:
    """Add fields to the request's log line. Never a token, never a target: they are secrets."""
    g.setdefault("noted", {}).update(fields)


def _begin() -> None:
    g.began = time.perf_counter()
    clear_contextvars()
    bind_contextvars(request_id=request_id())


def _end(response: Response) -> Response:
    took = time.perf_counter() - g.get("began", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else _UNKNOWN_ROUTE
    observe_request(request.method if request.url_rule else "ANY", route, response.status_code, took)
    response.headers["X-Request-ID"] = request_id()
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    write = log.debug if route in _QUIET else log.info
    write(
        "http.request",
        method=request.method,
        route=route,
        status=response.status_code,
        ms=round(took * 1000, 2),
        **g.get("noted", {}),
    )
    clear_contextvars()
    return response
