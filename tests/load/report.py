"""The report in words and tables, from the figures alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tests.load.cases import BUSY_WORKERS
from tests.load.figures import Figures, Spread
from tests.load.rows import ROWS, named
from tests.load.slopes import slope

INTRO: Final = """# Performance

Made by `make bench`; whatever is written in here by hand is lost at its next run. `docs/performance/measured.json` has
every round, and `make bench ARGS=--report` makes this page and its plots from it.

Side by side in one run: the designs take turns in each round, on the same machine, over loopback, each on a store of
its own with the same append-only file (`everysec`), in front of the same receiver, given the same events. A ratio is of
one round to the same round; a figure is the median of the rounds, with the least and the greatest in brackets. Ratios
are what to read: absolute figures drift with the machine.

- **plain**: Flask and marshmallow under granian (one process, sixteen threads), one Celery task an event in two prefork
  processes: it reads four weeks of history, computes ten facts in one pass, asks ten conditions, and sends a second
  task for a webhook (`tests/load/plain.py`).
- **improved**: the same with one task for all the events of a request, which reads each athlete's history once.
- **tandem**: the whole of Tandem with the same ten conditions as rules (`tests/load/workload.py`): ingest, scheduler
  and one notify worker; two rules workers where nothing else is said, as the plain design has two worker processes.

Events are posted over sixteen connections, as many as each front door has threads, where nothing else is said. What
athletes did before is as full as real records are: a meal with its name and five numbers, a strength session with its
sets, 340 bytes an event in the mean. No two athletes' histories are the same (in clubs of 10,000 and 200,000, no two of
the first 2,500).

Every throughput run fails unless exactly the events that should be told of were told of, once each. Over the same
windows, Tandem does more than the plain designs: it refuses duplicates and other content under a known id, keeps
revisions, checks whole events, keeps the order of each subscription, signs, keeps a delivery log and traces, retries,
and loses nothing when a process is killed.
"""

_GROWING: Final = """As many athletes post in each club, a hundred or twenty: an event each, which is waited for.

