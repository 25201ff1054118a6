"""The store as its users see it: one client, and the parts that speak of timelines, advice and deliveries."""

from dataclasses import dataclass

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from shared.store.advice import AdviceStore
from shared.store.athletes import Athletes
from shared.store.calls import Calls
from shared.store.clubs import Clubs
from shared.store.connections import pool_on
from shared.store.counters import Counters
from shared.store.deliveries import Deliveries
from shared.store.due import Due
from shared.store.errors import StoreUnavailableError, store_errors
from shared.store.limits import Limits
from shared.store.line import Line
from shared.store.outbox import Outbox
from shared.store.outlook import Outlooks
from shared.store.overrides import Overrides
from shared.store.rulebook import RulebookStore
from shared.store.scripts import Scripts
from shared.store.stepping import ClockStore
from shared.store.subscriptions import Subscriptions
from shared.store.ticking import Ticking
from shared.store.timelines import Timelines

__all__ = ["Store", "StoreUnavailableError", "connect"]


@dataclass(frozen=True, slots=True)
class Store:
    """Every part of the store, on one pool of connections. Safe to share between threads, not across a fork."""

    client: redis.Redis
    line: Line
    clubs: Clubs
    athletes: Athletes
    timelines: Timelines
    due: Due
    calls: Calls
    advice: AdviceStore
    outbox: Outbox
    subscriptions: Subscriptions
    deliveries: Deliveries
    rulebook: RulebookStore
    overrides: Overrides
    counters: Counters
    limits: Limits
    clock: ClockStore
    ticking: Ticking
    outlook: Outlooks

    def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the store answers."""
        with store_errors():
            self.client.ping()

    def signing_key(self) -> bytes:
        """The store's own random key for links that act without an API key; made at the first call."""
        return self.clubs.signing_key()

    def close(self) -> None:
        """Give all connections back."""
        self.client.close()


def connect(url: str, connections: int = 1) -> Store:
    """Make a store on `url` (`redis://`, `rediss://` or `unix://`). Nothing is sent before the first use.

    Threads share `connections` for short questions (`shared/store/line.py`).
    """
    client = redis.Redis.from_pool(
        pool_on(
            url,
            decode_responses=True,
            protocol=3,  # a hash comes as one, also to who asks by the line
            socket_timeout=5,
            socket_connect_timeout=2,
            health_check_interval=30,
            # Every write is safe to repeat: appends know duplicates, commits compare what they read.
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        )
    )
    line = Line(client, connections)
    scripts = Scripts(line)
    return Store(
        client=client,
        line=line,
        clubs=Clubs(client, line),
        athletes=Athletes(client, line, scripts),
        timelines=Timelines(line, scripts),
        due=Due(client, line, scripts),
        calls=Calls(client, line, scripts),
        advice=AdviceStore(client, line, scripts),
        outbox=Outbox(line, scripts),
        subscriptions=Subscriptions(client, line),
        deliveries=Deliveries(client, line, scripts),
        rulebook=RulebookStore(client, line),
        overrides=Overrides(client),
        counters=Counters(client, line),
        limits=Limits(scripts),
        clock=ClockStore(client),
        ticking=Ticking(client),
        outlook=Outlooks(scripts),
    )
