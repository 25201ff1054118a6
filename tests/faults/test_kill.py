"""A 202 is a promise: whatever is killed, at any instant, ends in the advice of an undisturbed run."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.store.errors import StoreUnavailableError
from tests.running import Client, Running, running

pytestmark = pytest.mark.timeout(300)
NOW = datetime.now(UTC).replace(microsecond=0)
ATHLETES = 40
EVENTS = 2_000


def months(seed: int) -> list[dict[str, Any]]:
    """Return 2,000 events of 40 athletes over the last three days, in an order that no timeline has."""
    chance = random.Random(seed)  # noqa: S311 - examples
    events = []
    for number in range(EVENTS):
        minutes = chance.randrange(60, 3 * 24 * 60)
        start = NOW - timedelta(minutes=minutes)
        event = {"id": f"e{number}", "subject": f"a{number % ATHLETES}", "time": start.isoformat()}
        if chance.random() < 0.4:
            activity = chance.choice(["strength", "run", "run", "ride"])
            data = {
                "activity": activity,
                "duration_s": 1800,
                "intensity": chance.choice(["easy", "hard", "sprint"]),
            }
            events.append({**event, "type": "workout.completed", "data": data})
        else:
            data = {"energy_kcal": chance.randrange(100, 900), "protein_g": chance.randrange(0, 50)}
            events.append({**event, "type": "meal.logged", "data": data})
    return events


def prepare(club: Client) -> None:
    for number in range(ATHLETES):
        club.put_athlete(
            f"a{number}", timezone="Europe/Berlin", goal="build_muscle", sex="male", birth_year=1990, height_cm=180,
            body_mass_kg=80,
        )  # fmt: skip


def post(club: Client, events: list[dict[str, Any]], size: int = 20) -> None:
    """Post in batches, each again until it is taken: what an integration does that got no answer."""
    for start in range(0, len(events), size):
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = club.call("POST", "/v1/events", events[start : start + size])
            except OSError:
                answer = None
            if answer is not None and answer.status == 202:
                break
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)


def standing(club: Client) -> dict[str, set[tuple[str, str, str]]]:
    """Return what stands for each athlete, without what differs between clubs (ids)."""
    return {
        f"a{number}": {
            (
                item["rule"],
                item["because"]["anchor"].get("id", item["because"]["anchor"].get("key")),
                item["message"],
            )
            for item in club.advice(f"a{number}", "&state=active")
        }
        for number in range(ATHLETES)
    }


def settled(system: Running, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while waiting(system):
        assert time.monotonic() < deadline, "work was left behind"
        time.sleep(0.05)


def waiting(system: Running) -> int:
    """Return what is left to do; a store that is just coming up has at least something left."""
    try:
        return system.store.outlook.at(system.store.clock.read() or NOW).waiting
    except StoreUnavailableError:
        return 1


def kill(system: Running, name: str) -> None:
    """Kill -9 every process of the parts whose name begins so; the supervisor starts them again."""
    for part in system.tree.supervisor.parts:
        if part.name.startswith(name) and part.process is not None and part.process.poll() is None:
            os.kill(part.process.pid, signal.SIGKILL)


def during(work: Callable[[], None], disturb: Callable[[], None], times: int, pause_s: float) -> None:
    """Do `work` in a thread, and `disturb` it a few times meanwhile."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    for _ in range(times):
        time.sleep(pause_s)
        disturb()
    thread.join()
    if failure:
        raise failure[0]


@pytest.fixture
def system(tmp_path: Path) -> Any:
    # The clock stands still: both runs are evaluated at the same instant, and must say the same.
    with running(tmp_path, stepped=True, rules_workers=2) as started:
        started.store.clock.set(NOW)
        yield started


def test_killing_every_rules_worker_in_the_middle_of_2000_events_changes_nothing(system: Running) -> None:
    calm, disturbed = system.new_club(NOW), system.new_club(NOW)
    prepare(calm)
    prepare(disturbed)
    events = months(1)
    post(calm, events)
    settled(system)
    during(lambda: post(disturbed, events), lambda: kill(system, "rules"), times=4, pause_s=0.5)
    settled(system)
    expected = standing(calm)
    assert standing(disturbed) == expected
    assert sum(len(items) for items in expected.values()) > ATHLETES


def test_killing_the_store_and_the_front_door_loses_no_event_that_was_acknowledged(system: Running) -> None:
    # With a sync a second, a kill in the midst of a slow one may cost two seconds, as docs/operations.md says.
    system.store.client.config_set("appendfsync", "always")
    system.store.client.config_rewrite()  # for the store that is started after the kill
    calm, disturbed = system.new_club(NOW), system.new_club(NOW)
    prepare(calm)
    prepare(disturbed)
    events = months(2)
    post(calm, events)
    settled(system)
    targets = iter(["store", "ingest", "scheduler", "store"])
    during(lambda: post(disturbed, events), lambda: kill(system, next(targets)), times=4, pause_s=0.8)
    settled(system)
    assert standing(disturbed) == standing(calm)


def test_killing_notify_repeats_under_the_same_name_and_skips_nobody(system: Running) -> None:
    club = system.new_club(NOW)
    system.webhook(club, min_severity="suggestion")
    prepare(club)
    during(lambda: post(club, months(3)[:800]), lambda: kill(system, "notify"), times=3, pause_s=0.5)
    settled(system)
    wanted = {
        (athlete, item["advice_id"])
        for athlete in (f"a{number}" for number in range(ATHLETES))
        for item in club.advice(athlete, "&state=active")
        if item["severity"] != "info"
    }
    heard = {
        (each.body["data"]["athlete_id"], each.body["data"]["advice_id"])
        for each in system.receiver.received
        if each.body["type"] != "advice.withdrawn"
    }
    assert wanted <= heard
    assert all(each.verified for each in system.receiver.received)
    by_name: dict[str | None, set[bytes]] = {}
    for each in system.receiver.received:
        by_name.setdefault(each.id, set()).add(each.raw)
    assert all(len(bodies) == 1 for bodies in by_name.values()), "one name, two contents"
