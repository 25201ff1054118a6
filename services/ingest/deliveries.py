"""What became of deliveries, and sending them again, over HTTP."""

from typing import Any

from services.ingest.auth import caller
from services.ingest.operations import OneOf, PageSchema, Resource, Takes, operation, page_of
from services.ingest.parts import parts
from services.ingest.problems import ProblemError, not_found
from services.ingest.subscriptions import require_enabled
from shared.contracts.subscription_schema import DELIVERY_STATES, DeliverySchema
from shared.contracts.subscriptions import Delivery
from shared.store.pages import Page

resource = Resource("deliveries", __name__, description="What was sent, when, and with what outcome")


class DeliveryQuerySchema(PageSchema):
    """Which deliveries, and where in the list."""

    state = OneOf(DELIVERY_STATES)


@operation(
    resource,
    "/v1/subscriptions/<subscription>/deliveries",
    scope="admin",
    takes=Takes(query=DeliveryQuerySchema),
    answers=(200, page_of(DeliverySchema)),
    errors=(404,),
)
def list_deliveries(query: dict[str, Any], subscription: str) -> Page[Delivery]:
    """List a subscription's deliveries, the newest first.

    `state=failed` lists the dead ones.
    """
    club = caller().club
    if parts().store.subscriptions.get(club, subscription) is None:
        raise not_found("subscription", subscription)
    return parts().store.deliveries.page(club, subscription, query["state"], query["cursor"], query["limit"])


@operation(resource, "/v1/deliveries/<delivery>", scope="admin", answers=(200, DeliverySchema), errors=(404,))
def get_delivery(delivery: str) -> Delivery:
    """Read a delivery and every attempt at it."""
    found = parts().store.deliveries.get(caller().club, delivery)
    if found is None:
        raise not_found("delivery", delivery)
    return found


@operation(
    resource,
    "/v1/deliveries/<delivery>/redeliver",
    method="POST",
    scope="admin",
    answers=(202, DeliverySchema),
    errors=(404, 409),
)
def redeliver(delivery: str) -> Delivery:
    """Try a delivery again, now.

    It keeps its id, so that a receiver can drop what it has. Advice that no longer stands is not sent.
    """
    club = caller().club
    known = parts().store.deliveries.get(club, delivery)
    if known is None:
        raise not_found("delivery", delivery)
    subscription = parts().store.subscriptions.get(club, known.subscription)
    if subscription is None:
        raise ProblemError(409, f"the subscription {known.subscription} of this delivery was deleted")
    require_enabled(subscription)
    again = parts().store.deliveries.redeliver(club, delivery, parts().clock.now())
    if again is None:
        raise not_found("delivery", delivery)
    parts().wake.deliver(club, again.subscription)
    return again
