"""What two athletes of PMData did, as the events that an integration would post.

PMData: Thambawita et al., "PMData: a sports logging dataset", MMSys 2020. CC BY 4.0. Changed here as the table says.

PMData logs which meals were eaten and not what was in them. So the food is another person's: each athlete is **joined
with a diary of** the BIG IDEAs Glycemic Variability and Wearable Device Data (PhysioNet; Open Data Commons Attribution
1.0), on the diary's own dates and clock times, which fall into PMData's months. The pair is no person: nothing that
hangs on food and training together is a finding about anybody.

| file | becomes | and how |
|---|---|---|
| exercise.json | `workout.completed` | The one source of sessions and of their times, which are Norway's. Of two that overlap with the same name (a telephone beside a watch) the watch's is taken, else the longer. Where p04 trained at night in early 2020 she may have travelled; the files do not say, and her clock is taken for Norway's. A treadmill's distance is left out: it is made up from steps. Intensity of a run: easy, moderate or hard when half of its minutes lay below, in or above Fitbit's "Cardio" zone. |
| srpe.csv | the `rpe` of a session | Only strength and running: "endurance" and the doubly tagged could be several. It says Z and is UTC in one row and Norway's time in the next, as the watch shows, so each is read both ways and goes to the session of its kind that it overlaps, the nearest end first, one to one. What overlaps none is left out: a session whose hour is in doubt is no use to rules that count hours. |
| wellness.csv | `checkin.recorded` with `sleep_h` | Fatigue, stress, soreness, mood, readiness and sleep quality are left out: the files do not say which end of their scale is the good one, and hold 0 where the scale begins at 1. The time, like a session report's, may be an hour off, which these hours of sleep do not mind. |
| injury.csv | `checkin.recorded` with `pain`, `pain_area` | The worst of what is listed; an empty list is "none". |
| reporting.csv | `checkin.recorded` with `body_mass_kg` | One a `date` (its timestamps can be a month off), the first row where there are several, at 21:00. Meals have no energy, glasses no size, alcohol no place: left out. |
| Food_Log_*.csv | `meal.logged`, `day.closed` | A day is closed at 20:25, when all that it holds was eaten; not the last one, which is a single drink. |
"""  # noqa: E501 - a table's row is one line

import ast
import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
SOURCE = "pmdata"
DIARIES = {"p02": "Food_Log_008.csv", "p04": "Food_Log_010.csv"}
PROFILES: dict[str, dict[str, Any]] = {
    # participant-overview.xlsx: age, height and sex; the mass is reporting.csv's first. No goal is stated.
    "p02": {"sex": "male", "birth_year": 2019 - 60, "height_cm": 180, "body_mass_kg": 90},
    "p04": {"sex": "female", "birth_year": 2019 - 26, "height_cm": 163, "body_mass_kg": 58},
}
ACTIVITIES = {
    "Weights": "strength",
    "Run": "run",
    "Treadmill": "run",
    "Walk": "walk",
    "Hike": "hike",
    "Bike": "ride",
    "Outdoor Bike": "ride",
    "Swim": "swim",
    "Aerobic Workout": "class",
}
"""Fitbit's names; any other ("Sport", "Workout", skiing, tennis, hockey) is `other`."""
_KINDS = {"strength": "strength", "running": "run"}
_PAIN = ("none", "minor", "major")


@dataclass(frozen=True, slots=True)
class Participant:
    """An athlete's id, profile and CloudEvents, in the order in which they end."""

    id: str
    profile: dict[str, Any]
    events: tuple[dict[str, Any], ...]


def read_participant(real_data: Path, name: str) -> Participant:
    """Return `p02` or `p04` with the diary that it is joined with."""
    folder = real_data / "pmdata" / name
    events = [
        *_workouts(folder, name),
        *_sleep(folder, name),
        *_pain(folder, name),
        *_mass(folder, name),
        *_food(real_data / "food_log" / DIARIES[name], name),
    ]
    profile = {"timezone": OSLO.key, "everyday_activity": "light", **PROFILES[name]}
    return Participant(name, profile, tuple(sorted(events, key=lambda event: (ended(event), event["id"]))))


def ended(event: dict[str, Any]) -> datetime:
    """Return when the event was over: when an integration can know of it and posts it."""
    return started(event) + timedelta(seconds=event["data"].get("duration_s", 0))


def started(event: dict[str, Any]) -> datetime:
    """Return the event's time."""
    return datetime.fromisoformat(event["time"])


def _event(athlete: str, kind: str, record: str, at: datetime, /, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": SOURCE,
        "id": f"{athlete}-{record}",
        "type": kind,
        "subject": athlete,
        "time": at.astimezone(UTC).isoformat(),
        "data": {field: value for field, value in data.items() if value is not None},
    }


