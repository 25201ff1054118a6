"""The diary that ships with the demo: what a club's athletes did in the four weeks up to now, as postings in time."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

DAYS = 28
_WEEK = 7
_SPAN = re.compile(r"(\d+)([mh])")
_OWN = frozenset({"type", "at", "for", "late", "plan_ahead", "twice", "id"})


@dataclass(frozen=True, slots=True)
class Posting:
    """One request of the club's app: an event for `POST /v1/events`, or a profile for `PUT /v1/athletes/{id}`."""

    at: datetime
    athlete: str
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What must (or must not) have happened to advice of `rule` for `athlete` between two local days, inclusive."""

    athlete: str
    rule: str
    what: str
    wanted: bool
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, and why they are in the diary."""

    id: str
    name: str
    story: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Diary:
    """Four weeks that end at `end`; day 1 begins 28 days before it."""

    end: datetime
    content: Mapping[str, Any]

    @property
    def club(self) -> str:
        """The club's name."""
        return str(self.content["club"])

    @property
    def start(self) -> datetime:
        """An instant before anything happens anywhere."""
        return self.end - timedelta(days=DAYS + 1)

    def people(self) -> tuple[Person, ...]:
        """Return the athletes."""
        return tuple(
            Person(
                each["id"],
                each["profile"]["name"],
                " ".join(each["story"].split()),
                each["profile"]["timezone"],
            )
            for each in self.content["athletes"]
        )

    def postings(self) -> tuple[Posting, ...]:
        """Return everything that is posted up to `end`, in the order of its time; profiles come first."""
        found = [posting for each in self.content["athletes"] for posting in self._of(each)]
        return tuple(
            sorted(
                (each for each in found if each.at <= self.end),
                key=lambda each: (each.at, each.kind == "event"),
            )
        )

    def expectations(self) -> tuple[Expected, ...]:
        """Return what must be true at the end."""
        made = []
        for each in self.content["expect"]:
            what = "issued" if "issued" in each else "withdrawn"
            first, last = (self._date(day) for day in each["in"])
            made.append(Expected(each["athlete"], each["rule"], what, bool(each[what]), first, last))
        return tuple(made)

    def _of(self, person: Mapping[str, Any]) -> Iterator[Posting]:
        profile = dict(person["profile"])
        profile["birth_year"] = self.end.year - profile.pop("age")
        yield Posting(self.start, person["id"], "profile", profile)
        zones = {1: profile["timezone"], **person.get("moves", {})}
        for day, zone in person.get("moves", {}).items():
            moved = datetime.combine(self._date(day), time(), ZoneInfo(zone)).astimezone(UTC)
            yield Posting(moved, person["id"], "profile", {**profile, "timezone": zone})
        for day in range(1, DAYS + 1):
            zone = ZoneInfo(zones[max(since for since in zones if since <= day)])
            for number, entry in enumerate(_entries(person, day)):
                yield from self._event(person["id"], day, number, entry, zone)

    def _event(
        self, athlete: str, day: int, number: int, entry: Mapping[str, Any], zone: ZoneInfo
    ) -> Iterator[Posting]:
        today = self._date(day)
        start = datetime.combine(today, time.fromisoformat(entry["at"]), zone)
        data = {name: value for name, value in entry.items() if name not in _OWN}
        if "for" in entry:
            data["duration_s"] = _span(entry["for"]).total_seconds()
        if entry["type"] == "day.closed":
            data["date"] = today.isoformat()
        body = {
            "id": str(entry.get("id", f"{athlete}-{day}-{number}-{_mark(entry)}")),
            "type": entry["type"],
            "subject": athlete,
            "time": start.isoformat(),
            "data": data,
        }
        at = start.astimezone(UTC) + _span(entry.get("for", "0m")) + _span(entry.get("late", "0m"))
        if "plan_ahead" in entry:
            at = start.astimezone(UTC) - _span(entry["plan_ahead"])
        for _ in range(2 if entry.get("twice") else 1):
            yield Posting(at, athlete, "event", body)

    def _date(self, day: int) -> date:
        return self.end.date() - timedelta(days=DAYS + 1 - day)


def read_diary(end: datetime) -> Diary:
    """Return the diary that ships with Tandem, laid out so that it ends at `end` (aware, UTC)."""
    text = (resources.files(__name__) / "club.yaml").read_text(encoding="utf-8")
    return Diary(end, YAML(typ="safe", pure=True).load(text))


def _entries(person: Mapping[str, Any], day: int) -> Iterator[Mapping[str, Any]]:
    week, place = (day - 1) // _WEEK + 1, (day - 1) % _WEEK + 1
    for pattern in person.get("weeks", ()):
        if week in pattern["in"]:
            yield from pattern.get(place, ())
            yield from pattern.get("every", ())
    yield from person.get("days", {}).get(day, ())


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no span such as 45m or 2h")
    return timedelta(**{{"m": "minutes", "h": "hours"}[match[2]]: int(match[1])})


def _mark(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(str(sorted(entry.items())).encode()).hexdigest()[:6]
