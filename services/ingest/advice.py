"""Advice over HTTP: what an athlete has been told, why, how it was delivered, and what the athlete says to it."""

from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from services.ingest.auth import caller
from services.ingest.operations import AnyOf, PageSchema, Resource, Takes, operation, page_of
from services.ingest.parts import parts
from services.ingest.problems import not_found
from shared.contracts.advice import CATEGORIES, STATES, Advice, AdviceRecord
from shared.contracts.advice_schema import AdviceSchema, FeedbackSchema
from shared.contracts.subscription_schema import DeliverySchema
from shared.contracts.subscriptions import Delivery
from shared.contracts.trace_schema import TraceSchema
from shared.contracts.traces import Trace
from shared.store.pages import Page

resource = Resource("advice", __name__, description="What Tandem said, and why")


class AdviceQuerySchema(PageSchema):
    """Which advice, and where in the list."""

    state = AnyOf(STATES)
    category = AnyOf(CATEGORIES)


class AdviceDetailSchema(AdviceSchema):
    """A piece of advice with what its changes rested on and every delivery that speaks of it.

    Of each verdict the latest trace is kept, so that no number of dull ones pushes out the one that mattered.
    """

    traces = fields.List(fields.Nested(TraceSchema), required=True)
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)


@dataclass(frozen=True, slots=True)
class _Detail:
    """A record, its traces and its deliveries, named as the schema names them."""

    record: AdviceRecord
    traces: tuple[Trace, ...]
    deliveries: tuple[Delivery, ...]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the record has it
        return getattr(self.record, name)

    @property
    def advice(self) -> Advice:
        return self.record.advice


@operation(
    resource,
    "/v1/athletes/<athlete>/advice",
    scope="advice:read",
    takes=Takes(query=AdviceQuerySchema),
    answers=(200, page_of(AdviceSchema)),
)
def list_advice(query: dict[str, Any], athlete: str) -> Page[AdviceRecord]:
    """List an athlete's advice, the newest first.

    `state` and `category` each take one value or several, separated by commas or repeated. An athlete of whom
    nothing is known has no advice.
    """
    return parts().store.advice.page(
        caller().club, athlete, query["state"], query["category"], query["cursor"], query["limit"]
    )


@operation(
    resource,
    "/v1/advice/<advice_id>",
    scope="advice:read",
    answers=(200, AdviceDetailSchema),
    errors=(404,),
)
def get_advice(advice_id: str) -> _Detail:
    """Read a piece of advice, what it and its withdrawal rest on, and its deliveries."""
    club = caller().club
    record = parts().store.advice.get(club, advice_id)
    if record is None:
        raise not_found("advice", advice_id)
    store = parts().store
    return _Detail(record, store.advice.traces(record), store.deliveries.of_advice(club, advice_id))


@operation(
    resource,
    "/v1/advice/<advice_id>/feedback",
    method="POST",
    scope="advice:read",
    takes=Takes(body=FeedbackSchema),
    answers=(200, AdviceSchema),
    errors=(404,),
)
def give_feedback(found: dict[str, Any], advice_id: str) -> AdviceRecord:
    """Say what the athlete thinks of a piece of advice.

    `dismiss` puts standing advice away; the other verdicts acknowledge it. Advice that no longer stands
    keeps its state.
    """
    record = parts().store.advice.feedback(caller().club, advice_id, found["verdict"], parts().clock.now())
    if record is None:
        raise not_found("advice", advice_id)
    return record
