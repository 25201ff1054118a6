"""Right files become rules, with their defaults, layers and order."""

import re
from datetime import time, timedelta
from pathlib import Path

import pytest

from services.rules.language import kinds
from services.rules.language.functions import FUNCTIONS, METHODS
from services.rules.language.load import RuleFileError, SourceFile, load, load_sources, sources
from services.rules.language.model import (
    After,
    Aggregate,
    Before,
    Computed,
    Condition,
    Daily,
    During,
    Each,
    LastDays,
    Pick,
    Weekly,
)
from services.rules.language.params import param_kind
from services.rules.language.template_environment import FILTERS, TESTS
from tests.rules.language.examples import DOCUMENTED, EVENING, REPOSITORY, SPRINT, loaded, rule

OVERLAY = "params: {no-sprint-after-strength: {min_gap_h: 9}}"


def test_the_examples_of_the_documentation_load() -> None:
    assert DOCUMENTED
    for text in DOCUMENTED:
        assert loaded(text).rules


def test_the_documentation_names_every_field_function_and_filter() -> None:
    text = (REPOSITORY / "docs/rules.md").read_text("utf-8")
    fields = (kinds.RECORD_FIELDS[kind] for kind in ("athlete", "day", "week", "daily_anchor"))
    for name in (*FUNCTIONS, *METHODS, *FILTERS, *TESTS, *(name for each in fields for name in each)):
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", text), name


def test_a_rule_has_what_its_file_says() -> None:
    found = rule(loaded(SPRINT, EVENING), "no-sprint-after-strength")
    assert (found.pack, found.version, found.category, found.severity) == (
        "concurrent-training", 3, "ordering", "warning",
    )  # fmt: skip
    where = (Condition("activity", "in", ("run",)), Condition("intensity", "in", ("hard", "sprint")))
    assert found.anchor == Each("workout.completed", where)
    lift, gap = found.facts
    only_strength = (Condition("activity", "in", ("strength",)),)
    assert lift == Pick("lift", "last", "workout.completed", only_strength, Before(timedelta(hours=24)))
    assert isinstance(gap, Computed)
    assert gap.expression.source == "hours(anchor.start - lift.end)"
    assert found.params == {"min_gap_h": 6.0}
    assert isinstance(found.params["min_gap_h"], float)
    assert found.supersedes == {"evening-protein"}
    assert found.names == {"anchor", "lift", "gap_h", "params"}


def test_facts_have_their_windows_fields_and_conditions() -> None:
    meals, protein, hardest, trained, _ = rule(loaded(EVENING), "evening-protein").facts
    today = During("today")
    assert meals == Aggregate("meals", "count", "meal.logged", None, (), today)
    bounds = (Condition("energy_kcal", "gte", 30.0), Condition("energy_kcal", "lt", 4000.0))
    assert protein == Aggregate("protein", "sum", "meal.logged", "protein_g", bounds, today)
    assert hardest == Aggregate("hardest", "max", "workout.completed", "rpe", (), LastDays(7))
    assert trained == Aggregate("trained", "days", "workout.completed", None, (), During("this_week"))
    (eaten,) = rule(loaded(EVENING), "no-meal-after").facts
    assert eaten == Aggregate("eaten", "count", "meal.logged", None, (), After(timedelta(hours=2)))


def test_anchors_have_their_times_and_defaults() -> None:
    rules = loaded(EVENING)
    assert rule(rules, "evening-protein").anchor == Daily(time(20, 30))
    assert rule(rules, "week-review").anchor == Weekly(7, time(18))
    assert rule(rules, "plan-tomorrow").anchor == Each("workout.planned", lead=timedelta(hours=36))
    assert rule(rules, "no-meal-after").anchor == Each("workout.completed", delay=timedelta(hours=2))


def test_a_rule_expires_after_a_day_and_settles_at_once_unless_it_says_otherwise() -> None:
    rules = loaded(EVENING)
    plain, review = rule(rules, "plan-tomorrow"), rule(rules, "week-review")
    assert (plain.expires, plain.settle, plain.mode) == (timedelta(hours=24), timedelta(), "live")
    assert (review.expires, review.settle) == (timedelta(days=2), timedelta(minutes=30))


def test_params_keep_their_kinds() -> None:
    assert rule(loaded(EVENING), "evening-protein").params == {
        "per_kg": 1.6,
        "goals": ("build_muscle", "recomp"),
        "steps": (1.0, 2.0),
        "strict": True,
        "tone": "kind",
    }


def test_a_rule_stands_before_those_it_supersedes_and_else_by_id() -> None:
    assert [each.id for each in loaded(SPRINT, EVENING).rules] == [
        "no-meal-after", "no-sprint-after-strength", "evening-protein", "plan-tomorrow", "week-review",
    ]  # fmt: skip


def test_a_later_layer_replaces_a_rule() -> None:
    mine = SPRINT.replace("pack: concurrent-training", "pack: mine").replace("settle: 0s", "settle: 1h")
    found = rule(loaded(SPRINT, EVENING, mine), "no-sprint-after-strength")
    assert (found.pack, found.settle) == ("mine", timedelta(hours=1))


