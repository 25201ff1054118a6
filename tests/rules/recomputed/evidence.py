"""What a reader of the advice has: its `because`, and the events named there as they were posted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts.advice import Advice, Because
from shared.contracts.events import Event

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Evidence:
    """What a reader of the advice has: its `because`, and the events named there as they were posted."""

    because: Because
    events: tuple[Event, ...]

    def param(self, name: str) -> float:
        return float(self.because.facts[f"params.{name}"])

    def profile(self, name: str) -> Any:
        return self.because.facts.get(f"athlete.{name}")

    @property
    def anchor(self) -> Event:
        (found,) = (event for event in self.events if event.key == self.because.anchor.key)
        return found

    @property
    def day(self) -> date:
        return self.local(self.because.anchor.start or self.because.anchor.due).date()

    def local(self, instant: datetime) -> datetime:
        """Return `instant` in the zone at the anchor, or where the athlete has travelled, in the zone in force then."""
        zones = self.profile("zones") or [{"timezone": self.profile("timezone")}]
        begun = [
            zone for zone in zones if "since" not in zone or datetime.fromisoformat(zone["since"]) <= instant
        ]
        return instant.astimezone(ZoneInfo(begun[-1]["timezone"]))

    def clock(self, instant: datetime) -> str:
        return f"{self.local(instant):%H:%M}"

    def date(self, event: Event) -> date:
        return self.local(event.start).date()

    def of(self, kind: str, /, **where: object) -> list[Event]:
        return [
            event
            for event in self.events
            if event.type == kind and all(event.data.get(name) == value for name, value in where.items())
        ]

    def on_day(self, kind: str, /, **where: object) -> list[Event]:
        return self.last_days(1, kind, **where)

    def last_days(self, days: int, kind: str, /, **where: object) -> list[Event]:
        first = self.day - DAY * (days - 1)
        return [event for event in self.of(kind, **where) if first <= self.date(event) <= self.day]

    def in_week(self, kind: str, /, **where: object) -> list[Event]:
        return self.last_days(self.day.isoweekday(), kind, **where)

    def last_before(self, hours: float, kind: str, /, **where: object) -> Event | None:
        anchor = self.anchor
        found = [
            event
            for event in self.of(kind, **where)
            if anchor.start - HOUR * hours <= event.start < anchor.start and event.key != anchor.key
        ]
        return max(found, key=lambda event: event.order, default=None)

    def first_after(self, hours: float, kind: str, has: str) -> Event | None:
        found = [event for event in self.after(hours, kind) if event.data.get(has)]
        return min(found, key=lambda event: event.order, default=None)

    def after(self, hours: float, kind: str, /, **where: object) -> list[Event]:
        end = self.anchor.end
        return [event for event in self.of(kind, **where) if end <= event.start < end + HOUR * hours]

    def gap(self, earlier: Event | None) -> float:
        assert earlier is not None, "the session that the gap is counted from is not in the evidence"
        return (self.anchor.start - earlier.end) / HOUR


def evidence_of(advice: Advice, posted: Mapping[tuple[str, int], Event]) -> Evidence:
    named = (posted[f"{ref.source}\x1f{ref.id}", ref.revision] for ref in advice.because.events)
    return Evidence(advice.because, tuple(named))


def minutes(event: Event) -> float:
    return float(event.data["duration_s"]) / 60


def total(events: list[Event], field: str) -> float:
    return float(sum(event.data.get(field) or 0 for event in events))
