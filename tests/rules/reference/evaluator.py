"""What an athlete should be told, found the plain way: the text of the rule language, read literally, and no speed.

Nothing of the engine is used: local time is found by walking a grid of quarter hours, windows by looking at every
event, conditions by functions in Python that stand beside their CEL. Times are whole quarter hours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from shared.contracts.athletes import Athlete
from shared.contracts.events import Event

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
ENDURANCE = {"run", "ride", "swim", "row", "walk", "hike"}
LOADS = {"easy": 3, "moderate": 5, "hard": 7, "sprint": 9}
SPEAKING = [{"safety"}, {"recovery", "ordering"}, {"surplus", "hydration", "variety"}, {"supplement"}]


class AbsentError(Exception):
    """Something was read that is not there."""


@dataclass(frozen=True)
class Fact:
    """`{operation: type.field, where: {activity: ...}, window: span}`; spans are hours, or days for last_days."""

    name: str
    operation: str
    type: str
    field: str = ""
    activity: str = ""
    window: str = "during"
    span: str | int = "today"


@dataclass(frozen=True)
class Spec:
    """A rule as data. `condition` and `requires` are CEL and what it means, over `Sight`."""

    id: str
    category: str
    anchor: str
    condition: "Test"
    facts: tuple[Fact, ...] = ()
    activity: str = ""
    delay_h: int = 0
    lead_h: int = 0
    at: time = time(0)
    weekday: int = 1
    requires: "Test | None" = None
    expires_h: int = 24
    settle_h: int = 0
    supersedes: tuple[str, ...] = ()
    mode: str = "live"
    message: str = "{{ n }} {{ d }}"


@dataclass(frozen=True)
class Test:
    """A condition: its CEL, and the same in Python; true, false, or `AbsentError`."""

    __test__ = False  # pytest takes its name for a test's

    cel: str
    means: Callable[["Sight"], bool]


def both(left: Test, right: Test) -> Test:
    """Return `&&`: false where either side is, whatever the other lacks."""
    return Test(f"({left.cel}) && ({right.cel})", lambda sight: _decide(sight, left, right, by=False))


def either(left: Test, right: Test) -> Test:
    """Return `||`: true where either side is, whatever the other lacks."""
    return Test(f"({left.cel}) || ({right.cel})", lambda sight: _decide(sight, left, right, by=True))


def neither(inner: Test) -> Test:
    """Return `!`."""
    return Test(f"!({inner.cel})", lambda sight: not inner.means(sight))


def _decide(sight: "Sight", left: Test, right: Test, *, by: bool) -> bool:
    found: list[bool | AbsentError] = []
    for side in (left, right):
        try:
            found.append(side.means(sight))
        except AbsentError as error:
            found.append(error)
    if by in [each for each in found if isinstance(each, bool)]:
        return by
    for each in found:
        if isinstance(each, AbsentError):
            raise each
    return not by


@dataclass(frozen=True)
class Anchor:
    """One anchor, and when advice on it may stand: from `opens` up to `closes`.

    `day` is the local day it belongs to: of a daily or weekly anchor its own, even when clocks jumped over its time and
    over midnight.
    """

    key: str
    day: date
    start: datetime
    end: datetime
    due: datetime
    opens: datetime
    closes: datetime
    event: Event | None = None


@dataclass
class Life:
    """An athlete's calendar: the local time of every quarter hour of the months that a case can touch."""

    athlete: Athlete
    first: datetime
    last: datetime
    _due: dict[time, dict[date, datetime]] = field(default_factory=dict)

    def local(self, instant: datetime) -> datetime:
        """Return local time: in the zone of the latest change that is not after the instant."""
        zone = [each for each in self.athlete.zones if each.since is None or each.since <= instant][-1]
        return instant.astimezone(ZoneInfo(zone.timezone)).replace(tzinfo=None)

    def day(self, instant: datetime) -> date:
        """Return the local day."""
        return self.local(instant).date()

    @cached_property
    def quarters(self) -> list[tuple[datetime, datetime]]:
        """Return (instant, local time) for every quarter hour."""
        count = (self.last - self.first) // QUARTER
        return [(each, self.local(each)) for each in (self.first + QUARTER * n for n in range(count))]

    def due_times(self, at: time) -> dict[date, datetime]:
        """Return for each local day the first instant at which clocks come to show `at`, or jump over it."""
        if at in self._due:
            return self._due[at]
        found = self._due[at] = {}
        for (_, before), (instant, local) in zip(self.quarters, self.quarters[1:], strict=False):
            day = before.date() - DAY
            while day <= local.date():
                wall = datetime.combine(day, at)
                # A day that the date line takes out has no such time.
                if before < wall <= local and day in {before.date(), local.date()}:
                    found.setdefault(day, instant)
                day += DAY
        return found


