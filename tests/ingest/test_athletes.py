"""Profiles: what they may hold, what is refused, and how they are read back."""

from datetime import timedelta

import pytest

from shared.contracts.athletes import ZoneChange
from shared.contracts.partitions import partition_of_athlete
from tests.ingest.door import NOW, Door, event, fault, problem

FULL = {
    "timezone": "Europe/Berlin",
    "name": "Ann <b>",
    "goal": "build_muscle",
    "sex": "female",
    "birth_year": 1990,
    "height_cm": 170.5,
    "body_mass_kg": 64.0,
    "everyday_activity": "light",
    "email": "ann+tandem@example.org",
    "email_consent": True,
    "locale": "de-CH",
    "supplements": True,
    "quiet_hours": {"start": "22:00", "end": "07:00"},
    "no_energy_targets": False,
    "pregnant": False,
    "medical_care": False,
    "params": {"no-sprint-after-strength": {"min_gap_h": 8.0, "kinds": ["run"], "strict": True, "word": "x"}},
}


def put(door: Door, athlete: str = "ann", **profile: object) -> object:
    return door.call("PUT", f"/v1/athletes/{athlete}", json={"timezone": "Europe/Berlin", **profile})


def test_a_profile_reads_back_as_it_was_put(door: Door) -> None:
    answer = door.call("PUT", "/v1/athletes/ann", json=FULL)
    assert (answer.status_code, answer.json) == (201, {"id": "ann", **FULL})
    assert door.get("/v1/athletes/ann").json == {"id": "ann", **FULL}


def test_a_profile_is_replaced_whole(door: Door) -> None:
    door.call("PUT", "/v1/athletes/ann", json=FULL)
    answer = door.call("PUT", "/v1/athletes/ann", json={"timezone": "UTC"})
    assert answer.status_code == 200
    profile = door.get("/v1/athletes/ann").json
    assert profile is not None
    assert (profile["timezone"], profile.get("goal"), profile["email_consent"]) == ("UTC", None, False)


def test_a_changed_zone_keeps_the_days_before_it(door: Door) -> None:
    put(door)
    door.store.clock.set(NOW + timedelta(days=1))
    put(door, timezone="Asia/Tokyo")
    kept = door.store.athletes.get(door.club, "ann")
    assert kept is not None
    assert kept.zones == (
        ZoneChange(None, "Europe/Berlin"),
        ZoneChange(NOW + timedelta(days=1), "Asia/Tokyo"),
    )


def test_a_changed_profile_is_evaluated_anew(door: Door) -> None:
    put(door)
    assert door.store.due.backlog() == 1
    assert door.woken() == [partition_of_athlete(door.club, "ann")]


@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        ({"timezone": "Europe/Berln"}, "timezone", "did you mean Europe/Berlin?"),
        ({"timezone": "europe/berlin"}, "timezone", "did you mean Europe/Berlin?"),
        ({"timezone": "../../etc/passwd"}, "timezone", "IANA"),
        ({"timezone": 1}, "timezone", "IANA"),
        ({"timezone": None}, "timezone", "null"),
        ({"time_zone": "UTC"}, "time_zone", "did you mean timezone?"),
        ({"body_mass": 80}, "body_mass", "did you mean body_mass_kg (kilograms)?"),
        ({"height_cm": "170"}, "height_cm", "a number from 50 to 280"),
        ({"birth_year": 1890}, "birth_year", "1900"),
        ({"birth_year": 2027}, "birth_year", "2026"),
        ({"email": "ann"}, "email", "ann@example.org"),
        ({"email": "ann@example.org\nBcc: x@y.org"}, "email", "control characters"),
        ({"email": "a@b.c, d@e.fg"}, "email", "one e-mail address"),
        ({"email_consent": True}, "email", "is required"),
        ({"email_consent": "yes"}, "email_consent", "true or false"),
        ({"goal": "bulk"}, "goal", "build_muscle"),
        ({"quiet_hours": {"start": "22:00"}}, "quiet_hours.end", "is required"),
        ({"quiet_hours": {"start": "24:00", "end": "07:00"}}, "quiet_hours.start", "23:59"),
        ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "quiet_hours.end", "differ"),
        ({"params": {"rule": 5}}, "params.rule", "an object"),
        ({"params": {"rule": {"gap": None}}}, "params.rule.gap", "a number"),
        ({"params": {"rule": {"gap": [1, "a"]}}}, "params.rule.gap", "a number"),
        ({"params": {"rule": {"gap": 1e300}}}, "params.rule.gap", "a number"),
        ({"params": []}, "params", "an object"),
        ({"name": "\u0000"}, "name", "control characters"),
        ({"locale": "deutsch!"}, "locale", "de-CH"),
    ],
)
def test_a_wrong_profile_is_refused(door: Door, changes: dict[str, object], where: str, message: str) -> None:
    answer = door.call("PUT", "/v1/athletes/ann", json={"timezone": "Europe/Berlin", **changes})
    assert message in fault(answer, where)["message"]
    problem(door.get("/v1/athletes/ann"), 404)


@pytest.mark.parametrize("name", ["a b", "ä", "a" * 129, "a\u0000"])
def test_an_athlete_needs_a_proper_id(door: Door, name: str) -> None:
    fault(door.call("PUT", f"/v1/athletes/{name}", json={"timezone": "UTC"}), "id")


def test_an_athlete_without_a_profile_is_not_found(door: Door) -> None:
    door.post_events(event())
    problem(door.get("/v1/athletes/ann"), 404)


def test_profiles_are_listed_page_by_page(door: Door) -> None:
    for name in ("cy", "ann", "ben"):
        put(door, name)
    first = door.get("/v1/athletes?limit=2").json
    assert first is not None
    assert [one["id"] for one in first["items"]] == ["ann", "ben"]
    rest = door.get("/v1/athletes", query_string={"limit": 2, "cursor": first["next_cursor"]}).json
    assert rest is not None
    assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == (["cy"], None)


@pytest.mark.parametrize("limit", ["0", "201", "ten", "-1", "1.0", "", "9" * 30, "٣"])
def test_a_page_holds_1_to_200(door: Door, limit: str) -> None:
    assert "1 to 200" in fault(door.get("/v1/athletes", query_string={"limit": limit}), "limit")["message"]


def test_a_mistyped_query_is_refused(door: Door) -> None:
    assert "did you mean limit?" in fault(door.get("/v1/athletes?limt=5"), "limt")["message"]
