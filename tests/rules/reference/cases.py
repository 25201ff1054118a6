"""Random cases for the reference: packs as text and as data, and the months that they are tried on."""

from dataclasses import dataclass
from datetime import datetime, time

from hypothesis import strategies as st

from tests.rules.reference.evaluator import (
    HOUR,
    QUARTER,
    AbsentError,
    Fact,
    Sight,
    Spec,
    Test,
    both,
    either,
    neither,
)
from tests.rules.reference.streams import LENGTH, MONTHS, TYPES, Month, months

CATEGORIES = ("ordering", "recovery", "surplus", "supplement", "safety")


@dataclass(frozen=True)
class Case:
    """A pack, the one that replaces it in mid-stream, and months to try them on."""

    packs: tuple[tuple[datetime | None, tuple[Spec, ...]], ...]
    most_a_day: int | None
    months: tuple[Month, ...]

    def texts(self) -> list[tuple[datetime | None, str]]:
        """Return the packs as rule files."""
        return [(since, text_of(specs, self.most_a_day)) for since, specs in self.packs]


def text_of(specs: tuple[Spec, ...], most: int | None) -> str:
    """Return a pack as a coach would write it."""
    bound = "" if most is None else f"most_a_day: {{suggestion: {most}}}\n"
    return f"pack: random\nversion: 1\n{bound}rules:\n" + "".join(_rule(spec) for spec in specs)


def _rule(spec: Spec) -> str:
    lines = [f"  - id: {spec.id}", f"    category: {spec.category}", "    severity: suggestion"]
    if spec.anchor == "daily":
        lines.append(f'    daily: "{spec.at:%H:%M}"')
    elif spec.anchor == "weekly":
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        lines.append(f'    weekly: {{day: {days[spec.weekday - 1]}, at: "{spec.at:%H:%M}"}}')
    else:
        lines.append(f"    each: {spec.anchor}")
        if spec.activity:
            lines.append(f"    where: {{activity: {spec.activity}}}")
        lines.append(f"    lead: {spec.lead_h}h" if spec.lead_h else f"    delay: {spec.delay_h}h")
        if spec.anchor == "workout.planned" and not spec.lead_h:
            lines[-1] = "    lead: 0h"
    lines.append("    facts:")
    for fact in spec.facts:
        source = f"{fact.type}.{fact.field}" if fact.field else fact.type
        where = f", where: {{activity: {fact.activity}}}" if fact.activity else ""
        unit = "h" if fact.window in {"before", "after"} else ""
        lines.append(
            f"      {fact.name}: {{{fact.operation}: {source}{where}, {fact.window}: {fact.span}{unit}}}"
        )
    if spec.requires is not None:
        lines.append(f"    requires: {spec.requires.cel!r}")
    lines += [
        f"    when: {spec.condition.cel!r}",
        f'    advise: {{title: T, message: "{spec.message}"}}',
        f"    expires: {spec.expires_h}h",
        f"    settle: {spec.settle_h}h",
        f"    supersedes: [{', '.join(spec.supersedes)}]",
        f"    mode: {spec.mode}" if spec.mode != "off" else '    mode: "off"',
        "    evidence: heuristic",
        "    sources: [none]",
    ]
    return "\n".join(lines) + "\n"


def _local_hour(sight: Sight, instant: datetime) -> float:
    local = sight.world.life.local(instant)
    return local.hour + local.minute / 60


def _mass(sight: Sight) -> float:
    mass = sight.world.life.athlete.body_mass_kg
    if mass is None:
        raise AbsentError("athlete.body_mass_kg")
    return mass


def _goal(sight: Sight) -> str:
    goal = sight.world.life.athlete.goal
    if goal is None:
        raise AbsentError("athlete.goal")
    return goal


ANYWHERE = (
    Test("true", lambda _: True),
    Test("n > d", lambda s: s.number("n") > s.number("d")),
    Test("n == 0", lambda s: s.number("n") == 0),
    Test("d >= 2", lambda s: s.number("d") >= 2),
    Test("kcal < 900", lambda s: s.number("kcal") < 900),
    Test("kcal > n * 300", lambda s: s.number("kcal") > s.number("n") * 300),
    Test("one.found", lambda s: s.picked("one") is not None),
    Test("one.start < anchor.start", lambda s: s.event("one").start < s.anchor.start),
    Test("hours(anchor.end - one.end) < 12", lambda s: (s.anchor.end - s.event("one").end) / HOUR < 12),
    Test("local_hour(anchor.start) >= 12", lambda s: _local_hour(s, s.anchor.start) >= 12),
    Test("local_hour(now) < 15.5", lambda s: _local_hour(s, s.now) < 15.5),
    Test("now - anchor.end > duration('3h')", lambda s: s.now - s.anchor.end > HOUR * 3),
    Test("day.sessions > 0", lambda s: len(s.within("workout.completed")) > 0),
    Test("day.energy_in_kcal > 1500", lambda s: sum(
        float(m.data["energy_kcal"]) for m in s.within("meal.logged")) > 1500),
    Test("day.nutrition_complete", lambda s: s.whole()),
    Test("day.session_load > 200", lambda s: s.load(week=False) > 200),
    Test("week.session_load > 400", lambda s: s.load(week=True) > 400),
    Test("week.strength_sessions > day.strength_sessions", lambda s: _strength(s, week=True) > _strength(s)),
    Test("week.endurance_sessions >= 2", lambda s: sum(
        e.data["activity"] != "strength" for e in s.within("workout.completed", week=True)) >= 2),
    Test("athlete.body_mass_kg > 60", lambda s: _mass(s) > 60),
    Test("athlete.goal == 'build_muscle'", lambda s: _goal(s) == "build_muscle"),
    Test("anchor.date < '2026-03-30'", lambda s: s.day.isoformat() < "2026-03-30"),
)  # fmt: skip
ON_SESSIONS = (
    Test("anchor.activity == 'run'", lambda s: s.of_anchor("activity") == "run"),
    Test("anchor.rpe > 5", lambda s: float(str(s.of_anchor("rpe"))) > 5),
    Test("has(anchor.rpe)", lambda s: "rpe" in (s.anchor.event.data if s.anchor.event else {})),
)


