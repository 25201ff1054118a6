"""What happens when an endpoint is given up: nothing more is sent to it, and the club is told through the others."""

from dataclasses import replace
from datetime import datetime

import structlog

from shared.contracts.ids import delivery_id
from shared.contracts.subscription_schema import ATHLETES_OWN
from shared.contracts.subscriptions import Delivery, Subscription
from shared.store.connect import Store

log = structlog.get_logger()


def disable(store: Store, subscription: Subscription, reason: str, now: datetime) -> bool:
    """Disable the subscription and enqueue notices. Return False when another attempt has done so already."""
    club = subscription.club
    was_enabled = False

    def disabled(known: Subscription) -> Subscription:
        nonlocal was_enabled
        was_enabled = known.enabled
        return replace(known, enabled=False, disabled_reason=reason) if known.enabled else known

    store.subscriptions.change(club, subscription.id, disabled)
    if not was_enabled:
        return False
    # Enabled again, the endpoint gets its whole time anew.
    store.deliveries.forgive(club, subscription.id)
    log.error("subscription.disabled", club=club, subscription=subscription.id, reason=reason)
    name = subscription.description or f"{subscription.channel} subscription {subscription.id}"
    notice = f"Tandem no longer sends to {name}: {reason}. Mend it and enable the subscription again."
    for other in store.subscriptions.of_club(club):
        if other.enabled and other.target != ATHLETES_OWN:  # the club's plumbing is no athlete's business
            name = delivery_id(other.id, "disabled", subscription.id, now.isoformat())
            store.deliveries.enqueue(Delivery(name, other.id, club, "notice", (), now, now, notice=notice))
    return True
