"""A notify shell on a real store, with a real HTTP receiver, a real SMTP server, and a clock that a test sets."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest

from deploy.mailcatcher import MailCatcher
from services.notify.channels.registry import senders
from services.notify.tasks import NotifyShell
from shared.broker import celery_app
from shared.contracts.advice import (
    Advice,
    AdviceEventType,
    AdviceRecord,
    AnchorRef,
    Because,
    Category,
    Severity,
    State,
    advice_id,
)
from shared.contracts.athletes import Athlete, QuietHours, ZoneChange
from shared.contracts.events import TIMELINE_TYPES
from shared.contracts.ids import new_id
from shared.contracts.subscriptions import Channel, Delivery, Secret, Subscription
from shared.settings import Settings
from shared.store.advice import Changes
from shared.store.connect import Store, connect
from shared.store.outbox import OutboxDraft

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLUB = "clb_test"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class SetClock:
    """Stands where it is set."""

    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Endpoint:
    """A receiver that answers what the test says: a status, or a callable that handles the request itself."""

    answers: list[Any] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.requests.append(Request(self.path, headers, body))
            answer = made.answers.pop(0) if made.answers else 200
            if callable(answer):
                answer(self)
                return
            status, text = answer if isinstance(answer, tuple) else (answer, "")
            self.send_response(status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def mail() -> Iterator[MailCatcher]:
    catcher = MailCatcher()
    catcher.start()
    yield catcher
    catcher.stop()


@dataclass
class Bench:
    """What a delivery test works with."""

    store: Store
    clock: SetClock
    shell: NotifyShell
    settings: Settings

    def subscribe(self, channel: Channel = "webhook", target: str = "", **options: Any) -> Subscription:
        made = Subscription(
            new_id("sub", self.clock.instant),
            CLUB,
            channel,
            target,
            self.clock.instant,
            secrets=(Secret(SECRET),),
            **options,
        )
        self.store.subscriptions.put(made)
        return made

    def athlete(self, **profile: Any) -> Athlete:
        given = {"zones": (ZoneChange(None, "Europe/Berlin"),), **profile}
        return self.store.athletes.put(Athlete(CLUB, "ada", **given), NOW)[0]

    def advise(
        self,
        what: AdviceEventType = "advice.issued",
        *,
        anchor: str = "gym\x1f1",
        revision: int = 0,
        message: str = "Eat 300 kcal.",
        title: str = "Eat back what the run took",
        severity: Severity = "suggestion",
        category: Category = "surplus",
        expires: timedelta = timedelta(hours=6),
        visible: bool = True,
    ) -> AdviceRecord:
        """Commit one advice event as rules would: the record and its outbox entry."""
        now = self.clock.instant
        name = advice_id(CLUB, "ada", "refuel-after-run", anchor)
        because = Because(
            AnchorRef("each", anchor, NOW, "workout.completed", NOW, NOW), (), {"missing_kcal": 300.0}
        )
        advice = Advice(
            name, CLUB, "ada", "refuel-after-run", 1, "h", category, severity, title, message, NOW, NOW + expires,
            because, "moderate", ("ACSM running equation",),
        )  # fmt: skip
        state: State = "withdrawn" if what == "advice.withdrawn" else "active"
        record = AdviceRecord(advice, revision, state, NOW, now)
        draft = OutboxDraft(CLUB, "ada", name, revision, what, now, visible)
        snapshot = self.store.timelines.load(
            CLUB, "ada", dict.fromkeys(TIMELINE_TYPES, NOW - timedelta(days=1)), NOW + timedelta(days=1)
        )
        assert self.store.advice.commit(snapshot, Changes((record,), (draft,)), None).taken
        return record

    def route(self) -> None:
        """Route, and drain every lane that has something due (what wake-ups would do)."""
        self.shell.route([(CLUB, "ada")])
        self.drain()

    def drain(self) -> None:
        for each in self.store.subscriptions.of_club(CLUB):
            self.shell.deliver([(CLUB, each.id)])

    def at(self, **later: float) -> None:
        """Move the clock on, and send what is due then."""
        self.clock.instant += timedelta(**later)
        self.drain()

    def deliveries(self, subscription: Subscription) -> list[Delivery]:
        """Return the subscription's deliveries, the oldest first."""
        found = self.store.deliveries.page(CLUB, subscription.id, None, None, 100).items
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def only(self, subscription: Subscription) -> Delivery:
        (found,) = self.deliveries(subscription)
        return found


@pytest.fixture
def bench(store_url: str, mail: MailCatcher) -> Iterator[Bench]:
    settings = Settings(
        redis_url=store_url,
        smtp_url=f"smtp://127.0.0.1:{mail.port}",
        mail_from="coach@tandem.test",
        webhook_allow_networks=(ip_network("127.0.0.0/8"),),
        public_url="https://tandem.test",
    )
    store = connect(store_url)
    clock = SetClock()
    app = celery_app(settings, "notify")
    yield Bench(store, clock, NotifyShell(store, clock, senders(settings, store), app), settings)
    app.close()
    store.close()


def hang(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer nothing for `seconds`."""

    def wait(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return wait


__all__ = ["CLUB", "NOW", "SECRET", "Bench", "Endpoint", "QuietHours", "SetClock", "hang", "replace"]
