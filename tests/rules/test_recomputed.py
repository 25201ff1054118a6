"""Every number that a shipped rule says can be reckoned again by hand from its evidence: here it is, in plain Python.

Nothing of the engine is used: only the events, params and profile fields that `because` names, and the text itself.
A number that is not reckoned must stand in the rule's own text as it is, or be a param.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.rules.language.load import load
from services.rules.testing.files import read_tests
from services.rules.testing.replay import replay
from shared.contracts.advice import Advice, Because
from shared.contracts.events import Event

PACKS = Path(__file__).parents[2] / "services" / "rules" / "packs"
RULES = {rule.id: rule for rule in load([PACKS]).rules}
NUMBER = re.compile(r"\d+(?:[.:]\d+)?")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Constant(str):
    """A number that the rule's text holds as it is."""

    __slots__ = ()


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
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.profile("timezone"))

    @property
    def day(self) -> date:
        start = self.because.anchor.start or self.because.anchor.due
        return start.astimezone(self.zone).date()

    def clock(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.zone):%H:%M}"

    def date(self, event: Event) -> date:
        return event.start.astimezone(self.zone).date()

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


def whole(number: float) -> str:
    return str(round(number))


def tens(number: float) -> str:
    return str(round(number / 10) * 10)


def plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def floored(number: float) -> str:
    return f"{math.floor(number * 10) / 10:.1f}"


def gap_or_at_once(gap: float) -> list[str]:
    return [] if gap < 0.1 else [floored(gap)]


def minutes(event: Event) -> float:
    return float(event.data["duration_s"]) / 60


def total(events: list[Event], field: str) -> float:
    return float(sum(event.data.get(field) or 0 for event in events))


def load_of(event: Event) -> float:
    """CR-10 times minutes."""
    meant = {"easy": 3, "moderate": 5, "hard": 7, "sprint": 9}
    rating = event.data.get("rpe", meant.get(event.data.get("intensity", "")))
    return 0.0 if rating is None else float(rating) * minutes(event)


def resting(e: Evidence) -> float:
    """Mifflin's equation, kcal a day."""
    sex = {"male": 5, "female": -161}.get(e.profile("sex"), -78)
    age = e.day.year - float(e.profile("birth_year"))
    return 10 * float(e.profile("body_mass_kg")) + 6.25 * float(e.profile("height_cm")) - 5 * age + sex


def everyday(e: Evidence) -> float:
    factor = {"sedentary": 1.2, "light": 1.3, "moderate": 1.4, "high": 1.55}
    return resting(e) * factor[e.profile("everyday_activity") or "light"]


METS = {
    "strength": 3.5, "run": 7.5, "ride": 6.8, "swim": 5.8, "row": 5, "walk": 3.8, "hike": 5.3, "class": 5, "other": 4,
}  # fmt: skip
HARDER = {
    ("strength", "hard"): 6, ("strength", "sprint"): 6, ("run", "moderate"): 9.3, ("run", "hard"): 11,
    ("run", "sprint"): 12,
}  # fmt: skip


def believed(kcal_per_kg: float, hours: float, km: float) -> bool:
    """Whether a device's figure can be: 1 to 23 MET, and 0.6 to 1.6 kcal per kg and km of a run."""
    if not hours or not 1 <= kcal_per_kg / hours <= 23:
        return False
    return not km or 0.6 <= kcal_per_kg / km <= 1.6


def trained(e: Evidence, sessions: list[Event]) -> float:
    """Net kcal: what a device measured, less rest; else a kcal per kg and km; else by MET."""
    mass, sum_of = float(e.profile("body_mass_kg")), 0.0
    for session in sessions:
        data, hours = session.data, minutes(session) / 60
        km = data.get("distance_m", 0) / 1000 if data["activity"] == "run" else 0
        if not 3 * hours <= km <= 24 * hours:
            km = 0
        measured = data.get("energy_kcal")
        if measured is not None and believed(measured / mass, hours, km):
            sum_of += measured - mass * hours
        elif km:
            sum_of += mass * km
        else:
            met = HARDER.get((data["activity"], data.get("intensity", "")), METS[data["activity"]])
            sum_of += (met - 1) * mass * hours
    return sum_of


def spread(e: Evidence, kcal: float) -> list[str]:
    return [tens(kcal * (1 - e.param("spread"))), tens(kcal * (1 + e.param("spread")))]


def no_sprint_after_strength(e: Evidence) -> list[str]:
    return gap_or_at_once(e.gap(e.last_before(24, "workout.completed", activity="strength")))


