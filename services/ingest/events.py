"""`POST /v1/events`: checks events, stores them, wakes who evaluates them, and says what became of each.

A plain view, not an `operation`: flask-smorest's wrapping costs more than storing an event does.
"""

from dataclasses import dataclass
from typing import Any

from flask import Request, Response, request
from marshmallow import fields

from services.ingest import cloudevents
from services.ingest.answers import json_answer
from services.ingest.auth import caller, requires
from services.ingest.metrics import count_events
from services.ingest.parts import parts
from services.ingest.problems import FaultSchema, ProblemError, ProblemSchema, fault_json, invalid
from services.ingest.tracing import note
from shared.contracts.event_schema import PostedEvent, read_event
from shared.contracts.faults import Fault, InvalidError, preview
from shared.contracts.wire_fields import StrictSchema
from shared.store.timelines import Outcome


class RejectedSchema(StrictSchema):
    """An event of a batch that was not taken, and why."""

    index = fields.Integer(required=True)
    id = fields.Raw(
        required=True, metadata={"description": "As it was sent, shortened; null when there was none."}
    )
    errors = fields.List(fields.Nested(FaultSchema), required=True)


class AcceptedSchema(StrictSchema):
    """What became of the events of one request."""

    accepted = fields.Integer(required=True)
    duplicates = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(RejectedSchema), required=True)


class EventsProblemSchema(ProblemSchema):
    """A problem with all of the events: `errors` for one event, `rejected` for a batch."""

    accepted = fields.Integer()
    duplicates = fields.Integer()
    rejected = fields.List(fields.Nested(RejectedSchema))


@dataclass(slots=True)
class _Tally:
    """What has become of the events so far."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: list[tuple[int, object, tuple[Fault, ...]]] | None = None

    def count(self, index: int, posted: PostedEvent, outcome: Outcome) -> None:
        if outcome.status == "accepted":
            self.accepted += 1
        elif outcome.status == "duplicate":
            self.duplicates += 1
        else:
            self.conflicts += 1
            sent: dict[str, str | int] = {"subject": posted.athlete, "revision": posted.event.revision}
            self.reject(
                index,
                posted.event.id,
                (Fault(outcome.field or "body", outcome.message, sent.get(outcome.field or "")),),
            )

    def reject(self, index: int, event_id: object, faults: tuple[Fault, ...]) -> None:
        if self.rejected is None:
            self.rejected = []
        self.rejected.append((index, event_id, faults))

    def json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [
                {"index": index, "id": preview(event_id), "errors": [fault_json(fault) for fault in faults]}
                for index, event_id, faults in sorted(self.rejected or (), key=lambda one: one[0])
            ],
        }


@requires("events:write")
def post_events() -> Response:
    """Take events: 202 for what is stored, and for nothing else."""
    wired = parts()
    key = caller()
    wired.gate.admit()
    # The request itself: its proxy would be asked who is meant at every use of it.
    sent: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own name
    found = cloudevents.read_events(sent)
    wired.gate.spend(key.club, len(found.events))
    now = wired.clock.now()
    tally = _Tally()
    posted: list[tuple[int, PostedEvent]] = []
    for index, event in enumerate(found.events):
        try:
            checked = read_event(event.raw, default_source=key.name, now=now)
        except InvalidError as error:
            tally.reject(index, _id_of(event.raw), (*event.faults, *error.faults))
            continue
        if event.faults:
            tally.reject(index, checked.event.id, event.faults)
        else:
            posted.append((index, checked))
    if posted:
        appended = wired.store.timelines.append(key.club, [(one.athlete, one.event) for _, one in posted])
        # Stored and marked: from here on nothing may keep the 202 from being told.
        wired.wake.evaluate(appended.heard)
        for (index, one), outcome in zip(posted, appended.outcomes, strict=True):
            tally.count(index, one, outcome)
    return _answer(found.batch, tally)


def _answer(batch: bool, tally: _Tally) -> Response:  # noqa: FBT001 - read where it is called
    rejected = tally.rejected or []
    count_events(accepted=tally.accepted, duplicates=tally.duplicates, rejected=len(rejected))
    note(accepted=tally.accepted, duplicates=tally.duplicates, rejected=len(rejected))
    if not rejected:
        return json_answer(tally.json(), 202)
    if tally.accepted or tally.duplicates:
        return json_answer(tally.json(), 207)
    if batch:
        detail = f"none of the {len(rejected)} events was taken; rejected says why of each"
        raise ProblemError(422, detail, more=tally.json())
    faults = rejected[0][2]
    if tally.conflicts:
        raise ProblemError(409, f"{faults[0].field} {faults[0].message}", faults=faults)
    raise invalid(faults)


def _id_of(raw: object) -> object:
    return raw.get("id") if isinstance(raw, dict) else None
