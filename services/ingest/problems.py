"""How an error is told: RFC 9457 problem+json for every status, naming the field and what is allowed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from marshmallow import fields
from werkzeug.exceptions import HTTPException

from services.ingest.tracing import request_id
from shared.contracts.faults import Fault, InvalidError, printable
from shared.contracts.wire_fields import StrictSchema
from shared.store.errors import StoreUnavailableError
from shared.store.pages import BadCursorError

MIME_TYPE = "application/problem+json"
STORE_RETRY_S = 2
_NAMES: Mapping[int, str] = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "rate-limited",
    500: "internal",
    503: "unavailable",
}

log = structlog.get_logger()


class FaultSchema(StrictSchema):
    """One thing wrong with the request."""

    field = fields.String(
        required=True, metadata={"description": "Where: `data.sets[0].rpe`, or `body` for all of it."}
    )
    message = fields.String(required=True, metadata={"description": "What is wrong, and what is allowed."})
    found = fields.Raw(metadata={"description": "What was there, shortened; absent when nothing was."})


class ProblemSchema(StrictSchema):
    """An error, as RFC 9457 has it."""

    type = fields.String(required=True, metadata={"description": "Stable: what a program may decide on."})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(
        required=True, metadata={"description": "For people: what happened and what to do."}
    )
    errors = fields.List(fields.Nested(FaultSchema))
    request_id = fields.String(required=True, metadata={"description": "Names the request in Tandem's logs."})


class ProblemError(Exception):
    """Ends a request with an error. `more` holds members beyond the usual ones."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def not_found(what: str, name: str) -> ProblemError:
    """The club has no such thing; whether another club has is not said."""
    return ProblemError(404, f"there is no {what} {printable(name)}")


def invalid(faults: Sequence[Fault]) -> ProblemError:
    """The request was understood, and breaks the contract."""
    return ProblemError(
        422, "; ".join(f"{fault.field} {fault.message}" for fault in faults[:3]), faults=faults
    )


def fault_json(fault: Fault) -> dict[str, Any]:
    """Return a fault as `FaultSchema` says."""
    return {name: value for name, value in asdict(fault).items() if value is not None}


def answer(problem: ProblemError) -> Response:
    """Return the problem as a response."""
    body = {
        "type": f"urn:tandem:problem:{_NAMES.get(problem.status, 'http')}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **({"errors": [fault_json(fault) for fault in problem.faults]} if problem.faults else {}),
        **problem.more,
        "request_id": request_id(),
    }
    return Response(json.dumps(body), problem.status, problem.headers, mimetype=MIME_TYPE)


def register(app: Flask) -> None:
    """Have every error of `app` told as a problem."""
    app.register_error_handler(ProblemError, answer)
    app.register_error_handler(InvalidError, lambda error: answer(invalid(error.faults)))
    app.register_error_handler(
        BadCursorError, lambda error: answer(invalid([Fault("cursor", str(error).removeprefix("cursor "))]))
    )
    app.register_error_handler(StoreUnavailableError, _store_away)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _internal)


def _store_away(error: StoreUnavailableError) -> Response:
    log.warning("store.unavailable", error=str(error))
    return answer(
        ProblemError(
            503,
            "the store is away, so nothing was stored; send the request again",
            headers={"Retry-After": str(STORE_RETRY_S)},
        )
    )


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    details = {
        404: f"there is nothing at {printable(request.path)}; see /docs",
        405: f"{printable(request.method)} is not possible here",
    }
    headers = {
        name: value for name, value in error.get_headers() if name in {"Allow", "Location", "Retry-After"}
    }
    if status < 400:  # noqa: PLR2004 - a redirect is no error
        return Response(status=status, headers=headers)
    return answer(ProblemError(status, details.get(status, error.description or error.name), headers=headers))


def _internal(error: Exception) -> Response:
    log.error("http.failed", exc_info=error)
    return answer(ProblemError(500, "this is a fault of Tandem's; its log has the request id"))
