"""The whole of Tandem, running, as a test sees it: real processes, store, receiver and SMTP server."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import local
from deploy.demo.receiver import Receiver
from deploy.mailcatcher import MailCatcher
from deploy.stepping import Stepper
from shared.contracts.clubs import SCOPES
from shared.settings import Settings, read_settings
from shared.store.connect import Store, connect


@dataclass(frozen=True, slots=True)
class Answer:
    """What the front door answered."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Client:
    """A club's integration: the HTTP interface and its key."""

    url: str
    token: str
    club: str

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Send one request and return the answer, whatever its status."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with local.OPENER.open(request, timeout=30) as answer:
                return _answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.read(), dict(error.headers))

    def call_text(self, method: str, path: str) -> str:
        """Send a request whose answer is text."""
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310 - loopback
        with local.OPENER.open(request, timeout=30) as answer:
            text: str = answer.read().decode()
        return text

    def post_events(self, events: Sequence[dict[str, Any]]) -> None:
        """Post up to 500 events that must all be taken."""
        answer = self.call("POST", "/v1/events", list(events))
        assert answer.status == 202, answer

    def put_athlete(self, athlete: str, **profile: Any) -> None:
        """Put a profile that must be taken."""
        answer = self.call("PUT", f"/v1/athletes/{athlete}", profile)
        assert answer.status in {200, 201}, answer

    def subscribe(self, channel: str, target: str, **options: Any) -> dict[str, Any]:
        """Make a subscription that must be taken; return it with its secret."""
        answer = self.call("POST", "/v1/subscriptions", {"channel": channel, "target": target, **options})
        assert answer.status == 201, answer
        made: dict[str, Any] = answer.body
        return made

    def advice(self, athlete: str, query: str = "") -> list[dict[str, Any]]:
        """Return the athlete's advice, the newest first."""
        answer = self.call("GET", f"/v1/athletes/{athlete}/advice?limit=200{query}")
        assert answer.status == 200, answer
        items: list[dict[str, Any]] = answer.body["items"]
        return items


@dataclass(frozen=True, slots=True)
class Running:
    """A running Tandem, with what it sends to and the hand on its clock."""

    tree: local.LocalTandem
    store: Store
    receiver: Receiver
    mail: MailCatcher
    stepper: Stepper

    def new_club(self, now: datetime, name: str = "Test Club") -> Client:
        """Found a club and return its integration."""
        club = self.store.clubs.create(name, now)
        _, token = self.store.clubs.issue_key(club.id, "test", SCOPES, now)
        return Client(self.tree.url, token, club.id)

    def webhook(self, client: Client, **options: Any) -> dict[str, Any]:
        """Subscribe the receiver's webhook and let it verify with the secret that was given."""
        made = client.subscribe("webhook", f"{self.receiver.base_url}/webhook", **options)
        self.receiver.secret = made["secret"]
        return made


@contextmanager
def running(
    folder: Path, *, stepped: bool = True, rules_workers: int = 1, **settings: Any
) -> Iterator[Running]:
    """Start everything in `folder` and stop it at the end."""
    receiver, mail = Receiver(), MailCatcher()
    receiver.start()
    mail.start()
    environ = {
        "TANDEM_STEPPED_CLOCK": str(int(stepped)),
        "TANDEM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        "TANDEM_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "TANDEM_MAIL_FROM": "coach@tandem.test",
        "TANDEM_DATA_DIR": str(folder / "data"),
        **{f"TANDEM_{name.upper()}": str(value) for name, value in settings.items()},
    }
    wanted: Settings = replace(read_settings(environ), rules_workers=rules_workers)
    with (folder / "tandem.log").open("wb") as output:
        try:
            tree = local.start(wanted, 0, environ={**_clean(), **environ}, output=output)
        except BaseException:
            sys.stderr.write((folder / "tandem.log").read_text(errors="replace")[-5000:])
            raise
        store = connect(str(tree.settings.redis_url))
        if stepped:  # a signature is as old as the clock that made it says, however long the test takes
            receiver.now = lambda: store.clock.read() or datetime.now(UTC)
        try:
            yield Running(
                tree, store, receiver, mail, Stepper.of(wanted, store) if stepped else Stepper(store)
            )
        except BaseException:
            sys.stderr.write((folder / "tandem.log").read_text(errors="replace")[-5000:])
            raise
        finally:
            store.close()
            tree.stop()
            receiver.stop()
            mail.stop()


def _answer(status: int, raw: bytes, headers: dict[str, str]) -> Answer:
    return Answer(
        status, json.loads(raw) if raw else None, {name.lower(): value for name, value in headers.items()}
    )


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
