"""Strategies for the engine's laws: packs of rules that use every anchor, fact and window, and months of events."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import strategies as st

from services.rules.language.model import (
    After,
    Aggregate,
    Anchor,
    Before,
    Condition,
    Daily,
    During,
    Each,
    LastDays,
    Pick,
    Rule,
    Rulebook,
    Weekly,
    Window,
)
from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import PLAN_HORIZON, Event
from tests.rules.engine.diary import event, meal, plan, workout
from tests.rules.engine.rulebooks import rule, rulebook

START = datetime(2026, 3, 16, tzinfo=UTC)
"""Two weeks before clocks go forward in Berlin, in New York just after."""
MONTH = timedelta(days=30)
ZONES = (
    "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca",
    "Pacific/Honolulu", "UTC",
)  # fmt: skip
_ACTIVITIES = ("strength", "run", "walk")


def instants(days: float = 30) -> st.SearchStrategy[datetime]:
    """Whole quarters of an hour, so that ends, windows and due times often meet."""
    return st.integers(0, int(days * 96)).map(lambda n: START + timedelta(minutes=15 * n))


spans = st.sampled_from([timedelta(hours=n) for n in (1, 2, 6, 24, 36, 48, 96)])
windows: st.SearchStrategy[Window] = st.one_of(
    st.sampled_from([During("today"), During("yesterday"), During("this_week"), During("last_week")]),
    spans.map(Before),
    spans.map(After),
    st.integers(1, 28).map(LastDays),
)
types = st.sampled_from(["workout.completed", "workout.planned", "meal.logged", "checkin.recorded"])


@st.composite
def anchors(draw: st.DrawFn) -> Anchor:
    """Return any anchor."""
    clock = time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 30])))
    which = draw(st.integers(0, 4))
    if which == 0:
        return Daily(clock)
    if which == 1:
        return Weekly(draw(st.integers(1, 7)), clock)
    if which == 2:
        return Each("workout.planned", lead=draw(spans))
    where = draw(st.sampled_from([(), (Condition("activity", "in", ("run",)),)]))
    return Each("workout.completed", where, delay=draw(st.sampled_from([timedelta(), timedelta(hours=2)])))


@st.composite
def rules(draw: st.DrawFn, name: str, before: tuple[str, ...]) -> Rule:
    """Return a rule; it may supersede those `before` it."""
    facts: list[Aggregate | Pick] = [
        Aggregate("n", "count", draw(types), None, (), draw(windows)),
        Aggregate("d", "days", draw(types), None, (), draw(windows)),
        Aggregate(
            "kcal", draw(st.sampled_from(["sum", "avg"])), "meal.logged", "protein_g", (), draw(windows)
        ),
        Pick("one", draw(st.sampled_from(["first", "last"])), draw(types), (), draw(windows)),
    ]
    when = draw(
        st.sampled_from(
            ["true", "n > d", "n == 0.0", "kcal < 60.0", "one.found && one.start < anchor.start",
             "local_hour(one.end) > 12.0",
             "day.sessions > 0.0", "day.nutrition_complete", "week.session_load > 300.0", "week.balance_kcal < 0.0",
             "local_hour(now) > 12.0"]
        )
    )  # fmt: skip
    muted = draw(st.sets(st.sampled_from(before))) if before else set()
    return rule(
        name,
        draw(anchors()),
        when,
        facts=facts,
        expires=draw(st.one_of(spans, spans.map(lambda span: span * 10))),
        settle=draw(st.sampled_from([timedelta(), timedelta(hours=1)])),
        supersedes=muted,
        message="{{ n }} {{ d }}",
    )


@st.composite
def packs(draw: st.DrawFn) -> Rulebook:
    """Return one to five rules of a pack that may have a bound on what it says a day."""
    made: list[Rule] = []
    for n in range(draw(st.integers(1, 5))):
        made.append(draw(rules(f"r{n}", tuple(each.id for each in made))))
    most = draw(st.sampled_from([None, None, 1, 2]))
    return rulebook(*(replace(each, most_a_day=most) for each in made))


@st.composite
def athletes(draw: st.DrawFn) -> Athlete:
    """Return an athlete with or without a profile, who may travel."""
    since = sorted(draw(st.lists(instants(), max_size=2, unique=True)))
    zones = tuple(ZoneChange(instant, draw(st.sampled_from(ZONES))) for instant in (None, *since))
    if draw(st.booleans()):
        return Athlete("clb_1", "ann", zones)
    return Athlete("clb_1", "ann", zones, sex="female", birth_year=1990, height_cm=170, body_mass_kg=65)


@st.composite
def one_event(draw: st.DrawFn, n: int, days: float) -> Event:
    """Return any event of the month; sessions may name one of the first plans."""
    start, name = draw(instants(days)), f"e{n}"
    kind = draw(st.sampled_from(["workout", "workout", "meal", "meal", "plan", "checkin", "closed"]))
    if kind == "meal":
        inexact = draw(st.sampled_from(["exact", "exact", "slot", "day"]))
        extra = draw(st.sampled_from([{}, {"protein_g": 30.0}]))
        return meal(start, draw(st.sampled_from([300, 900, 2500])), id=name, time_precision=inexact, **extra)
    if kind == "plan":
        ahead = draw(st.sampled_from([timedelta(), timedelta(days=20), PLAN_HORIZON - MONTH]))
        return plan(draw(st.sampled_from(_ACTIVITIES)), start + ahead, id=name)
    if kind == "checkin":
        return event("checkin.recorded", start, id=name, fatigue=5.0)
    if kind == "closed":
        data = {"date": start.date().isoformat(), "nutrition_complete": draw(st.booleans())}
        return event("day.closed", start, id=name, **data)
    data = draw(
        st.sampled_from([{}, {"rpe": 8.0}, {"intensity": "hard"}, {"plan_id": "e0"}, {"plan_id": "e1"}])
    )
    minutes = draw(st.sampled_from([0, 30, 60, 48 * 60]))
    return workout(draw(st.sampled_from(_ACTIVITIES)), start, minutes, id=name, **data)


@st.composite
def months(draw: st.DrawFn, days: float = 30) -> list[Event]:
    """Return up to 40 events of a month, each its own."""
    return [draw(one_event(n, days)) for n in range(draw(st.integers(0, 40)))]
