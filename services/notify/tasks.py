"""The shell around routing and delivery: read the outbox, fill the lanes, drain them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from celery import Celery

from services.notify.channels.message import Sender
from services.notify.delivery import Deliverer
from services.notify.draining import Drain
from services.notify.routing import Decision, route
from services.notify.schedule import slot
from services.notify.sweep import wake
from services.notify.tally import Tally
from shared.clock import Clock
from shared.contracts.athletes import Athlete
from shared.contracts.ids import delivery_id
from shared.contracts.subscriptions import Channel, Delivery, DeliveryItem, Subscription
from shared.store import outbox
from shared.store.claims import Claim
from shared.store.connect import Store
from shared.store.line import both
from shared.store.outbox import OutboxEntry
from shared.store.subscriptions import of_clubs

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NotifyShell:
    """What a notify worker is made of."""

    store: Store
    clock: Clock
    senders: Mapping[Channel, Sender]
    app: Celery
    _together: dict[tuple[str, str], int] = field(default_factory=dict)

    def route(self, athletes: Sequence[tuple[str, str]]) -> None:
        """Turn the athletes' outboxes into deliveries, and send what is due."""
        tally = Tally()
        drain = self._drain(tally)
        routed = self._route_each(athletes, tally, drain)
        lanes = list(dict.fromkeys(routed.lanes))
        # The others have workers of their own before this one begins, and may hang.
        wake(self.app, self.store.deliveries.unexpected(lanes[1:]))
        if routed.claims:
            with _logged(*lanes[0]):
                drain.go_on(*lanes[0], routed.claims, routed.entries)
        else:
            self.store.outbox.done(routed.entries)
            if lanes and routed.claims is None:
                with _logged(*lanes[0]):
                    drain.run(*lanes[0])
        self.store.counters.add_many(tally.take())

    def deliver(self, subscriptions: Sequence[tuple[str, str]]) -> None:
        """Send what is due in each (club, subscription) lane, until nothing is left that may be sent now."""
        tally = Tally()
        drain = self._drain(tally)
        for lane in subscriptions:
            with _logged(*lane):
                drain.run(*lane)
        self.store.counters.add_many(tally.take())

    def _drain(self, tally: Tally) -> Drain:
        deliverer = Deliverer(self.store, self.senders, tally.count)
        return Drain(self.store, self.clock, deliverer, tally, self._together)

    def _route_each(
        self, athletes: Sequence[tuple[str, str]], tally: Tally, drain: Drain | None
    ) -> "_Routed":
        """Route all athletes together, or if that fails one by one."""
        counted = Tally()
        try:
            routed = self._route(athletes, counted, drain)
        except Exception:
            if len(athletes) > 1:
                each = [self._route_each([one], tally, None) for one in athletes]
                return _Routed(
                    [entry for one in each for entry in one.entries],
                    [lane for one in each for lane in one.lanes],
                )
            # The outbox keeps its entries, and the sweep comes back; the other athletes must not wait for that.
            log.exception("routing.failed", club=athletes[0][0], athlete=athletes[0][1])
            return _Routed()
        tally.add(counted)
        return routed

    def _route(self, athletes: Sequence[tuple[str, str]], tally: Tally, drain: Drain | None) -> "_Routed":
        found, subscriptions = self.store.line.read(
            both(outbox.waiting(athletes), of_clubs(sorted({club for club, _ in athletes})))
        )
        waiting = {athlete: each for athlete, each in zip(athletes, found, strict=True) if each}
        if not waiting:
            return _Routed()
        records = self.store.advice.find_many(
            [(*athlete, {entry.advice_id for entry in entries}) for athlete, entries in waiting.items()]
        )
        profiles = self._profiles(waiting, subscriptions)
        now = self.clock.now()
        wanted: list[tuple[OutboxEntry, Subscription, datetime]] = []
        for ((club, athlete), entries), known in zip(waiting.items(), records, strict=True):
            for entry in entries:
                record = known.get(entry.advice_id)
                profile = profiles.get((club, athlete))
                decisions = route(entry, record, profile, subscriptions[club]) if record is not None else ()
                for decision in decisions:
                    of = decision.subscription
                    if decision.send:
                        wanted.append((entry, of, slot(of.schedule, of.timezone, now)))
                    else:
                        tally.count(of.channel, "not_routed", decision.reason)
                        self._explain(entry, decision)
        lanes, claims = self._enqueue(wanted, now, drain)
        return _Routed([entry for each in waiting.values() for entry in each], lanes, claims)

    def _profiles(
        self,
        athletes: Collection[tuple[str, str]],
        subscriptions: Mapping[str, tuple[Subscription, ...]],
    ) -> dict[tuple[str, str], Athlete]:
        """Return the profiles of those whose club sends mail: nobody else's decides who is told."""
        mailing = {
            club for club, each in subscriptions.items() if any(one.channel == "email" for one in each)
        }
        return self.store.athletes.get_many(
            [(club, athlete) for club, athlete in athletes if club in mailing]
        )

    def _enqueue(
        self, wanted: Sequence[tuple[OutboxEntry, Subscription, datetime]], now: datetime, drain: Drain | None
    ) -> tuple[list[tuple[str, str]], Sequence[Claim] | None]:
        """Put what is wanted into the lanes; return the lanes that have something due by `now`.

        Of the first of these, `drain` claims what is due.
        """
        lanes: list[tuple[str, str]] = []
        claims: Sequence[Claim] | None = None
        while wanted:
            deliveries = [_delivery(*each, now) for each in wanted]
            first = not lanes
            lanes += [(each.club, each.subscription) for each in deliveries if each.due <= now]
            if drain is not None and lanes and first:
                answers, claims = drain.enqueue_and_claim(deliveries, lanes[0], now)
            else:
                answers = self.store.deliveries.enqueue_many(deliveries)
            wanted = [
                (entry, of, slot(of.schedule, of.timezone, due))
                for (entry, of, due), answer in zip(wanted, answers, strict=True)
                if answer == "closed"
            ]
        return lanes, claims

    def _explain(self, entry: OutboxEntry, decision: Decision) -> None:
        log.info(
            "delivery.not_routed",
            advice_id=entry.advice_id,
            athlete=entry.athlete,
            subscription=decision.subscription.id,
            reason=decision.reason,
        )