@dataclass
class Sight:
    """What a rule sees at an anchor: its facts, the anchor, the day and the week, and the time it looks."""

    world: "World"
    spec: Spec
    anchor: Anchor
    now: datetime
    facts: dict[str, float | Event | None] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """Return a fact that is a number."""
        found = self.facts[name]
        if found is None or isinstance(found, Event):
            raise AbsentError(name)
        return found

    def picked(self, name: str) -> Event | None:
        """Return the event that a fact picked; None when it found none."""
        if name in self.missing:
            raise AbsentError(name)
        found = self.facts[name]
        return found if isinstance(found, Event) else None

    def event(self, name: str) -> Event:
        """Return the event that a fact picked, which must be there."""
        found = self.picked(name)
        if found is None:
            raise AbsentError(name)
        return found

    def of_anchor(self, name: str) -> object:
        """Return a field of the anchor's event, which must be there."""
        found = self.anchor.event.data.get(name) if self.anchor.event else None
        if found is None:
            raise AbsentError(name)
        return found

    @cached_property
    def missing(self) -> set[str]:
        """Return the facts whose windows are too short for an anchor whose time is not exact."""
        event = self.anchor.event
        return {fact.name for fact in self.spec.facts if event is not None and not _exact_enough(event, fact)}

    @property
    def day(self) -> date:
        """Return the anchor's local day."""
        return self.anchor.day

    def within(self, kind: str, *, week: bool = False) -> list[Event]:
        """Return the events of the anchor's local day, or of its ISO week up to and with that day."""
        first = self.day - DAY * self.day.weekday() if week else self.day
        return [
            event
            for event in self.world.seen
            if event.type == kind and first <= self.world.life.day(event.start) <= self.day
        ]

    def load(self, *, week: bool) -> float:
        """Return RPE x minutes over the sessions; an intensity stands for an RPE that is not there."""
        loads = []
        for event in self.within("workout.completed", week=week):
            rpe = event.data.get("rpe", LOADS.get(str(event.data.get("intensity"))))
            loads.append(0 if rpe is None else float(rpe) * float(event.data["duration_s"]) / 60)
        return sum(loads)

    def whole(self) -> bool:
        """Whether the day's diary is whole: as it was last closed, else when 0.8 x resting energy was eaten."""
        said = [
            event.data["nutrition_complete"]
            for event in self.world.seen
            if event.type == "day.closed" and event.data["date"] == self.day.isoformat()
        ]
        if said:
            return bool(said[-1])
        athlete = self.world.life.athlete
        if None in {athlete.body_mass_kg, athlete.height_cm, athlete.birth_year}:
            raise AbsentError("nutrition_complete")
        sex = {"male": 5, "female": -161, None: -78}[athlete.sex]
        age = self.day.year - int(athlete.birth_year or 0)
        resting = 10 * (athlete.body_mass_kg or 0) + 6.25 * (athlete.height_cm or 0) - 5 * age + sex
        eaten = sum(float(meal.data.get("energy_kcal", 0)) for meal in self.within("meal.logged"))
        return eaten >= 0.8 * resting


