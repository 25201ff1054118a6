"""A wrong file is told by line, column, text and hint; all faults of all files at once."""

import pytest

from services.rules.language.faults import Fault
from services.rules.language.load import RuleFileError, SourceFile, load_sources
from tests.rules.language.examples import EVENING, SPRINT

# What is replaced in which file, and the one fault that this makes: the text that stands at its line and column,
# its message and its hint (both in part).
TABLE = [
    # keys and plain values
    (SPRINT, "severity: warning", "serverity: warning", "serverity", "not a known key", "did you mean severity?"),
    (EVENING, "suggestion", "warn", "warn", "severity must be one of", "did you mean warning?"),
    (SPRINT, "version: 3", "version: 0", "0", "version must be a whole number from 1", ""),
    (SPRINT, '    sources: ["Robineau 2016"]\n', "", "id", "sources is required", "add `sources: ...`"),
    (SPRINT, "category: ordering", "category: xyz", "xyz", "category must be one of", "choose one of these"),
    (SPRINT, "Keep the run", "Keep " * 60, "Keep", "title must be text of 1 to 200", "shorten it"),
    (SPRINT, "title: Keep the run after lifting relaxed", "title: 7", "7", "title must be text", "in quotes"),
    (SPRINT, "version: 3\n", "", "pack", "version is required beside rules", "add `version: 1`"),
    (SPRINT, "id: no-sprint-after", "id: No_Sprint after", "No_Sprint", "id must be small letters", "write no-sprint"),
    (SPRINT, "evidence: moderate", "evidence:", "evidence", "evidence holds nothing", "write a value"),
    (SPRINT, '["Robineau 2016"]', "[]", "[]", "sources names no source", "say where it comes from"),
    (SPRINT, '["Robineau 2016"]', "Robineau", "Robineau", "sources must be a list", "write [a, b]"),
    (SPRINT, "settle: 0s", "settle: 24h", "24h", "settle reaches expires", "settle for less"),
    (SPRINT, "expires: 24h", "expires: 24", "24", "expires must be a duration", "such as 24h"),
    (SPRINT, "settle: 0s", "mode: on", "on", "mode must be one of live, shadow, off", "choose one"),
    (SPRINT, "rules:", "rule:", "rule", "rule is not a known key", "did you mean rules?"),
    (SPRINT, "    when: lift.found", "    whn: lift.found", "whn", "whn is not a known key", "did you mean when?"),
    (SPRINT, "title: Keep the run after lifting relaxed", "titel: Keep", "titel", "not a known key", "title?"),
    (SPRINT, "min_gap_h: 6", "min_gap_h: {a: 1}", "{a", "min_gap_h must be a number, a text", "in quotes"),
    (SPRINT, "min_gap_h: 6", "min_gap_h: 6, MinGap: 7", "MinGap", "no name for a param", "small letters"),
    # YAML
    (SPRINT, "    when:", "    when: x\n    when:", "when", "the key when stands here twice, first in line", "keep"),
    (SPRINT, "    when:", "\twhen:", "\t", "a tab", "spaces"),
    (SPRINT, "title: Keep", "title: Keep:", ": the", "mapping values are not allowed", "in quotes"),
    (SPRINT, "relaxed", "relaxed\x00", "\x00", "a character that YAML does not allow", "remove it"),
    (SPRINT, "min_gap_h: 6", "min_gap_h: !!python/name:os.system 6", "!!python", "the tag", "leave the tag out"),
    (SPRINT, "[hard, sprint]", "&a [*a]", "&a", "nested more than", "an alias may not hold itself"),
    (SPRINT, "title: Keep the run after lifting relaxed", 'title: "\\ud800"', '"', "half a character", "whole"),
    # anchors
    (EVENING, 'daily: "20:30"', 'daily: "24:30"', "24:30", 'a time from "00:00" to "23:59"', '"20:30"'),
    (EVENING, 'daily: "20:30"', "each: meal.logged\n    daily: '20:30'", "daily", "found each and daily", "two rules"),
    (EVENING, '    daily: "20:30"\n', "", "id", "the rule has no anchor", "add `each: TYPE`"),
    (EVENING, 'daily: "20:30"', "daily: '20:30'\n    where: {rpe: 1}", "where", "goes with `each`", "facts"),
    (EVENING, "day: sunday", "day: sonday", "sonday", "day must be one of monday", "did you mean sunday?"),
    (EVENING, "delay: 2h", "delay: 2 h", "2 h", "delay must be a duration", "no space"),
    (EVENING, "delay: 2h", "lead: 2h", "lead", "lead goes with", "delay"),
    (EVENING, "workout.planned", "workout.planned\n    delay: 1h", "delay", "has no delay", "lead: 36h"),
    (EVENING, "each: workout.planned", "each: workout.plan", "workout.plan", "no event type", "workout.planned?"),
    (EVENING, "each: workout.planned", "each: event.deleted", "event.deleted", "no event type", "event types:"),
    # facts
    (EVENING, "count: meal.logged}", "cuont: meal.logged}", "cuont", "not a known key", "did you mean count?"),
    (EVENING, "{count: meal.logged}", "{during: today}", "meals", "the fact meals has no form", "one of count"),
    (EVENING, "{count: meal.logged}", "{count: meal.lodged}", "meal.lodged", "no event type", "meal.logged?"),
    (EVENING, "{count: meal.logged}", "7", "7", "a CEL expression as text; found 7", "in quotes"),
    (EVENING, "rpe, last", "rpe, sum: meal.logged.fat_g, last", "sum", "found max and sum", "keep one"),
    (EVENING, "after: 2h", "after: 2h, before: 2h", "before", "at most one window; found after and before", "keep"),
    (EVENING, "after: 2h", "after: 0s", "0s", "after must be longer than nothing", ""),
    (EVENING, "after: 2h", "after: 900d", "900d", "after must be at most 366d", ""),
    (EVENING, "during: this_week", "during: thisweek", "thisweek", "during must be one of", "this_week?"),
    (EVENING, "last_days: 7", "last_days: 0", "0", "last_days must be a whole number from 1 to 366", ""),
    (EVENING, "logged.protein_g", "logged.protein", "meal.logged.pro", "no number field", "protein_g (grams)?"),
    (EVENING, "sum: meal.logged.protein_g", "sum: meal.logged", "meal.logged", "sum needs a field", "protein_g"),
    (EVENING, "sum: meal.logged.protein_g", "sum: meal.name.x", "meal.name", "sum wants TYPE.FIELD", ""),
    (SPRINT, "    when:", "    facts2: {}\n    when:", "facts2", "not a known key", "facts?"),
    (SPRINT, "      gap_h:", "      day: now\n      gap_h:", "day: now", "the name day is taken", "day_1"),
    (SPRINT, "      gap_h:", "      hours: now\n      gap_h:", "hours: now", "the name hours is taken", "hours_1"),
    (SPRINT, "      gap_h:", "      Gap: now\n      gap_h:", "Gap", "no name for a fact", "small letters"),
    # where
    (EVENING, "{gte: 30,", "{gt3: 30,", "gt3", "no operator", "did you mean gt?"),
    (EVENING, "{gte: 30,", "{gte: lots,", "lots", "energy_kcal holds a number", "write a number"),
    (SPRINT, "[hard, sprint]", "[hard, sprnt]", "sprnt", 'intensity is never "sprnt"', "did you mean sprint?"),
    (SPRINT, "[hard, sprint]", "{gt: hard}", "gt", "which gt cannot compare", "a list of values"),
    (SPRINT, "[hard, sprint]", "7", "7", "intensity holds text; found 7", "easy, moderate, hard, sprint"),
    (SPRINT, "[hard, sprint]", "[]", "[]", "lists no value", "at least one"),
    (SPRINT, "where: {activity: run, intensity: [hard, sprint]}", "where: []", "[]", "where must map", "{field:"),
    (SPRINT, "[hard, sprint]", "hard, rpe: 11", "11", "rpe is never 11", "allowed: 0 to 10"),
    (SPRINT, "[hard, sprint]", "hard, rpe: [9, -1]", "-1", "rpe is never -1", "allowed: 0 to 10"),
    (SPRINT, "[hard, sprint]", "hard, rpe: {ne: 10.5}", "10.5", "rpe is never 10.5", "allowed: 0 to 10"),
    (SPRINT, "[hard, sprint]", "hard, distance_m: {gt: 2e7}", "{", "no distance_m is gt", "0 to 2,000,000"),
    (SPRINT, "[hard, sprint]", "hard, rpe: {gt: 8, lt: 5}", "{", "no rpe is gt 8 and lt 5", "leave room"),
    (SPRINT, "[hard, sprint]", "hard, rpe: {gte: 5, lt: 5}", "{", "so nothing would match", "0 to 10"),
    (SPRINT, "[hard, sprint]", "hard, rpe: {gt: 10}", "{", "no rpe is gt 10, so", "room between the bounds; allowed"),
    (SPRINT, "[hard, sprint]", "hard, rpe: {lt: 0}", "{", "no rpe is lt 0, so", "0 to 10"),
    (SPRINT, "[hard, sprint]", "hard, rpe: {gte: 5, ne: 5, lte: 5}", "{", "no rpe is gte 5 and ne 5 and lte 5", ""),
    (SPRINT, "intensity: [", "intensty: [", "intensty", "has no field", "did you mean intensity?"),
    (SPRINT, "intensity: [hard, sprint]", "sets: 3", "sets", "has no field", "its fields: activity"),
    # expressions and templates
    (SPRINT, "lift.end)", "lift.ende)", "ende", "no field 'ende'", "did you mean 'end'?"),
    (SPRINT, "when: lift.found && gap_h", "when: lift.found && gap", "gap <", "unknown name 'gap'", "'gap_h'?"),
    (SPRINT, "params.min_gap_h\n", "params.min_gap\n", "min_gap", "no field 'min_gap'", "'min_gap_h'?"),
    (SPRINT, "when: lift.found && gap_h <", "when: gap_h +", "gap_h +", "gives number; it must give a flag", ""),
    (SPRINT, "anchor.start - lift.end", "anchor.start - lift.id", "- lift.id", "does not go with", ""),
    (SPRINT, "after\n        strength", "after\n        {{ gp_h }}", "gp_h", "unknown name 'gp_h'", "'gap_h'?"),
    (EVENING, "protein < wanted", "protein < wnted", "wnted", "unknown name 'wnted'", "'wanted'?"),
    (EVENING, "'It''s {{ protein", "'It''s {{ prtein", "prtein", "unknown name 'prtein'", "'protein'?"),
    (SPRINT, "lift.end)", f"lift.end){' ' * 2000}+ 1", "hours(", "the bound is 2,000", "names"),
    # how much is said a day
    (SPRINT, "version:", "most_a_day: {info: -1}\nversion:", "-1", "info must be a whole number from 0 to 100", ""),
    (SPRINT, "version:", "most_a_day: {infos: 1}\nversion:", "infos", "not a known key", "did you mean info?"),
    (SPRINT, "version:", "most_a_day: 3\nversion:", "3", "most_a_day", ""),
    # rules among each other
    (EVENING, "id: plan-tomorrow", "id: week-review", "week-review", "twice, first at evening.yaml:25", "rename"),
    (SPRINT, "[evening-protein]", "[evening-protien]", "evening-protien", "which is no rule", "evening-protein?"),
    (EVENING, "expires: 2d", "supersedes: [week-review]", "week-review", "week-review supersedes week-review", "leave"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "old", "new", "at", "message", "hint"), TABLE)
