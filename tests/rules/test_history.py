"""However long an athlete has been with us, an evaluation reads what the windows of the rules need, and no more."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.rules.digests import oldest_end
from services.rules.engine.digest import UNDIGESTED
from services.rules.tasks import RulesShell
from shared.contracts.athletes import Athlete, ZoneChange
from shared.store.connect import Store, connect
from shared.store.keys import AthleteKeys
from shared.store.timelines import Wanted
from tests.load.history import CLUB, NOW, name_of, planned, settle, shell_on

A_DAY = {"meal.logged": 8, "workout.completed": 1, "checkin.recorded": 1}
"""What the diary of the load tests holds."""


@pytest.fixture
def worker(store_url: str) -> Iterator[RulesShell]:
    store: Store = connect(store_url)
    store.client.flushall()
    yield shell_on(store, store_url)
    store.close()


def test_a_year_of_ten_events_a_day_is_read_no_further_back_than_three_months_of_them(
    worker: RulesShell,
) -> None:
    year, quarter = settle(worker.store, worker, 365), settle(worker.store, worker, 90)
    assert 0 < year <= quarter


def test_each_type_is_read_as_far_back_as_a_rule_looks_for_it(worker: RulesShell) -> None:
    settle(worker.store, worker, 365)
    reach = worker.rules.current(CLUB).reach
    loaded = worker.store.timelines.load(CLUB, name_of(365), reach.since(NOW), NOW + reach.ahead)
    read = Counter(event.type for event in loaded.events)
    assert read.keys() == A_DAY.keys()
    for kind, a_day in A_DAY.items():
        days = reach.back[kind] / timedelta(days=1)
        assert a_day * (days - 1) <= read[kind] <= a_day * (days + 1)
    # Sessions are counted for five weeks and taken for plans of two months; of meals a week and what leads to it.
    assert reach.back["meal.logged"] < reach.back["workout.completed"] / 3


def test_of_what_lies_before_a_digests_end_only_plans_are_read(worker: RulesShell) -> None:
    settle(worker.store, worker, 90)
    name = name_of(90)
    plans = [planned(f"plan {days}", NOW + timedelta(days=days)) for days in (-20, -5, 1)]
    worker.store.timelines.append(CLUB, [(name, plan) for plan in plans])
    worker.evaluate([(CLUB, name)])
    governing = worker.rules.current(CLUB)
    reach = governing.reach
    wanted = Wanted(
        CLUB,
        name,
        {kind: NOW - timedelta(days=30) for kind in reach.back},
        NOW + reach.ahead,
        governing.layout.version,
        oldest_end(NOW),
        UNDIGESTED,
    )
    [found], _ = worker.store.timelines.load_and_ask([wanted], ())
    assert found.digest is not None
    older = [event.id for event in found.events if event.start < found.digest.until]
    assert older == ["plan -20", "plan -5"]
    assert {event.type for event in found.events} == {*A_DAY, "workout.planned"}


def test_an_athlete_who_is_read_whole_keeps_the_digest_that_is_there(worker: RulesShell) -> None:
    settle(worker.store, worker, 90)
    name, day = name_of(90), timedelta(days=1)
    # Who has travelled has local days that no digest knows, so all events are read.
    zones = (ZoneChange(None, "Europe/Berlin"), ZoneChange(NOW - 30 * day, "Asia/Tokyo"))
    worker.store.athletes.put(Athlete(CLUB, name, zones), NOW)
    digest = AthleteKeys(CLUB, name).digest
    assert worker.store.client.expire(digest, 3600)  # which goes when the digest is written again
    for revision in range(3):
        worker.store.timelines.append(CLUB, [(name, replace(planned("plan", NOW + day), revision=revision))])
        worker.evaluate([(CLUB, name)])
        assert worker.store.client.ttl(digest) > 0
