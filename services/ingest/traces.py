"""Why a rule did or did not speak, over HTTP: asked of the rules themselves, at any instant of the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import fields

from services.ingest.auth import caller
from services.ingest.operations import Resource, Takes, operation
from services.ingest.parts import UnknownRuleError, parts
from services.ingest.problems import invalid
from shared.contracts.faults import Fault
from shared.contracts.trace_schema import TraceSchema
from shared.contracts.traces import Trace
from shared.contracts.wire_fields import StrictSchema, Text
from shared.contracts.wire_times import Instant

resource = Resource("traces", __name__, description="Why a rule spoke, and why it did not")


class TraceQuerySchema(StrictSchema):
    """Which rule, and when."""

    rule = Text(
        required=True, max_length=64, metadata={"description": "A rule's id, as `GET /v1/rules` lists them."}
    )
    at = Instant(metadata={"description": "The instant to look at; left out, it is now."})


class AnchorTracesSchema(StrictSchema):
    """What the rule found at each anchor that was open at the instant, and at those to come next."""

    athlete_id = fields.String(required=True)
    rule = fields.String(required=True)
    at = Instant(required=True)
    anchors = fields.List(fields.Nested(TraceSchema), required=True)


@dataclass(frozen=True, slots=True)
class _Traces:
    athlete_id: str
    rule: str
    at: datetime
    anchors: Sequence[Trace]


@operation(
    resource,
    "/v1/athletes/<athlete>/trace",
    scope="advice:read",
    takes=Takes(query=TraceQuerySchema),
    answers=(200, AnchorTracesSchema),
)
def get_trace(query: dict[str, Any], athlete: str) -> _Traces:
    """Ask why a rule did or did not speak to an athlete at an instant.

    Advice is a function of the timeline, so the question is answered by evaluating it again: with every fact, the
    events behind it, and each part of the condition. Events that were posted after the instant count by the time at
    which they happened. An athlete of whom nothing is known has no anchors, but for daily and weekly ones.
    """
    at = query.get("at") or parts().clock.now()
    try:
        found = parts().desk.trace(caller().club, athlete, query["rule"], at)
    except UnknownRuleError as error:
        raise invalid([Fault("rule", str(error))]) from None
    return _Traces(athlete, query["rule"], at, found)