def test_a_fault_is_told_by_place_and_hint(
    base: str, old: str, new: str, at: str, message: str, hint: str
) -> None:
    assert old in base
    bad = base.replace(old, new, 1)
    name, files = ("sprint.yaml", [bad, EVENING]) if base is SPRINT else ("evening.yaml", [SPRINT, bad])
    faults = faults_of(SourceFile("sprint.yaml", files[0], 0), SourceFile("evening.yaml", files[1], 0))
    assert len(faults) == 1, faults
    fault = faults[0]
    assert fault.file == name
    assert fault.text == bad.split("\n")[fault.line - 1]
    assert fault.text[fault.column - 1 :].startswith(at), (fault.text, fault.column)
    assert message in fault.message
    assert hint in fault.hint


def test_a_fault_reads_like_a_compiler_s() -> None:
    (fault,) = faults_of(SourceFile("a.yaml", "pack: a\nversion: 1\nrulez: []\n", 0))
    assert str(fault) == (
        "a.yaml:3:1: rulez is not a known key\n"
        "    rulez: []\n"
        "    ^\n"
        "    hint: did you mean rules?"
    )  # fmt: skip


def test_all_faults_of_all_files_come_at_once_in_reading_order() -> None:
    sprint = (
        SPRINT.replace("ordering", "odering")
        .replace("intensity:", "intensty:")
        .replace("lift.end", "lift.edn")
    )
    evening = EVENING.replace("delay: 2h", "delay: 2").replace("week.sessions", "week.session")
    faults = faults_of(SourceFile("b.yaml", sprint, 0), SourceFile("a.yaml", evening, 0))
    assert [(fault.file, fault.text.strip().split(":")[0]) for fault in faults] == [
        ("a.yaml", "when"), ("a.yaml", "delay"), ("b.yaml", "category"), ("b.yaml", "where"), ("b.yaml", "gap_h"),
    ]  # fmt: skip
    error = RuleFileError(faults)
    assert all(str(fault) in str(error) for fault in faults)


