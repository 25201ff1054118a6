"""A club's API keys over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.ingest.auth import caller
from services.ingest.operations import PageSchema, Resource, Takes, operation, page_of, slice_of
from services.ingest.parts import parts
from services.ingest.problems import not_found
from shared.contracts.club_schema import ApiKeySchema, NewApiKeySchema
from shared.contracts.clubs import ApiKey
from shared.store.pages import Page

resource = Resource("keys", __name__, description="Who may speak for the club")


@dataclass(frozen=True, slots=True)
class _NewKey:
    """A key with its token."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    token: str
    revoked_at: None = None


@operation(
    resource,
    "/v1/keys",
    scope="admin",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(ApiKeySchema)),
)
def list_keys(page: dict[str, Any]) -> Page[ApiKey]:
    """List the club's keys, revoked ones too, the oldest first."""
    return slice_of(parts().store.clubs.keys(caller().club), "id", page["cursor"], page["limit"])


@operation(
    resource,
    "/v1/keys",
    method="POST",
    scope="admin",
    takes=Takes(body=ApiKeySchema),
    answers=(201, NewApiKeySchema),
)
def create_key(found: dict[str, Any]) -> _NewKey:
    """Make a key.

    Its token is in this answer and cannot be had again.
    """
    key, token = parts().store.clubs.issue_key(
        caller().club, found["name"], tuple(dict.fromkeys(found["scopes"])), parts().clock.now()
    )
    return _NewKey(key.id, key.name, key.scopes, key.created_at, token)


@operation(resource, "/v1/keys/<key_id>", method="DELETE", scope="admin", answers=(204, None), errors=(404,))
def revoke_key(key_id: str) -> None:
    """Revoke a key at once."""
    if parts().store.clubs.revoke(caller().club, key_id, parts().clock.now()) is None:
        raise not_found("key", key_id)
