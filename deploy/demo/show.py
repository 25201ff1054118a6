"""How the demo looks: each advice as it arrives, with who, why and through which channel, and the counts at the end."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COLOURS = {"info": "green", "suggestion": "cyan", "warning": "yellow", "withdrawn": "magenta"}
_MARKS = {"info": "+", "suggestion": ">", "warning": "!", "withdrawn": "x"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One advice event at one receiver: what was said to whom, through which channel."""

    channel: str
    athlete: str
    rule: str
    type: str
    severity: str
    title: str
    message: str
    why: str = ""


@dataclass(slots=True)
class Stage:
    """Prints arrivals from any thread, each under the athlete's own local time."""

    console: Console
    zones: dict[str, str]
    names: dict[str, str]
    arrivals: list[Arrival] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def show(self, arrival: Arrival, now: datetime) -> None:
        """Keep `arrival`, and print it the first time its advice event is heard of."""
        with self._lock:
            first = not any(
                (each.athlete, each.rule, each.type, each.message)
                == (arrival.athlete, arrival.rule, arrival.type, arrival.message)
                for each in self.arrivals
            )
            self.arrivals.append(arrival)
            if first:
                self._print(arrival, now)

    def _print(self, arrival: Arrival, now: datetime) -> None:
        kind = "withdrawn" if arrival.type == "advice.withdrawn" else arrival.severity
        local = now.astimezone(ZoneInfo(self.zones.get(arrival.athlete, "UTC")))
        name = self.names.get(arrival.athlete, arrival.athlete)
        line = Text(f"{_MARKS[kind]} {local:%a %d %b %H:%M}  ", style=f"bold {_COLOURS[kind]}")
        line.append(f"{name}  ", style="bold")
        line.append("withdrawn: " if kind == "withdrawn" else "", style=_COLOURS[kind])
        line.append(arrival.title, style=_COLOURS[kind])
        line.append(f"  [{arrival.rule}, {arrival.channel}]", style="dim")
        self.console.print(line)
        if kind != "withdrawn":
            self.console.print(Text(f"    {arrival.message}"))
            if arrival.why:
                self.console.print(Text(f"    why: {arrival.why}", style="dim"))


def table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    """Return a table of counts."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for position, column in enumerate(columns):
        made.add_column(column, justify="left" if position == 0 else "right")
    for row in rows:
        made.add_row(*row)
    return made
