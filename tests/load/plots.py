"""The report's plots, as SVG that is the same for the same figures."""

from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Drawing

from tests.load.figures import Figures, Spread
from tests.load.slopes import slope

mpl.rcParams["svg.hashsalt"] = "tandem"
_COLOURS: Final = {"plain": "#b0b0b0", "improved": "#7f9fbf", "tandem": "#c8502a"}
_GROWTHS: Final = (
    ("growth: history", "CPU ms an event"),
    ("growth: history in 28 days", "CPU ms an event"),
    ("growth: athletes", "CPU ms an event"),
    ("growth: rules", "CPU ms an event"),
    ("growth: rules workers", "events/s"),
)


def draw(figures: Figures, folder: Path) -> None:
    """Write every plot of which there are figures."""
    folder.mkdir(parents=True, exist_ok=True)
    if figures.cases("throughput"):
        _bars(figures, "throughput", "events/s", folder / "throughput.svg")
    if figures.cases("latency"):
        _bars(figures, "latency", "p50 ms", folder / "latency.svg", tail="p99 ms")
    if any(figures.cases(topic) for topic, _ in _GROWTHS):
        _growths(figures, folder / "growth.svg")


def _bars(figures: Figures, topic: str, value: str, path: Path, tail: str | None = None) -> None:
    """Draw a bar for each case and design; its whisker is the spread of the rounds, or goes up to the `tail`."""
    cases = [case for case in figures.cases(topic) if case != "saturation"]
    drawing = Drawing(figsize=(9, 0.75 * len(cases) + 1.4), layout="constrained")
    axes = drawing.add_subplot()
    for place, (design, colour) in enumerate(_COLOURS.items()):
        at = [number + 0.27 * (place - 1) for number in range(len(cases))]
        found = [figures.spread(topic, case, design, value) for case in cases]
        tops = [figures.spread(topic, case, design, tail or value) for case in cases]
        drawn = [
            each for each in zip(at, found, tops, strict=True) if each[1] is not None and each[2] is not None
        ]
        if drawn:
            middles = [spread.median for _, spread, _ in drawn if spread]
            most = [(top.median if tail else top.most) for _, _, top in drawn if top]
            least = [
                0.0 if tail else middle - spread.least
                for middle, (_, spread, _) in zip(middles, drawn, strict=True)
                if spread
            ]
            over = [max(0.0, top - middle) for middle, top in zip(middles, most, strict=True)]
            places = [each[0] for each in drawn]
            axes.barh(places, middles, height=0.25, color=colour, label=design)
            axes.errorbar(
                middles, places, xerr=np.array([least, over]), fmt="none", ecolor="#333333", capsize=2
            )
    axes.set_yticks(range(len(cases)), cases)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel(value if tail is None else f"{value}, the whisker up to {tail}")
    axes.legend()
    drawing.savefig(path, format="svg", metadata={"Date": None})


def _growths(figures: Figures, path: Path) -> None:
    shown = [each for each in _GROWTHS if len(figures.cases(each[0])) > 1]
    drawing = Drawing(figsize=(9, 3 * -(-len(shown) // 2) + 0.2), layout="constrained")
    for number, (topic, value) in enumerate(shown, 1):
        axes = drawing.add_subplot(-(-len(shown) // 2), 2, number)
        points = _points(figures, topic, value)
        xs, ys = [x for x, _ in points], [each.median for _, each in points]
        spread = np.array([[each.median - each.least, each.most - each.median] for _, each in points]).T
        axes.errorbar(xs, ys, yerr=spread, fmt="o", color=_COLOURS["tandem"], capsize=3)
        power = slope(list(zip(xs, ys, strict=True)))
        middle_x, middle_y = (float(np.exp(np.mean(np.log(each)))) for each in (xs, ys))
        axes.plot(xs, [middle_y * (x / middle_x) ** power for x in xs], "--", color="#333333", linewidth=1)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(min(ys) / 4, max(ys) * 4)
        axes.set_title(f"{topic.removeprefix('growth: ')}: slope {power:.3f}", fontsize=10)
        axes.set_ylabel(value)
    drawing.savefig(path, format="svg", metadata={"Date": None})


def _points(figures: Figures, topic: str, value: str) -> list[tuple[float, Spread]]:
    found = [
        (float(case), figures.spread(topic, case, "tandem", value))
        for case in sorted(figures.cases(topic), key=int)
    ]
    return [(x, each) for x, each in found if each is not None]
