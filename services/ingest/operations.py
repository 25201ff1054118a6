"""How a view becomes an operation: guarded, checked by schemas, and documented by the same words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import flask
from apispec import APISpec
from flask_smorest import Api
from flask_smorest.blueprint import Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields
from webargs.flaskparser import FlaskParser

from services.ingest.auth import requires
from services.ingest.bodies import read_json
from services.ingest.problems import MIME_TYPE, ProblemSchema, invalid
from shared.contracts.clubs import Scope
from shared.contracts.wire_faults import faults_of
from shared.contracts.wire_fields import MISSING_MESSAGES, StrictSchema, Text
from shared.store.pages import Page

SECURITY = "apiKey"
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_ALWAYS = (401, 403, 500, 503)

View = TypeVar("View", bound=Callable[..., Any])


class Parser(FlaskParser):
    """Reads requests as strictly as events are read, and tells faults as problems."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": None, "query": RAISE}

    def load_json(self, req: flask.Request, schema: Schema) -> Any:  # noqa: ANN401, ARG002 - webargs' signature
        """Return the JSON body; nothing lenient about it."""
        return read_json(req)

    def handle_error(
        self,
        error: ValidationError,
        req: flask.Request,  # noqa: ARG002 - webargs' signature
        schema: Schema,  # noqa: ARG002 - webargs' signature
        *,
        error_status_code: int | None,  # noqa: ARG002 - webargs' signature
        error_headers: Any,  # noqa: ANN401, ARG002 - webargs' signature
    ) -> NoReturn:
        """Tell all faults at once."""
        (messages,) = error.messages.values() if isinstance(error.messages, dict) else (error.messages,)
        error.messages = messages
        raise invalid(faults_of(error, error.data)) from None


class Resource(Blueprint):
    """The operations on one resource."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(name, import_name, description=description)  # type: ignore[no-untyped-call]  # it has none


class Documented(Api):
    """The OpenAPI document. Every error in it is a problem."""

    DEFAULT_ERROR_RESPONSE_NAME = None  # type: ignore[assignment]  # flask-smorest allows it; every status is listed where it can happen

    def _register_responses(self) -> None:
        spec: APISpec = self.spec
        for status in HTTPStatus:
            if status < HTTPStatus.BAD_REQUEST:
                continue
            headers = {}
            if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
                headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "string"}}
            if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
            content = {MIME_TYPE: {"schema": ProblemSchema}}
            response: dict[str, Any] = {"description": status.phrase, "content": content}
            if headers:
                response["headers"] = headers
            spec.components.response(status.name, response, lazy=True)


class Limit(fields.Integer):
    """How many items a page holds, as text of the query."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self) -> None:
        super().__init__(
            load_default=DEFAULT_LIMIT,
            metadata={"minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:  # noqa: ANN401 - marshmallow's signature
        if not (
            isinstance(value, str)
            and value.isascii()
            and value.isdigit()
            and 1 <= int(value[:9]) <= MAX_LIMIT
        ):
            raise ValidationError(f"must be a whole number from 1 to {MAX_LIMIT}")
        return int(value)


class AnyOf(fields.List[str]):
    """One or several of `choices`, comma-separated or as a repeated parameter; inside, a frozenset or None."""

    default_error_messages: dict[str, Any] = MISSING_MESSAGES

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(Text(choices=choices), load_default=None, metadata={"description": "Any of these."})

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401 - marshmallow's signature
        texts = [text for part in value for text in part.split(",") if text]
        return frozenset(super()._deserialize(texts, *rest, **options)) or None


class OneOf(Text):
    """One of `choices`, or all when it is not given."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices=choices, load_default=None)


class PageSchema(StrictSchema):
    """Where in a list to read."""

    limit = Limit()
    cursor = Text(
        load_default=None, max_length=500, metadata={"description": "The next_cursor of the page before."}
    )


@dataclass(frozen=True, slots=True)
class Takes:
    """What an operation reads: a JSON `body`, or a `query`."""

    body: type[Schema] | None = None
    query: type[Schema] | None = None


def page_of(item: type[Schema]) -> type[Schema]:
    """Return the schema of a list of `item`."""
    name = item.__name__.removesuffix("Schema")
    return StrictSchema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next_cursor": fields.String(required=True, allow_none=True),
        },
        name=f"{name}Page",
    )


def slice_of(items: Sequence[Any], name: str, cursor: str | None, limit: int) -> Page[Any]:
    """Cut a page out of a list that is short enough to be whole in memory, in the order of the attribute `name`."""
    ordered = sorted(items, key=lambda item: str(getattr(item, name)))
    rest = [item for item in ordered if cursor is None or getattr(item, name) > cursor]
    return Page(tuple(rest[:limit]), getattr(rest[limit - 1], name) if len(rest) > limit else None)


def operation(  # noqa: PLR0913 - what there is to say of an operation
    resource: Resource,
    rule: str,
    *,
    scope: Scope,
    takes: Takes = Takes(),
    answers: tuple[int, type[Schema] | None] = (200, None),
    also: Sequence[int] = (),
    errors: Sequence[int] = (),
    method: str = "GET",
) -> Callable[[View], View]:
    """Make the view below an operation on `resource`.

    `answers` is its status and schema; `also` are other good statuses of that schema; `errors` are the bad ones
    beyond those that any operation may answer.
    """
    on: Any = resource  # flask-smorest has no types

    def decorate(view: View) -> View:
        status, schema = answers
        made: Callable[..., Any] = (
            on.response(status, schema)(view) if schema else _bodiless(on, status, view)
        )
        for good in also:
            made = on.alt_response(good, schema=schema, success=True)(made)
        bad = {*_ALWAYS, *errors}
        if takes.body:
            made = on.arguments(takes.body, location="json")(made)
            bad |= {400, 413, 415, 422}
        if takes.query:
            made = on.arguments(takes.query, location="query")(made)
            bad.add(422)
        for error in sorted(bad):
            made = on.alt_response(error, response=HTTPStatus(error).name)(made)
        made = on.doc(security=[{SECURITY: []}], description=_description(view, scope))(requires(scope)(made))
        on.route(rule, methods=[method])(made)
        return view

    return decorate


def _bodiless(on: Any, status: int, view: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ANN401
    def answered(*args: object, **kwargs: object) -> flask.Response:
        view(*args, **kwargs)
        empty = flask.Response(status=status)
        del empty.headers["Content-Type"]
        return empty

    answered.__name__, answered.__doc__ = view.__name__, view.__doc__
    made: Callable[..., Any] = on.response(status)(answered)
    return made


def _description(view: Callable[..., Any], scope: Scope) -> str:
    _, _, more = (view.__doc__ or "").partition("\n\n")
    return f"{' '.join(more.split())} Needs the scope `{scope}`.".strip()
