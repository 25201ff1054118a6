"""What a rule knows at an anchor: its facts, evaluated in order over the athlete's timeline, and what they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from services.rules.engine.anchors import Due
from services.rules.engine.digest import knows_when
from services.rules.engine.selection import Selection, Span
from services.rules.engine.timeline import Timeline
from services.rules.language.model import (
    AbsentError,
    After,
    Aggregate,
    Before,
    Bound,
    Computed,
    During,
    EvaluationError,
    LastDays,
    Local,
    Pick,
    Question,
    Record,
    Rule,
    Window,
)
from shared.contracts.events import Event

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
INEXACT_ANCHOR = "anchor.time_precision"
"""What is missing when a window of less than a day is asked about an anchor whose time is not exact."""
MOST_EVENTS_A_WINDOW = 5_000
"""What one fact may look at. A year of ten meals a day is less; a fact over more is an error, never cut short."""


class Asked:
    """One anchor, as the rules that share it ask about it: each question is answered once, whatever a fact calls it."""

    __slots__ = ("answers", "due", "loose", "timeline")

    def __init__(self, timeline: Timeline, due: Due) -> None:
        self.timeline = timeline
        self.due = due
        self.answers: dict[Question, Bound | None] = {}
        """What was found: None where there is nothing to take it of."""
        event = due.event
        self.loose = event if event is not None and "time_precision" in event.data else None
        """The anchor, where its time may not be exact."""

    def answer(self, fact: Aggregate | Pick) -> "Bound | None":
        """Return the fact's value, None when there is nothing to take it of.

        Raise `EvaluationError` when it would be of more than `MOST_EVENTS_A_WINDOW`.
        """
        if self.timeline.total > MOST_EVENTS_A_WINDOW:
            self._must_be_bounded(fact)
        found = self._within(self.timeline.chosen(fact.choice), fact.window)
        value: Bound | None
        if isinstance(fact, Aggregate):
            value = found.aggregate(fact.operation, fact.field or "")
        else:
            events = _picked(fact, found)
            value = self.timeline.record(events[0]) if events else Record(fact.type, {"found": False})
        self.answers[fact.question] = value
        return value

    def behind(self, fact: Aggregate | Pick) -> Sequence[Event]:
        """Return the events that the fact is taken of."""
        found = self._within(self.timeline.chosen(fact.choice), fact.window)
        return _picked(fact, found) if isinstance(fact, Pick) else found.events()

    def _must_be_bounded(self, fact: Aggregate | Pick) -> None:
        if self.timeline.size(fact.type) <= MOST_EVENTS_A_WINDOW:
            return
        size = len(self._within(self.timeline.of(fact.type), fact.window))
        if size > MOST_EVENTS_A_WINDOW:
            raise EvaluationError(
                f"the window of {fact.name} holds {size:,} events of {fact.type};"
                f" at most {MOST_EVENTS_A_WINDOW:,} are allowed: give it a shorter window"
            )

    def _within(self, selection: Selection, window: Window) -> Span:
        """Return those events that start in the window around the anchor; the anchor itself only in whole days."""
        due = self.due
        anchor = due.event
        if isinstance(window, Before):
            found = selection.between(due.start - window.span, due.start)
            if anchor is None or anchor.start >= due.start:
                return found
        elif isinstance(window, After):
            found = selection.between(due.end, due.end + window.span)
        else:
            return selection.on(*days_of(window, due.day))
        return found if anchor is None else found.keep(lambda event: event.key != anchor.key)


@dataclass(slots=True)
class Knowledge:
    """The names that are bound so far, for each absent fact what was missing, and where the others were looked for."""

    names: dict[str, Bound]
    missing: dict[str, str] = field(default_factory=dict)
    rule: Rule | None = field(default=None, compare=False)
    asked: Asked | None = field(default=None, compare=False)

    def behind(self) -> dict[str, Sequence[Event]]:
        """Return for each fact over events those that it was taken of: found again, for few verdicts are asked."""
        if self.rule is None or self.asked is None:
            return {}
        return {
            fact.name: self.asked.behind(fact)
            for fact in self.rule.facts
            if not isinstance(fact, Computed)
            and (fact.name in self.names or self.missing.get(fact.name, INEXACT_ANCHOR) != INEXACT_ANCHOR)
        }

    def events(self) -> dict[str, Event]:
        """Return all events behind the facts, by key."""
        return {event.key: event for events in self.behind().values() for event in events}

    def root_of(self, absent: str) -> str:
        """Return what was missing in the first place when reading `absent` failed."""
        return self.missing.get(absent) or self.missing.get(absent.partition(".")[0], absent)


def learn(rule: Rule, known: Knowledge, asked: Asked, local: Local) -> None:
    """Bind each fact's value in turn. A fact that is absent stays unbound; raise `EvaluationError` on a faulty one."""
    known.rule, known.asked = rule, asked
    names, answers, loose = known.names, asked.answers, asked.loose
    for fact in rule.facts:
        if isinstance(fact, Computed):
            try:
                names[fact.name] = fact.expression.evaluate(names, local)
            except AbsentError as error:
                known.missing[fact.name] = known.root_of(error.missing)
            continue
        if loose is not None and not knows_when(loose, fact.precision):
            known.missing[fact.name] = INEXACT_ANCHOR
            continue
        value = answers[fact.question] if fact.question in answers else asked.answer(fact)
        if value is None:
            known.missing[fact.name] = f"{fact.type}.{fact.question.field}"
        else:
            names[fact.name] = value


def _picked(fact: Pick, found: Span) -> Sequence[Event]:
    return found.last() if fact.which == "last" else found.events()[:1]


def days_of(window: During | LastDays, day: date) -> tuple[date, date]:
    """Return the first and last local day of a window of whole days."""
    if isinstance(window, LastDays):
        return day - _DAY * (window.days - 1), day
    if window.span == "today":
        return day, day
    if window.span == "yesterday":
        return day - _DAY, day - _DAY
    monday = day - _DAY * day.weekday()
    first = monday if window.span == "this_week" else monday - _WEEK
    return first, first + _DAY * 6
