"""What a request leaves in the log: its id, who sent it, what came of it, how long it took."""

import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, partial
from typing import Any

import structlog
from flask import Flask, Response, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from services.ingest.metrics import observe_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_UNKNOWN_ROUTE = "unknown"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_UNLESS_SAID = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))

log = structlog.get_logger()


class _Trace:
    """What is known of one request so far."""

    __slots__ = ("began", "id", "noted")

    def __init__(self, sent_id: str) -> None:
        self.began = time.perf_counter()
        self.id = sent_id if _REQUEST_ID.fullmatch(sent_id) else f"req_{os.urandom(8).hex()}"
        self.noted: dict[str, str | int] = {}


# Set first of all in every request. Not on Flask's `g`, which looks for itself at each use.
_present: ContextVar[_Trace] = ContextVar("trace")


def register(app: Flask) -> None:
    """Give every request of `app` an id, a log line and a place in the metrics."""
    app.before_request(_begin)
    # Bound at the first request and kept: structlog puts a lazy logger together anew for every line.
    app.after_request(partial(_end, cache(log.bind)))


def request_id() -> str:
    """Return the id of the present request: the sender's own X-Request-ID when it is a plain one."""
    return _present.get().id


def note(**fields: str | int) -> None:
    """Add fields to the request's log line. Never a token, never a target: they are secrets."""
    _present.get().noted.update(fields)


def _begin() -> None:
    trace = _Trace(request.environ.get("HTTP_X_REQUEST_ID", ""))
    _present.set(trace)
    clear_contextvars()
    bind_contextvars(request_id=trace.id)


def _end(bound: Callable[[], Any], response: Response) -> Response:
    trace = _present.get()
    took = time.perf_counter() - trace.began
    method, rule = request.method, request.url_rule
    route = rule.rule if rule else _UNKNOWN_ROUTE
    observe_request(method if rule else "ANY", route, response.status_code, took)
    headers = response.headers
    said = {name.lower() for name, _ in headers}
    headers.add("X-Request-ID", trace.id)
    for name, value in _UNLESS_SAID:
        if name.lower() not in said:
            headers.add(name, value)
    write = bound().debug if route in _QUIET else bound().info
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
