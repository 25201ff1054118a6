"""The costs come out of the measured points as they went in, and what is asked for grows with what is to be done."""

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.load import capacity, scaling, tables
from tests.load.capacity import Measured, need, way
from tests.load.figures import Figures, read
from tests.load.fitting import Fitted, fit_to, non_negative, play, predicted
from tests.load.played import points
from tests.load.simulation import Costs, Parts

COSTS = Costs(0.6, 0.05, 0.4, 0.1, 0.8, 0.2, 0.5, 0.4, 0.1, 0.03, 0.05, 0.15, 0.1)
FOUND = Measured(COSTS, kb_flat=2.0, kb_event=0.5, process_gb=0.07, hop_ms=2.0)
FIGURES = read(tables.FILE)


def test_least_squares_keep_above_zero_and_solve_what_can_be_solved() -> None:
    # 2x = 1 and 4y = 1; no row speaks of z.
    assert non_negative([[2, 0, 0], [0, 4, 0], [2, 0, 0]]) == [0.5, 0.25, None]
    # x + 2y = 1 and 2x + y = 1 with a third that would want x below zero.
    assert all(value is not None and value >= 0 for value in non_negative([[1, 2], [-3, 0.5], [2, 1]]))


def test_costs_come_out_of_points_that_were_made_with_them() -> None:
    true = Fitted(COSTS, {15: 0.5, 150: 0.8, 1500: 1.1})
    known = points(FIGURES)
    played = play(known, true, 0.0)
    made = [
        replace(point, used={part: predicted(part, point, each, true) for part in point.used})
        for point, each in zip(known, played, strict=True)
    ]
    found = fit_to(made, played, true)
    for point, each in zip(made, played, strict=True):
        for part, ms in point.used.items():
            assert predicted(part, point, each, found) == pytest.approx(ms, rel=0.02)


def test_every_measured_throughput_of_tandem_is_a_point_of_the_model() -> None:
    names = {point.name for point in points(FIGURES)}
    measured = {
        case for case in FIGURES.cases("throughput") if "tandem" in FIGURES.designs("throughput", case)
    }
    assert measured <= names
    assert {name for name in names if "ingest done before" in name} != set()


def test_between_two_histories_an_evaluation_costs_something_between() -> None:
    fitted = Fitted(COSTS, {15: 0.5, 150: 0.8, 1500: 1.1})
    assert [fitted.after(history).evaluation for history in (1, 15, 825, 9000)] == pytest.approx(
        [0.5, 0.5, 0.95, 1.1]
    )


def test_more_athletes_never_want_less_of_anything() -> None:
    needs = [need(athletes, 365, FOUND) for athletes in (1, 1000, 30_000, 10**6, 10**8)]
    for fewer, more in pairwise(needs):
        for name in (
            "ingest",
            "rules",
            "store",
            "store_gb",
            "stores",
            "workers",
            "cores",
            "memory_gb",
            "dollars",
        ):
            assert getattr(fewer, name) <= getattr(more, name), name
        assert all(a <= b for a, b in zip(fewer.processes, more.processes, strict=True))


def test_a_store_has_no_more_data_work_or_workers_than_it_may() -> None:
    for athletes in (10**5, 10**7, 10**8):
        for days in (1, 60, 365):
            each = need(athletes, days, FOUND)
            assert each.store_gb / each.stores <= capacity.STORE_GB
            assert each.store / each.stores <= capacity.STORE_BUSY
            assert each.workers / each.stores <= capacity.MOST_WORKERS


def test_the_price_is_cores_and_memory_by_the_hour() -> None:
    each = need(50_000, 365, FOUND)
    hourly = each.cores * capacity.CORE_HOUR + each.memory_gb * capacity.GB_HOUR
    assert each.dollars == pytest.approx(hourly * 730)


def test_a_quiet_store_takes_its_steps_and_its_hop_and_a_busy_one_takes_longer() -> None:
    quiet, busy = (way(rate, Parts(2, 2, 1, FOUND.hop_ms), FOUND, events=1500) for rate in (5, 1200))
    bare = COSTS.request + COSTS.event + COSTS.wake_up + COSTS.round + COSTS.evaluation + FOUND.hop_ms
    assert bare * 0.8 < quiet.p50 < bare * 1.3
    assert quiet.p99 < busy.p99
    assert quiet.store < busy.store <= 1


def test_where_nothing_was_measured_the_page_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "figures", Figures)
    for name, part in scaling.PARTS.items():
        if name != "assumptions":
            assert "make bench" in "\n".join(part())


def test_a_number_is_shown_with_two_digits_that_mean_something() -> None:
    assert [tables.rounded(value) for value in (0, 0.0346, 1.26, 34.7, 12_345)] == [
        "0",
        "0.035",
        "1.3",
        "35",
        "12,000",
    ]
