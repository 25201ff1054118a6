"""The shell around routing and delivery: read the outbox, fill the lanes, drain them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from celery import Celery

from services.notify.channels.message import Sender
from services.notify.delivery import Deliverer
from services.notify.routing import Decision, route
from services.notify.schedule import slot
from services.notify.sweep import wake
from shared.clock import Clock
from shared.contracts.ids import delivery_id
from shared.contracts.subscriptions import Channel, Delivery, DeliveryItem, Subscription
from shared.store.connect import Store
from shared.store.counters import Sample
from shared.store.outbox import OutboxEntry

AT_ONCE = 4
"""Requests to one endpoint at once; one that last timed out gets one, so that it holds no more than one thread."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NotifyShell:
    """What a notify worker is made of."""

    store: Store
    clock: Clock
    senders: Mapping[Channel, Sender]
    app: Celery

    def route(self, athletes: Sequence[tuple[str, str]]) -> None:
        """Turn each athlete's outbox into deliveries, and send what is due."""
        counts: Counter[tuple[str, str, str]] = Counter()
        subscriptions: dict[str, tuple[Subscription, ...]] = {}
        lanes: dict[tuple[str, str], None] = {}
        for club, athlete in athletes:
            if club not in subscriptions:
                subscriptions[club] = self.store.subscriptions.of_club(club)
            try:
                lanes |= dict.fromkeys(self._route(club, athlete, subscriptions[club], counts))
            except Exception:
                # The outbox keeps its entries, and the sweep comes back; the other athletes must not wait for that.
                log.exception("routing.failed", club=club, athlete=athlete)
        self._report(counts)
        if len(lanes) == 1:
            self.deliver(list(lanes))  # nobody else to keep waiting: save the way through the queue
        else:
            wake(self.app, list(lanes))

    def deliver(self, subscriptions: Sequence[tuple[str, str]]) -> None:
        """Send what is due in each (club, subscription) lane, until nothing is left that may be sent now."""
        counts: Counter[tuple[str, str, str]] = Counter()

        def count(channel: str, outcome: str, reason: str) -> None:
            counts[channel, outcome, reason] += 1

        deliverer = Deliverer(self.store, self.senders, count)
        for club, subscription in subscriptions:
            while True:
                slow = self.store.deliveries.health(club, subscription).slow
                now = self.clock.now()
                delivery = self.store.deliveries.claim(club, subscription, now, 1 if slow else AT_ONCE)
                if delivery is None:
                    break
                try:
                    deliverer.attempt(delivery, now)
                except Exception:
                    # The claim lapses by itself and the delivery is tried again under its name.
                    log.exception(
                        "delivery.crashed", delivery=delivery.id, club=club, subscription=subscription
                    )
                    break
        self._report(counts)

    def _route(
        self,
        club: str,
        athlete: str,
        subscriptions: tuple[Subscription, ...],
        counts: Counter[tuple[str, str, str]],
    ) -> list[tuple[str, str]]:
        """Enqueue deliveries for one athlete's outbox; return the lanes that now have something due."""
        entries = self.store.outbox.read(club, athlete)
        if not entries:
            return []
        records = self.store.advice.find(club, athlete, {entry.advice_id for entry in entries})
        profile = self.store.athletes.get(club, athlete)
        now = self.clock.now()
        lanes = []
        for entry in entries:
            record = records.get(entry.advice_id)
            decisions = route(entry, record, profile, subscriptions) if record is not None else ()
            for decision in decisions:
                if decision.send:
                    due = self._enqueue(entry, decision.subscription, now)
                    if due <= now:
                        lanes.append((club, decision.subscription.id))
                else:
                    counts[decision.subscription.channel, "not_routed", decision.reason] += 1
                    self._explain(entry, decision)
        self.store.outbox.done(club, athlete, entries)
        return lanes

    def _enqueue(self, entry: OutboxEntry, subscription: Subscription, now: datetime) -> datetime:
        item = DeliveryItem(entry.advice_id, entry.athlete, entry.revision, entry.type)
        due = slot(subscription.schedule, subscription.timezone, now)
        if subscription.schedule.kind == "immediate" or subscription.channel == "webhook":
            # Webhooks carry one event each; a schedule only says when.
            name = delivery_id(subscription.id, entry.advice_id, str(entry.revision), entry.type)
            self.store.deliveries.enqueue(
                Delivery(name, subscription.id, subscription.club, "advice", (item,), now, due)
            )
            return due
        # Mail about one athlete must not show another's advice.
        whose = entry.athlete if subscription.channel == "email" else ""
        while True:
            name = delivery_id(subscription.id, "digest", whose, due.isoformat())
            digest = Delivery(
                name, subscription.id, subscription.club, "advice", (item,), now, due, digest=True
            )
            if self.store.deliveries.enqueue(digest) != "closed":
                return due
            due = slot(subscription.schedule, subscription.timezone, due)

    def _explain(self, entry: OutboxEntry, decision: Decision) -> None:
        log.info(
            "delivery.not_routed",
            advice_id=entry.advice_id,
            athlete=entry.athlete,
            subscription=decision.subscription.id,
            reason=decision.reason,
        )

    def _report(self, counts: Counter[tuple[str, str, str]]) -> None:
        self.store.counters.add_many(
            [
                Sample("deliveries_total", {"channel": channel, "outcome": outcome, "reason": reason}, amount)
                for (channel, outcome, reason), amount in counts.items()
            ]
        )