def test_a_later_layer_lays_params_over_a_rule_and_changes_its_hash_and_no_other() -> None:
    before, after = loaded(SPRINT, EVENING), loaded(SPRINT, EVENING, OVERLAY)
    mine = rule(after, "no-sprint-after-strength")
    assert mine.params == {"min_gap_h": 9.0}
    assert mine.hash != rule(before, "no-sprint-after-strength").hash
    assert rule(after, "evening-protein").hash == rule(before, "evening-protein").hash
    assert after.hash != before.hash


def test_params_may_stand_in_a_file_that_is_read_before_the_rule_s_in_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OVERLAY, "utf-8")
    (tmp_path / "b.yaml").write_text(SPRINT, "utf-8")
    (tmp_path / "c.yaml").write_text(EVENING, "utf-8")
    assert rule(load([tmp_path]), "no-sprint-after-strength").params == {"min_gap_h": 9.0}


def test_the_hash_hangs_on_content_and_not_on_paths_comments_or_the_order_of_files() -> None:
    files = [SourceFile("x", SPRINT, 0), SourceFile("y", EVENING, 0)]
    elsewhere = [SourceFile("p", f"# ours\n{EVENING}", 0), SourceFile("q", SPRINT, 0)]
    assert load_sources(files).hash == load_sources(elsewhere).hash
    assert load_sources(files).rules[0].hash == load_sources(elsewhere).rules[0].hash


@pytest.mark.parametrize(
    ("old", "new"),
    [("version: 3", "version: 4"), ("relaxed", "easy"), ("min_gap_h: 6", "min_gap_h: 7"), ("24h\n", "25h\n")],
)
def test_the_hash_changes_with_the_content(old: str, new: str) -> None:
    assert loaded(SPRINT, EVENING).hash != loaded(SPRINT.replace(old, new), EVENING).hash


def test_a_folder_is_read_at_any_depth_without_tests_and_hidden_files(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.test.yaml", "deep/er/a.yaml", ".old/c.yaml", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(EVENING, "utf-8")
    other = tmp_path / "b.yaml"
    assert [(file.path, file.layer) for file in sources([tmp_path / "deep", other])] == [
        (str(tmp_path / "deep/er/a.yaml"), 0),
        (str(other), 1),
    ]
    assert len(sources([tmp_path])) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.yaml", None, "there is no such file or folder"),
        ("latin.yaml", "pack: caf\xe9".encode("latin-1"), "the file is not UTF-8"),
        ("large.yaml", b"#" * (1024 * 1024 + 1), "the file is larger than 1 MiB"),
        ("some.test.yaml", b"tests: []", "this is a file of tests, not of rules"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_fault(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RuleFileError) as caught:
        sources([tmp_path / name])
    (fault,) = caught.value.faults
    assert (fault.file, fault.message) == (str(tmp_path / name), message)


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="holds no rule file"):
        load([tmp_path])


def test_a_bound_on_a_day_is_of_one_pack_and_gives_way_to_a_later_layer() -> None:
    files = [SourceFile("sprint.yaml", SPRINT, 0), SourceFile("evening.yaml", EVENING, 0)]
    shipped = SourceFile("most.yaml", "pack: concurrent-training\nmost_a_day: {warning: 2}\n", 0)
    own = SourceFile("club.yaml", "pack: concurrent-training\nmost_a_day: {warning: 4, info: 0}\n", 1)
    free, first, second = (
        load_sources(files),
        load_sources([*files, shipped]),
        load_sources([*files, shipped, own]),
    )
    of = "no-sprint-after-strength"
    assert [rule(each, of).most_a_day for each in (free, first, second)] == [None, 2, 4]
    assert {each.most_a_day for each in second.rules if each.pack != "concurrent-training"} == {None}
    # The rule is the same, but what governs is not: workers must take it up.
    assert len({rule(each, of).hash for each in (free, first, second)}) == 1
    assert len({each.hash for each in (free, first, second)}) == 3


def test_a_pack_may_give_nothing_of_a_severity() -> None:
    none = SourceFile(
        "most.yaml", "pack: concurrent-training\nmost_a_day: {warning: 0, suggestion: 0, info: 0}\n", 0
    )
    found = load_sources([SourceFile("sprint.yaml", SPRINT, 0), SourceFile("evening.yaml", EVENING, 0), none])
    assert rule(found, "no-sprint-after-strength").most_a_day == 0


@pytest.mark.parametrize(("listed", "kind"), [("[run]", "texts"), ("[1]", "numbers"), ("[1, 2]", "numbers")])
def test_a_list_of_one_has_a_kind_as_well(listed: str, kind: str) -> None:
    text = EVENING.replace("steps: [1, 2]", f"steps: {listed}")
    assert param_kind(rule(loaded(text), "evening-protein").params["steps"]) == kind
