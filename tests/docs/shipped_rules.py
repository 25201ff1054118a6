"""What the reference says of each shipped rule that its file does not: when it speaks, and what it does not claim."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Said(NamedTuple):
    """`speaks` is read after when the rule looks, `not_claimed` after "does not claim"."""

    speaks: str
    not_claimed: str


_NO_INJURY: Final = "that the athlete will be injured"
_NO_HARM: Final = "that shared days do harm"
SHIPPED: Final[Mapping[str, Said]] = {
    "no-sprint-after-strength": Said(
        "Speaks of the first hard run since lifting, when it started within the gap", _NO_INJURY
    ),
    "strength-before-run": Said(
        "Speaks of the first lift since a run of the same local day, within the gap",
        "anything about muscle size; one trial saw no difference",
    ),
    "plan-strength-first": Said(
        "Speaks when the plan has a run before it on that day, within the gap", "anything about muscle size"
    ),
    "plan-no-sprint-after-strength": Said(
        "Speaks of a hard run (by intensity or RPE) when strength, planned or done, ends within the gap before it",
        _NO_INJURY,
    ),
    "hard-run-after-leg-day": Said(
        "Speaks of the first hard run since lifting, after the gap and within `legs_h` after thighs, calves, glutes or "
        "the whole body, within `upper_h` after the upper body",
        "anything where the muscle groups are not known",
    ),
    "easy-run-after-strength": Said(
        "Praises the week's first easy run on the day of a lift, after it", "that the run adds muscle"
    ),
    "plan-separate-days": Said(
        "Speaks when strength is planned before it on that day, and names the next day when the plan leaves it free",
        _NO_HARM,
    ),
    "separate-days": Said("Speaks of a week of shared days when a day of it stayed free", _NO_HARM),
    "recovery-too-short": Said(
        "Speaks of the second of a run and a lift within the gap, unless the run was easy; within `notice_gap_h` it "
        "says that this is short",
        "anything about easy runs, which are fine",
    ),
    "same-muscles-48h": Said(
        "Speaks when it trains the muscles of the last lift again; within `one_session_h` both are one session",
        "harm; silent when the muscles were not named",
    ),
    "no-rest-day": Said(
        "Speaks on the seventh and the fourteenth day in a row with a session of 15 min or more, walks apart",
        'a study behind "one day in seven"',
    ),
    "load-jump": Said(
        "Speaks of a week whose load (CR-10 RPE x minutes) is over `jump` times the mean of those of the four before "
        "that are known",
        "injury risk; one of the sources argues against such ratios",
    ),
    "pain-stop": Said(
        "Speaks until a later check-in says otherwise, and mutes what is said of training that day",
        "a diagnosis",
    ),
    "pain-ease": Said(
        "Speaks until a later check-in says otherwise: nothing hard, leave out what hurts", "a diagnosis"
    ),
    "listen-to-body": Said(
        "Speaks of a hard session after a bad check-in of the 24 h before it: one rating of `high_rating`, or of "
        "`some_rating` after less than `sleep_h` of sleep",
        "that one short night spoils a session; the source is about sleep, the ratings are a rule of this house",
    ),
    "refuel-after-run": Said(
        "Speaks of the day's latest run, of what is missing of the energy used so far that day: up to `snack_kcal` a "
        "snack, above it a meal; as a range, `spread` to either side",
        "more precision than a diary has; silent when no food is logged that day",
    ),
    "daily-surplus-short": Said(
        "Speaks to who builds muscle, of how far a day that is whole (closed so, or with 0.8 x resting energy eaten) "
        "is from the surplus",
        "that one day decides anything",
    ),
    "sustained-deficit": Said(
        "Speaks of seven whole days that lay under use, unless the goal is to lose fat",
        "a diagnosis; silent with one day that is not whole",
    ),
    "low-energy-availability": Said(
        "Speaks of seven whole days with too little intake less training for each kg of fat-free mass: a question to "
        "answer, and whom to ask",
        "a diagnosis, or a measurement: the shares of fat-free mass are an assumption of this house, the threshold was "
        "found in young women and is debated elsewhere",
    ),
    "protein-after-strength": Said(
        "Speaks of the last lift, when a diary is kept and less than `least_g` was logged since",
        "that the hour matters: the day's total does",
    ),
    "supplement-reminder": Said(
        "Speaks to who asked for it, on a day with a lift or after one whose diary is whole",
        "that supplements beat food, or that BCAA add to enough protein",
    ),
    "daily-protein-short": Said(
        "Speaks to who did not ask for supplement reminders, on a day with a lift or after one whose diary is whole",
        "that one day decides",
    ),
    "hydrate-after-long-run": Said(
        "Speaks of a long run, or of a shorter one in the warmth; names litres only where the athlete weighed before "
        "and after",
        "that drinking more than was lost helps; the minutes and degrees are a rule of this house",
    ),
    "only-running": Said(
        "Speaks to who builds muscle, of runs and no strength in 14 days", "that running builds no muscle"
    ),
    "add-intervals": Said(
        "Speaks of steady runs and no fast one in 21 days; never with pain in the week, beside advice on recovery, or "
        "within `strength_gap_h` after lifting",
        "a gain in muscle",
    ),
    "weekly-summary": Said(
        "Tells the week's training, food, protein and rest against the goal, the weakest of them and one next step",
        "anything of food from a diary with gaps",
    ),
}