@dataclass
class World:
    """All that is known at an instant, and what the rules make of it."""

    life: Life
    arrivals: Sequence[Event]
    now: datetime

    @cached_property
    def seen(self) -> list[Event]:
        """Return the events that have ended, and the plans that no session has taken up, in timeline order."""
        deleted = {
            (each.source, each.data["event_id"]) for each in self.arrivals if each.type == "event.deleted"
        }
        latest: dict[tuple[str, str], Event] = {}
        for each in self.arrivals:
            name = (each.source, each.id)
            if each.type == "event.deleted" or name in deleted:
                continue
            if name not in latest or latest[name].revision < each.revision:
                latest[name] = each
        known = sorted(latest.values(), key=lambda each: (each.start, each.source, each.id))
        ended = [each for each in known if each.type != "workout.planned" and each.end <= self.now]
        done = {each.data.get("plan_id") for each in ended if each.type == "workout.completed"}
        plans = [each for each in known if each.type == "workout.planned" and each.id not in done]
        return sorted([*ended, *plans], key=lambda each: (each.start, each.source, each.id))

    def anchors(self, spec: Spec) -> Iterator[Anchor]:
        """Yield every anchor of a rule whose advice may stand at some time, over or yet to come."""
        settle, expires = HOUR * spec.settle_h, HOUR * spec.expires_h
        if spec.anchor in {"daily", "weekly"}:
            for day, due in self.life.due_times(spec.at).items():
                if spec.anchor == "daily":
                    yield Anchor(day.isoformat(), day, due, due, due, due + settle, due + expires)
                elif day.isoweekday() == spec.weekday:
                    year, week, _ = day.isocalendar()
                    key = f"{year}-W{week:02d}"
                    yield Anchor(key, day, due, due, due, due + settle, due + expires)
            return
        for event in self.seen:
            if event.type != spec.anchor or (spec.activity and event.data.get("activity") != spec.activity):
                continue
            if spec.anchor == "workout.planned":
                due = event.start - HOUR * spec.lead_h
                closes = min(due + expires, event.start)
            else:
                due = event.end + HOUR * spec.delay_h
                closes = due + expires
            key = f"{event.source}\x1f{event.id}"
            day = self.life.day(event.start)
            yield Anchor(key, day, event.start, event.end, due, due + settle, closes, event)

    def judge(self, spec: Spec, anchor: Anchor) -> tuple[str, Sight]:
        """Return the verdict at an anchor that is or was open, and what was seen there."""
        until = min(self.now, anchor.closes - timedelta(milliseconds=1))
        # A rule that reads `now` looks when it opens and every quarter of an hour from then on.
        look = anchor.opens + (until - anchor.opens) // QUARTER * QUARTER
        sight = Sight(self, spec, anchor, look)
        for fact in spec.facts:
            sight.facts[fact.name] = None if fact.name in sight.missing else self.measure(fact, sight)
        return self._verdict(spec, sight), sight

    def _verdict(self, spec: Spec, sight: Sight) -> str:
        try:
            if spec.requires is not None and not spec.requires.means(sight):
                return "insufficient_data"
            holds = spec.condition.means(sight)
        except AbsentError:
            return "insufficient_data"
        unsure = [
            name for name, value in sight.facts.items() if value is None and f"{{ {name} }}" in spec.message
        ]
        return "does_not_hold" if not holds else "error" if unsure else "holds"

    def measure(self, fact: Fact, sight: Sight) -> float | Event | None:
        """Return a fact's value; None when it has none."""
        found = [event for event in self.seen if self._counts(event, fact, sight)]
        if fact.operation in {"first", "last"}:
            return None if not found else found[0] if fact.operation == "first" else found[-1]
        if fact.operation == "count":
            return float(len(found))
        if fact.operation == "days":
            return float(len({self.life.day(event.start) for event in found}))
        values = [float(event.data[fact.field]) for event in found if fact.field in event.data]
        if fact.operation == "sum":
            return float(sum(values))
        if not values:
            return None
        return {"min": min(values), "max": max(values), "avg": sum(values) / len(values)}[fact.operation]

    def _counts(self, event: Event, fact: Fact, sight: Sight) -> bool:
        anchor, day, local = sight.anchor, sight.day, self.life.day(event.start)
        if event.type != fact.type or (fact.activity and event.data.get("activity") != fact.activity):
            return False
        monday = day - DAY * day.weekday()
        if fact.window == "during":
            first, last = {
                "today": (day, day),
                "yesterday": (day - DAY, day - DAY),
                "this_week": (monday, monday + DAY * 6),
                "last_week": (monday - DAY * 7, monday - DAY),
            }[str(fact.span)]
            return first <= local <= last
        span = int(fact.span)
        if fact.window == "last_days":
            return day - DAY * (span - 1) <= local <= day
        mine = anchor.event is not None and (event.source, event.id) == (anchor.event.source, anchor.event.id)
        if fact.window == "before":
            near = anchor.start - HOUR * span <= event.start < anchor.start
        else:
            near = anchor.end <= event.start < anchor.end + HOUR * span
        return near and not mine and _exact_enough(event, fact)


@dataclass(frozen=True)
class Said:
    """A piece of advice that stands: the rule, its anchor, and the numbers it rests on."""

    rule: str
    anchor: str
    numbers: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Outcome:
    """What stands at an instant, and the verdict at each open anchor."""

    said: frozenset[Said]
    verdicts: frozenset[tuple[str, str, str]]