def test_what_reads_a_broken_fact_has_no_fault_of_its_own() -> None:
    (fault,) = faults_of(SourceFile("a.yaml", EVENING.replace("per_kg *", "perkg *"), 0))
    assert "perkg" in fault.message


def test_a_cycle_of_supersedes_is_told_by_its_path() -> None:
    evening = EVENING.replace("    mode: shadow", "    supersedes: [week-review]").replace(
        "    expires: 2d", "    supersedes: [no-sprint-after-strength]"
    )
    (fault,) = faults_of(SourceFile("a.yaml", SPRINT, 0), SourceFile("b.yaml", evening, 0))
    assert fault.message == (
        "a cycle: evening-protein supersedes week-review supersedes no-sprint-after-strength "
        "supersedes evening-protein"
    )


def test_two_rules_of_one_id_in_one_layer_are_a_fault_that_names_the_other_place() -> None:
    files = [SourceFile("a.yaml", EVENING, 0), SourceFile("b.yaml", EVENING, 0)]
    faults = faults_of(*files)
    assert {fault.file for fault in faults} == {"b.yaml"}
    assert [fault.message.rpartition(" ")[2] for fault in faults] == [
        "a.yaml:4", "a.yaml:25", "a.yaml:33", "a.yaml:43",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("overlay", "at", "message", "hint"),
    [
        ("{evening-protien: {per_kg: 2}}", "evening-protien", "no rule", "did you mean evening-protein?"),
        ("{evening-protein: {perkg: 2}}", "perkg", "has no param", "did you mean per_kg?"),
        ("{week-review: {perkg: 2}}", "perkg", "has no param", "it has none"),
        ("{evening-protein: {per_kg: much}}", "much", "of kind number", "1.6"),
        ("{evening-protein: {strict: 1}}", "1", "of kind flag", "True"),
        ("{evening-protein: 2}", "2", "must map names to values", "{"),
        ("[evening-protein]", "params", "must map rules to params", "write"),
    ],
)
def test_params_that_fit_no_rule_are_faults(overlay: str, at: str, message: str, hint: str) -> None:
    (fault,) = faults_of(SourceFile("a.yaml", EVENING, 0), SourceFile("b.yaml", f"params: {overlay}", 1))
    assert fault.file == "b.yaml"
    assert fault.text[fault.column - 1 :].startswith(at)
    assert message in fault.message
    assert hint in fault.hint


