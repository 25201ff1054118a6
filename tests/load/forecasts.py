"""The parts of docs/scaling.md that say what steps cost by the model, and how far it is off at each measured point."""

from collections.abc import Iterator, Mapping
from typing import Final

from tests.load.capacity import a_rule_ms
from tests.load.fitting import OWNERS
from tests.load.predictions import delays, predictions
from tests.load.tables import figures, model, off, table, taken

_SAID: Final[Mapping[str, str]] = {
    "request": "a request taken", "event": "an event in it", "wake_up": "a wake-up", "round": "a round of up to eight",
    "evaluation": "an evaluation", "more_event": "each further new event in it", "send": "a go at sending",
    "message": "a message in it",
}  # fmt: skip


def steps() -> Iterator[str]:
    """Yield the table of fitted costs."""
    fitted = model().fitted
    rows = []
    for step, what in _SAID.items():
        part = next(part for part in OWNERS if step in OWNERS[part])
        store = getattr(fitted.costs, f"store_{step}", None)
        own = f"{getattr(fitted.costs, step):.2f}"
        if step == "evaluation":
            own = "; ".join(f"{ms:.2f} at {history:,}" for history, ms in sorted(fitted.evaluation.items()))
        said = f"{what}, by events of history" if step == "evaluation" else what
        rows.append([said, part, own, "" if store is None else f"{store:.2f}"])
    yield from table("| step | process | its CPU ms | the store's |", rows)
    yield ""
    yield f"One rule more than ten costs an evaluation {a_rule_ms(figures()):.3f} ms."


def errors() -> Iterator[str]:
    """Yield the tables of what was measured and what the model says."""
    yield from taken()
    found = model()
    rows = []
    for each in predictions(found):
        timed = each.rate is not None and each.foretold_rate is not None
        rates = (
            [f"{each.rate:,.0f}", f"{each.foretold_rate:,.0f}", off(each.foretold_rate, each.rate)]
            if timed
            else ["", "", ""]
        )
        rows.append(
            [
                each.name,
                f"{each.cpu:.2f}",
                f"{each.foretold:.2f}",
                off(each.foretold, each.cpu),
                off(each.left_out, each.cpu),
                *rates,
            ]
        )
    yield from table(
        "| point | CPU ms an event | model | off by | off by, itself left out | events/s | model | off by |",
        rows,
    )
    yield ""
    yield f"Others at work on the {found.cores} cores, as the drains say: {found.others:g} processes."
    late = list(delays(figures(), found))
    if late:
        yield ""
        yield from table(
            "| POST to webhook, single events | p50, ms | model | p99, ms | model |",
            ([each.name, *(f"{ms:.1f}" for pair in zip(each.measured, each.foretold, strict=True) for ms in pair)]
             for each in late),
        )  # fmt: skip
