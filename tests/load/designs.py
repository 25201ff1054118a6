"""The designs that are compared: how each is filled, started and stopped, and when it has nothing left to do."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import redis

from deploy import local
from deploy.embedded import free_port
from shared.contracts.clubs import SCOPES
from shared.contracts.event_schema import read_event
from shared.contracts.events import Event
from shared.contracts.partitions import PARTITIONS
from shared.settings import read_settings
from shared.store import keys
from shared.store.connect import Store, connect
from tests.load import rig
from tests.load.feeding import post
from tests.load.rig import Rig, await_port
from tests.load.workload import Workload

_AT_ONCE: Final = 500
_DISTINCT: Final = 2_500
"""Athletes of one club whose histories differ."""


class Design(Protocol):
    """A running design: where it takes events, with which headers, and its processes by name."""

    @property
    def url(self) -> str:
        """The base URL of its front door."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request must carry."""

    @property
    def pids(self) -> Mapping[str, int]:
        """Its processes, each with its children."""

    def idle(self) -> bool:
        """Whether nothing is left to be done."""

    def stop(self) -> None:
        """End its processes."""


@dataclass(slots=True)
class Plain:
    """The plain design, or with `batched` its improved form: one web process, a worker of two processes."""

    url: str
    pids: dict[str, int]
    _processes: list["subprocess.Popen[bytes]"]
    _store: redis.Redis
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, at: Rig, *, batched: bool = False) -> "Plain":
        """Start it on the rig's store."""
        port = free_port()
        environ = {
            **os.environ,
            "STORE": at.store_url,
            "HOOK": f"{at.hook_url}/hook",
            "BATCHED": str(int(batched)),
        }
        granian = [
            str(Path(sys.executable).parent / "granian"),
            "--interface",
            "wsgi",
            "--factory",
            "--no-ws",
        ]
        served = ["--port", str(port), "--workers", "1", "--blocking-threads", "16", "--log-level", "warning"]
        commands = {
            "web": [*granian, *served, "tests.load.plain:make_app"],
            "workers": [sys.executable, "-m", "tests.load.plain"],
        }
        processes = {
            name: subprocess.Popen(command, env=environ, stdout=at.output, stderr=at.output)
            for name, command in commands.items()
        }
        await_port(port)
        pids = {name: process.pid for name, process in processes.items()}
        return cls(f"http://127.0.0.1:{port}", pids, list(processes.values()), at.client())

    def idle(self) -> bool:
        """Whether nothing is queued or in hand."""
        return not self._store.llen("plain") and not self._store.hlen("unacked")

    def stop(self) -> None:
        """End the processes, the front door first."""
        for process in self._processes:
            rig.end(process)


@dataclass(slots=True)
class Tandem:
    """Tandem with the rules of `rules`, a folder, one notify worker and one webhook."""

    url: str
    pids: dict[str, int]
    headers: Mapping[str, str]
    _tree: local.LocalTandem
    _store: Store
    _client: redis.Redis

    @classmethod
    def start(cls, at: Rig, rules: Path, *, workers: int = 1) -> "Tandem":
        """Start the whole tree on the rig's store."""
        data = at.data.parent / f"{at.data.name}-tandem"
        environ = {
            "TANDEM_REDIS_URL": at.store_url,
            "TANDEM_DATA_DIR": str(data),
            "TANDEM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
            "TANDEM_RULES_WORKERS": str(workers),
            "TANDEM_MAX_BACKLOG": "1000000",
            "TANDEM_RULES_PATH": str(rules),
            "PYTHONFAULTHANDLER": "1",
        }
        store = connect(at.store_url)
        [club] = store.clubs.list() or [store.clubs.create("Bench", datetime.now(UTC))]
        _, token = store.clubs.issue_key(club.id, "bench", SCOPES, datetime.now(UTC))
        tree = local.start(read_settings(environ), 0, environ=environ, output=at.output)
        pids = {part.name: part.process.pid for part in tree.supervisor.parts if part.process}
        return cls(tree.url, pids, {"Authorization": f"Bearer {token}"}, tree, store, at.client())

    def subscribe(self, at: Rig) -> None:
        """Have advice posted to the rig's receiver."""
        post(
            self.url,
            self.headers,
            {"channel": "webhook", "target": f"{at.hook_url}/hook"},
            "/v1/subscriptions",
        )

    def idle(self) -> bool:
        """Whether no athlete waits, none is due, and no outbox is to be routed."""
        now = int(datetime.now(UTC).timestamp() * 1000)
        pipeline = self._client.pipeline(transaction=False)
        for number in range(PARTITIONS):
            place = keys.PartitionKeys(f"{number:02x}")
            pipeline.zcard(place.dirty)
            pipeline.zcount(place.due, 0, now)
            pipeline.zcard(place.outboxes)
        return not any(pipeline.execute())

    def stop(self) -> None:
        """End the tree."""
        self._store.close()
        self._tree.stop()


def fill_plain(at: Rig, workload: Workload) -> None:
    """Write the histories of the plain design."""
    store = at.client()
    pipeline = store.pipeline(transaction=False)
    for number, name in enumerate(workload.names()):
        pipeline.rpush(f"history:{name}", *(json.dumps(event) for event in workload.past(name)))
        if number % 100 == 0:
            pipeline.execute()
    pipeline.execute()


def fill_tandem(at: Rig, workload: Workload) -> None:
    """Write the histories as the front door does, without its HTTP.

    Each athlete has a history of their own, as in the plain design; in a club of more than `_DISTINCT` the first so
    many have, and the others have theirs under ids of their own: to check each event anew would take minutes.
    """
    store = connect(at.store_url)
    [club] = store.clubs.list() or [store.clubs.create("Bench", workload.now)]
    events = _histories(workload)
    while batch := list(itertools.islice(events, _AT_ONCE)):
        store.timelines.append(club.id, batch)
    store.close()


def _histories(workload: Workload) -> Iterator[tuple[str, Event]]:
    names = workload.names()
    kinds: list[list[Event]] = []
    for number, name in enumerate(names):
        if number < _DISTINCT:
            events = [
                read_event(raw, default_source="bench", now=workload.now).event for raw in workload.past(name)
            ]
            if len(names) > _DISTINCT:
                kinds.append(events)
        else:
            kind = kinds[number % _DISTINCT]
            events = [replace(event, id=f"{name}-h{place}") for place, event in enumerate(kind)]
        yield from ((name, event) for event in events)