def test_a_param_set_twice_in_one_layer_is_a_fault_and_in_two_layers_the_later_one() -> None:
    first, second = (f"params: {{evening-protein: {{per_kg: {value}}}}}" for value in (1.8, 2.0))
    base = SourceFile("a.yaml", EVENING, 0)
    (fault,) = faults_of(base, SourceFile("b.yaml", first, 1), SourceFile("c.yaml", second, 1))
    assert (fault.file, fault.message) == (
        "c.yaml",
        "per_kg of evening-protein is set twice, first at b.yaml:1",
    )
    rules = load_sources([base, SourceFile("b.yaml", first, 1), SourceFile("c.yaml", second, 2)]).rules
    assert [rule.params["per_kg"] for rule in rules if rule.id == "evening-protein"] == [2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a", "file must be a mapping"),
        ("pack: a\nversion: 1", "the file has no rules"),
        ("pack: a\nversion: 1\nrules: []", "rules must be a list of rules"),
        ("pack: a\nversion: 1\nrules: [a]", "rules[0] must be a mapping"),
        ("[" * 3000, "nested too deeply"),
        ("a: *b", "undefined alias"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a: &x 1\nb: &x 2\nc: *x", "the anchor &x is set twice"),
        (f"pack: {'a' * (1024 * 1024)}", "larger than 1 MiB"),
    ],
)
def test_a_file_of_another_shape_is_a_fault(text: str, message: str) -> None:
    assert message in faults_of(SourceFile("a.yaml", text, 0))[0].message


