"""How advice reads on the wire: in answers, and as the CloudEvent that goes out on webhooks."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import fields, post_dump

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.advice import (
    CATEGORIES,
    GRADES,
    SEVERITIES,
    STATES,
    VERDICTS,
    AdviceEventType,
    AdviceRecord,
    AnchorRef,
    EventRef,
)


class AnchorSchema(wire.StrictSchema):
    """What the rule was evaluated for: an event, a local day, or an ISO week."""

    kind = fields.String(required=True, metadata={"enum": ["each", "daily", "weekly"]})
    key = fields.String(metadata={"description": "A local date or ISO week; an event's source and id."})
    source = fields.String()
    id = fields.String()
    type = fields.String()
    due = times.Instant(required=True)
    start = times.Instant()
    end = times.Instant()


class EventRefSchema(wire.StrictSchema):
    """An event that the advice rests on, at the revision that was looked at."""

    source = fields.String(required=True)
    id = fields.String(required=True)
    revision = fields.Integer(required=True)
    type = fields.String(required=True)
    start = times.Instant(required=True)
    end = times.Instant(required=True)


class BecauseSchema(wire.StrictSchema):
    """Why: the anchor, the events in timeline order, and every fact and param with its value."""

    anchor = fields.Function(lambda because: anchor_of(because.anchor), metadata={"type": "object"})
    events = fields.List(fields.Nested(EventRefSchema), required=True)
    facts = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True)
    left_out = fields.Integer(
        required=True,
        metadata={
            "description": "How many earlier events the facts rest on too, over the 400 that are listed"
        },
    )


class AdviceSchema(wire.StrictSchema):
    """A piece of advice, what became of it, and what it rests on."""

    advice_id = fields.String(attribute="advice.id", required=True)
    revision = fields.Integer(required=True)
    athlete_id = fields.String(attribute="advice.athlete", required=True)
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    rule = fields.String(attribute="advice.rule", required=True)
    rule_version = fields.Integer(attribute="advice.rule_version", required=True)
    rule_hash = fields.String(attribute="advice.rule_hash", required=True)
    category = fields.String(attribute="advice.category", required=True, metadata={"enum": list(CATEGORIES)})
    severity = fields.String(attribute="advice.severity", required=True, metadata={"enum": list(SEVERITIES)})
    title = fields.String(attribute="advice.title", required=True)
    message = fields.String(attribute="advice.message", required=True)
    due = times.Instant(attribute="advice.due", required=True)
    issued_at = times.Instant(required=True)
    changed_at = times.Instant(required=True)
    expires_at = times.Instant(attribute="advice.expires_at", required=True)
    because = fields.Nested(BecauseSchema, attribute="advice.because", required=True)
    evidence = fields.String(attribute="advice.evidence", required=True, metadata={"enum": list(GRADES)})
    sources = fields.List(fields.String(), attribute="advice.sources", required=True)
    feedback = fields.List(fields.String(metadata={"enum": list(VERDICTS)}), required=True)

    @post_dump
    def plain(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Tuples become lists, as JSON has them."""
        return {**data, "sources": list(data["sources"]), "feedback": list(data["feedback"])}


class FeedbackSchema(wire.StrictSchema):
    """What the athlete thought of the advice: `done` acknowledges it, `dismiss` puts it away."""

    verdict = wire.Text(required=True, choices=VERDICTS)


def advice_data(record: AdviceRecord) -> dict[str, Any]:
    """Return the `data` of an advice CloudEvent: what a receiver needs to show the advice and say why."""
    advice = record.advice
    return {
        "advice_id": advice.id,
        "revision": record.revision,
        "athlete_id": advice.athlete,
        "rule": advice.rule,
        "rule_version": advice.rule_version,
        "category": advice.category,
        "severity": advice.severity,
        "title": advice.title,
        "message": advice.message,
        "issued_at": times.instant_text(record.issued_at),
        "expires_at": times.instant_text(advice.expires_at),
        "because": {
            "anchor": anchor_of(advice.because.anchor),
            "events": [_event_ref(event) for event in advice.because.events],
            "facts": dict(advice.because.facts),
            "left_out": advice.because.left_out,
        },
        "evidence": advice.evidence,
        "sources": list(advice.sources),
    }


def advice_event(
    record: AdviceRecord,
    type: AdviceEventType,  # noqa: A002 - the CloudEvents name
    source: str,
    webhook_id: str,
    at: datetime,
) -> dict[str, Any]:
    """Return the CloudEvent (structured mode, ready for JSON) that tells a receiver what became of the advice.

    `source` is the public URL of this Tandem; `at` is when the advice was issued, changed or withdrawn.
    """
    return {
        "specversion": "1.0",
        "id": webhook_id,
        "source": source,
        "type": type,
        "subject": record.advice.athlete,
        "time": times.instant_text(at),
        "datacontenttype": "application/json",
        "data": advice_data(record),
    }


def anchor_of(anchor: AnchorRef) -> dict[str, Any]:
    """Return the anchor as JSON has it."""
    named: Mapping[str, Any] = {"key": anchor.key}
    if anchor.kind == "each":
        # The key of an event is its source and id with a control character between: nothing to show to people.
        source, _, event_id = anchor.key.partition("\x1f")
        named = {"source": source, "id": event_id}
    instants = {"due": anchor.due, "start": anchor.start, "end": anchor.end}
    return {
        "kind": anchor.kind,
        **named,
        **({"type": anchor.type} if anchor.type else {}),
        **{name: times.instant_text(instant) for name, instant in instants.items() if instant is not None},
    }


def _event_ref(event: EventRef) -> dict[str, Any]:
    return {
        "source": event.source,
        "id": event.id,
        "revision": event.revision,
        "type": event.type,
        "start": times.instant_text(event.start),
        "end": times.instant_text(event.end),
    }
