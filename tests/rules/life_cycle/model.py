"""What should become of advice: which of four plain rules hold at an instant, and what that makes of what stood.

Nothing of the engine or of the commit is used. Advice is named by its rule and its anchor, and lives in UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from shared.contracts.advice import State, Verdict
from shared.contracts.events import Event

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEAST_LIFT = {1: 30, 2: 60}
"""Minutes of lifting that `rest-after-lift` asks for, by version of the pack."""
REST, FAR, UNFED, ATE = "rest-after-lift", "far-run", "unfed", "ate-much"
RULES = {1: (REST, FAR, UNFED, ATE), 2: (REST, FAR, ATE)}
_ADVICE = "    evidence: heuristic\n    sources: [none]\n    category: recovery\n    severity: suggestion\n    advise: "


def pack(version: int) -> str:
    """Return the rules as a coach would write them; the second version is stricter, and one rule is gone."""
    words = "You lifted" if version == 2 else "Lifted"
    unfed = f"""
  - id: {UNFED}
    each: workout.completed
    where: {{activity: strength}}
    delay: 2h
    settle: 1h
    expires: 8h
    facts: {{fed: {{count: meal.logged, after: 2h}}}}
    when: fed == 0
{_ADVICE}{{title: Eat, message: "Nothing eaten"}}
"""
    return f"""pack: life
version: {version}
rules:
  - id: {REST}
    each: workout.completed
    where: {{activity: run}}
    expires: 12h
    supersedes: [{FAR}]
    facts: {{lift: {{last: workout.completed, where: {{activity: strength}}, before: 24h}}}}
    when: lift.found && lift.duration_s >= {LEAST_LIFT[version] * 60}
{_ADVICE}{{title: Rest, message: "{words} {{{{ (lift.duration_s / 60) | int }}}} min"}}
  - id: {FAR}
    each: workout.completed
    where: {{activity: run}}
    expires: 12h
    when: "true"
{_ADVICE}{{title: Far, message: "{{{{ anchor.distance_m | int }}}} m"}}
  - id: {ATE}
    daily: "20:30"
    expires: 6h
    facts: {{eaten: {{sum: meal.logged.energy_kcal}}}}
    when: eaten > 1000
{_ADVICE}{{title: Eaten, message: "{{{{ eaten | int }}}} kcal"}}
{unfed if UNFED in RULES[version] else ""}"""


Name = tuple[str, str]
"""A rule and its anchor: what advice is known by."""


@dataclass(frozen=True)
class Content:
    """What a piece of advice says, until when, and all that it rests on."""

    text: str
    expires: datetime
    rests_on: tuple[object, ...]


@dataclass
class Card:
    """One piece of advice and its life so far; `told` holds what went out, as (type, revision, to be read)."""

    content: Content
    state: State = "active"
    revision: int = 0
    quiet: bool = False
    verdicts: tuple[Verdict, ...] = ()
    told: list[tuple[str, int, bool]] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether what it rests on was there when last looked at."""
        return self.state not in {"withdrawn", "expired"}


