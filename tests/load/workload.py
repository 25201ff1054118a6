"""The work that every design is given: a club of athletes with four weeks behind them, and the events that they post.

Ten conditions over the last four weeks are asked at each event; the first holds for one event in ten, the others for
none. `facts` and `conditions` say them in plain Python, `pack` says the same in Tandem's rule language.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

DAYS: Final = 28
ONE_IN: Final = 10
"""One event in so many makes a message."""

MESSAGE: Final = "A short run after lifting is best an easy one."

WireEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """`athletes` of one club with `history` events each up to `now`, and `live` events that are timed.

    `over_days` is what the history is spread over. One live event in `one_in` makes a message.
    """

    athletes: int
    history: int
    live: int
    now: datetime
    over_days: float = DAYS
    one_in: int = ONE_IN
    prefix: str = "a"

    def names(self) -> list[str]:
        """Return the athletes' ids."""
        return [f"{self.prefix}{number:06d}" for number in range(self.athletes)]

    def past(self, athlete: str) -> list[WireEvent]:
        """Return the athlete's history as it is posted, the oldest first: the latest is a strength session."""
        chance = random.Random(f"20{athlete}")  # noqa: S311 - a diary, not a secret
        start = self.now - timedelta(days=self.over_days)
        step = timedelta(days=self.over_days - 0.25) / max(1, self.history)
        events = [
            _past(f"{athlete}-h{number}", athlete, start + step * number, chance)
            for number in range(self.history - 1)
        ]
        return [*events, _strength(f"{athlete}-h{self.history - 1}", athlete, self.now - timedelta(hours=5))]

    def stream(self, now: datetime, name: str = "l") -> Iterator[WireEvent]:
        """Yield the live events of a run at `now`: the athletes in turn, each session after the one before it.

        All lie in the hour before `now`, so that no advice has expired before it is told. `name` keeps the ids of
        one run apart from another's.
        """
        names = self.names()
        rounds = -(-self.live // len(names))
        step = min(timedelta(minutes=2), timedelta(minutes=45) / max(1, rounds))
        for number in range(self.live):
            turn, place = divmod(number, len(names))
            at = now - step * (rounds - turn) - timedelta(minutes=3)
            yield _live(f"{name}{number}", names[place], at, sprint=self.tells(number))

    def tells(self, number: int) -> bool:
        """Whether the live event of that number makes a message."""
        return sum(divmod(number, self.athletes)) % self.one_in == 0

    def messages(self) -> int:
        """Return how many of the live events make a message."""
        return sum(self.tells(number) for number in range(self.live))


def _event(name: str, kind: str, athlete: str, at: datetime, /, **data: Any) -> WireEvent:
    return {
        "id": name,
        "type": kind,
        "subject": athlete,
        "time": at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "data": data,
    }


def _past(name: str, athlete: str, at: datetime, chance: random.Random) -> WireEvent:
    """Return a meal, a session or a check-in with what real records of that kind carry.

    A meal has a name of 16 characters and five numbers (323 entries of three food diaries of the BIG IDEAs lab,
    PhysioNet, have 16.3 and 4.7), a strength session its sets, a check-in five scores and values (PMData, Thambawita
    et al. 2020), and another session what a watch reports.
    """
    kind = chance.random()
    if kind < 0.5:
        return _event(
            name,
            "meal.logged",
            athlete,
            at,
            energy_kcal=chance.randint(100, 900),
            protein_g=chance.randint(0, 50),
            carbs_g=chance.randint(0, 120),
            fat_g=chance.randint(0, 40),
            fibre_g=chance.randint(0, 12),
            name=chance.choice(["Chicken and rice", "Oats with yogurt", "Bread and cheese"]),
        )
    if kind < 0.8:
        activity = chance.choice(["run", "ride", "strength", "swim"])
        intensity = chance.choice(["easy", "moderate", "hard"])
        duration_s = chance.randint(20, 90) * 60
        if activity == "strength":
            return _strength(name, athlete, at, duration_s=duration_s, intensity=intensity)
        return _event(
            name,
            "workout.completed",
            athlete,
            at,
            activity=activity,
            duration_s=duration_s,
            intensity=intensity,
            rpe=chance.randint(2, 9),
            distance_m=chance.randint(1, 20) * 1000,
            energy_kcal=chance.randint(150, 900),
            avg_hr_bpm=chance.randint(110, 175),
            muscle_groups=["calves", "thighs", "glutes"],
            title="The long way round the lake, with the club, before breakfast",
        )
    return _event(
        name,
        "checkin.recorded",
        athlete,
        at,
        sleep_h=chance.randint(5, 9),
        soreness=chance.randint(0, 6),
        fatigue=chance.randint(0, 6),
        stress=chance.randint(0, 6),
        resting_hr_bpm=chance.randint(45, 70),
    )


def _strength(
    name: str, athlete: str, at: datetime, *, duration_s: int = 3600, intensity: str = "moderate"
) -> WireEvent:
    """Return a strength session with its sets: 17, the median of 384 sessions of one lifter's export of three years.

    The export is in DericMei/My-WorkOut-Project (MIT).
    """
    lifts = (
        "Squat (Barbell)",
        "Bench Press (Barbell)",
        "Bent Over Row (Barbell)",
        "Overhead Press (Dumbbell)",
    )
    return _event(
        name,
        "workout.completed",
        athlete,
        at,
        activity="strength",
        duration_s=duration_s,
        intensity=intensity,
        rpe=6,
        sets=[{"exercise": lifts[number // 5], "weight_kg": 40 + number, "reps": 5} for number in range(17)],
    )


def _live(name: str, athlete: str, at: datetime, *, sprint: bool) -> WireEvent:
    """Return a run as a watch reports it, some 400 bytes long."""
    return _event(
        name,
        "workout.completed",
        athlete,
        at,
        activity="run",
        duration_s=90,
        intensity="sprint" if sprint else "easy",
        rpe=5,
        distance_m=400,
        energy_kcal=40,
        avg_hr_bpm=150,
        muscle_groups=["calves", "thighs", "glutes"],
        title="Repetition on the track, the fourth lane, in light wind and under a low sun, as planned for today",
    )


# What is asked, in plain Python over events with `start` (a datetime), `type` and `data`.


def facts(history: Sequence[Any], at: datetime) -> dict[str, float]:  # noqa: C901 - one pass, as one writes it
    """Return the facts that the conditions read at a session that starts at `at`: one pass over the history.

    Durations in minutes, energy in kcal, protein in g, sleep in h. Load is minutes times RPE (Foster 2001).
    """
    found = dict.fromkeys(
        ("load_7", "load_28", "runs_28", "km_7", "hard_7", "protein_1", "kcal_7", "lifts_24h"), 0.0
    )
    slept, nights, trained = 0.0, 0, set()
    day, week, fortnight, month = (at - timedelta(days=days) for days in (1, 7, 14, 28))
    for event in history:
        start, data = event.start, event.data
        if event.type == "workout.completed":
            load = data["duration_s"] / 60 * data.get("rpe", 0)
            if start >= month:
                found["load_28"] += load
                found["runs_28"] += data["activity"] == "run"
            if start >= fortnight:
                trained.add(start.date())
            if start >= week:
                found["load_7"] += load
                found["km_7"] += data.get("distance_m", 0) / 1000
                found["hard_7"] += data.get("intensity") == "hard"
            if day <= start < at and data["activity"] == "strength":
                found["lifts_24h"] += 1
        elif event.type == "meal.logged":
            if start >= day:
                found["protein_1"] += data.get("protein_g", 0)
            if start >= week:
                found["kcal_7"] += data["energy_kcal"]
        elif start >= week and "sleep_h" in data:
            slept += data["sleep_h"]
            nights += 1
    return {**found, "days_14": len(trained), "sleep_7": slept / nights if nights else 8.0}


def conditions(found: dict[str, float], data: dict[str, Any]) -> list[bool]:
    """Return the ten conditions at a session: the first holds for one event in ten, the others for none."""
    return [
        data.get("intensity") == "sprint" and found["lifts_24h"] > 0,
        found["load_7"] > 1.5 * found["load_28"] and found["load_28"] > 1_000_000,
        found["runs_28"] > 100_000,
        found["km_7"] > 100_000,
        found["hard_7"] > 10_000,
        found["protein_1"] > 100_000,
        found["kcal_7"] < 0,
        found["days_14"] > 20,
        found["sleep_7"] < 1,
        found["load_7"] < 0 or found["lifts_24h"] > 1000,
    ]


def pack(rules: int = 10) -> str:
    """Return the same as a rule file: the ten of `conditions`, and beyond ten more of their kind.

    Those have windows of their own: what two rules ask alike is found once, and real rules ask little alike. None of
    them ever holds.
    """
    texts = [_rule(*rule) for rule in _RULES[:rules]]
    texts += [_more(number) for number in range(len(_RULES), rules)]
    return "pack: bench\nversion: 1\nrules:\n" + "".join(texts)


def _more(number: int) -> str:
    _, facts_, when = _RULES[number % 9 + 1]
    longer = {
        name: _WINDOW.sub(lambda found: _longer(found, number // 9), what) for name, what in facts_.items()
    }
    return _rule(f"more-{number}", longer, when)


def _longer(window: re.Match[str], hours: int) -> str:
    return f"before: {int(window[1]) * (24 if window[2] == 'd' else 1) + hours}h"


_WINDOW = re.compile(r"before: (\d+)([dh])")
_SESSION = "workout.completed"
_RULES: Final = (
    ("told", {"lifts_24h": f"{{count: {_SESSION}, where: {{activity: strength}}, before: 24h}}"},
     'anchor.intensity == "sprint" && lifts_24h > 0'),
    ("load-jump", {"load_7": f"{{sum: {_SESSION}.session_load, before: 7d}}",
                   "load_28": f"{{sum: {_SESSION}.session_load, before: 28d}}"},
     "load_7 > 1.5 * load_28 && load_28 > 1000000"),
    ("many-runs", {"runs_28": f"{{count: {_SESSION}, where: {{activity: run}}, before: 28d}}"}, "runs_28 > 100000"),
    ("far", {"m_7": f"{{sum: {_SESSION}.distance_m, before: 7d}}"}, "m_7 > 100000000"),
    ("hard", {"hard_7": f"{{count: {_SESSION}, where: {{intensity: hard}}, before: 7d}}"}, "hard_7 > 10000"),
    ("protein", {"protein_1": "{sum: meal.logged.protein_g, before: 24h}"}, "protein_1 > 100000"),
    ("energy", {"kcal_7": "{sum: meal.logged.energy_kcal, before: 7d}"}, "kcal_7 < 0"),
    ("no-rest", {"days_14": f"{{days: {_SESSION}, before: 14d}}"}, "days_14 > 20"),
    ("sleep", {"slept_h": "{avg: checkin.recorded.sleep_h, before: 7d}"}, "slept_h < 1"),
    ("load", {"load_7": f"{{sum: {_SESSION}.session_load, before: 7d}}",
              "lifts_24h": f"{{count: {_SESSION}, where: {{activity: strength}}, before: 24h}}"},
     "load_7 < 0 || lifts_24h > 1000"),
)  # fmt: skip


def _rule(name: str, facts_: dict[str, str], when: str) -> str:
    lines = "".join(f"      {fact}: {what}\n" for fact, what in facts_.items())
    return f"""  - id: {name}
    category: recovery
    severity: warning
    each: {_SESSION}
    where: {{activity: run}}
    facts:
{lines}    when: {when}
    advise: {{title: {name}, message: "{MESSAGE}"}}
    expires: 1h
    evidence: heuristic
    sources: ["made for measuring"]
"""
