"""`tandem rules trace` answers "why did I get this?" and "why did I not?" from the stored timeline."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.running import Client, Running, running

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("club")]
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trace")


@pytest.fixture(scope="module")
def system(folder: Path) -> Iterator[Running]:
    with running(folder) as started:
        started.store.clock.set(MONDAY + timedelta(hours=3))
        yield started


@pytest.fixture(scope="module")
def club(system: Running) -> Client:
    made = system.new_club(MONDAY)
    made.put_athlete("ada", timezone="Europe/Berlin")
    made.post_events(
        [
            workout("lift", MONDAY, 60, activity="strength"),
            workout("run", MONDAY + timedelta(hours=2), 30, activity="run", intensity="sprint"),
        ]
    )
    return made


def workout(name: str, start: datetime, minutes: int, **data: object) -> dict[str, object]:
    return {
        "id": name, "type": "workout.completed", "subject": "ada", "time": start.isoformat(),
        "data": {"duration_s": minutes * 60, **data},
    }  # fmt: skip


def trace(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", "rules", "trace", *words],
        env={**os.environ, "TANDEM_DATA_DIR": str(folder / "data"), "TANDEM_STEPPED_CLOCK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def at(hours: float) -> str:
    return (MONDAY + timedelta(hours=hours)).isoformat()


def test_why_advice_stands_with_each_fact_and_its_event(folder: Path) -> None:
    found = trace(folder, "no-sprint-after-strength", "--athlete", "ada", "--at", at(3))
    assert (found.returncode, found.stderr) == (0, "")  # the answer, and nothing else
    assert "holds: the advice stands" in found.stdout
    assert "gap_h = 1\n" in found.stdout
    assert f"from workout.completed lift (test) at {MONDAY:%Y-%m-%d} 12:00 UTC" in found.stdout
    assert 'says "Keep the run after lifting relaxed": You ran hard 1.0 h after' in found.stdout


def test_why_it_does_not_for_programs(folder: Path) -> None:
    found = trace(folder, "easy-run-after-strength", "--athlete", "ada", "--at", at(3), "--json")
    [anchor] = json.loads(found.stdout)
    assert (anchor["verdict"], anchor["why"]) == ("does_not_hold", "the condition is not met: not easy")
    assert {"text": "lift.found", "held": True} in anchor["conditions"]
    assert anchor["facts"]["easy"] is False
    assert [event["id"] for event in anchor["events"]["lift"]] == ["lift"]
    assert anchor["message"] is None


def test_what_was_missing_and_what_mutes_are_named(folder: Path) -> None:
    muted = trace(folder, "recovery-too-short", "--athlete", "ada", "--at", at(3))
    assert "supersedes it and is active for the same local day" in muted.stdout
    unknown = trace(folder, "only-running", "--athlete", "ada", "--at", at(8 * 24), "--json")
    assert any(
        each["why"].startswith(("for want of athlete.goal", "nothing is"))
        for each in json.loads(unknown.stdout)
    )


def test_before_its_time_an_anchor_is_pending_and_after_it_there_is_none(folder: Path) -> None:
    before = trace(folder, "weekly-summary", "--athlete", "ada", "--at", at(3), "--json")
    assert {each["verdict"] for each in json.loads(before.stdout)} <= {"pending", "holds", "does_not_hold"}
    after = trace(folder, "no-sprint-after-strength", "--athlete", "ada", "--at", at(60))
    assert "no anchor" in after.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no-sprint-after-strenght", "--athlete", "ada"), "did you mean 'no-sprint-after-strength'"),
        (("pain-stop", "--athlete", "nobody"), "no club has an athlete 'nobody'"),
        (("pain-stop", "--athlete", "ada", "--club", "clb_none"), "there is no club 'clb_none'"),
        (
            ("pain-stop", "--athlete", "ada", "--at", "yesterday"),
            "is not a time with its offset, such as 2026-03-02T20:00+01:00",
        ),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(folder: Path, words: tuple[str, ...], said: str) -> None:
    found = trace(folder, *words)
    assert found.returncode != 0
    assert said in found.stderr


def test_of_two_clubs_with_an_athlete_of_that_name_one_must_be_named(
    system: Running, club: Client, folder: Path
) -> None:
    other = system.new_club(MONDAY)
    other.put_athlete("bob", timezone="Europe/Berlin")
    club.put_athlete("bob", timezone="Europe/Berlin")
    found = trace(folder, "pain-stop", "--athlete", "bob")
    assert "name one with --club" in found.stderr
    assert other.club in found.stderr
    assert trace(folder, "pain-stop", "--athlete", "bob", "--club", other.club).returncode == 0


def test_the_same_question_over_http(club: Client) -> None:
    asked = club.call(
        "GET",
        f"/v1/athletes/ada/trace?rule=no-sprint-after-strength&at={MONDAY + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}",
    )
    assert asked.status == 200
    [anchor] = asked.body["anchors"]
    assert (anchor["verdict"], anchor["why"]) == ("holds", "the advice stands")
    assert (anchor["anchor"]["id"], anchor["facts"]["gap_h"]) == ("run", 1.0)
    assert [event["id"] for event in anchor["events"]["lift"]] == ["lift"]
    wrong = club.call("GET", "/v1/athletes/ada/trace?rule=no-sprint-after-strenght")
    assert wrong.status == 422
    assert wrong.body["errors"][0]["field"] == "rule"
    assert "did you mean no-sprint-after-strength?" in wrong.body["errors"][0]["message"]
    assert club.call("GET", "/v1/athletes/nobody/trace?rule=no-sprint-after-strength").body["anchors"] == []


def test_advice_keeps_what_it_and_its_withdrawal_rest_on(system: Running) -> None:
    made = system.new_club(MONDAY)
    made.put_athlete("eve", timezone="Europe/Berlin")
    lift = workout("lift", MONDAY, 60, activity="strength") | {"subject": "eve"}
    run = workout("run", MONDAY + timedelta(hours=2), 30, activity="run", intensity="sprint") | {
        "subject": "eve"
    }
    made.post_events([lift, run])
    system.stepper.settle(MONDAY + timedelta(hours=3))
    [told] = [each for each in made.advice("eve") if each["rule"] == "no-sprint-after-strength"]
    made.post_events([lift | {"revision": 1, "data": {"duration_s": 3600, "activity": "swim"}}])
    system.stepper.settle(MONDAY + timedelta(hours=3))
    traces = made.call("GET", f"/v1/advice/{told['advice_id']}").body["traces"]
    found = {trace["verdict"]: trace for trace in traces}
    assert traces[0] == found["holds"]
    assert found["holds"]["facts"]["gap_h"] == 1.0
    [after] = [trace for trace in traces if trace["verdict"] != "holds"]
    assert (after["verdict"], after["why"]) == ("does_not_hold", "the condition is not met: not lift.found")