def _workouts(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    records = _once(json.loads((folder / "exercise.json").read_text()))
    sessions = [
        _event(
            name,
            "workout.completed",
            f"fitbit-{record['logId']}",
            _local(record["startTime"]),
            activity=ACTIVITIES.get(record["activityName"], "other"),
            duration_s=record["duration"] / 1000,
            energy_kcal=record["calories"],
            avg_hr_bpm=record.get("averageHeartRate"),
            distance_m=_distance(record),
            intensity=_intensity(record),
            title=record["activityName"],
        )
        for record in records
    ]
    for session, rpe in _rated(sessions, _rows(folder / "srpe.csv")):
        session["data"]["rpe"] = rpe
    return iter(sessions)


def _once(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take each session once: the watch's record before the telephone's, then the longer."""
    kept: list[dict[str, Any]] = []
    for record in sorted(records, key=lambda one: (one["logType"] != "tracker", -one["duration"])):
        start, end = _span(record)
        if not any(
            other["activityName"] == record["activityName"]
            and start < _span(other)[1]
            and _span(other)[0] < end
            for other in kept
        ):
            kept.append(record)
    return kept


def _span(record: dict[str, Any]) -> tuple[datetime, datetime]:
    start = _local(record["startTime"])
    return start, start + timedelta(milliseconds=record["duration"])


def _distance(record: dict[str, Any]) -> float | None:
    kilometres: float | None = record.get("distance")
    if not kilometres or record["activityName"] == "Treadmill" or record["distanceUnit"] != "Kilometer":
        return None
    return round(kilometres * 1000, 1)


def _intensity(record: dict[str, Any]) -> str | None:
    minutes = {zone["name"]: zone["minutes"] for zone in record.get("heartRateZones", ())}
    total = sum(minutes.values())
    if ACTIVITIES.get(record["activityName"]) != "run" or not total:
        return None
    low = minutes["Out of Range"] + minutes["Fat Burn"]
    for intensity, share in (("hard", minutes["Peak"]), ("moderate", minutes["Cardio"]), ("easy", low)):
        if share >= total / 2:
            return intensity
    return "moderate"  # spread over all three


def _rated(
    sessions: list[dict[str, Any]], rows: list[dict[str, str]]
) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield sessions with the RPE that was reported for them: each report and each session once."""
    pairs = []
    for number, row in enumerate(rows):
        tags = {_KINDS.get(tag, tag) for tag in ast.literal_eval(row["activity_names"])} - {
            "individual",
            "team",
        }
        stamp = datetime.fromisoformat(row["end_date_time"])
        length = timedelta(minutes=float(row["duration_min"]))
        for end in {stamp, stamp.replace(tzinfo=OSLO).astimezone(UTC)}:
            for index, session in enumerate(sessions):
                if tags == {session["data"]["activity"]} and (
                    end - length < ended(session) and started(session) < end
                ):
                    pairs.append((abs(end - ended(session)), number, index))
    reports: set[int] = set()
    taken: set[int] = set()
    for _, number, index in sorted(pairs):
        if number not in reports and index not in taken:
            reports.add(number)
            taken.add(index)
            yield sessions[index], float(rows[number]["perceived_exertion"])


def _sleep(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    for row in _rows(folder / "wellness.csv"):
        at = datetime.fromisoformat(row["effective_time_frame"])
        record = f"wellness-{at:%Y%m%dT%H%M%S}"
        yield _event(name, "checkin.recorded", record, at, sleep_h=float(row["sleep_duration_h"]))


def _pain(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    for row in _rows(folder / "injury.csv"):
        at = datetime.fromisoformat(row["effective_time_frame"])
        injuries: dict[str, str] = ast.literal_eval(row["injuries"])
        pain = max(injuries.values(), key=_PAIN.index, default="none")
        area = ", ".join(sorted(injuries)).replace("_", " ") or None
        yield _event(name, "checkin.recorded", f"injury-{at:%Y%m%dT%H%M%S}", at, pain=pain, pain_area=area)


def _mass(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    seen: set[date] = set()
    for row in _rows(folder / "reporting.csv"):
        day = datetime.strptime(row["date"], "%d/%m/%Y").replace(tzinfo=OSLO).date()
        if row["weight"] and day not in seen:
            seen.add(day)
            at = datetime.combine(day, time(21), OSLO)
            yield _event(name, "checkin.recorded", f"mass-{day}", at, body_mass_kg=float(row["weight"]))


def _food(path: Path, name: str) -> Iterator[dict[str, Any]]:
    rows = _rows(path)
    items: Counter[str] = Counter()
    for row in rows:
        items[row["date"]] += 1
        yield _event(
            name,
            "meal.logged",
            f"food-{row['date']}-{items[row['date']]}",
            _local(f"{row['date']} {row['time']}"),
            energy_kcal=float(row["calorie"]),
            protein_g=_number(row["protein"]),
            carbs_g=_number(row["total_carb"]),
            fat_g=_number(row["total_fat"]),
            fibre_g=_number(row["dietary_fiber"]),
            name=row["logged_food"],
        )
    for day in sorted(items)[:-1]:
        at = _local(f"{day} 20:25:00")
        yield _event(name, "day.closed", f"closed-{day}", at, date=day, nutrition_complete=True)


def _number(text: str) -> float | None:
    return float(text) if text else None


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OSLO).astimezone(UTC)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
