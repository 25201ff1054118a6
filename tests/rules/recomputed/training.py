"""The numbers that rules on training and recovery say, reckoned again from their evidence."""

import math
from collections.abc import Callable, Mapping

from tests.rules.recomputed.energy import load_of
from tests.rules.recomputed.evidence import DAY, Evidence, minutes
from tests.rules.recomputed.rounding import Constant, floored, gap_or_at_once, plain, whole


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
    lift = e.last_before(36, "workout.completed", activity="strength")
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


def only_running(e: Evidence) -> list[str]:
    return [str(len(e.last_days(14, "workout.completed", activity="run"))), Constant("14")]


def add_intervals(e: Evidence) -> list[str]:
    runs = e.last_days(21, "workout.completed", activity="run")
    return [str(sum(each.data.get("intensity") in {"easy", "moderate"} for each in runs))]


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
    "only-running": only_running,
    "add-intervals": add_intervals,
    "pain-stop": says_no_number,
    "pain-ease": says_no_number,
}
