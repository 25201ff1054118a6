"""Clubs and their API keys. A token is shown once; the store keeps only its hash."""

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime

import redis

from shared.contracts.clubs import ApiKey, Club, Scope
from shared.contracts.ids import new_id
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.errors import store_errors
from shared.store.line import Line


class Clubs:
    """Who may speak to Tandem, and for whom."""

    def __init__(self, client: redis.Redis, line: Line) -> None:
        self._client = client
        self._line = line

    def create(self, name: str, now: datetime) -> Club:
        """Found a club. Two clubs may bear one name; ids tell them apart."""
        club = Club(new_id("clb", now), name, now)
        with store_errors():
            self._client.hset(keys.CLUBS, club.id, encode(club))
        return club

    def get(self, club: str) -> Club | None:
        """Return the club, or None."""
        with store_errors():
            found = self._client.hget(keys.CLUBS, club)
        return None if found is None else decode(str(found), Club)

    def list(self) -> tuple[Club, ...]:
        """Return all clubs, the oldest first."""
        with store_errors():
            found = self._client.hvals(keys.CLUBS)
        return tuple(sorted((decode(str(text), Club) for text in found), key=lambda club: club.id))

    def issue_key(self, club: str, name: str, scopes: tuple[Scope, ...], now: datetime) -> tuple[ApiKey, str]:
        """Make a key. Return it with its token, which cannot be had again."""
        token = f"tnd_{secrets.token_urlsafe(32)}"
        key = ApiKey(new_id("key", now), club, name, scopes, now)
        digest = _digest(token)
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.hset(keys.API_KEYS, digest, encode(key))
            pipeline.hset(keys.club_keys(club), key.id, digest)
            pipeline.execute()
        return key, token

    def authenticate(self, token: str) -> ApiKey | None:
        """Return the key that `token` belongs to, or None when there is none or it was revoked."""
        [found] = self._line.ask([("HGET", keys.API_KEYS, _digest(token))])
        if found is None:
            return None
        key = decode(found, ApiKey)
        return key if key.revoked_at is None else None

    def keys(self, club: str) -> tuple[ApiKey, ...]:
        """Return the club's keys, revoked ones too, the oldest first."""
        with store_errors():
            digests = dict(self._client.hgetall(keys.club_keys(club)))
            if not digests:
                return ()
            found = self._client.hmget(keys.API_KEYS, [digests[name] for name in sorted(digests)])
        return tuple(decode(str(text), ApiKey) for text in found if text is not None)

    def revoke(self, club: str, key_id: str, now: datetime) -> ApiKey | None:
        """End a key at once. Return it, or None when the club has no such key."""
        with store_errors():
            digest = self._client.hget(keys.club_keys(club), key_id)
            found = None if digest is None else self._client.hget(keys.API_KEYS, str(digest))
            if digest is None or found is None:
                return None
            key = decode(str(found), ApiKey)
            if key.revoked_at is None:
                key = replace(key, revoked_at=now)
                self._client.hset(keys.API_KEYS, str(digest), encode(key))
            return key

    def signing_key(self) -> bytes:
        """Return the store's own random key, made at the first call and the same ever after."""
        with store_errors():
            self._client.set(keys.SIGNING_KEY, secrets.token_hex(32), nx=True)
            return bytes.fromhex(str(self._client.get(keys.SIGNING_KEY)))


def _digest(token: str) -> str:
    # A token is 256 random bits: a plain hash is as good as a slow one, and costs an event a microsecond.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