def test_an_anchor_that_is_set_twice_is_told_where_it_is_set_again() -> None:
    (fault,) = faults_of(SourceFile("a.yaml", "pack: &x p\nversion: &x 1\n", 0))
    assert (fault.line, fault.column, fault.text, fault.hint) == (
        2,
        10,
        "version: &x 1",
        "name one of them otherwise",
    )


def test_aliases_that_multiply_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (fault,) = faults_of(SourceFile("a.yaml", "\n".join(lines), 0))
    assert "more than 50,000 values, aliases counted" in fault.message


def faults_of(*files: SourceFile) -> tuple[Fault, ...]:
    with pytest.raises(RuleFileError) as caught:
        load_sources(files)
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "pack: concurent-training\nmost_a_day: {info: 1}\n",
            "no rule of the pack",
            "did you mean concurrent-training?",
        ),
        ("most_a_day: {info: 1}\n", "pack is required beside most_a_day", "add `pack: NAME`"),
        ("pack: concurrent-training\nmost_a_day: {}\nmost_a_dey: 1\n", "not a known key", "most_a_day?"),
    ],
)
def test_a_bound_names_a_pack_that_rules_are_of(text: str, message: str, hint: str) -> None:
    [fault] = faults_of(
        SourceFile("sprint.yaml", SPRINT, 0),
        SourceFile("evening.yaml", EVENING, 0),
        SourceFile("most.yaml", text, 0),
    )
    assert message in fault.message
    assert hint in fault.hint


def test_a_bound_that_is_set_twice_in_one_layer_names_the_other_place() -> None:
    bound = "pack: concurrent-training\nmost_a_day: {info: 1}\n"
    files = [SourceFile("sprint.yaml", SPRINT, 0), SourceFile("evening.yaml", EVENING, 0)]
    [fault] = faults_of(*files, SourceFile("one.yaml", bound, 0), SourceFile("two.yaml", bound, 0))
    assert (fault.file, fault.line) == ("two.yaml", 2)
    assert "set twice, first at one.yaml:2" in fault.message