@dataclass
class Model:
    """All that arrived, the versions of the pack and since when, and the advice there should be."""

    now: datetime
    arrived: dict[tuple[str, int], Event] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    packs: list[tuple[datetime | None, int]] = field(default_factory=lambda: [(None, 1)])
    cards: dict[Name, Card] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def advance(self, until: datetime) -> None:
        """Let time pass, looking whenever something may begin or end."""
        events = self._known()
        moments = {event.end for event in events} | {card.content.expires for card in self.cards.values()}
        moments |= {moment for event in events for moment in _turns(event)}
        moments |= {
            at
            for day in self._days(until)
            for at in (_half_past_eight(day), _half_past_eight(day) + HOUR * 6)
        }
        for moment in sorted(moments):
            if self.now < moment <= until:
                self.now = moment
                self.look()
        self.now = until

    def look(self) -> None:
        """Bring the advice up to now."""
        holds, unknown = self._holds()
        for name, content in holds.items():
            if name not in self.cards:
                self.cards[name] = Card(content, told=[("advice.issued", 0, True)])
                self._count(name, "issued")
            elif self.cards[name].stands:
                self._renew(self.cards[name], content)
            else:
                self._return(self.cards[name], content)
        for name, card in self.cards.items():
            if not card.stands or name in holds:
                continue
            if card.content.expires <= self.now:
                card.state = "expired"
            elif name not in unknown:
                card.state, card.revision = "withdrawn", card.revision + 1
                card.told.append(("advice.withdrawn", card.revision, True))
                self._count(name, "withdrawn")

    def answer(self, name: Name, verdict: Verdict) -> None:
        """Take the athlete's answer: of several the latest counts."""
        card = self.cards[name]
        if card.verdicts:
            self._count(name, card.verdicts[-1], -1)
        self._count(name, verdict)
        card.verdicts = (*card.verdicts, verdict)
        if card.stands:
            card.state = "dismissed" if verdict == "dismiss" else "acknowledged"
            card.quiet = verdict == "dismiss"

    def _renew(self, card: Card, content: Content) -> None:
        if content == card.content:
            return
        news = content.text != card.content.text
        card.content, card.revision = content, card.revision + 1
        card.told.append(("advice.updated", card.revision, news))
        if news and card.state == "dismissed":
            card.state, card.quiet = "active", False

    def _return(self, card: Card, content: Content) -> None:
        silent = card.quiet and content.text == card.content.text
        card.content, card.revision = content, card.revision + 1
        card.state, card.quiet = ("dismissed" if silent else "active"), silent
        if not silent:
            card.told.append(("advice.issued", card.revision, True))

    def _count(self, name: Name, what: str, by: int = 1) -> None:
        self.counts[name[0], what] = self.counts.get((name[0], what), 0) + by

    def _known(self) -> list[Event]:
        """Return each event at its highest revision, in order, without those that were deleted."""
        highest = {name: event for (name, _), event in sorted(self.arrived.items())}
        left = [event for name, event in highest.items() if name not in self.deleted]
        return sorted(left, key=lambda event: (event.start, event.id))

    def _version(self, due: datetime) -> int:
        return [version for since, version in self.packs if since is None or since <= due][-1]

    def _days(self, until: datetime) -> list[datetime]:
        first = datetime.combine(self.now.date(), time(), self.now.tzinfo) - DAY * 2
        return [first + DAY * n for n in range((until - first) // DAY + 2)]

    def _holds(self) -> tuple[dict[Name, Content], set[Name]]:
        """Return what holds now, and of what nothing can be said because its rule fails."""
        seen = [event for event in self._known() if event.end <= self.now]
        found: dict[Name, Content] = {}
        unknown: set[Name] = set()
        rested = set()
        for run in (event for event in seen if event.data.get("activity") == "run"):
            content = self._rest(run, seen)
            if content is not None:
                found[REST, run.key] = content
                rested.add(run.start.date())
        for run in (event for event in seen if event.data.get("activity") == "run"):
            if not run.end <= self.now < run.end + HOUR * 12:
                continue
            if "distance_m" not in run.data:
                unknown.add((FAR, run.key))
            elif run.start.date() not in rested:
                text = f"{run.data['distance_m']:.0f} m"
                found[FAR, run.key] = Content(text, run.end + HOUR * 12, (self._version(run.end), _mark(run)))
        found |= self._unfed(seen) | self._ate(seen)
        return found, unknown

    def _rest(self, run: Event, seen: list[Event]) -> Content | None:
        version = self._version(run.end)
        lifts = [
            event
            for event in seen
            if event.data.get("activity") == "strength" and run.start - DAY <= event.start < run.start
        ]
        if not lifts or not run.end <= self.now < run.end + HOUR * 12:
            return None
        minutes = int((lifts[-1].end - lifts[-1].start).total_seconds() // 60)
        if minutes < LEAST_LIFT[version]:
            return None
        words = "Lifted" if version == 1 else "You lifted"
        return Content(f"{words} {minutes} min", run.end + HOUR * 12, (version, _mark(run), _mark(lifts[-1])))

    def _unfed(self, seen: list[Event]) -> dict[Name, Content]:
        meals = [event.start for event in seen if event.type == "meal.logged"]
        return {
            (UNFED, lift.key): Content("Nothing eaten", lift.end + HOUR * 10, (1, _mark(lift)))
            for lift in seen
            if lift.data.get("activity") == "strength"
            and self._version(lift.end + HOUR * 2) == 1
            and lift.end + HOUR * 3 <= self.now < lift.end + HOUR * 10
            and not any(lift.end <= meal < lift.end + HOUR * 2 for meal in meals)
        }

    def _ate(self, seen: list[Event]) -> dict[Name, Content]:
        found = {}
        for day in self._days(self.now):
            at = _half_past_eight(day)
            meals = [each for each in seen if each.type == "meal.logged" and each.start.date() == day.date()]
            eaten = sum(meal.data["energy_kcal"] for meal in meals)
            if at <= self.now < at + HOUR * 6 and eaten > 1000:
                marks = (self._version(at), *(_mark(meal) for meal in meals))
                found[ATE, f"{day:%Y-%m-%d}"] = Content(f"{eaten:.0f} kcal", at + HOUR * 6, marks)
        return found


def _mark(event: Event) -> tuple[str, int]:
    return event.id, event.revision


def _half_past_eight(day: datetime) -> datetime:
    return day + timedelta(hours=20, minutes=30)


def _turns(event: Event) -> Iterator[datetime]:
    """Yield when advice on the event may begin or end."""
    return (event.end + HOUR * n for n in (3, 10, 12))