Where workers are compared, they work off what has piled up: ingest was done before the clock started. One, two and four
of them are up at once, each number with a store of its own, and drain it one after the other, seconds apart: what an
event costs drifts with the machine from minute to minute. They share it with the store, notify and the measuring: with
ten rules all of them want more than two cores, with 500 a core is free for the second worker. What such a core is
worth, two processes tell that evaluate the same rules and share nothing: halves of one core, or cores that share its
cache, give less than twice as much as one.
"""


class _Grown(NamedTuple):
    """A table and plot of growth: of which topic, which value of it, what its cases are, and of which design."""

    topic: str
    value: str
    about: str
    of: str = "tandem"


_GROWTHS: Final = (
    _Grown("growth: history", "CPU ms an event", "events of history, ten a day"),
    _Grown("growth: history in 28 days", "CPU ms an event", "events of history, all within 28 days"),
    _Grown("growth: athletes", "CPU ms an event", "athletes in the club, 15 events of history each"),
    _Grown("growth: rules", "CPU ms an event", "rules that look at each event"),
    _Grown("growth: rules workers", "events/s", "rules workers on a backlog, each event another athlete's"),
    _Grown(BUSY_WORKERS, "events/s", "rules workers on such a backlog, with 500 rules"),
    _Grown(
        BUSY_WORKERS, "events/s", "processes that evaluate the same 500 rules and share nothing", "machine"
    ),
)


def report(figures: Figures) -> str:
    """Return the page."""
    parts = [INTRO, _measured(figures), _held(figures)]
    parts += [
        _throughput(figures),
        _processes(figures),
        _latency(figures),
        _stages(figures),
        _growth(figures),
    ]
    parts += [_others(figures)]
    return "\n".join(part for part in parts if part)


def _measured(figures: Figures) -> str:
    told: dict[str, list[str]] = {}
    for topic, about in figures.about.items():
        size = ", at a tenth of the size" if about["quick"] else ""
        rounds = f"{about['rounds']} rounds (half as many of what takes long, two more of what lies near its threshold)"
        said = f"{rounds}{size}; {about['machine']}"
        told.setdefault(said, []).append(f"{topic} {about['taken']}")
    lines = [f"- {said}: {', '.join(topics)}" for said, topics in told.items()]
    again = sum(each.values.get("repeated", 0) for each in figures.all)
    if again:
        lines.append(f"- {again:.0f} runs were repeated, because a process had died before them")
    return "\n".join(["What was measured when:", "", *lines, ""])


def _held(figures: Figures) -> str:
    rows = []
    for row in ROWS:
        found = list(row.found(figures))
        spread = Spread.over(found) if found else None
        rows.append(
            [
                named(row, figures),
                f"{row.kind} {row.threshold:g} {row.unit}",
                f"{row.aim:g} {row.unit}",
                spread.text() if spread else "",
                row.verdict(spread) if spread else "not measured",
            ]
        )
    return _section("It must hold", ["what", "threshold", "aim", "measured", ""], rows)


def _throughput(figures: Figures) -> str:
    rows = [
        [
            case,
            design,
            _text(figures, ("throughput", case, design, "events/s"), 0),
            _text(figures, ("throughput", case, design, "accepted/s"), 0),
            _text(figures, ("throughput", case, design, "CPU s per 1,000"), 2),
            str(len(figures.rounds("throughput", case, design, "events/s"))),
        ]
        for case, design in _pairs(figures, "throughput")
    ]
    head = ["load", "design", "events/s until delivered", "accepted/s", "CPU s per 1,000", "rounds"]
    plot = "\n![Events a second by load and design](performance/throughput.svg)\n"
    return _section("Throughput", head, rows, plot)


def _processes(figures: Figures) -> str:
    """Where the time of one event goes, by process; the rules workers together."""
    rows = []
    for case, design in _pairs(figures, "throughput"):
        used: dict[str, float] = {}
        for name in figures.names("throughput", case, design):
            if name.startswith("CPU: "):
                part = name.removeprefix("CPU: ").split("-")[0]
                spread = figures.spread("throughput", case, design, name)
                used[part] = used.get(part, 0) + (spread.median if spread else 0)
        rows.append([case, design, ", ".join(f"{part} {ms:.2f}" for part, ms in used.items())])
    return _section("Where the time of an event goes", ["load", "design", "CPU ms an event"], rows)


def _latency(figures: Figures) -> str:
    rows = []
    for case in figures.cases("latency"):
        for design in sorted(figures.designs("latency", case)):
            if case == "saturation":
                continue
            row = [
                _text(figures, ("latency", case, design, name), 1)
                for name in ("p50 ms", "p99 ms", "p99.9 ms")
            ]
            messages = figures.rounds("latency", case, design, "messages")
            rows.append([case, design, *row, f"{messages[0]:.0f}"])
    rates = [
        f"{design} {rate.median:,.0f}"
        for design in figures.designs("latency", "saturation")
        if (rate := figures.spread("latency", "saturation", design, "requests/s"))
    ]
    after = (
        "\nAsleep: after a pause in which Tandem's workers go back to sleep; idle: 20 ms after the last message.\n"
        f"Saturation in single POSTs a second, each design's own: {', '.join(rates)}. Time runs from when a\n"
        "request was due, so a design that falls behind its pace shows it. With fewer than a thousand messages a\n"
        "round, p99.9 is the slowest.\n\n![POST to webhook by load](performance/latency.svg)\n"
    )
    head = ["load", "design", "p50, ms", "p99, ms", "p99.9, ms", "messages a round"]
    return _section("POST to webhook received", head, rows, after)


def _stages(figures: Figures) -> str:
    """The way of one event through each design."""
    rows = [
        [design, stage, _text(figures, ("stages", case, design, stage), 2)]
        for case, design in _pairs(figures, "stages")
        for stage in figures.names("stages", case, design)
        if stage != "events"
    ]
    after = (
        "\nOne event at a time, with nothing else to do; a stage lasts until the store sees the command that its name\n"
        "ends with. The store tells each command as it comes, which costs every design a little.\n"
    )
    return _section("From socket to socket", ["design", "stage", "ms"], rows, after)


def _growth(figures: Figures) -> str:
    out = []
    for topic, value, about, of in _GROWTHS:
        cases = sorted(figures.cases(topic), key=int)
        found = [(case, figures.spread(topic, case, of, value)) for case in cases]
        rows = [[f"{int(case):,}", each.text()] for case, each in found if each is not None]
        if len(rows) > 1:
            points = [(float(case), each.median) for case, each in found if each is not None]
            out.append(_table([about, value], rows) + f"\nSlope on log-log: {slope(points):.3f}.\n")
    if not out:
        return ""
    plot = "![Cost by history, athletes, rules and workers](performance/growth.svg)\n"
    return "\n".join(["## How it grows\n", _GROWING, *out, plot])


def _others(figures: Figures) -> str:
    """The engines alone, the bounds beneath, and what is used when nothing happens."""
    out = []
    titles = {"engines": "The engine alone", "bounds": "What lies beneath", "footprint": "At rest"}
    for topic, title in titles.items():
        rows = [
            [case, of, name, _text(figures, (topic, case, of, name), 2)]
            for case, of in _pairs(figures, topic)
            for name in figures.names(topic, case, of)
        ]
        out.append(_section(title, ["case", "of", "", "measured"], rows))
    return "\n".join(part for part in out if part)


def _pairs(figures: Figures, topic: str) -> Iterator[tuple[str, str]]:
    for case in figures.cases(topic):
        for design in sorted(figures.designs(topic, case)):
            yield case, design


def _text(figures: Figures, of: tuple[str, str, str, str], digits: int) -> str:
    spread = figures.spread(*of)
    return "" if spread is None else spread.text(digits)


def _section(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], after: str = "") -> str:
    return f"## {title}\n\n{_table(head, rows)}{after}" if rows else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