def strength_before_run(e: Evidence) -> list[str]:
    run = e.last_before(24, "workout.completed", activity="run")
    gap = e.gap(run)
    assert run is not None
    return [whole(minutes(run)), *gap_or_at_once(gap)]


def plan_strength_first(e: Evidence) -> list[str]:
    run = e.last_before(24, "workout.planned", activity="run")
    assert run is not None
    return [e.clock(run.start), e.clock(e.anchor.start)]


def plan_no_sprint_after_strength(e: Evidence) -> list[str]:
    lifts = [e.last_before(12, f"workout.{kind}", activity="strength") for kind in ("planned", "completed")]
    gap = min(e.gap(lift) for lift in lifts if lift is not None)
    return [e.clock(e.anchor.start), *gap_or_at_once(gap)]


def hard_run_after_leg_day(e: Evidence) -> list[str]:
    lift = e.last_before(24, "workout.completed", activity="strength")
    gap = e.gap(lift)
    assert lift is not None
    legs = {"thighs", "calves", "glutes", "full_body"} & set(lift.data["muscle_groups"])
    return [str(math.floor(gap)), plain(e.param("legs_h" if legs else "upper_h"))]


def easy_run_after_strength(e: Evidence) -> list[str]:
    return [whole(minutes(e.anchor))]


def plan_separate_days(e: Evidence) -> list[str]:
    lift = e.last_before(24, "workout.planned", activity="strength")
    assert lift is not None
    return [e.clock(lift.start), e.clock(e.anchor.start)]


def separate_days(e: Evidence) -> list[str]:
    lifted, ran = (
        {e.date(each) for each in e.in_week("workout.completed", activity=activity)}
        for activity in ("strength", "run")
    )
    return [str(len(lifted & ran)), str(7 - len(lifted | ran)), Constant("24")]


def recovery_too_short(e: Evidence) -> list[str]:
    sessions = (e.last_before(24, "workout.completed", activity=kind) for kind in ("run", "strength"))
    other = max((each for each in sessions if each is not None), key=lambda each: each.order)
    return [*gap_or_at_once(e.gap(other)), plain(e.param("min_gap_h"))]


def same_muscles(e: Evidence) -> list[str]:
    gap = e.gap(e.last_before(60, "workout.completed", activity="strength"))
    return [str(math.floor(gap)), plain(e.param("min_gap_h"))]


def no_rest_day(e: Evidence) -> list[str]:
    long = [
        each for each in e.of("workout.completed") if minutes(each) >= 15 and each.data["activity"] != "walk"
    ]
    days, streak = {e.date(each) for each in long}, 0
    while e.day - DAY * streak in days:
        streak += 1
    return [str(streak)]


