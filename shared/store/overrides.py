"""What clubs lay over the rules, by version, and what their rules in shadow would have said."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import redis

from shared.contracts.instants import to_ms
from shared.contracts.overrides import Override, ShadowAdvice, live_of
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.errors import store_errors

MOST_VERSIONS: Final = 50
MOST_SHADOWED: Final = 1_000


class Overrides:
    """A club's versions, the oldest first. A new one never changes those before it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def history(self, club: str) -> tuple[Override, ...]:
        """Return the versions that are kept: the latest, and the one that speaks."""
        with store_errors():
            return _decode(self._client.lrange(keys.club_overrides(club), 0, -1))

    def add(self, club: str, wanted: Override, *, after: int) -> Override | None:
        """Put `wanted` in force as the version after `after`; None when another came in between.

        `Due.mark_changed` makes the club's athletes due; if the caller dies before that, the tick does it.
        """
        with store_errors(), self._client.pipeline() as pipeline:
            pipeline.watch(keys.club_overrides(club))  # type: ignore[no-untyped-call]  # redis-py leaves it so
            known = _decode(pipeline.lrange(keys.club_overrides(club), 0, -1))
            if (known[-1].version if known else 0) != after:
                return None
            added = replace(wanted, version=after + 1)
            kept = [*known, added][-MOST_VERSIONS:]
            live = live_of((*known, added))
            if live.version and live not in kept:
                kept = [live, *kept]
            pipeline.multi()
            pipeline.delete(keys.club_overrides(club))
            pipeline.rpush(keys.club_overrides(club), *(encode(each) for each in kept))
            pipeline.hset(keys.OVERRIDE_VERSIONS, club, str(added.version))
            pipeline.sadd(keys.RULES_CHANGED, keys.change_of_rules(club))
            try:
                pipeline.execute()
            except redis.WatchError:
                return None
        return added

    def shadowed(self, club: str) -> tuple[ShadowAdvice, ...]:
        """Return what rules in shadow would have said, the latest thousand."""
        with store_errors():
            found = self._client.hvals(keys.shadow_advice(club))
        return tuple(decode(str(text), ShadowAdvice) for text in found)

    def note_shadowed(self, club: str, said: Iterable[ShadowAdvice]) -> None:
        """Keep what rules in shadow say now; the instant at which each was first said stays."""
        said = tuple(said)
        if not said:
            return
        with store_errors():
            known = self._client.hmget(keys.shadow_advice(club), [each.advice_id for each in said])
            pipeline = self._client.pipeline()
            for each, text in zip(said, known, strict=True):
                first = each.first_at if text is None else decode(str(text), ShadowAdvice).first_at
                pipeline.hset(keys.shadow_advice(club), each.advice_id, encode(replace(each, first_at=first)))
                pipeline.zadd(keys.shadow_order(club), {each.advice_id: to_ms(first)})
            pipeline.zrange(keys.shadow_order(club), 0, -MOST_SHADOWED - 1)
            (*_, old) = pipeline.execute()
            if old:
                pipeline = self._client.pipeline()
                pipeline.hdel(keys.shadow_advice(club), *old)
                pipeline.zrem(keys.shadow_order(club), *old)
                pipeline.execute()


def _decode(texts: object) -> tuple[Override, ...]:
    return tuple(decode(str(text), Override) for text in texts) if isinstance(texts, list) else ()
