"""What the OpenAPI document says of `POST /v1/events`: a view that flask-smorest does not wrap."""

from http import HTTPStatus
from typing import Any

from apispec import APISpec
from werkzeug.routing import Rule

from services.ingest.cloudevents import ATTRIBUTES, BATCH, STRUCTURED
from services.ingest.events import AcceptedSchema, EventsProblemSchema
from services.ingest.operations import SECURITY
from services.ingest.problems import MIME_TYPE
from shared.contracts.event_schema import MAX_BATCH, event_schemas

_ERRORS = (400, 401, 403, 409, 413, 415, 429, 500, 503)
_EXAMPLE = {
    "id": "2026-03-02-run",
    "type": "workout.completed",
    "subject": "ann",
    "time": "2026-03-02T17:00:00+01:00",
    "data": {"activity": "run", "duration_s": 1800, "distance_m": 5000, "intensity": "easy"},
}


def document_events(spec: APISpec, rule: Rule) -> None:
    """Add the operation, which is routed by `rule`, to `spec`."""
    forms: list[dict[str, Any]] = []
    for name, schema in event_schemas().items():
        title = _title(name)
        spec.components.schema(title, schema=schema)
        forms.append({"$ref": f"#/components/schemas/{title}"})
    event = {"oneOf": forms, "discriminator": {"propertyName": "type"}}
    cloud_event = _cloud_event(spec)
    batch = {"type": "array", "maxItems": MAX_BATCH}
    spec.components.schema("Event", component=event)
    spec.components.schema("CloudEvent", component=cloud_event)
    one, any_cloud_event = {"$ref": "#/components/schemas/Event"}, {"$ref": "#/components/schemas/CloudEvent"}
    any_plain = {"anyOf": [one, any_cloud_event]}
    done = {"application/json": {"schema": AcceptedSchema}}
    responses: dict[str, Any] = {
        "202": {"description": "All are stored, or were already.", "content": done},
        "207": {"description": "Some of a batch were rejected.", "content": done},
        "422": {
            "description": "The event, or every event of the batch, was rejected.",
            "content": {MIME_TYPE: {"schema": EventsProblemSchema}},
        },
        **{str(status): HTTPStatus(status).name for status in _ERRORS},
    }
    operation: dict[str, Any] = {
        "tags": ["events"],
        "operationId": "post_events",
        "summary": "Post one event, or a list of up to 500.",
        "description": (
            "202 is a promise: what it accepts is stored and will be evaluated. The same event again is a duplicate and"
            " does no harm. CloudEvents 1.0 are taken in structured, batch and binary mode (`ce-` headers"
            f" with the data as the body: {', '.join(ATTRIBUTES[:6])}). Needs the scope `events:write`."
        ),
        "security": [{SECURITY: []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"anyOf": [any_plain, {**batch, "items": any_plain}]},
                    "example": _EXAMPLE,
                },
                STRUCTURED: {"schema": any_cloud_event, "example": {"specversion": "1.0", **_EXAMPLE}},
                BATCH: {
                    "schema": {**batch, "items": any_cloud_event},
                    "example": [{"specversion": "1.0", **_EXAMPLE}],
                },
            },
        },
        "responses": responses,
    }
    spec.path(rule=rule, operations={"post": operation})


def _cloud_event(spec: APISpec) -> dict[str, Any]:
    """Return the events' common envelope as a CloudEvent: with a version, and room for extension attributes."""
    known = spec.components.schemas
    first, *_ = event_schemas()
    properties = dict(known[_title(first)]["properties"])
    properties["type"] = {"type": "string", "enum": list(event_schemas())}
    properties["data"] = {"type": "object", "description": "As the type's own schema says."}
    properties["data_base64"] = {
        "type": "string",
        "description": "The data as JSON in base64, instead of data.",
    }
    return {
        "type": "object",
        "required": ["specversion", "id", "type", "subject", "time"],
        "properties": properties,
    }


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("."))
