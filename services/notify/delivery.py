"""One attempt at one delivery: look, decide, send, judge, and write down what became of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

import structlog

from services.notify.channels.message import Message, Said, Sender, Sent, TransportError
from services.notify.disabling import disable
from services.notify.routing import email_reason
from services.notify.schedule import after_quiet_hours, next_attempt
from services.notify.stages import Look, say
from shared.contracts.advice import AdviceRecord
from shared.contracts.athletes import Athlete
from shared.contracts.subscription_schema import ATHLETES_OWN
from shared.contracts.subscriptions import Attempt, Channel, Delivery, DeliveryItem, Subscription
from shared.store.connect import Store
from shared.store.deliveries import EndpointState

PATIENCE = timedelta(days=5)
"""How long an endpoint may fail before it is disabled."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Makes attempts. `count` is told each outcome as (channel, outcome, reason)."""

    store: Store
    senders: Mapping[Channel, Sender]
    count: Callable[[str, str, str], None]

    def attempt(self, delivery: Delivery, now: datetime) -> None:
        """Try a claimed delivery once, and end the claim."""
        subscription = self.store.subscriptions.get(delivery.club, delivery.subscription)
        if subscription is None:
            self._cancel(delivery, "unknown", "subscription_deleted")
        elif not subscription.enabled:
            self._cancel(delivery, subscription.channel, "subscription_disabled")
        elif subscription.channel not in self.senders:
            self._cancel(delivery, subscription.channel, "channel_not_configured")
        else:
            self._attempt(delivery, subscription, now)

    def _attempt(self, delivery: Delivery, subscription: Subscription, now: datetime) -> None:
        said: tuple[Said, ...] = ()
        if delivery.kind == "advice":
            said, reason = self._look(delivery, subscription, now)
            if not said:
                self._cancel(delivery, subscription.channel, reason)
                return
        elif subscription.target == ATHLETES_OWN:
            self._cancel(
                delivery, subscription.channel, "no_one_address"
            )  # a test has no athlete to be sent to
            return
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
            self.store.deliveries.finish(replace(delivery, due=quiet_until))
            return
        message = Message(delivery.id, delivery.kind, subscription, said, now, to, delivery.notice)
        self._send(delivery, subscription, message)

    def _look(
        self, delivery: Delivery, subscription: Subscription, now: datetime
    ) -> tuple[tuple[Said, ...], str]:
        """Return what is still to be said, and the reason for the last item that is not."""
        club = delivery.club
        items = sorted(delivery.items, key=attrgetter("athlete"))
        records: dict[str, AdviceRecord] = {}
        athletes: dict[str, Athlete] = {}
        for athlete, group in groupby(items, key=attrgetter("athlete")):
            records |= self.store.advice.find(club, athlete, [item.advice_id for item in group])
            athletes[athlete] = self.store.athletes.get(club, athlete) or Athlete(club, athlete)
        told = self.store.deliveries.told(club, subscription.id, [item.advice_id for item in items])
        look = Look(subscription.channel, records, athletes, told, now)
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

    def _send(self, delivery: Delivery, subscription: Subscription, message: Message) -> None:
        started = time.monotonic()
        items = [
            DeliveryItem(said.record.advice.id, said.record.advice.athlete, said.record.revision, said.type)
            for said in message.said
        ]
        try:
            sent = self.senders[subscription.channel].send(message)
        except TransportError as error:
            took = round(time.monotonic() - started, 3)
            self._failed(delivery, subscription, message, error, took)
            return
        except Exception as error:
            # A fault of ours in making the message: trying again would fail again, and other deliveries must go on.
            log.exception("delivery.broken", delivery=delivery.id, subscription=subscription.id)
            broken = TransportError(
                "message_not_made", permanent=True, detail=repr(error)[:200], endpoint_fails=False
            )
            self._failed(delivery, subscription, message, broken, round(time.monotonic() - started, 3))
            return
        took = round(time.monotonic() - started, 3)
        self._delivered(delivery, subscription, sent, items, message.at, took)

    def _delivered(
        self,
        delivery: Delivery,
        subscription: Subscription,
        sent: Sent,
        items: list[DeliveryItem],
        now: datetime,
        took: float,
    ) -> None:
        attempt = Attempt(now, took, "delivered", "delivered", sent.status, sent.detail)
        done = replace(
            delivery,
            state="delivered",
            reason="delivered",
            attempts=(*delivery.attempts, attempt),
            items=tuple(items),
        )
        self.store.deliveries.finish(done, items, "well", now)
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

    def _failed(
        self,
        delivery: Delivery,
        subscription: Subscription,
        message: Message,
        error: TransportError,
        took: float,
    ) -> None:
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
        self.store.deliveries.finish(tried, (), endpoint, now, uncertain)
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
        despaired = self._despaired_of(delivery, error, now)
        if despaired and disable(self.store, subscription, despaired, now):
            self.count(subscription.channel, "disabled", "endpoint_gone_or_failing")

    def _despaired_of(self, delivery: Delivery, error: TransportError, now: datetime) -> str | None:
        """Return why nothing more is to be sent to the endpoint, or None."""
        if error.gone:
            return f"the endpoint answered {error.reason}: it is gone"
        since = self.store.deliveries.health(delivery.club, delivery.subscription).failing_since
        if since is not None and now - since >= PATIENCE:
            return f"the endpoint has failed since {since:%Y-%m-%d %H:%M} UTC"
        return None

    def _cancel(self, delivery: Delivery, channel: str, reason: str) -> None:
        self.store.deliveries.finish(replace(delivery, state="cancelled", reason=reason))
        self.count(channel, "cancelled", reason)
        log.info(
            "delivery.cancelled", delivery=delivery.id, subscription=delivery.subscription, reason=reason
        )


def _lasts(said: Said, until: datetime) -> bool:
    """Whether it will still be worth saying: advice until it expires, a withdrawal for as long as we try at all."""
    return said.type == "advice.withdrawn" or until < said.record.advice.expires_at
