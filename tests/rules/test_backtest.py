"""`tandem rules backtest`: what other rules would have said, with nothing written and nobody told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from deploy import backtest
from deploy.cli import main
from services.rules.rulebook import install
from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import Event
from shared.settings import Settings
from shared.store.connect import Store, connect

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = """\
pack: club
version: 1
rules:
  - {id: rest, category: recovery, severity: info, each: workout.completed, params: {most_min: 60},
     facts: {lasted_min: anchor.duration_s / 60}, when: lasted_min >= params.most_min,
     advise: {title: Rest, message: "{{ lasted_min | round }} min"}, evidence: heuristic, sources: [none]}
  - {id: drink, category: hydration, severity: info, daily: "20:00", when: day.sessions > 0,
     advise: {title: Drink, message: Drink}, evidence: heuristic, sources: [none]}
"""
NEW = OLD.replace("most_min: 60", "most_min: 90").replace('daily: "20:00"', 'daily: "20:00", settle: 1h')


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Store:
    (tmp_path / "old.yaml").write_text(OLD)
    (tmp_path / "new.yaml").write_text(NEW.replace("message: Drink", "message: Drink water"))
    store = connect(store_url)
    club = store.clubs.create("Test", NOON).id
    for name, minutes in (("ann", [60, 100]), ("bob", [30]), ("cas", [])):
        store.athletes.put(Athlete(club, name, (ZoneChange(None, "Europe/Berlin"),)), NOON)
        sessions = [session(f"{name}-{day}", NOON + DAY * day, length) for day, length in enumerate(minutes)]
        store.timelines.append(club, [(name, each) for each in sessions])
    return store


def session(name: str, start: datetime, minutes: int) -> Event:
    data = {"activity": "run", "duration_s": minutes * 60}
    return Event("app", name, "workout.completed", start, start + timedelta(minutes=minutes), data)


def ask(store_url: str, *words: str | Path) -> Result:
    span = ("--from", "2026-03-02", "--to", "2026-03-06T00:00Z")
    return CliRunner(env={"TANDEM_REDIS_URL": store_url}).invoke(
        main, ["rules", "backtest", *map(str, words), *span]
    )


def test_what_is_said_no_more_otherwise_and_the_same_is_counted_by_rule(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    with redis.Redis.from_url(store_url) as client:
        before = client.dbsize(), store.clubs.list()
        found = ask(
            store_url, "--pack", tmp_path / "new.yaml", "--against", tmp_path / "old.yaml", "--format", "json"
        )
        assert (client.dbsize(), store.clubs.list()) == before
    assert (found.exit_code, found.stderr) == (0, "")  # the answer, and nothing else
    told = json.loads(found.stdout)
    assert (told["athletes"], told["athletes_with_a_difference"]) == (3, 2)
    none = dict.fromkeys(("issued", "changed", "withdrawn", "silent", "same"), 0)
    assert told["rules"] == {"rest": none | {"silent": 1, "same": 1}, "drink": none | {"changed": 3}}
    [silent] = [each for each in told["examples"] if each["kind"] == "silent"]
    assert (silent["athlete_id"], silent["new"]) == ("ann", None)
    assert silent["old"]["message"] == "60 min"
    assert silent["old"]["at"] == "2026-03-02T13:00:00+00:00"


def test_for_people_it_is_a_table_with_examples(store: Store, store_url: str, tmp_path: Path) -> None:
    store.close()
    words = ("--pack", tmp_path / "old.yaml", "--against", tmp_path / "new.yaml", "--athletes", "ann")
    told = ask(store_url, *words).stdout
    assert "rest           1          0          0          0          1" in told
    assert "issued: rest for ann of clb_" in told
    assert '+ info, "Rest": 60 min' in told
    assert '- info, "Drink": Drink water' in told
    assert "1 of 1 athletes would be told something else" in told


def test_a_late_word_that_takes_advice_back_counts_as_withdrawn(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    store.close()
    (tmp_path / "soft.yaml").write_text(
        OLD.replace("lasted_min: anchor", "after: {count: workout.completed, after: 2d}, lasted_min: anchor")
        .replace("when: lasted_min", "when: after == 0 && lasted_min")
        .replace("evidence: heuristic", "expires: 3d, evidence: heuristic", 1)
    )
    words = ("--pack", tmp_path / "soft.yaml", "--against", tmp_path / "old.yaml", "--format", "json")
    told = json.loads(ask(store_url, *words).stdout)
    assert told["rules"]["rest"]["withdrawn"] == 1
    assert told["rules"]["rest"]["same"] == 1


def test_several_processes_find_what_one_finds(store: Store, store_url: str, tmp_path: Path) -> None:
    store.close()
    settings = Settings(redis_url=store_url)
    meant = backtest.Wanted(NOON, NOON + DAY * 3)
    one, two = (
        backtest.run(settings, [tmp_path / "new.yaml"], str(tmp_path / "old.yaml"), meant, jobs, form="json")
        for jobs in (1, 2)
    )
    assert one == two


def test_by_default_it_compares_with_the_rules_in_force(store: Store, store_url: str, tmp_path: Path) -> None:
    missing = ask(store_url, "--pack", tmp_path / "new.yaml")
    assert missing.exit_code == 2
    assert "no rules are in force" in missing.stderr
    install([tmp_path / "old.yaml"], store, NOON)
    told = json.loads(ask(store_url, "--pack", tmp_path / "new.yaml", "--format", "json").stdout)
    assert told["rules"]["drink"]["changed"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "shipped", "--athletes", "zoe"], "there is no athlete with a profile called zoe"),
        (["--against", "shipped", "--athletes", "ann, zoe"], "there is no athlete with a profile called zoe"),
        (["--against", "shipped", "--club", "clb_none"], "there is no club 'clb_none'"),
        (["--against", "nowhere.yaml"], "there is no such file or folder"),
    ],
)
def test_what_cannot_be_compared_is_said(
    store: Store, store_url: str, tmp_path: Path, words: list[str], said: str
) -> None:
    store.close()
    found = ask(store_url, "--pack", tmp_path / "new.yaml", *words)
    assert found.exit_code == 2
    assert said in found.stderr


@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "2026-03-02T20:00", "20260302"])
def test_what_is_no_time_is_told_with_one_that_is(option: str, time: str) -> None:
    found = CliRunner().invoke(main, ["rules", "backtest", "--pack", "new", option, time])
    assert found.exit_code == 2
    assert f"{time!r} is not a day, such as 2026-03-02, or a time with its offset" in found.stderr


def test_a_span_that_ends_before_it_begins_is_refused(store: Store, store_url: str, tmp_path: Path) -> None:
    store.close()
    span = ("--from", "2026-03-03", "--to", "2026-03-02T23:00-01:00")
    found = CliRunner(env={"TANDEM_REDIS_URL": store_url}).invoke(
        main, ["rules", "backtest", "--pack", str(tmp_path / "new.yaml"), *span]
    )
    assert found.exit_code == 2
    assert "--from must be before --to" in found.stderr


def test_a_pack_that_is_not_there_is_told(store: Store, store_url: str, tmp_path: Path) -> None:
    store.close()
    found = ask(store_url, "--pack", tmp_path / "gone.yaml", "--against", "shipped")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "gone.yaml:1:1: there is no such file or folder" in found.stderr


def test_a_broken_pack_is_told_as_the_checker_tells_it(store: Store, store_url: str, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "new.yaml").write_text(NEW.replace("day.sessions", "day.sesions"))
    found = ask(store_url, "--pack", tmp_path / "new.yaml", "--against", "shipped")
    assert found.exit_code == 2
    assert "new.yaml:7:" in found.stderr
    assert "did you mean 'sessions'?" in found.stderr
