"""What a club and its API keys are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["events:write", "advice:read", "admin"]
SCOPES: tuple[Scope, ...] = ("events:write", "advice:read", "admin")


@dataclass(frozen=True, slots=True)
class Club:
    """A customer of Tandem. Nothing of one club is ever visible to another."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key once its token has been shown: never the token itself. `admin` implies every scope."""

    id: str
    club: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    revoked_at: datetime | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether the key may do what `scope` names."""
        return self.revoked_at is None and (scope in self.scopes or "admin" in self.scopes)
