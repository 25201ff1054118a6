"""Real months through the running system: what is issued is what the records say, reckoned here without the engine."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.real_input.pmdata import OSLO, PROFILES, Session, events, sessions
from tests.running import Client, running

GAP = timedelta(hours=6)
DAY = timedelta(days=1)
UNTIL = datetime(2020, 3, 19, 20, tzinfo=OSLO)
"""The evening of p02's last lift with a run after it: some advice stands then."""
Issued = set[tuple[str, str]]


def test_p02_ran_seven_times_within_six_hours_of_lifting_and_did_both_on_nine_days(real_data: Path) -> None:
    recorded = json.loads((real_data / "pmdata" / "p02" / "exercise.json").read_text(encoding="utf-8"))
    spans = [
        (each["activityName"], start, start + timedelta(milliseconds=each["duration"]))
        for each in recorded
        for start in [datetime.strptime(each["startTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=OSLO)]
    ]
    runs = [(start, end) for name, start, end in spans if name == "Run"]
    lifts = [(start, end) for name, start, end in spans if name == "Weights"]
    close = [run for run in runs if any(timedelta() <= run[0] - end < GAP for _, end in lifts)]
    assert len(close) == 7
    assert len({start.date() for start, _ in runs} & {start.date() for start, _ in lifts}) == 9


def close_runs(known: list[Session]) -> list[Session]:
    """Return the runs that began within six hours of the end of a lift."""
    lifts = [each.end for each in known if each.activity == "strength"]
    return [
        each
        for each in known
        if each.activity == "run" and any(timedelta() <= each.start - end < GAP for end in lifts)
    ]


def before(all_sessions: list[Session], anchor: Session, *activities: str) -> Session | None:
    """Return the latest session of these activities that started in the 24 h before the anchor's start."""
    found = [
        each
        for each in all_sessions
        if each.activity in activities
        and anchor.start - DAY <= each.start < anchor.start
        and each.end <= anchor.end
    ]
    return max(found, key=lambda each: (each.start, each.id), default=None)


def expected(known: list[Session]) -> Issued:
    """Return (rule, anchor) of everything that should have been issued by UNTIL, from the records alone."""
    seen = [each for each in known if each.end <= UNTIL]
    ordering: dict[str, list[Session]] = {"no-sprint-after-strength": [], "strength-before-run": []}
    short = []
    for each in seen:
        lift, run = before(seen, each, "strength"), before(seen, each, "run")
        if (
            each.activity == "run"
            and each.intensity in {"hard", "sprint"}
            and lift
            and each.start - lift.end < GAP
        ):
            ordering["no-sprint-after-strength"].append(each)
        ran_first = run and run.minutes >= 15 and run.start.date() == each.start.date()
        if each.activity == "strength" and run and ran_first and each.start - run.end < GAP:
            ordering["strength-before-run"].append(each)
        other = before(seen, each, "run", "strength")
        if (
            each.activity in {"run", "strength"}
            and other
            and other.activity != each.activity
            and timedelta() <= each.start - other.end < GAP
            and min(each.minutes, other.minutes) >= 15
            and not (each.activity == "run" and each.intensity == "easy")
        ):
            short.append(each)
    found = {(rule, f"fitbit-{each.id}") for rule, anchors in ordering.items() for each in anchors}
    for each in short:
        # One message for one thing: a superseding advice of the same day that stands when this one is due mutes it.
        stronger = [other for anchors in ordering.values() for other in anchors]
        muted = any(
            other.start.date() == each.start.date() and other.end <= each.end < other.end + DAY
            for other in stronger
        )
        if not muted:
            found.add(("recovery-too-short", f"fitbit-{each.id}"))
    return found | {("separate-days", week) for week in shared_weeks(seen)}


def shared_weeks(seen: list[Session]) -> Iterator[str]:
    """Yield the ISO weeks in which, at some instant from Sunday 19:00 to Tuesday 18:00, the advice held."""
    monday = min(each.start for each in seen).date()
    monday -= timedelta(days=monday.weekday())
    while datetime.combine(monday + 6 * DAY, datetime.min.time(), OSLO).replace(hour=19) <= UNTIL:
        sunday = datetime.combine(monday + 6 * DAY, datetime.min.time(), OSLO)
        week = [each for each in seen if monday <= each.start.date() <= monday + 6 * DAY]
        opens, closes = sunday.replace(hour=19), sunday.replace(hour=18) + 2 * DAY
        instants = [opens, *(each.end for each in week if opens < each.end < closes)]
        if any(_shared([each for each in week if each.end <= instant]) for instant in instants):
            year, number, _ = monday.isocalendar()
            yield f"{year}-W{number:02d}"
        monday += 7 * DAY


def _shared(week: list[Session]) -> bool:
    lifts: set[date] = {each.start.date() for each in week if each.activity == "strength"}
    runs: set[date] = {each.start.date() for each in week if each.activity == "run"}
    return len(lifts & runs) >= 2 and len(lifts | runs) <= 6


def issued(club: Client, athlete: str) -> Issued:
    """Return (rule, anchor) of all the athlete was ever given by the rules that the records decide."""
    rules = {"no-sprint-after-strength", "strength-before-run", "recovery-too-short", "separate-days"}
    found, cursor = set(), ""
    while True:
        page = club.call("GET", f"/v1/athletes/{athlete}/advice?limit=200{cursor}").body
        for item in page["items"]:
            if item["rule"] in rules:
                anchor = item["because"]["anchor"]
                name = anchor.get("id", anchor.get("key")).removeprefix(f"{athlete}-")
                found.add((item["rule"], name))
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def standing(club: Client, athlete: str) -> set[tuple[str, str]]:
    return {(item["rule"], item["message"]) for item in club.advice(athlete, "&state=active")}


@pytest.mark.timeout(300)
def test_the_months_of_p02_and_p04_give_the_advice_that_their_records_say(
    real_data: Path, tmp_path: Path
) -> None:
    folders = {name: real_data / "pmdata" / name for name in PROFILES}
    happened: list[tuple[datetime, dict[str, Any]]] = sorted(
        (pair for folder in folders.values() for pair in events(folder, real_data) if pair[0] <= UNTIL),
        key=lambda pair: pair[0],
    )
    first = happened[0][0] - DAY
    with running(tmp_path, rules_workers=2) as system:
        system.store.clock.set(first)
        live, late = system.new_club(first, "live"), system.new_club(first, "late")
        system.receiver.now = lambda: system.store.clock.read() or first
        system.webhook(live)
        for club in (live, late):
            for name, profile in PROFILES.items():
                club.put_athlete(name, **profile)

        def post(event: dict[str, Any]) -> Any:
            return lambda: live.post_events([event])

        system.stepper.play([(at, post(event)) for at, event in happened], UNTIL)
        for name, folder in folders.items():
            assert issued(live, name) == expected(sessions(folder)), name
        answered = {anchor for rule, anchor in issued(live, "p02") if rule != "separate-days"}
        close = close_runs(sessions(folders["p02"]))
        assert len(close) == 7
        for run in close:  # each was spoken of, unless it was reported as easy, which is fine
            assert (f"fitbit-{run.id}" in answered) is (run.intensity != "easy" and run.minutes >= 15), run
        assert all(each.verified for each in system.receiver.received)
        told = {
            (each.body["data"]["athlete_id"], each.body["data"]["advice_id"])
            for each in system.receiver.received
        }
        ever = {(name, item["advice_id"]) for name in PROFILES for item in live.advice(name)}
        assert ever <= told

        shuffled = [event for _, event in happened]
        random.Random(2).shuffle(shuffled)  # noqa: S311 - an order
        for start in range(0, len(shuffled), 500):
            late.post_events(shuffled[start : start + 500])
        system.stepper.settle(UNTIL)
        for name in PROFILES:
            assert standing(late, name) == standing(live, name)
        assert standing(live, "p02")
