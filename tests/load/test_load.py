"""What the measuring rests on: the designs are asked the same, and a report can be made of figures alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.rules.engine.advise import advise
from services.rules.language.load import load
from services.rules.language.model import Generation
from shared.contracts.athletes import Athlete
from shared.contracts.event_schema import read_event
from tests.load.figures import Figure, Figures, Spread, read, write
from tests.load.report import report
from tests.load.rows import ROWS
from tests.load.slopes import slope
from tests.load.workload import DAYS, Workload, conditions, facts, pack

NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)


@pytest.mark.parametrize("history", [15, 150])
def test_the_pack_tells_of_the_live_events_that_the_conditions_in_python_hold_for(
    tmp_path: Path, history: int
) -> None:
    load_ = Workload(3, history, 45, NOW)
    (tmp_path / "bench.yaml").write_text(pack(), encoding="utf-8")
    book = (Generation(None, load([tmp_path])),)
    live = list(load_.stream(NOW))
    wanted = {event["id"] for number, event in enumerate(live) if load_.tells(number)}
    python, tandem = set(), set()
    for name in load_.names():
        own = [event for event in live if event["subject"] == name]
        posted = [read_event(raw, default_source="bench", now=NOW).event for raw in [*load_.past(name), *own]]
        found = advise(book, Athlete("clb", name), posted, NOW).active.values()
        tandem |= {advice.because.anchor.key.split("\x1f")[1] for advice in found if advice.rule == "told"}
        assert {advice.rule for advice in found} <= {"told"}
        for event in own:
            at = datetime.fromisoformat(event["time"])
            past = [each for each in posted if at - timedelta(days=DAYS) <= each.start < at]
            held = conditions(facts(past, at), event["data"])
            assert not any(held[1:])
            python |= {event["id"]} if held[0] else set()
    assert python == tandem == wanted
    assert len(wanted) == load_.messages() > 0


def test_no_live_event_is_so_old_that_its_advice_has_expired() -> None:
    stream = Workload(10, 15, 5000, NOW).stream(NOW)
    ages = [NOW - datetime.fromisoformat(event["time"]) for event in stream]
    assert timedelta() < min(ages)
    assert max(ages) < timedelta(minutes=55)


def test_a_report_is_made_from_stored_figures_and_says_which_promises_hold(tmp_path: Path) -> None:
    rows = ROWS[0]
    case = "batches of 100, history 150"
    figures = Figures()
    rates = {"plain": [700, 750, 800], "tandem": [4900, 4500, 5600]}
    found = [
        Figure(
            "throughput",
            case,
            name,
            {"events/s": rate, "accepted/s": rate, "CPU s per 1,000": 1, "CPU: web": 1},
        )
        for name, found in rates.items()
        for rate in found
    ]
    about = {
        "taken": "2026-03-02T18:00+00:00",
        "rounds": 3,
        "seconds": 9,
        "quick": True,
        "machine": "two cores",
    }
    figures.replace("throughput", found, about)
    figures.replace(
        "growth: history",
        [Figure("growth: history", size, "tandem", {"CPU ms an event": 2}) for size in ("15", "1500")],
        about,
    )  # fmt: skip
    write(figures, tmp_path / "measured.json")
    again = read(tmp_path / "measured.json")
    assert again.all == figures.all
    page = report(again)
    assert f"| {rows.what} | at least 6 x | 15 x | 7.00 (6.00 to 7.00) | met |" in page
    assert "| cost of an event, after 1,500 over 15 events of history | at most 1.3 x | 1.05 x | 1.00" in page
    assert "Slope on log-log: 0.000." in page
    assert "not measured" in page


def test_new_figures_of_a_topic_take_the_place_of_its_old_ones() -> None:
    old, other = Figure("a", "x", "y", {"v": 1}), Figure("b", "x", "y", {"v": 2})
    figures = Figures([old, other])
    figures.replace("a", [Figure("a", "x", "y", {"v": 3})], {})
    assert figures.rounds("a", "x", "y", "v") == [3]
    assert figures.rounds("b", "x", "y", "v") == [2]


def test_a_verdict_goes_by_the_median() -> None:
    assert [ROWS[0].verdict(Spread.over(values)) for values in ([5, 5.9, 20], [1, 6, 7], [16, 15, 15])] == [
        "**not met**",
        "met",
        "met, and its aim",
    ]


def test_the_slope_is_the_exponent() -> None:
    assert slope([(size, 3 * size**0.5) for size in (15, 150, 1500)]) == pytest.approx(0.5)