def load_jump(e: Evidence) -> list[str]:
    weeks = [0.0] * 5
    for session in e.last_days(35, "workout.completed"):
        weeks[(e.day - e.date(session)).days // 7] += load_of(session)
    load, known = weeks[0], [week for week in weeks[1:] if week]
    before = sum(known) / len(known)
    return [
        whole(load),
        floored(load / before),
        whole(before),
        str(len(known)),
        Constant("0"),
        Constant("10"),
    ]


def listen_to_body(e: Evidence) -> list[str]:
    checkin = e.last_before(24, "checkin.recorded")
    assert checkin is not None
    slept = checkin.data.get("sleep_h")
    short = [plain(slept)] if slept is not None and slept < e.param("sleep_h") else []
    worst = max(checkin.data.get(name, 0) for name in ("fatigue", "soreness", "stress"))
    return [*short, plain(worst), Constant("10"), e.clock(e.anchor.start)]


def protein_after_strength(e: Evidence) -> list[str]:
    meals = [
        each for each in e.after(2, "meal.logged") if each.data.get("time_precision", "exact") == "exact"
    ]
    eaten = total(meals, "protein_g") + total(e.after(2, "supplement.taken", kind="protein"), "dose_g")
    wanted = float(e.profile("body_mass_kg")) * e.param("meal_g_per_kg")
    wanted = min(max(wanted, e.param("least_g")), e.param("most_g"))
    return [*([str(math.floor(eaten))] if eaten >= 1 else []), whole(wanted)]


def proteins(e: Evidence) -> tuple[float, float, float]:
    food = total(e.on_day("meal.logged"), "protein_g")
    powder = total(e.on_day("supplement.taken", kind="protein"), "dose_g")
    return food, powder, float(e.profile("body_mass_kg")) * e.param("daily_g_per_kg")


def supplement_reminder(e: Evidence) -> list[str]:
    food, powder, wanted = proteins(e)
    said = [
        whole(food),
        *([whole(powder)] if powder >= 1 else []),
        whole(wanted - food - powder),
        whole(wanted),
    ]
    return [*said, Constant("25")]


def daily_protein_short(e: Evidence) -> list[str]:
    food, powder, wanted = proteins(e)
    return [whole(food + powder), whole(wanted - food - powder), whole(wanted)]


def refuel_after_run(e: Evidence) -> list[str]:
    start = e.anchor.start.astimezone(e.zone)
    hour = start.hour + start.minute / 60 + start.second / 3600 + minutes(e.anchor) / 60
    used = resting(e) * hour / 24 + trained(e, e.on_day("workout.completed"))
    return spread(e, used - total(e.on_day("meal.logged"), "energy_kcal"))


def daily_surplus_short(e: Evidence) -> list[str]:
    used = everyday(e) + trained(e, e.on_day("workout.completed"))
    return spread(e, e.param("surplus_kcal") - total(e.on_day("meal.logged"), "energy_kcal") + used)


def week_balance(e: Evidence) -> float:
    """Return kcal a day."""
    eaten = total(e.in_week("meal.logged"), "energy_kcal")
    return (eaten - trained(e, e.in_week("workout.completed"))) / 7 - everyday(e)


def sustained_deficit(e: Evidence) -> list[str]:
    return spread(e, -week_balance(e))


def low_energy_availability(e: Evidence) -> list[str]:
    share = "lean_share_female" if e.profile("sex") == "female" else "lean_share_male"
    lean = float(e.profile("body_mass_kg")) * e.param(share)
    left = total(e.in_week("meal.logged"), "energy_kcal") - trained(e, e.in_week("workout.completed"))
    return [whole(left / 7 / lean), whole(lean), plain(e.param("least_kcal_per_kg"))]


def hydrate_after_long_run(e: Evidence) -> list[str]:
    said = [whole(minutes(e.anchor))]
    degrees = e.anchor.data.get("temperature_c")
    if degrees is not None and degrees >= e.param("warm_c"):
        said.append(whole(degrees))
    anchor = e.anchor
    weighed = [each for each in e.of("checkin.recorded") if each.data.get("body_mass_kg")]
    before = [each for each in weighed if anchor.start - HOUR * 3 <= each.start < anchor.start]
    after = e.first_after(2, "checkin.recorded", "body_mass_kg")
    exempt = any(e.profile(name) for name in ("no_energy_targets", "pregnant", "medical_care"))
    if before and after and not exempt and (e.profile("age") or 0) > e.param("adult_age"):
        lost = before[-1].data["body_mass_kg"] - after.data["body_mass_kg"]
        if lost >= e.param("least_lost_kg"):
            said += [f"{lost:.1f}", f"{lost * e.param('litres_per_kg'):.1f}"]
    return said


def only_running(e: Evidence) -> list[str]:
    return [str(len(e.last_days(14, "workout.completed", activity="run"))), Constant("14")]


def add_intervals(e: Evidence) -> list[str]:
    runs = e.last_days(21, "workout.completed", activity="run")
    return [str(sum(each.data.get("intensity") in {"easy", "moderate"} for each in runs))]


def weekly_summary(e: Evidence) -> list[str]:
    sessions = e.in_week("workout.completed")
    lifts = sum(each.data["activity"] == "strength" for each in sessions)
    endurance = sum(each.data["activity"] not in {"strength", "class", "other"} for each in sessions)
    rest = 7 - len({e.date(each) for each in sessions if minutes(each) >= 15})
    said = [str(lifts), str(endurance), str(rest)]
    builds = e.profile("goal") == "build_muscle"
    wanted_sessions = e.param("lifts_wanted" if builds else "sessions_wanted")
    shares = {"training": min(1.0, (lifts if builds else len(sessions)) / wanted_sessions)}
    wanted_g = 0.0
    if may_hear_of_food(e):
        balance, target = week_balance(e), e.param("surplus_kcal") if builds else 0
        used = everyday(e) + trained(e, sessions) / 7
        eaten_g = total(e.in_week("meal.logged"), "protein_g") / 7
        wanted_g = float(e.profile("body_mass_kg")) * e.param("protein_g_per_kg")
        shares["energy"] = 1.0 - max(0.0, target - balance) / used
        shares["protein"] = min(1.0, eaten_g / wanted_g)
        said += [tens(abs(balance)), whole(eaten_g)]
    nights = [each.data["sleep_h"] for each in e.in_week("checkin.recorded") if "sleep_h" in each.data]
    slept = sum(nights) / len(nights) if nights else e.param("sleep_h")
    said += [f"{slept:.1f}"] if nights else []
    shares["recovery"] = min(slept / e.param("sleep_h"), 0.8 if rest < 1 else 1.0)
    weakest = min(shares, key=lambda name: shares[name])
    if shares[weakest] < 0.95:
        said += {"training": [plain(wanted_sessions)], "protein": [whole(wanted_g)]}.get(weakest, [])
    return said


def may_hear_of_food(e: Evidence) -> bool:
    """Whether seven days are whole, as closed or by plausible intake, for an adult who is to be given numbers."""
    if any(e.profile(name) for name in ("no_energy_targets", "pregnant", "medical_care")):
        return False
    if any(e.profile(name) is None for name in ("body_mass_kg", "height_cm", "birth_year")):
        return False
    if e.day.year - float(e.profile("birth_year")) <= e.param("adult_age"):
        return False
    for number in range(e.day.isoweekday()):
        day = e.day - DAY * number
        closed = e.of("day.closed", date=day.isoformat())
        eaten = total([each for each in e.of("meal.logged") if e.date(each) == day], "energy_kcal")
        if not (closed[-1].data["nutrition_complete"] if closed else eaten >= 0.8 * resting(e)):
            return False
    return True


def says_no_number(_: Evidence) -> list[str]:
    return []


RECKONED: Mapping[str, Callable[[Evidence], list[str]]] = {
    "no-sprint-after-strength": no_sprint_after_strength,
    "strength-before-run": strength_before_run,
    "plan-strength-first": plan_strength_first,
    "plan-no-sprint-after-strength": plan_no_sprint_after_strength,
    "hard-run-after-leg-day": hard_run_after_leg_day,
    "easy-run-after-strength": easy_run_after_strength,
    "plan-separate-days": plan_separate_days,
    "separate-days": separate_days,
    "recovery-too-short": recovery_too_short,
    "same-muscles-48h": same_muscles,
    "no-rest-day": no_rest_day,
    "load-jump": load_jump,
    "listen-to-body": listen_to_body,
    "protein-after-strength": protein_after_strength,
    "supplement-reminder": supplement_reminder,
    "daily-protein-short": daily_protein_short,
    "refuel-after-run": refuel_after_run,
    "daily-surplus-short": daily_surplus_short,
    "sustained-deficit": sustained_deficit,
    "low-energy-availability": low_energy_availability,
    "hydrate-after-long-run": hydrate_after_long_run,
    "only-running": only_running,
    "add-intervals": add_intervals,
    "weekly-summary": weekly_summary,
    "pain-stop": says_no_number,
    "pain-ease": says_no_number,
}


@cache
def advice_in_tests() -> Mapping[str, tuple[tuple[str, Advice, Evidence], ...]]:
    """Return by rule what the tests beside the rules have the engine say, with its evidence; muted advice too."""
    found: dict[str, dict[str, tuple[str, Advice, Evidence]]] = {}
    for path in sorted(PACKS.glob("*.test.yaml")):
        tests = read_tests(path)
        rules = load(tests.packs)
        for scenario in tests.scenarios:
            posted = {(each.event.key, each.event.revision): each.event for each in scenario.arrivals}
            for outcome in replay(rules, scenario, scenario.arrivals).values():
                for advice in (verdict.advice for verdict in outcome.verdicts):
                    if advice is not None:
                        told = found.setdefault(advice.rule, {})
                        told[repr(advice)] = (scenario.name, advice, evidence_of(advice, posted))
    return {rule: tuple(told.values()) for rule, told in found.items()}


def evidence_of(advice: Advice, posted: Mapping[tuple[str, int], Event]) -> Evidence:
    named = (posted[f"{ref.source}\x1f{ref.id}", ref.revision] for ref in advice.because.events)
    return Evidence(advice.because, tuple(named))


def constants(rule: str) -> Iterator[str]:
    """Yield the numbers that stand in a rule's text outside of what Jinja fills in."""
    for text in (RULES[rule].title, RULES[rule].message):
        yield from NUMBER.findall(re.sub(r"\{[{%].*?[%}]\}", " ", text.source, flags=re.DOTALL))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_number_that_a_rule_says_is_reckoned_again_from_its_evidence(rule: str) -> None:
    told = advice_in_tests().get(rule, ())
    assert told, "no test beside the rule has it speak"
    for scenario, advice, evidence in told:
        expected = RECKONED[rule](evidence)
        assert NUMBER.findall(f"{advice.title} {advice.message}") == expected, (scenario, advice.message)
        assert {each for each in expected if isinstance(each, Constant)} <= set(constants(rule))
