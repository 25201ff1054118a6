"""The rules in force and those before them, as text, so that any worker can govern any anchor as it was governed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

import redis

from shared.contracts.instants import to_ms
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.errors import store_errors
from shared.store.line import Command, Line


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What is said of a rule to those who list rules."""

    id: str
    pack: str
    version: int
    hash: str
    title: str
    category: str
    severity: str
    mode: str
    evidence: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One rule file: where it was found, its text, and which of the paths it came from (later ones overlay)."""

    path: str
    text: str
    layer: int


@dataclass(frozen=True, slots=True)
class StoredGeneration:
    """One load of rules. `since` is None for the first: it governs all that came before it, too."""

    since: datetime | None
    hash: str
    files: tuple[StoredFile, ...]
    rules: tuple[RuleInfo, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """The version of the shared rules, and each club's own.

    Each is '' where there is none. Two loads of the same files are two versions, should others have been in force
    between them.
    """

    shared: str
    own: Mapping[str, str]


def questions(clubs: Sequence[str]) -> list[Command]:
    """Return what is to be asked of the store to see which rules govern the clubs."""
    return [("GET", keys.RULEBOOK_VERSION), ("HMGET", keys.OVERRIDE_VERSIONS, *clubs)]


def told(answers: Sequence[Any], clubs: Sequence[str]) -> Versions:
    """Return what the answers to `questions` say."""
    shared, owns = answers
    return Versions(str(shared or ""), {club: str(own or "") for club, own in zip(clubs, owns, strict=True)})


class RulebookStore:
    """Generations in the order of their loading. A load of what is already in force adds nothing."""

    def __init__(self, client: redis.Redis, line: Line) -> None:
        self._client = client
        self._line = line

    def versions(self, clubs: Sequence[str]) -> "Versions":
        """Return the version of the shared rules and of the clubs' own: one small read to see a change."""
        return told(self._line.ask(questions(clubs)), clubs)

    def register(self, generation: StoredGeneration, now: datetime, keep_after: datetime) -> bool:
        """Put `generation` in force from `now` on, unless it is so already.

        Return whether it replaced other rules. Generations that were themselves replaced before `keep_after` govern
        nothing that can still be active, and are dropped. `Due.mark_changed` makes the athletes due; if the caller dies
        before that, the tick does it.
        """
        with store_errors(), self._client.pipeline() as pipeline:
            while True:
                pipeline.watch(keys.RULEBOOK)  # type: ignore[no-untyped-call]  # redis-py leaves it so
                known = _decode(pipeline.lrange(keys.RULEBOOK, 0, -1))
                if known and known[-1].hash == generation.hash:
                    return False
                since = now if known else None
                kept = [
                    each
                    for each, follower in zip_longest(known, known[1:])
                    if follower is None or (follower.since or now) > keep_after
                ]
                added = StoredGeneration(since, generation.hash, generation.files, generation.rules)
                pipeline.multi()
                pipeline.delete(keys.RULEBOOK)
                pipeline.rpush(keys.RULEBOOK, *(encode(each) for each in [*kept, added]))
                pipeline.set(
                    keys.RULEBOOK_VERSION,
                    generation.hash if since is None else f"{generation.hash}@{to_ms(since)}",
                )
                if known:
                    pipeline.sadd(keys.RULES_CHANGED, keys.change_of_rules())
                try:
                    pipeline.execute()
                except redis.WatchError:
                    continue
                return bool(known)

    def installed(self) -> bool:
        """Whether any rules are in force."""
        with store_errors():
            return bool(self._client.exists(keys.RULEBOOK_VERSION))

    def generations(self) -> tuple[StoredGeneration, ...]:
        """Return all kept generations, the oldest first."""
        with store_errors():
            return tuple(_decode(self._client.lrange(keys.RULEBOOK, 0, -1)))

    def current(self) -> StoredGeneration | None:
        """Return the generation in force, or None before any worker has loaded rules."""
        with store_errors():
            found = self._client.lindex(keys.RULEBOOK, -1)
        return None if found is None else decode(str(found), StoredGeneration)

    def errors(self, club: str) -> Mapping[str, int]:
        """Return how often each rule has failed at run time for the club's athletes."""
        with store_errors():
            return {
                str(rule): int(count)
                for rule, count in dict(self._client.hgetall(keys.rule_errors(club))).items()
            }

    def count_errors(self, club: str, failures: Mapping[str, int]) -> None:
        """Add to the rules' counts of failures."""
        if not failures:
            return
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            for rule, count in failures.items():
                pipeline.hincrby(keys.rule_errors(club), rule, count)
            pipeline.execute()


def _decode(texts: object) -> list[StoredGeneration]:
    return [decode(str(text), StoredGeneration) for text in texts] if isinstance(texts, list) else []
