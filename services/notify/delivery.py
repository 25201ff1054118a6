"""One attempt at one delivery: look, decide, send, judge, and say what became of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

from services.notify.channels.message import Message, Said, Sender, Sent, TransportError
from services.notify.disabling import disable
from services.notify.routing import email_reason
from services.notify.schedule import after_quiet_hours, next_attempt
from services.notify.stages import Look, say
from shared.contracts.subscription_schema import ATHLETES_OWN
from shared.contracts.subscriptions import Attempt, Channel, Delivery, DeliveryItem, Subscription
from shared.store.advice import among
from shared.store.claims import Claim, EndpointState, Outcome, Told
from shared.store.connect import Store
from shared.store.line import both
from shared.store.outbox import OutboxEntry
from shared.store.subscriptions import one

PATIENCE = timedelta(days=5)
"""How long an endpoint may fail before it is disabled."""

log = structlog.get_logger()


Attempted: TypeAlias = tuple[Outcome, TransportError | None]
"""How the claim is to end, and what the receiver said if it did not take the delivery."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Makes attempts. `count` is told each outcome as (channel, outcome, reason)."""

    store: Store
    senders: Mapping[Channel, Sender]
    count: Callable[[str, str, str], None]

    def look(
        self, claims: Sequence[Claim], club: str, lane: str, now: datetime, routed: Sequence[OutboxEntry] = ()
    ) -> tuple[Subscription | None, Look | None]:
        """Read the lane's subscription and what the claims speak of, as it stands now.

        Without a look, nothing may be sent to the subscription. `routed` entries leave the outbox in the same trip.
        """
        wanted: dict[tuple[str, str], set[str]] = {}
        told: dict[str, Told] = {}
        for claim in claims:
            told |= claim.told
            for item in claim.delivery.items:
                wanted.setdefault((club, item.athlete), set()).add(item.advice_id)
        subscription, found = self.store.outbox.done_and_read(
            routed, both(one(club, lane), among([(*athlete, ids) for athlete, ids in wanted.items()]))
        )
        if subscription is None or not subscription.enabled:
            return subscription, None
        # A webhook tells of the advice; what the profile says is for those who write to people.
        profiles = {} if subscription.channel == "webhook" else self.store.athletes.get_many(wanted)
        return subscription, Look(
            subscription.channel,
            {name: record for records in found for name, record in records.items()},
            {athlete: profile for (_, athlete), profile in profiles.items()},
            told,
            now,
        )

    def attempt(self, delivery: Delivery, subscription: Subscription | None, look: Look | None) -> Attempted:
        """Try a claimed delivery once."""
        if subscription is None:
            return self._cancel(delivery, "unknown", "subscription_deleted")
        if look is None or subscription.channel not in self.senders:
            reason = "subscription_disabled" if look is None else "channel_not_configured"
            return self._cancel(delivery, subscription.channel, reason)
        now = look.now
        said: tuple[Said, ...] = ()
        if delivery.kind == "advice":
            said, reason = self._say(delivery, subscription, look)
            if not said:
                return self._cancel(delivery, subscription.channel, reason)
        elif subscription.target == ATHLETES_OWN:
            # A test has no athlete to be sent to.
            return self._cancel(delivery, subscription.channel, "no_one_address")
        to, quiet_until = subscription.target, now
        if subscription.channel == "email" and said:
            athlete = said[0].athlete
            to = athlete.email or "" if subscription.target == ATHLETES_OWN else subscription.target
            if subscription.target == ATHLETES_OWN:
                quiet_until = after_quiet_hours(athlete.quiet_hours, athlete.zones[-1].timezone, now)
        if quiet_until > now:
            log.info(
                "delivery.held", delivery=delivery.id, reason="quiet_hours", until=quiet_until.isoformat()
            )
            self.count(subscription.channel, "held", "quiet_hours")
            return Outcome(replace(delivery, due=quiet_until)), None
        message = Message(delivery.id, delivery.kind, subscription, said, now, to, delivery.notice)
        return self._send(delivery, subscription, message)

    def give_up(self, subscription: Subscription, error: TransportError, now: datetime) -> None:
        """Disable the subscription if its endpoint is gone, or has failed for too long."""
        if error.gone:
            despaired = f"the endpoint answered {error.reason}: it is gone"
        else:
            since = self.store.deliveries.health(subscription.club, subscription.id).failing_since
            if since is None or now - since < PATIENCE:
                return
            despaired = f"the endpoint has failed since {since:%Y-%m-%d %H:%M} UTC"
        if disable(self.store, subscription, despaired, now):
            self.count(subscription.channel, "disabled", "endpoint_gone_or_failing")

    def _say(
        self, delivery: Delivery, subscription: Subscription, look: Look
    ) -> tuple[tuple[Said, ...], str]:
        """Return what is still to be said, and the reason for the last item that is not."""
        said: dict[str, Said] = {}
        reason = "nothing_left"
        for item in delivery.items:
            outcome: Said | str = say(item, look)
            if isinstance(outcome, Said) and subscription.channel == "email":
                consent = email_reason(outcome.athlete, subscription.target)
                outcome = outcome if consent == "matched" else consent
            if isinstance(outcome, Said):
                said[item.advice_id] = outcome  # of several revisions in a digest, the advice is said once
            else:
                reason = outcome
                log.info(
                    "delivery.item_dropped", delivery=delivery.id, advice_id=item.advice_id, reason=reason
                )
                if len(delivery.items) > 1:
                    self.count(subscription.channel, "dropped", reason)
        return tuple(said.values()), reason

    def _send(self, delivery: Delivery, subscription: Subscription, message: Message) -> Attempted:
        started = time.monotonic()
        items = [
            DeliveryItem(said.record.advice.id, said.record.advice.athlete, said.record.revision, said.type)
            for said in message.said
        ]
        try:
            sent = self.senders[subscription.channel].send(message)
        except TransportError as error:
            took = round(time.monotonic() - started, 3)
            return self._failed(delivery, subscription, message, error, took)
        except Exception as error:
            # A fault of ours in making the message: trying again would fail again, and other deliveries must go on.
            log.exception("delivery.broken", delivery=delivery.id, subscription=subscription.id)
            broken = TransportError(
                "message_not_made", permanent=True, detail=repr(error)[:200], endpoint_fails=False
            )
            return self._failed(delivery, subscription, message, broken, round(time.monotonic() - started, 3))
        took = round(time.monotonic() - started, 3)
        return self._delivered(delivery, subscription, sent, items, message.at, took)

    def _delivered(
        self,
        delivery: Delivery,
        subscription: Subscription,
        sent: Sent,
        items: list[DeliveryItem],
        now: datetime,
        took: float,
    ) -> Attempted:
        attempt = Attempt(now, took, "delivered", "delivered", sent.status, sent.detail)
        done = replace(
            delivery,
            state="delivered",
            reason="delivered",
            attempts=(*delivery.attempts, attempt),
            items=tuple(items),
        )
        self.count(subscription.channel, "delivered", "delivered")
        log.info(
            "delivery.sent",
            delivery=delivery.id,
            subscription=subscription.id,
            channel=subscription.channel,
            attempt=len(done.attempts),
            status=sent.status,
            advice=[item.advice_id for item in items],
        )
        return Outcome(done, items, "well", now), None

    def _failed(
        self,
        delivery: Delivery,
        subscription: Subscription,
        message: Message,
        error: TransportError,
        took: float,
    ) -> Attempted:
        now = message.at
        made = len(delivery.attempts) - delivery.counted_from + 1
        first = delivery.attempts[delivery.counted_from].at if made > 1 else now
        again = None if error.permanent else next_attempt(delivery.id, first, made, now, error.retry_after)
        reason = error.reason
        if again is None and not error.permanent:
            reason = "attempts_exhausted"
        if again is not None and message.said and not any(_lasts(said, again) for said in message.said):
            again, reason = None, "expires_before_next_attempt"
        attempt = Attempt(
            now, took, "failed" if again is None else "retry", error.reason, error.status, error.detail
        )
        tried = replace(
            delivery,
            attempts=(*delivery.attempts, attempt),
            state="failed" if again is None else "pending",
            reason=reason if again is None else None,
            due=again or delivery.due,
        )
        uncertain = (
            [item for item in delivery.items if item.type != "advice.withdrawn"] if error.uncertain else []
        )
        endpoint: EndpointState | None = None
        if error.endpoint_fails:
            endpoint = "slow" if "timeout" in error.reason else "failing"
        outcome = "retry" if again is not None else "failed"
        self.count(subscription.channel, outcome, error.reason)
        log.warning(
            "delivery.attempt_failed",
            outcome=outcome,
            delivery=delivery.id,
            subscription=subscription.id,
            channel=subscription.channel,
            attempt=len(tried.attempts),
            reason=reason,
            status=error.status,
            detail=error.detail,
            next=None if again is None else again.isoformat(),
        )
        return Outcome(tried, (), endpoint, now, uncertain), error

    def _cancel(self, delivery: Delivery, channel: str, reason: str) -> Attempted:
        self.count(channel, "cancelled", reason)
        log.info(
            "delivery.cancelled", delivery=delivery.id, subscription=delivery.subscription, reason=reason
        )
        return Outcome(replace(delivery, state="cancelled", reason=reason)), None


def _lasts(said: Said, until: datetime) -> bool:
    """Whether it will still be worth saying: advice until it expires, a withdrawal for as long as we try at all."""
    return said.type == "advice.withdrawn" or until < said.record.advice.expires_at
