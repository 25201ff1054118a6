"""How a trace reads on the wire, and on the command line."""

from marshmallow import fields

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.advice_schema import EventRefSchema, anchor_of
from shared.contracts.traces import TRACE_VERDICTS


class ConditionSchema(wire.StrictSchema):
    """A part of the rule's condition: true, false, or null where it could not be told for want of a value."""

    text = fields.String(required=True)
    held = fields.Boolean(required=True, allow_none=True)


class TraceSchema(wire.StrictSchema):
    """What a rule found at one anchor at one instant, and what came of it."""

    rule = fields.String(required=True)
    rule_version = fields.Integer(required=True)
    at = times.Instant(required=True, metadata={"description": "When the rule was evaluated"})
    anchor = fields.Function(
        lambda trace: anchor_of(trace.anchor),
        metadata={"type": "object", "description": "As in `because` of advice"},
    )
    opens = times.Instant(required=True, metadata={"description": "From when on advice may stand"})
    closes = times.Instant(required=True)
    verdict = fields.String(required=True, metadata={"enum": list(TRACE_VERDICTS)})
    why = fields.String(required=True, metadata={"description": "In words"})
    conditions = fields.List(fields.Nested(ConditionSchema), required=True)
    facts = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True)
    events = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(EventRefSchema)),
        required=True,
        metadata={"description": "Under each fact over events, those it was taken of, the latest 50"},
    )
    title = fields.String(required=True, allow_none=True)
    message = fields.String(required=True, allow_none=True)
