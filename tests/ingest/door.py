"""A front door for tests: the application on a real store, with a club and keys to post as."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import kombu.pools
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from deploy.rule_desk import RuleDesk
from services.ingest.app import create_app
from services.ingest.wakeups import Wakeups
from shared.broker import RULES_QUEUE, celery_app
from shared.clock import SteppedClock
from shared.contracts.clubs import Scope
from shared.settings import Settings
from shared.store.connect import Store, connect

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
RUN: dict[str, Any] = {
    "id": "run-1",
    "type": "workout.completed",
    "subject": "ann",
    "time": "2026-03-02T17:00:00+01:00",
    "data": {"activity": "run", "duration_s": 1800},
}


def event(**changes: object) -> dict[str, Any]:
    """Return a plain run with some of its top-level fields changed."""
    return {**RUN, **changes}


@dataclass(frozen=True)
class Door:
    """The application, its store, and the keys of one club."""

    app: Flask
    store: Store
    settings: Settings
    wake: Wakeups
    club: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> FlaskClient:
        """A client without a key."""
        return self.app.test_client()

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request with the club's admin key, unless `headers` has another."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.call("POST", path, **options)

    def post_events(self, body: object, **options: Any) -> TestResponse:
        return self.post("/v1/events", json=body, **options)

    def post_text(self, text: str | bytes, content_type: str = "application/json") -> TestResponse:
        return self.post("/v1/events", data=text, content_type=content_type)

    def woken(self) -> list[int]:
        """Take the partitions that rules workers were asked for, as these do, however many messages woke them."""
        assert self.wake.flush(10)
        found: list[int] = []
        more = True
        while more:
            taken = self.store.calls.answer("rules", "test", 0, 100)
            found += map(int, taken.wanted)
            more = taken.more
        return found

    def messages(self, queue: str = RULES_QUEUE) -> list[dict[str, Any]]:
        """Take the messages off a queue of the broker, as a worker would, and return what each names."""
        assert self.wake.flush(10)
        found = []
        with celery_app(self.settings, "worker").connection_for_read() as connection:
            channel: Any = connection.default_channel
            while channel._size(queue):
                found.append(channel.basic_get(queue, no_ack=True).decode()[1])
        return found

    def close(self) -> None:
        self.wake.close()
        self.store.close()
        kombu.pools.reset()  # a cached producer would take queues as declared that the next test's store lacks

    def key(self, *scopes: Scope, name: str = "another key") -> dict[str, str]:
        """Return the Authorization header of a new key of the club."""
        _, token = self.store.clubs.issue_key(self.club, name, scopes, NOW)
        return {"Authorization": f"Bearer {token}"}


def open_door(settings: Settings, store: Store) -> Door:
    """Put the application together on `store`, whose clock stands at NOW, with one club."""
    store.clock.set(NOW)
    wake = Wakeups(celery_app(settings, "ingest"), store.calls)
    app = create_app(settings, store, SteppedClock(store), wake, RuleDesk(store))
    club = store.clubs.create("Kraftwerk", NOW)
    _, token = store.clubs.issue_key(club.id, "watch-sync", ("admin",), NOW)
    return Door(app, store, settings, wake, club.id, token)


def open_door_on(url: str, **settings: Any) -> Door:
    """Like `open_door`, on the store at `url`."""
    return open_door(Settings(redis_url=url, stepped_clock=True, **settings), connect(url))


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """Return the problem that `answer` must be."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    told: dict[str, Any] = json.loads(answer.data)
    assert told["status"] == status
    assert told["type"].startswith("urn:tandem:problem:")
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["X-Request-ID"]
    return told


def fault(answer: TestResponse, where: str, status: int = 422) -> dict[str, Any]:
    """Return the one fault of `answer` about the field `where`."""
    (found,) = [error for error in problem(answer, status)["errors"] if error["field"] == where]
    return dict(found)
