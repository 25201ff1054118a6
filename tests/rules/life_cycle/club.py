"""A club on a real store: its front door, and two rules workers whose every evaluation is watched."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.rules.rulebook import GoverningRules, install
from services.rules.tasks import RulesShell
from shared.broker import celery_app
from shared.clock import SteppedClock
from shared.contracts.advice import AdviceRecord, State
from shared.contracts.events import Event
from shared.contracts.partitions import PARTITIONS
from shared.store import keys
from shared.store.outbox import OutboxEntry
from tests.ingest.door import open_door_on
from tests.rules.life_cycle.model import pack

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADA = "ada"
SAID: Mapping[tuple[State | None, State], frozenset[str | None]] = {
    (None, "active"): frozenset({"advice.issued"}),
    ("active", "active"): frozenset({"advice.updated"}),
    ("active", "withdrawn"): frozenset({"advice.withdrawn"}),
    ("active", "expired"): frozenset({None}),
    ("acknowledged", "acknowledged"): frozenset({"advice.updated"}),
    ("acknowledged", "withdrawn"): frozenset({"advice.withdrawn"}),
    ("acknowledged", "expired"): frozenset({None}),
    ("dismissed", "dismissed"): frozenset({"advice.updated"}),
    ("dismissed", "active"): frozenset({"advice.updated"}),
    ("dismissed", "withdrawn"): frozenset({"advice.withdrawn"}),
    ("dismissed", "expired"): frozenset({None}),
    ("withdrawn", "active"): frozenset({"advice.issued"}),
    ("withdrawn", "dismissed"): frozenset({None}),
    ("expired", "active"): frozenset({"advice.issued"}),
    ("expired", "dismissed"): frozenset({None}),
}
"""What an evaluation may make of advice, and what it then tells subscribers. What is not here never happens: advice
that was withdrawn or has expired is never updated, withdrawn or expired again; it can only come back."""


class Club:
    """Evaluations and the clock are the test's; all else goes through the front door."""

    def __init__(self, url: str, folder: Path) -> None:
        self._door = open_door_on(url)
        self._app = celery_app(self._door.settings, "rules")
        self._folder = folder
        self.store = self._door.store
        self.reset()

    def reset(self) -> None:
        """Begin anew: nothing stored, version 1 of the pack, and the clock at START."""
        self.store.client.flushall()
        self.store.clock.set(START)
        self.id = self.store.clubs.create("Kraftwerk", START).id
        _, token = self.store.clubs.issue_key(self.id, "watch-sync", ("admin",), START)
        self._headers = {"Authorization": f"Bearer {token}"}
        clock = SteppedClock(self.store)
        self._workers = [
            RulesShell(self.store, clock, GoverningRules(self.store), self._app) for _ in range(2)
        ]
        self.install(1)

    def install(self, version: int) -> None:
        """Put a version of the pack in force."""
        (self._folder / "life.yaml").write_text(pack(version), encoding="utf-8")
        loaded = install([self._folder], self.store, self.now)
        for worker in self._workers:
            worker.rules.knowing(loaded)  # it would compile the same, and most of the time would go there

    @property
    def now(self) -> datetime:
        return SteppedClock(self.store).now()

    def post(self, event: Event) -> dict[str, Any]:
        """Post an event and return the answer to it."""
        body = {
            "id": event.id, "type": event.type, "subject": ADA, "time": event.start.isoformat(),
            "revision": event.revision, "data": event.data,
        }  # fmt: skip
        answer = self._door.post_events(body, headers=self._headers)
        assert answer.status_code == 202, answer.text
        return dict(answer.json or {})

    def answer(self, advice_id: str, verdict: str) -> str:
        """Give feedback and return the state that the advice then has."""
        body = {"verdict": verdict}
        answer = self._door.post(f"/v1/advice/{advice_id}/feedback", json=body, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return str((answer.json or {})["state"])

    def rules(self) -> list[dict[str, Any]]:
        """Return what `GET /v1/rules` says of each rule."""
        return list((self._door.get("/v1/rules", headers=self._headers).json or {})["items"])

    def advance(self, until: datetime, worker: int) -> None:
        """Let time pass; whenever something is due, a worker is woken."""
        while (due := self.store.outlook.at(self.now).next_due) is not None and due <= until:
            self.store.clock.set(max(due, self.now))
            self.store.due.collect(self.now)
            assert self.store.due.take(range(PARTITIONS), 10).athletes == ((self.id, ADA),)
            self.evaluate(worker)
        self.store.clock.set(until)

    def evaluate(self, worker: int) -> None:
        """Evaluate, and hold each change against what may become of advice and what is told of it."""
        before, told = self.records(), len(self.outbox())
        self._workers[worker].evaluate([(self.id, ADA)])
        said: dict[str, str | None] = {}
        for entry in self.outbox()[told:]:
            assert entry.advice_id not in said, "two entries for one change"
            said[entry.advice_id] = entry.type
        for name, record in self.records().items():
            known = before.get(name)
            if record == known:
                assert name not in said, "an entry for no change"
                continue
            state = known.state if known else None
            assert said.get(name) in SAID.get((state, record.state), ()), (known, record, said.get(name))
            raised = 0 if record.state == "expired" else 1
            assert record.revision == (known.revision + raised if known else 0)

    def evaluate_again(self, worker: int) -> None:
        """Evaluate with nothing new, which nothing but the index of what is due may show."""
        before, told = self.records(), self.outbox()
        self.store.client.sadd(keys.RULES_CHANGED, keys.change_of_rules(self.id))  # makes the athlete due
        self.store.due.mark_changed(self.now)
        self._workers[worker].evaluate([(self.id, ADA)])
        assert (self.records(), self.outbox()) == (before, told)

    def records(self) -> dict[str, AdviceRecord]:
        """Return every piece of advice by its id."""
        page = self.store.advice.page(self.id, ADA, None, None, None, 500)
        found = {record.advice.id: record for record in page.items}
        assert len(found) == len(page.items), "one advice twice"
        return found

    def outbox(self) -> tuple[OutboxEntry, ...]:
        """Return all that was ever told: nobody takes entries off."""
        return self.store.outbox.read(self.id, ADA)

    def close(self) -> None:
        self._app.close()
        self._door.close()
