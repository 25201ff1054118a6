"""Two athletes' recorded months as events: PMData's p02 and p04, joined with a food diary that is somebody else's.

PMData: Thambawita et al., "PMData: a sports logging dataset", MMSys 2020, CC BY 4.0. The food diary: Big Ideas Lab
glycemic variability data (PhysioNet), Open Data Commons Attribution. No one set joins running, strength and food of
one person, so the meals here were eaten by another adult; they are laid over January 2020 to have meals of real size
at real times.

Sessions are Fitbit's (`exercise.json`, local Norwegian time). A session's RPE is the one that the athlete reported
(`srpe.csv`, UTC) for the same kind of training with an end within two hours of it. Of `wellness.csv` only the hours of
sleep are taken: the other scales' direction is not stated in the files.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
DIARY_FROM = date(2020, 1, 6)
PROFILES: dict[str, dict[str, Any]] = {
    "p02": {
        "timezone": "Europe/Oslo",
        "sex": "male",
        "birth_year": 1959,
        "height_cm": 180,
        "body_mass_kg": 91,
    },
    "p04": {
        "timezone": "Europe/Oslo",
        "sex": "female",
        "birth_year": 1993,
        "height_cm": 163,
        "body_mass_kg": 59,
    },
}
_ACTIVITY = {
    "Run": "run", "Treadmill": "run", "Weights": "strength", "Walk": "walk", "Hike": "hike", "Bike": "ride",
    "Outdoor Bike": "ride", "Swim": "swim", "Aerobic Workout": "class",
}  # fmt: skip
_REPORTED = {"strength": "strength", "running": "run"}
_NEAR = timedelta(hours=2)
_LONGEST = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session. `rpe` is None where the athlete reported none."""

    id: str
    activity: str
    start: datetime
    end: datetime
    distance_m: float | None
    rpe: float | None

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60

    @property
    def intensity(self) -> str | None:
        """What the reported effort stands for (CR-10: hard 7, sprint 9)."""
        if self.rpe is None:
            return None
        return (
            "easy" if self.rpe <= 4 else "moderate" if self.rpe < 7 else "hard" if self.rpe < 9 else "sprint"
        )


def sessions(folder: Path) -> list[Session]:
    """Return the sessions of one athlete, in the order of their start."""
    recorded = json.loads((folder / "exercise.json").read_text(encoding="utf-8"))
    reported = list(_reported(folder))
    found = []
    for each in recorded:
        start = datetime.strptime(each["startTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=OSLO)
        end = start + timedelta(seconds=each["duration"] // 1000)
        if end - start > _LONGEST:
            continue
        activity = _ACTIVITY.get(each["activityName"], "other")
        rpe = next((rpe for kind, at, rpe in reported if kind == activity and abs(at - end) <= _NEAR), None)
        km = each.get("distance") if each.get("distanceUnit") == "Kilometer" else None
        found.append(Session(str(each["logId"]), activity, start, end, km * 1000 if km else None, rpe))
    return sorted(found, key=lambda session: (session.start, session.id))


def events(folder: Path, data: Path) -> list[tuple[datetime, dict[str, Any]]]:
    """Return (when it ended, CloudEvent) for everything of the athlete whose folder it is."""
    athlete = folder.name
    made = [(session.end, _workout(athlete, session)) for session in sessions(folder)]
    made += [*_sleep(athlete, folder), *_meals(athlete, data)]
    return sorted(made, key=lambda pair: pair[0])


def _reported(folder: Path) -> Iterator[tuple[str, datetime, float]]:
    with (folder / "srpe.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            end = datetime.fromisoformat(row["end_date_time"])
            for name, activity in _REPORTED.items():
                if name in row["activity_names"]:
                    yield activity, end, float(row["perceived_exertion"])


def _workout(athlete: str, session: Session) -> dict[str, Any]:
    data: dict[str, Any] = {"activity": session.activity, "duration_s": session.minutes * 60}
    optional = {"distance_m": session.distance_m, "rpe": session.rpe, "intensity": session.intensity}
    data |= {name: value for name, value in optional.items() if value is not None}
    return _event(athlete, f"fitbit-{session.id}", "workout.completed", session.start, data)


def _sleep(athlete: str, folder: Path) -> Iterator[tuple[datetime, dict[str, Any]]]:
    with (folder / "wellness.csv").open(encoding="utf-8") as stream:
        for number, row in enumerate(csv.DictReader(stream)):
            at = datetime.fromisoformat(row["effective_time_frame"])
            data = {"sleep_h": float(row["sleep_duration_h"])}
            yield at, _event(athlete, f"wellness-{number}", "checkin.recorded", at, data)


def _meals(athlete: str, data: Path) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Lay the diary's whole days (its last is a single drink) over the days from DIARY_FROM."""
    with (data / "food_log" / "Food_Log_002.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["time_begin"] and row["calorie"]]
    days = sorted({row["date"] for row in rows})[:-1]
    for number, row in enumerate(rows):
        if row["date"] not in days:
            continue
        clock = datetime.fromisoformat(row["time_begin"]).time()
        at = datetime.combine(DIARY_FROM + timedelta(days=days.index(row["date"])), clock, OSLO)
        food = {"energy_kcal": float(row["calorie"]), "name": row["logged_food"][:100]}
        food |= {"protein_g": float(row["protein"])} if row["protein"] else {}
        yield at, _event(athlete, f"meal-{number}", "meal.logged", at, food)


def _event(athlete: str, name: str, kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"{athlete}-{name}", "type": kind, "subject": athlete, "time": at.isoformat(), "data": data}
