"""What other rules would have said: a stored timeline played through two packs, and the difference told."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from services.rules.engine.advise import advise
from services.rules.engine.horizon import horizon
from services.rules.language.model import Generation, RuleSet
from shared.contracts.advice import Advice
from shared.contracts.athletes import Athlete
from shared.contracts.events import Event

Kind = Literal["issued", "changed", "withdrawn", "silent", "same"]
"""Of one piece of advice under the new rules beside the old: said by the new alone, said otherwise, said by both and
taken back by the new alone, said by the old alone, or no difference."""
KINDS: tuple[Kind, ...] = ("issued", "changed", "withdrawn", "silent", "same")
MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of advice as an athlete would have it: when first, its last words, and whether it was taken back."""

    rule: str
    at: datetime
    severity: str
    title: str
    message: str
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A difference for one athlete. `old` or `new` is None where that pack says nothing."""

    kind: Kind
    rule: str
    club: str
    athlete: str
    old: Told | None
    new: Told | None


@dataclass(slots=True)
class Report:
    """The differences of all athletes, counted by rule and kind, with the first examples of each."""

    athletes: int = 0
    differing: int = 0
    counts: Counter[tuple[str, Kind]] = field(default_factory=Counter)
    examples: dict[tuple[str, Kind], list[Example]] = field(default_factory=dict)

    def add(self, found: Sequence[Example]) -> None:
        """Add what was found for one athlete."""
        self.athletes += 1
        self.differing += any(each.kind != "same" for each in found)
        for each in found:
            self.counts[each.rule, each.kind] += 1
            if each.kind != "same":
                kept = self.examples.setdefault((each.rule, each.kind), [])
                if len(kept) < MOST_EXAMPLES:
                    kept.append(each)

    def rules(self) -> list[str]:
        """Return the rules that spoke under either pack."""
        return sorted({rule for rule, _ in self.counts})


def replay(
    rules: RuleSet, athlete: Athlete, events: Iterable[Event], since: datetime, until: datetime
) -> dict[str, Told]:
    """Return by its id all advice that would stand at any time of [since, until), had the events been known in time.

    The engine names each instant at which something may change, and only these are looked at. Advice that already
    stands at `since` counts as told then.
    """
    book = (Generation(None, rules),)
    reach = horizon(book)
    ordered = sorted(events, key=lambda event: event.order)
    starts = [event.start for event in ordered]
    told: dict[str, Told] = {}
    standing: dict[str, Advice] = {}
    now = since
    while now < until:
        near = ordered[bisect_left(starts, now - reach.longest) : bisect_right(starts, now + reach.ahead)]
        found = advise(book, athlete, near, now)
        for name, advice in standing.items():
            if name not in found.active and name not in found.held and now < advice.expires_at:
                told[name] = _told(advice, told[name].at, withdrawn=True)
        for name, advice in found.active.items():
            told[name] = _told(advice, told[name].at if name in told else now)
        standing = dict(found.active)
        now = min(found.next_due or until, _enters(starts, now, reach.ahead, until))
    return told


def compare(athlete: Athlete, old: Mapping[str, Told], new: Mapping[str, Told]) -> list[Example]:
    """Return what became of each piece of advice that either pack has for the athlete."""
    return [
        Example(
            _kind(old.get(name), new.get(name)),
            told.rule,
            athlete.club,
            athlete.id,
            old.get(name),
            new.get(name),
        )
        for name, told in sorted({**old, **new}.items(), key=lambda pair: (pair[1].at, pair[0]))
    ]


def as_json(report: Report) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "athletes": report.athletes,
        "athletes_with_a_difference": report.differing,
        "rules": {
            rule: {kind: report.counts[rule, kind] for kind in KINDS} for rule in report.rules()
        },
        "examples": [
            {"kind": each.kind, "rule": each.rule, "club": each.club, "athlete_id": each.athlete,
             "old": _json(each.old), "new": _json(each.new)}
            for examples in report.examples.values()
            for each in examples
        ],
    }  # fmt: skip


def as_text(report: Report) -> str:
    """Return the report for people."""
    width = max((len(rule) for rule in report.rules()), default=4)
    lines = [f"{'rule':<{width}}  " + "  ".join(f"{kind:>9}" for kind in KINDS)]
    lines += [
        f"{rule:<{width}}  " + "  ".join(f"{report.counts[rule, kind]:>9}" for kind in KINDS)
        for rule in report.rules()
    ]
    for each in (example for examples in report.examples.values() for example in examples):
        lines.append("")
        first = each.new or each.old
        lines.append(
            f"{each.kind}: {each.rule} for {each.athlete} of {each.club}, {first.at:%Y-%m-%d %H:%M} UTC"
            if first
            else ""
        )
        lines += [f"  - {_line(each.old)}"] if each.old else []
        lines += [f"  + {_line(each.new)}"] if each.new else []
    lines += ["", f"{report.differing} of {report.athletes} athletes would be told something else"]
    return "\n".join(lines)


def _enters(starts: Sequence[datetime], now: datetime, ahead: timedelta, until: datetime) -> datetime:
    """Return when the next event comes within reach: until then the engine cannot know that it is on its way."""
    index = bisect_right(starts, now + ahead)
    return min(until, starts[index] - ahead) if index < len(starts) else until


def _kind(old: Told | None, new: Told | None) -> Kind:
    if old is None:
        return "issued"
    if new is None:
        return "silent"
    if new.withdrawn and not old.withdrawn:
        return "withdrawn"
    same = (old.severity, old.title, old.message) == (new.severity, new.title, new.message)
    return "same" if same else "changed"


def _told(advice: Advice, at: datetime, *, withdrawn: bool = False) -> Told:
    return Told(advice.rule, at, advice.severity, advice.title, advice.message, withdrawn)


def _line(told: Told) -> str:
    return (
        f'{told.severity}, "{told.title}": {told.message}{" (and takes it back)" if told.withdrawn else ""}'
    )


def _json(told: Told | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {"at": told.at.isoformat(), "severity": told.severity, "title": told.title, "message": told.message,
            "withdrawn": told.withdrawn}  # fmt: skip
