"""What of docs/scaling.md is made from the figures: `make docs` writes it, from docs/performance/measured.json."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from tests.load import capacity, forecasts
from tests.load.capacity import Measured, Need, drained, measured, need, way
from tests.load.cases import FOOTPRINT
from tests.load.fitting import OWNERS
from tests.load.played import points
from tests.load.simulation import Parts
from tests.load.tables import figures, gb, model, ready, rounded, share, table, taken

_YEAR, _REACH = 365, 60


@cache
def _measured() -> Measured:
    return measured(figures(), model())


def _costs() -> Iterator[str]:
    yield from taken()
    found = points(figures())
    yield from table(
        "| CPU s per 1,000 events | ingest | rules | notify | store | all |",
        ([each.name, *(f"{each.used[part]:.2f}" for part in OWNERS), f"{math.fsum(each.used.values()):.2f}"]
         for each in found if set(each.used) == set(OWNERS)),
    )  # fmt: skip
    yield ""
    kb = _measured()
    yield from table(
        "| an athlete's events | in the store |",
        [
            *([name.removeprefix("history "), f"{spread.median:,.0f} KB"]
              for name in figures().cases(FOOTPRINT)
              if (spread := figures().spread(FOOTPRINT, name, "tandem", "KB an athlete"))),
            ["each more", f"{kb.kb_event * 1000:,.0f} bytes"],
        ],
    )  # fmt: skip
    up = [
        figures().spread(FOOTPRINT, "tandem up", "tandem", name) for name in ("idle % of a core", "memory MB")
    ]
    if up[0] and up[1]:
        yield ""
        idle = f"{up[0].median:.1f} % of a core and {up[1].median:,.0f} MB of memory"
        yield f"Idle, the whole of `tandem up` takes {idle}."


def _assumed() -> Iterator[str]:
    wave = f"{capacity.IN_ONE_ZONE:.0%}, to be done in {capacity.EVENING_S / 60:.0f} min"
    busy = f"{capacity.BUSY:.0%} for workers, {capacity.STORE_BUSY:.0%} for the store's thread"
    data = f"{capacity.STORE_GB:.0f} GB, and {capacity.SPARE - 1:.0%} above it for rewriting"
    price = f"{capacity.CORE_HOUR} US$ a core-hour, {capacity.GB_HOUR} US$ a GB-hour"
    return table(
        "| assumed | |",
        [
            ["events a day of an athlete", f"{capacity.EVENTS_A_DAY}, one in each request"],
            ["busiest hour over the mean hour", f"{capacity.PEAK:g}"],
            ["messages an event", f"{capacity.TOLD:g}"],
            ["rules in force", f"{capacity.RULES}"],
            ["athletes whose daily rules look at the same minute", wave],
            ["how busy at most", busy],
            ["data in one store", data],
            ["price, assumed in November 2026", f"{price}, {capacity.HOURS_A_MONTH} hours a month"],
        ],
    )


def _limits() -> Iterator[str]:
    """Say how many events a second each process can take by itself, an evaluation each, when it does nothing else."""
    found = _measured()
    costs = found.costs
    told = capacity.TOLD

    def row(name: str, request: float, event: float) -> list[str]:
        return [name, *(rounded(1000 * many / (request + event * many)) for many in (1, 100))]

    store_event = (
        costs.store_event + costs.store_wake_up + costs.store_evaluation + told * costs.store_message
    )
    yield from table(
        "| one process | events/s, single POSTs | events/s, batches of 100 |",
        [
            row("ingest", costs.request, costs.event),
            row("rules worker", 0, capacity.an_evaluation_ms(costs)),
            row("notify", 0, told * (costs.send + costs.message)),
            row("the store's thread", costs.store_request, store_event),
        ],
    )
    yield ""
    year = need(10_000, _YEAR, found).store_gb
    a_day = rounded(capacity.EVENTS_A_DAY * found.kb_event)
    yield f"And memory: {a_day} KB an athlete and day; ten thousand athletes leave {rounded(year)} GB in a year."


def _capacity() -> Iterator[str]:
    found = _measured()
    rows = [
        _need_row(need(athletes, _YEAR, found))
        for athletes in (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
    ]
    return table(
        "| athletes | events a day | a second, mean and busiest | ingest | rules workers | notify "
        "| store's thread | store memory | stores | cores | US$ a month |",
        rows,
    )


def _need_row(each: Need) -> list[str]:
    doors, workers, senders = each.processes
    return [
        f"{each.athletes:,}", f"{each.athletes * capacity.EVENTS_A_DAY:,}",
        f"{rounded(each.events_s)}, {rounded(each.events_s * capacity.PEAK)}",
        f"{doors:,}", f"{workers:,}", f"{senders:,}", share(each.store), gb(each.store_gb),
        f"{each.stores:,}", f"{each.cores:,}", rounded(each.dollars),
    ]  # fmt: skip


def _one_store() -> Iterator[str]:
    found = _measured()
    rows = []
    for workers in (1, 2, 4, 8, 16):
        rate = workers * capacity.BUSY * 1000 / capacity.an_evaluation_ms(found.costs)
        parts = _parts(workers, rate, found)
        gone = way(rate, parts, found)
        rows.append(
            [
                str(workers),
                str(parts.ingest),
                rounded(rate),
                f"{gone.store:.0%}",
                f"{gone.p50:.0f}",
                f"{gone.p99:.0f}",
                rounded(drained(workers, found)),
            ]
        )
    return table(
        "| rules workers | ingest | single events/s | store's thread | p50, ms | p99, ms | a backlog's athletes/s |",
        rows,
    )


def _parts(workers: int, rate: float, found: Measured) -> Parts:
    costs = found.costs
    ingest = rate * (costs.request + costs.event) / 1000 / capacity.BUSY
    notify = rate * capacity.TOLD * (costs.send + costs.message) / 1000 / capacity.BUSY
    return Parts(workers, max(1, math.ceil(ingest)), max(1, math.ceil(notify)), found.hop_ms)


def _projection() -> Iterator[str]:
    found = _measured()
    rows = []
    for athletes in (10_000_000, 100_000_000):
        for days in (_YEAR, _REACH):
            each = need(athletes, days, found)
            _, workers, _ = each.processes
            mean = each.events_s / each.stores
            parts = _parts(math.ceil(workers / each.stores), mean * capacity.PEAK, found)
            ways = [way(rate, parts, found) for rate in (mean, mean * capacity.PEAK)]
            looks = athletes / each.stores * capacity.IN_ONE_ZONE
            free = parts.workers * 1000 - ways[1].rate * capacity.an_evaluation_ms(found.costs)
            wave = looks * capacity.an_evaluation_ms(found.costs) / free
            rows.append([
                f"{athletes:,}", f"{days}", f"{each.stores_by_cpu:,} / {each.stores_by_memory:,}",
                rounded(ways[1].rate), f"{parts.workers}", *(f"{gone.p50:.0f} / {gone.p99:.0f}" for gone in ways),
                f"{wave / 60:.1f} min", f"{each.cores:,}", gb(each.memory_gb), rounded(each.dollars),
            ])  # fmt: skip
    return table(
        "| athletes | days kept | stores by CPU / by memory | busiest events/s a store | rules workers a store "
        "| mean hour, p50 / p99 ms | busiest hour, p50 / p99 ms | the evening's look | cores | memory | US$ a month |",
        rows,
    )


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    name: ready(part)
    for name, part in {
        "measured costs": _costs, "costs of steps": forecasts.steps, "limits": _limits, "capacity": _capacity,
        "one store": _one_store, "predictions": forecasts.errors, "projection": _projection,
    }.items()
} | {"assumptions": _assumed}  # fmt: skip