@contextmanager
def _logged(club: str, subscription: str) -> Iterator[None]:
    """Log what keeps a lane from being drained, and go on to the next: the sweep comes back to it."""
    try:
        yield
    except Exception:
        log.exception("draining.failed", club=club, subscription=subscription)


@dataclass(frozen=True, slots=True)
class _Routed:
    """What routing has come to.

    Entries that may leave the outbox, their deliveries being in their lanes; the lanes with something due; and what was
    claimed of the first of them, if that was asked.
    """

    entries: Sequence[OutboxEntry] = ()
    lanes: Sequence[tuple[str, str]] = ()
    claims: Sequence[Claim] | None = None


def _delivery(entry: OutboxEntry, subscription: Subscription, due: datetime, now: datetime) -> Delivery:
    item = DeliveryItem(entry.advice_id, entry.athlete, entry.revision, entry.type)
    digest = subscription.schedule.kind != "immediate" and subscription.channel != "webhook"
    if digest:
        # Mail about one athlete must not show another's advice.
        whose = entry.athlete if subscription.channel == "email" else ""
        name = delivery_id(subscription.id, "digest", whose, due.isoformat())
    else:
        # Webhooks carry one event each; a schedule only says when.
        name = delivery_id(subscription.id, entry.advice_id, str(entry.revision), entry.type)
    return Delivery(name, subscription.id, subscription.club, "advice", (item,), now, due, digest=digest)