def _strength(sight: Sight, *, week: bool = False) -> int:
    return sum(e.data["activity"] == "strength" for e in sight.within("workout.completed", week=week))


@st.composite
def conditions(draw: st.DrawFn, atoms: tuple[Test, ...]) -> Test:
    """Return one to three tests, joined."""
    found = draw(st.sampled_from(atoms))
    for _ in range(draw(st.integers(0, 2))):
        other = draw(st.sampled_from(atoms))
        found = draw(st.sampled_from([both, either]))(found, other)
        if draw(st.integers(0, 3)) == 0:
            found = neither(found)
    return found


@st.composite
def facts(draw: st.DrawFn) -> tuple[Fact, ...]:
    """Return the four facts that conditions speak of."""

    def window() -> tuple[str, str | int]:
        kind = draw(st.sampled_from(["during", "during", "before", "after", "last_days"]))
        if kind == "during":
            return kind, draw(st.sampled_from(["today", "yesterday", "this_week", "last_week"]))
        if kind == "last_days":
            return kind, draw(st.sampled_from([1, 2, 7, 14]))
        return kind, draw(st.sampled_from([1, 6, 23, 24, 48, 96]))

    def one(name: str, operation: str, kind: str, of: str = "") -> Fact:
        activity = draw(st.sampled_from(["", "", "run", "strength"])) if kind.startswith("workout") else ""
        return Fact(name, operation, kind, of, activity, *window())

    def kind() -> str:
        return draw(st.sampled_from(TYPES))

    return (
        one("n", "count", kind()),
        one("d", "days", kind()),
        one("kcal", draw(st.sampled_from(["sum", "min", "max", "avg"])), "meal.logged", "energy_kcal"),
        one("one", draw(st.sampled_from(["first", "last"])), kind()),
    )


@st.composite
def specs(draw: st.DrawFn, number: int) -> Spec:
    """Return a rule; it may supersede those with lower numbers."""
    anchor = draw(
        st.sampled_from(
            ["workout.completed", "workout.completed", "workout.planned", "meal.logged", "daily", "weekly"]
        )
    )
    session = anchor.startswith("workout")
    atoms = ANYWHERE + ON_SESSIONS if session else ANYWHERE
    lower = [f"r{n}" for n in range(number)]
    return Spec(
        id=f"r{number}",
        category=draw(st.sampled_from(CATEGORIES)),
        anchor=anchor,
        condition=draw(conditions(atoms)),
        facts=draw(facts()),
        activity=draw(st.sampled_from(["", "", "run", "strength"])) if session else "",
        delay_h=0 if anchor == "workout.planned" else draw(st.sampled_from([0, 0, 2, 24])),
        lead_h=draw(st.sampled_from([1, 12, 36])) if anchor == "workout.planned" else 0,
        at=draw(st.sampled_from([time(0), time(2, 30), time(6), time(20, 30), time(23, 45)])),
        weekday=draw(st.integers(1, 7)),
        requires=draw(st.one_of(st.none(), st.none(), conditions(atoms))),
        expires_h=draw(st.sampled_from([2, 12, 24, 48, 96])),
        settle_h=draw(st.sampled_from([0, 0, 1])),
        supersedes=tuple(draw(st.lists(st.sampled_from(lower), unique=True, max_size=2))) if lower else (),
        mode=draw(st.sampled_from(["live"] * 8 + ["shadow", "off"])),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a whole case."""
    home = draw(st.sampled_from(sorted(MONTHS)))
    first = tuple([draw(specs(n)) for n in range(draw(st.integers(1, 4)))])
    packs: list[tuple[datetime | None, tuple[Spec, ...]]] = [(None, first)]
    if draw(st.booleans()):
        since = MONTHS[home] + QUARTER * draw(st.integers(0, LENGTH // QUARTER))
        packs.append((since, tuple([draw(specs(n)) for n in range(draw(st.integers(1, 4)))])))
    tried = tuple(draw(st.lists(months(home), min_size=1, max_size=4)))
    return Case(tuple(packs), draw(st.sampled_from([None, None, 1, 2, 3])), tried)