def outcome(
    generations: Sequence[tuple[datetime | None, Sequence[Spec]]], most_a_day: int | None, world: World
) -> Outcome:
    """Return what the rules say: each generation governs the anchors that fall due from its loading to the next.

    An anchor belongs to the first under which it falls due, should a later one give it another time.
    """
    opened: list[tuple[Spec, Anchor]] = []
    belongs: set[tuple[str, str]] = set()
    for index, (since, specs) in enumerate(generations):
        until = generations[index + 1][0] if index + 1 < len(generations) else None
        mine = [
            (spec, anchor)
            for spec in specs
            for anchor in world.anchors(spec)
            if spec.mode != "off"
            and (since is None or since <= anchor.due)
            and (until is None or anchor.due < until)
            and (spec.id, anchor.key) not in belongs
        ]
        belongs |= {(spec.id, anchor.key) for spec, anchor in mine}
        opened += [pair for pair in mine if pair[1].opens <= world.now and pair[1].opens < pair[1].closes]
    open_now = [pair for pair in opened if world.now < pair[1].closes]
    over = [pair for pair in opened if world.now >= pair[1].closes]
    judged = {(spec.id, anchor.key): world.judge(spec, anchor) for spec, anchor in open_now}
    holding = [
        (spec, anchor)
        for spec, anchor in open_now
        if spec.mode == "live" and judged[spec.id, anchor.key][0] == "holds"
    ]
    heard = _unmuted(holding)
    if most_a_day is not None:
        heard = _first_of_each_day(holding, heard, over, most_a_day, world)
    return Outcome(
        frozenset(
            Said(spec.id, anchor.key, _numbers(judged[spec.id, anchor.key][1])) for spec, anchor in heard
        ),
        frozenset((rule, key, verdict) for (rule, key), (verdict, _) in judged.items()),
    )


def _unmuted(holding: list[tuple[Spec, Anchor]]) -> list[tuple[Spec, Anchor]]:
    """Return those that no unmuted other supersedes for the same local day."""
    standing: list[tuple[Spec, Anchor]] = []
    for spec, anchor in sorted(holding, key=lambda pair: pair[0].id, reverse=True):
        # A rule supersedes only those that were made before it, whose ids are lower.
        if not any(spec.id in other.supersedes and theirs.day == anchor.day for other, theirs in standing):
            standing.append((spec, anchor))
    return standing


def _first_of_each_day(
    holding: list[tuple[Spec, Anchor]],
    heard: list[tuple[Spec, Anchor]],
    over: list[tuple[Spec, Anchor]],
    most: int,
    world: World,
) -> list[tuple[Spec, Anchor]]:
    """Return what is left when each local day gives at most so many; what is over counts, unless it was muted."""
    held = [pair for pair in over if pair[0].mode == "live" and world.judge(*pair)[0] == "holds"]
    past = [pair for pair in held if not any(_muted_by(pair, other) for other in [*holding, *held])]
    kept = []
    for spec, anchor in heard:
        day = world.life.day(anchor.due)
        rivals = [
            _place(other, theirs)
            for other, theirs in [*heard, *past]
            if other.category != "safety" and world.life.day(theirs.due) == day
        ]
        if spec.category == "safety" or sorted(rivals).index(_place(spec, anchor)) < most:
            kept.append((spec, anchor))
    return kept


def _muted_by(pair: tuple[Spec, Anchor], other: tuple[Spec, Anchor]) -> bool:
    (spec, anchor), (louder, theirs) = pair, other
    return (
        spec.id in louder.supersedes
        and anchor.day == theirs.day
        and anchor.opens < theirs.closes
        and theirs.opens < anchor.closes
    )


def _place(spec: Spec, anchor: Anchor) -> tuple[datetime, int, str, str]:
    rank = next(index for index, categories in enumerate(SPEAKING) if spec.category in categories)
    return (anchor.opens, rank, spec.id, anchor.key)


def _numbers(sight: Sight) -> tuple[tuple[str, float], ...]:
    return tuple(
        (name, round(value, 6)) for name, value in sorted(sight.facts.items()) if isinstance(value, float)
    )


def _exact_enough(event: Event, fact: Fact) -> bool:
    """Whether an event's time is exact enough for the window: an inexact one never feeds less than a day."""
    precision = event.data.get("time_precision", "exact")
    if precision == "exact" or fact.window not in {"before", "after"}:
        return True
    return precision == "slot" and int(fact.span) >= 24


def utc(day: date) -> datetime:
    """Return the midnight of a day in UTC."""
    return datetime.combine(day, time(), UTC)
