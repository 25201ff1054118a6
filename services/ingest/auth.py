"""Who is asking: bearer keys, and what each may do."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, request

from services.ingest.parts import parts
from services.ingest.problems import ProblemError
from services.ingest.tracing import note
from shared.contracts.clubs import ApiKey, Scope

_CHALLENGE = 'Bearer realm="tandem"'
_MAX_TOKEN = 200


def requires(scope: Scope) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only keys with `scope` reach the view; `caller` then returns the key."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - as the view has it
            g.key = _authenticated(scope)
            return view(*args, **kwargs)

        return guarded

    return decorate


def caller() -> ApiKey:
    """Return the key of the present request, which `requires` has let through."""
    key: ApiKey = g.key
    return key


def _authenticated(scope: Scope) -> ApiKey:
    kind, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise ProblemError(
            401,
            "send an API key as Authorization: Bearer tnd_...",
            headers={"WWW-Authenticate": _CHALLENGE},
        )
    key = parts().store.clubs.authenticate(token) if len(token) <= _MAX_TOKEN else None
    if key is None:
        raise ProblemError(
            401,
            "the API key is unknown or was revoked",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
        )
    note(club=key.club, key=key.id)
    if not key.allows(scope):
        raise ProblemError(
            403,
            f"this needs a key with the scope {scope}; the key {key.name!r} has {', '.join(key.scopes)}",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'},
        )
    return key
