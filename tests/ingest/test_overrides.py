"""A club's own rules over HTTP: checked whole, versioned, and never in the way of what was good."""

from pathlib import Path
from typing import Any

import pytest

from services.rules.rulebook import install
from tests.ingest.door import NOW, Door, fault, problem

PACKS = Path(__file__).parents[2] / "services" / "rules" / "packs"
OWN = """
pack: evening
version: 1
rules:
  - id: no-late-sprint
    category: recovery
    severity: suggestion
    each: workout.completed
    where: {activity: run}
    params: {latest_hour: 21}
    when: local_hour(anchor.start) >= params.latest_hour
    advise: {title: Earlier, message: "You ran after {{ params.latest_hour | int }}:00."}
    expires: 12h
    evidence: heuristic
    sources: ["the coach's experience"]
"""
GAP = {"no-sprint-after-strength": {"min_gap_h": 8}}


@pytest.fixture
def ruled(door: Door) -> Door:
    install([PACKS], door.store, NOW)
    return door


def put(door: Door, **body: Any) -> Any:
    answer = door.call("PUT", "/v1/rules/overrides", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def ids(door: Door, **options: Any) -> set[str]:
    listed = door.get("/v1/rules?limit=200", **options).json
    assert listed is not None
    return {rule["id"] for rule in listed["items"]}


def test_a_clubs_own_rule_is_listed_for_it_and_for_no_other(ruled: Door) -> None:
    accepted = put(ruled, files=[{"name": "evening.yaml", "text": OWN}], note="late sprints")
    assert accepted["rules"] == ["no-late-sprint"]
    assert (accepted["version"], accepted["mode"], accepted["note"]) == (1, "live", "late sprints")
    assert "no-late-sprint" in ids(ruled)
    other = ruled.store.clubs.create("Rivals", NOW)
    _, token = ruled.store.clubs.issue_key(other.id, "key", ("admin",), NOW)
    theirs = {"headers": {"Authorization": f"Bearer {token}"}}
    assert "no-late-sprint" not in ids(ruled, **theirs)
    assert ruled.get("/v1/rules/overrides", **theirs).json == {"live": None, "trial": None, "faults": []}


def test_params_alone_change_the_rules_they_name(ruled: Door) -> None:
    assert put(ruled, params=GAP)["rules"] == ["no-sprint-after-strength"]


def test_a_broken_file_is_refused_with_its_place_and_what_was_good_stays(ruled: Door) -> None:
    put(ruled, files=[{"name": "evening.yaml", "text": OWN}])
    broken = OWN.replace("local_hour(anchor.start)", "local_hour(anchor.begin)")
    answer = ruled.call(
        "PUT", "/v1/rules/overrides", json={"files": [{"name": "evening.yaml", "text": broken}]}
    )
    told = fault(answer, "files[0].text")
    assert told["message"].startswith("line 11, column ")
    assert "begin" in told["message"]
    found = ruled.get("/v1/rules/overrides").json
    assert found is not None
    assert found["live"]["version"] == 1
    assert "no-late-sprint" in ids(ruled)


@pytest.mark.parametrize(
    ("body", "where", "says"),
    [
        ({"params": {"no-sprint-after-strenght": {"min_gap_h": 8}}}, "params", "no-sprint-after-strength"),
        ({"params": {"no-sprint-after-strength": {"min_gap": 8}}}, "params", "min_gap_h"),
        ({"params": {"no-sprint-after-strength": {"min_gap_h": "8"}}}, "params", "number"),
        ({"files": [{"name": "../up.yaml", "text": OWN}]}, "files[0].name", "file name"),
        ({"files": [{"name": "a.test.yaml", "text": OWN}]}, "files[0].name", "file name"),
        ({"files": [{"name": "a.yaml", "text": OWN}] * 2}, "files", "twice"),
        ({"files": [{"name": f"a{n}.yaml", "text": "x"} for n in range(21)]}, "files", "at most 20"),
        ({"mode": "dry"}, "mode", "shadow"),
        ({"files": [{"name": "a.yaml", "text": OWN, "layer": 3}]}, "files[0].layer", "known"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(
    ruled: Door, body: dict[str, Any], where: str, says: str
) -> None:
    assert says in fault(ruled.call("PUT", "/v1/rules/overrides", json=body), where)["message"]
    assert ruled.store.overrides.history(ruled.club) == ()


def test_more_rules_than_a_club_may_have_are_refused(ruled: Door) -> None:
    head, _, rule = OWN.partition("  - id")
    rules = "".join(f"  - id{rule}".replace("no-late-sprint", f"rule-{n}") for n in range(101))
    answer = ruled.call(
        "PUT", "/v1/rules/overrides", json={"files": [{"name": "many.yaml", "text": head + rules}]}
    )
    assert "at most 100" in fault(answer, "files")["message"]


def test_a_trial_is_promoted_and_each_step_taken_back_by_one_call(ruled: Door) -> None:
    problem(ruled.post("/v1/rules/overrides/promote"), 409)
    problem(ruled.post("/v1/rules/overrides/rollback", json={}), 409)
    put(ruled, params=GAP)
    put(ruled, files=[{"name": "evening.yaml", "text": OWN}], params=GAP, mode="shadow")
    assert "no-late-sprint" not in ids(ruled)
    promoted = ruled.post("/v1/rules/overrides/promote").json
    assert promoted is not None
    assert (promoted["version"], promoted["mode"]) == (3, "live")
    assert "no-late-sprint" in ids(ruled)
    back = ruled.post("/v1/rules/overrides/rollback", json={}).json
    assert back is not None
    assert (back["version"], back["restores"], back["files"], back["params"]) == (4, 1, [], GAP)
    further = ruled.post("/v1/rules/overrides/rollback", json={}).json
    assert further is not None
    assert (further["restores"], further["params"]) == (0, {})
    again = ruled.post("/v1/rules/overrides/rollback", json={"version": 3}).json
    assert again is not None
    assert again["rules"] == ["no-late-sprint", "no-sprint-after-strength"]
    assert (
        "1, 2, 3"
        in fault(ruled.post("/v1/rules/overrides/rollback", json={"version": 9}), "version")["message"]
    )


def test_a_version_that_repeats_another_is_gone_back_to_as_what_it_repeats(ruled: Door) -> None:
    put(ruled, params=GAP)
    for body in ({}, {"version": 2}, {}):
        back = ruled.post("/v1/rules/overrides/rollback", json=body).json
        assert back is not None
        assert (back["restores"], back["params"]) == (0, {})


def test_versions_are_listed_newest_first_page_by_page(ruled: Door) -> None:
    for gap in range(7, 10):
        put(ruled, params={"no-sprint-after-strength": {"min_gap_h": gap}})
    first = ruled.get("/v1/rules/overrides/versions?limit=2").json
    assert first is not None
    assert [each["version"] for each in first["items"]] == [3, 2]
    rest = ruled.get("/v1/rules/overrides/versions", query_string={"cursor": first["next_cursor"]}).json
    assert rest is not None
    assert ([each["version"] for each in rest["items"]], rest["next_cursor"]) == ([1], None)


def test_reading_needs_no_admin_and_writing_does(ruled: Door) -> None:
    reader = ruled.key("advice:read")
    assert ruled.get("/v1/rules/overrides", headers=reader).status_code == 200
    problem(ruled.call("PUT", "/v1/rules/overrides", json={}, headers=reader), 403)


def test_own_rules_that_new_shared_rules_no_longer_fit_say_why(ruled: Door, tmp_path: Path) -> None:
    put(ruled, params=GAP)
    (tmp_path / "only.yaml").write_text(OWN, encoding="utf-8")
    install([tmp_path], ruled.store, NOW)
    found = ruled.get("/v1/rules/overrides").json
    assert found is not None
    assert "no-sprint-after-strength" in found["faults"][0]
