"""The demo: a club's four weeks in seconds, every advice at its own moment, and an exit code that tells the truth."""

import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy import local
from deploy.demo.diary import DAYS, Diary, Posting, read_diary
from deploy.demo.receiver import Received, Receiver
from deploy.demo.show import Arrival, Stage
from deploy.demo.verdict import verdict
from deploy.mailcatcher import MailCatcher
from deploy.stepping import Stepper
from shared.contracts.clubs import SCOPES
from shared.settings import Settings
from shared.store.connect import Store, connect

_LOG_LINES = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo runs: a deployment with a stepped clock, and how it reaches the demo's receivers.

    `url` None: start one here. `bind` is where the receivers listen, `reach` the name under which workers find them.
    """

    url: str | None = None
    bind: str = "127.0.0.1"
    reach: str = "127.0.0.1"
    smtp_port: int = 0


@dataclass(frozen=True, slots=True)
class _Club:
    """The club's own app: it posts, and it reads what became of it."""

    url: str
    token: str

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever JSON the answer holds
        request = urllib.request.Request(  # noqa: S310 - the demo's own http URL
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with local.OPENER.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise DemoError(
                f"{method} {path} was answered {error.code}: {error.read(500).decode()}"
            ) from None

    def post(self, posting: Posting) -> None:
        if posting.kind == "profile":
            self.call("PUT", f"/v1/athletes/{posting.athlete}", posting.body)
        else:
            self.call("POST", "/v1/events", posting.body)

    def advice(self, athlete: str) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while True:
            page = self.call("GET", f"/v1/athletes/{athlete}/advice?limit=200{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"


class DemoError(Exception):
    """The demo could not go on."""


def run(settings: Settings, place: Place, console: Console) -> int:
    """Run the demo and return 0 only when all that should have arrived did, and nothing else."""
    began = time.monotonic()
    present = datetime.now(UTC).replace(microsecond=0)
    diary = read_diary(present.replace(minute=present.minute // 15 * 15, second=0))
    people = diary.people()
    console.rule(f"[bold]{diary.club}[/]: {len(people)} athletes, {DAYS} days")
    for person in people:
        console.print(f"[bold]{person.name}[/] [dim]({person.timezone})[/] {person.story}")
    console.print()
    stage = Stage(
        console, {each.id: each.timezone for each in people}, {each.id: each.name for each in people}
    )
    receiver = Receiver(place.bind, place.reach)
    mail = MailCatcher(place.bind, place.smtp_port)
    receiver.start()
    mail.start()
    try:
        with _deployment(settings, place, mail, console) as (url, store, stepper):
            store.clock.set(diary.start)
            receiver.now = lambda: store.clock.read() or datetime.now(UTC)
            receiver.on_message = lambda message: _show(stage, message, store)
            club = _found_club(url, store, diary, receiver)
            steps = _play(diary, club, stepper, stage, console)
            advice = {person.id: club.advice(person.id) for person in people}
            failures = verdict(diary, advice, receiver, mail, stage, console)
    finally:
        receiver.stop()
        mail.stop()
    seconds = time.monotonic() - began
    if failures:
        for failure in failures:
            console.print(f"[bold red]wrong:[/] {failure}")
        console.print(f"[bold red]{len(failures)} things are not as they should be[/] ({seconds:.1f} s)")
        return 1
    console.print(f"[bold green]all as it should be[/]: {DAYS} days in {steps} steps and {seconds:.1f} s")
    return 0


@contextmanager
def _deployment(
    settings: Settings, place: Place, mail: MailCatcher, console: Console
) -> Iterator[tuple[str, Store, Stepper]]:
    """Yield the URL, the store and the clock's hand of the deployment that is given, or of one started here."""
    if place.url is not None:
        store = connect(str(settings.redis_url))
        store.ping()
        yield place.url, store, Stepper.of(settings, store)
        store.close()
        return
    folder = Path(tempfile.mkdtemp(prefix="tandem-demo-"))
    log = folder / "tandem.log"
    # The demo's own world: whatever the caller's environment says of stores, mail and networks is not for it.
    wanted = replace(
        settings,
        redis_url=None,
        broker_url=None,
        data_dir=folder / "data",
        stepped_clock=True,
        rules_workers=1,  # of a club of five, one worker is idle most of the time
    )
    environ = {
        "TANDEM_STEPPED_CLOCK": "1",
        "TANDEM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        "TANDEM_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "TANDEM_MAIL_FROM": "coach@tandem.example",
        "TANDEM_DATA_DIR": str(wanted.data_dir),
        "TANDEM_RATE_LIMIT": "0",
    }
    kept = False
    try:
        with (
            console.status("starting the store, the front door, the workers and the scheduler"),
            log.open("wb") as output,
        ):
            tree = local.start(wanted, 0, environ=environ, output=output)
        store = connect(str(tree.settings.redis_url))
        try:
            yield tree.url, store, Stepper.of(tree.settings, store)
        finally:
            store.close()
            tree.stop()
    except BaseException:
        kept = True
        if log.exists():
            console.print(
                "[dim]" + "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:]) + "[/]"
            )
        console.print(f"[red]the log of this run is {log}[/]")
        raise
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _found_club(url: str, store: Store, diary: Diary, receiver: Receiver) -> _Club:
    made = store.clubs.create(diary.club, diary.start)
    _, token = store.clubs.issue_key(made.id, "club-app", SCOPES, diary.start)
    club = _Club(url, token)
    webhook = club.call(
        "POST", "/v1/subscriptions", {"channel": "webhook", "target": f"{receiver.base_url}/webhook"}
    )
    receiver.secret = webhook["secret"]
    for channel, options in (
        ("slack", {"min_severity": "suggestion"}),
        ("mattermost", {"schedule": "daily 18:00", "timezone": "Europe/Berlin"}),
    ):
        body = {"channel": channel, "target": f"{receiver.base_url}/{channel}", **options}
        club.call("POST", "/v1/subscriptions", body)
    club.call("POST", "/v1/subscriptions", {"channel": "email", "target": "athlete"})
    return club


def _play(diary: Diary, club: _Club, stepper: Stepper, stage: Stage, console: Console) -> int:
    total = (diary.end - diary.start).total_seconds()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("the days go by", total=total)

        def happening(posting: Posting) -> tuple[datetime, Any]:
            def happen() -> None:
                club.post(posting)
                if posting.kind == "profile":
                    stage.zones[posting.athlete] = posting.body["timezone"]  # a journey moves their clock
                progress.update(task, completed=(posting.at - diary.start).total_seconds())

            return posting.at, happen

        return stepper.play([happening(each) for each in diary.postings()], diary.end)


def _show(stage: Stage, message: Received, store: Store) -> None:
    if message.path != "/webhook":
        return
    event = message.body
    data = event.get("data", {})
    if "advice_id" not in data:
        return
    facts = [
        f"{name} {value:.1f}".replace(".0", "")
        for name, value in data["because"]["facts"].items()
        if isinstance(value, int | float) and not isinstance(value, bool) and "." not in name
    ]
    arrival = Arrival(
        "webhook",
        data["athlete_id"],
        data["rule"],
        event["type"],
        data["severity"],
        data["title"],
        data["message"],
        ", ".join(facts),
    )
    stage.show(arrival, store.clock.read() or datetime.now(UTC))
