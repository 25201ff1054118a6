"""The numbers that rules on food and drink say, and the weekly summary, reckoned again from their evidence."""

import math
from collections.abc import Callable, Mapping

from tests.rules.recomputed.energy import everyday, resting, trained
from tests.rules.recomputed.evidence import DAY, HOUR, Evidence, minutes, total
from tests.rules.recomputed.rounding import Constant, plain, tens, tenths, whole


def spread(e: Evidence, kcal: float) -> list[str]:
    return [tens(kcal * (1 - e.param("spread"))), tens(kcal * (1 + e.param("spread")))]


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
    start = e.local(e.anchor.start)
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
            said += [tenths(lost), tenths(lost * e.param("litres_per_kg"))]
    return said


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
    said += [tenths(slept)] if nights else []
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


RECKONED: Mapping[str, Callable[[Evidence], list[str]]] = {
    "protein-after-strength": protein_after_strength,
    "supplement-reminder": supplement_reminder,
    "daily-protein-short": daily_protein_short,
    "refuel-after-run": refuel_after_run,
    "daily-surplus-short": daily_surplus_short,
    "sustained-deficit": sustained_deficit,
    "low-energy-availability": low_energy_availability,
    "hydrate-after-long-run": hydrate_after_long_run,
    "weekly-summary": weekly_summary,
}
