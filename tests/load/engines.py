"""What the engine alone costs beside other rule engines, on the same ten conditions, in this process.

Twice: the conditions on facts that are ready, and the whole of an evaluation, from 150 events in memory to a verdict.
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import zen

from services.rules.engine.advise import advise
from services.rules.engine.digest import digested
from services.rules.engine.earlier import Earlier
from services.rules.language.load import load
from services.rules.language.model import Generation
from services.rules.rulebook import Governing
from shared.contracts.athletes import Athlete
from shared.contracts.event_schema import read_event
from shared.contracts.events import Change, Event
from tests.load.figures import Figure
from tests.load.plain import Past
from tests.load.plan import Sizes
from tests.load.workload import WireEvent, Workload, conditions, facts

TOPIC = "engines"
READY: Final = "ten conditions on ready facts"
WHOLE: Final = "a whole evaluation over 150 events"
EXPRESSIONS: Final = (
    'intensity == "sprint" and lifts_24h > 0',
    "load_7 > 1.5 * load_28 and load_28 > 1000000",
    "runs_28 > 100000",
    "km_7 > 100000",
    "hard_7 > 10000",
    "protein_1 > 100000",
    "kcal_7 < 0",
    "days_14 > 20",
    "sleep_7 < 1",
    "load_7 < 0 or lifts_24h > 1000",
)
_US: Final = "CPU us"


def measure(sizes: Sizes, rules: Path) -> Iterator[Figure]:
    """Yield the CPU time of one evaluation by each engine, a figure a round; the engines take turns."""
    now = datetime.now(UTC)
    load_, event, easy = _given(now)
    past = [
        Past(raw["type"], datetime.fromisoformat(raw["time"]), raw["data"]) for raw in load_.past("a000000")
    ]
    at = datetime.fromisoformat(event["time"])
    ready = facts(past, at)
    names = {**ready, "intensity": "sprint"}
    one = zen.compile_expression("[" + ", ".join(EXPRESSIONS) + "]")
    ten = [zen.compile_expression(text) for text in EXPRESSIONS]
    if one.evaluate(names) != conditions(ready, event["data"]):
        raise RuntimeError("zen-engine finds something else than the plain conditions")
    contest: list[tuple[str, str, Callable[[], object]]] = [
        (READY, "plain Python", lambda: conditions(ready, event["data"])),
        (READY, "zen-engine, one array", lambda: one.evaluate(names)),
        (READY, "zen-engine, ten expressions", lambda: [each.evaluate(names) for each in ten]),
        (WHOLE, "plain Python", lambda: conditions(facts(past, at), easy["data"])),
        (WHOLE, "zen-engine", lambda: one.evaluate({**facts(past, at), "intensity": "easy"})),
        *((WHOLE, name, run) for name, run in evaluations(rules, now).items()),
    ]
    chance = random.Random(6)  # noqa: S311
    for _ in range(sizes.rounds):
        for case, name, run in chance.sample(contest, len(contest)):
            yield Figure(TOPIC, case, name, {_US: _cost(run, sizes)})
        yield Figure(TOPIC, READY, "durable_rules", {_US: _durable(sizes)})


def _given(now: datetime) -> tuple[Workload, WireEvent, WireEvent]:
    """Return an athlete with four weeks behind it, a sprint that makes a message, and an easy run that makes none."""
    load_ = Workload(1, 150, 1, now, one_in=1)
    [event] = load_.stream(now)
    return load_, event, {**event, "id": "easy", "data": {**event["data"], "intensity": "easy"}}


def evaluations(rules: Path, now: datetime) -> dict[str, Callable[[], object]]:
    """Return Tandem's evaluation after one easy run: of everything, and with what the last evaluation left."""
    load_, *live = _given(now)
    book = Governing.of((Generation(None, load([rules])),), "bench")
    who, before = Athlete("clb", "a000000"), now - timedelta(minutes=5)
    sprint, easy = (_read(raw, now) for raw in live)
    history = sorted((_read(raw, now) for raw in load_.past(who.id)), key=lambda each: each.order)
    until = datetime.combine((now - book.recent).date(), datetime.min.time(), UTC)
    digest = digested(book.layout, None, history, book.reach.since(now), until)
    recent = [each for each in history if each.start >= until]
    first = advise(book.rulebook, who, history, before)
    earlier = Earlier(before, {}, first.unsettled, (Change(easy.type, easy.start, easy.key),))
    if first.active or len(advise(book.rulebook, who, [*history, sprint], now).active) != 1:
        raise RuntimeError("Tandem finds something else than the plain conditions")
    return {
        "Tandem, everything again": lambda: advise(book.rulebook, who, [*history, easy], now),
        "Tandem, after an earlier one": lambda: advise(book.rulebook, who, [*history, easy], now, earlier),
        "Tandem, and with a digest": lambda: advise(
            book.rulebook, who, [*recent, easy], now, earlier, digest
        ),
    }


def _read(raw: WireEvent, now: datetime) -> Event:
    return read_event(raw, default_source="bench", now=now).event


def _cost(run: Callable[[], object], sizes: Sizes) -> float:
    """Return the CPU microseconds of one call, over at least a tenth of a second of them."""
    calls, enough = 0, 0.02 if sizes.quick else 0.1
    began = time.process_time()
    while (took := time.process_time() - began) < enough:
        for _ in range(10):
            run()
        calls += 10
    return took * 1e6 / calls


def _durable(sizes: Sizes) -> float:
    """Return what durable_rules costs, measured in a process of its own: it keeps threads and state."""
    command = [sys.executable, "-m", "tests.load.durable", str(sizes.of(3000))]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return float(found.stdout.split()[-1])
