"""A club's subscriptions: who wants to be told what, where and when."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import redis

from shared.contracts.subscriptions import Subscription
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.errors import store_errors
from shared.store.line import Line, Reading
from shared.store.pages import Page


class Subscriptions:
    """Subscriptions by club."""

    def __init__(self, client: redis.Redis, line: Line) -> None:
        self._client = client
        self._line = line

    def put(self, subscription: Subscription) -> None:
        """Write a subscription whole."""
        with store_errors():
            self._client.hset(
                keys.club_subscriptions(subscription.club), subscription.id, encode(subscription)
            )

    def get(self, club: str, subscription: str) -> Subscription | None:
        """Return one of the club's subscriptions, or None."""
        return self._line.read(one(club, subscription))

    def of_club(self, club: str) -> tuple[Subscription, ...]:
        """Return all of the club's subscriptions, the oldest first."""
        return self._line.read(of_clubs([club]))[club]

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


def one(club: str, subscription: str) -> Reading[Subscription | None]:
    """Read one of the club's subscriptions."""

    def told(answers: list[Any]) -> Subscription | None:
        return None if answers[0] is None else decode(answers[0], Subscription)

    return Reading([("HGET", keys.club_subscriptions(club), subscription)], told)


def of_clubs(clubs: Sequence[str]) -> Reading[dict[str, tuple[Subscription, ...]]]:
    """Read all subscriptions of each club, the oldest first."""

    def told(answers: list[Any]) -> dict[str, tuple[Subscription, ...]]:
        return {
            club: tuple(sorted((decode(text, Subscription) for text in texts), key=attrgetter("id")))
            for club, texts in zip(clubs, answers, strict=True)
        }

    return Reading([("HVALS", keys.club_subscriptions(club)) for club in clubs], told)
