"""The HTTP front door, put together from its parts."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface

from services.ingest import (
    advice,
    athletes,
    deliveries,
    docs,
    events,
    health,
    keys,
    overrides,
    problems,
    rules,
    subscriptions,
    traces,
    tracing,
    unsubscribe,
)
from services.ingest.answers import Answer
from services.ingest.bodies import MAX_BODY
from services.ingest.gate import Gate
from services.ingest.parts import Parts, RuleDesk, install
from services.ingest.wakeups import Wakeups
from shared.clock import Clock
from shared.settings import Settings
from shared.store.connect import Store


class _NoSessions(SessionInterface):
    """Whoever calls has a key, and no session: there is nothing to open and nothing to keep."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - as Flask asks
        return self._none


class _FrontDoor(Flask):
    """Flask, without what it does at every request for the sake of applications that are not like this one."""

    response_class = Answer
    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func  # nothing here is a coroutine


def create_app(settings: Settings, store: Store, clock: Clock, wake: Wakeups, desk: RuleDesk) -> Flask:
    """Return the WSGI application. Nothing connects before the first request."""
    app = _FrontDoor(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    install(app, Parts(settings, store, clock, wake, Gate(settings, store), desk))
    tracing.register(app)
    app.add_url_rule("/v1/events", view_func=events.post_events, methods=["POST"])
    docs.document(
        app,
        (
            athletes.resource,
            advice.resource,
            subscriptions.resource,
            deliveries.resource,
            rules.resource,
            overrides.resource,
            traces.resource,
            keys.resource,
        ),
    )
    app.register_blueprint(health.blueprint)
    app.register_blueprint(unsubscribe.blueprint)
    problems.register(app)  # after flask-smorest, which registers a handler of its own
    return app
