"""A club's subscriptions: who wants to be told what, where and when."""

from collections.abc import Callable

import redis

from shared.contracts.subscriptions import Subscription
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.errors import store_errors
from shared.store.pages import Page


class Subscriptions:
    """Subscriptions by club."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, subscription: Subscription) -> None:
        """Write a subscription whole."""
        with store_errors():
            self._client.hset(
                keys.club_subscriptions(subscription.club), subscription.id, encode(subscription)
            )

    def get(self, club: str, subscription: str) -> Subscription | None:
        """Return one of the club's subscriptions, or None."""
        with store_errors():
            found = self._client.hget(keys.club_subscriptions(club), subscription)
        return None if found is None else decode(str(found), Subscription)

    def of_club(self, club: str) -> tuple[Subscription, ...]:
        """Return all of the club's subscriptions, the oldest first."""
        with store_errors():
            found = self._client.hvals(keys.club_subscriptions(club))
        return tuple(sorted((decode(str(text), Subscription) for text in found), key=lambda each: each.id))

    def page(self, club: str, cursor: str | None, limit: int) -> Page[Subscription]:
        """Return up to `limit` subscriptions, the oldest first, after the id that `cursor` names."""
        rest = [each for each in self.of_club(club) if cursor is None or each.id > cursor]
        return Page(tuple(rest[:limit]), rest[limit - 1].id if len(rest) > limit else None)

    def delete(self, club: str, subscription: str) -> bool:
        """Forget a subscription. What is pending for it is cancelled when its time comes. False: there was none."""
        with store_errors():
            return bool(self._client.hdel(keys.club_subscriptions(club), subscription))

    def change(
        self, club: str, subscription: str, change: Callable[[Subscription], Subscription]
    ) -> Subscription | None:
        """Apply `change` to the subscription as it stands, again if another writer came between. None: none such."""
        name = keys.club_subscriptions(club)
        with store_errors(), self._client.pipeline() as pipeline:
            while True:
                pipeline.watch(name)  # type: ignore[no-untyped-call]  # redis-py leaves it so
                found = pipeline.hget(name, subscription)
                if found is None:
                    return None
                changed = change(decode(str(found), Subscription))
                pipeline.multi()
                pipeline.hset(name, subscription, encode(changed))
                try:
                    pipeline.execute()
                except redis.WatchError:
                    continue
                return changed
