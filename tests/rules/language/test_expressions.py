"""What CEL in a rule gives: numbers are doubles, absent is absent, and a wrong expression is told at its place."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.language import kinds
from services.rules.language.expressions import CompiledExpression, ExpressionError, compile_expression
from services.rules.language.model import AbsentError, Bound, EvaluationError, Record
from services.rules.language.rewritten import Rewritten

START = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
SETS = [
    Record("set", {"exercise": "squat", "reps": 5.0, "weight_kg": 100.0}),
    Record("set", {"exercise": "row", "weight_kg": 0.0}),
]
NAMES: Mapping[str, str] = {
    "anchor": "workout.completed", "lift": "workout.completed", "athlete": "athlete", "params": "params",
    "day": "day", "week": "week", "now": kinds.TIME, "gap_h": kinds.NUMBER, "gone": kinds.NUMBER, "who": kinds.TEXT,
}  # fmt: skip
PARAMS: Mapping[str, str] = {"min_gap_h": "number", "goals": "texts", "steps": "numbers", "strict": "flag"}
VALUES: Mapping[str, Bound] = {
    "anchor": Record(
        "workout.completed",
        {
            "found": True, "start": START, "end": START + timedelta(minutes=90), "id": "a1", "date": "2026-03-02",
            "activity": "strength", "rpe": 7.0, "energy_kcal": 0.0, "title": "Leg Day",
            "muscle_groups": ["chest", "arms"], "sets": SETS,
        },
    ),
    "lift": Record("workout.completed", {"found": False}),
    "athlete": Record("athlete", {"id": "mia", "body_mass_kg": 80.0}),
    "params": Record("params", {"min_gap_h": 6.0, "goals": ("muscle", "health"), "steps": (1.0, 2.0), "strict": True}),
    "day": Record("day", {"sessions": 2.0, "nutrition_complete": False}),
    "week": Record("week", {}),
    "now": START + timedelta(hours=3),
    "gap_h": 3.0,
    "who": "Mia",
}  # fmt: skip


def local(instant: datetime) -> datetime:
    """Return local time half an hour off the hours of UTC."""
    return instant.astimezone(timezone(timedelta(hours=5, minutes=30)))


def compiled(source: str, expect: str | None = None) -> CompiledExpression:
    return compile_expression(source, NAMES, PARAMS, expect)


def value_of(source: str) -> Bound:
    return compiled(source).evaluate(VALUES, local)


def test_each_character_of_what_is_compiled_knows_the_piece_of_the_source_that_it_stands_for() -> None:
    written = Rewritten()
    for piece, offset in (("v0_", 0), ("<", 9), ("double(", 11), ("size(x)", 11), (")", 18)):
        written.add(piece, offset)
    assert [written.origin(position) for position in (0, 2, 3, 4, 10, 11, 17, 18)] == [
        0,
        0,
        9,
        11,
        11,
        11,
        11,
        18,
    ]


def test_a_param_may_be_called_what_a_method_is() -> None:
    condition = compile_expression("params.size + 1 < gap_h", NAMES, {"size": kinds.NUMBER})
    assert condition.evaluate({**VALUES, "params": Record("params", {"size": 1.5})}, local) is True


def test_a_condition_gives_its_parts_in_order_each_time_and_compiles_them_once() -> None:
    condition = compiled("lift.found && (gap_h < 6 || params.strict)")
    parts = condition.parts()
    assert [part.source for part in parts] == ["lift.found", "gap_h < 6", "params.strict"]
    assert [part.evaluate(VALUES, local) for part in parts] == [False, True, True]
    assert all(one is other for one, other in zip(parts, condition.parts(), strict=True))
    assert [part.source for part in compiled("lift.found").parts()] == ["lift.found"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        # whole numbers are as good as doubles, wherever a number comes from
        ("gap_h < 6", True),
        ("gap_h < 6.0 && gap_h == 3 && gap_h != 4", True),
        ("anchor.rpe in [7, 8]", True),
        ("gap_h * 2 + 1", 7.0),
        ("1 + 1", 2.0),
        ("-gap_h - -1", -2.0),
        ("1 / 4", 0.25),
        ("gap_h / 2 / 3", 0.5),
        ("6 / (gap_h - 1)", 3.0),
        ("12 / -gap_h", -4.0),
        ("size(anchor.title) == 7", True),
        ("anchor.muscle_groups.size() > 1", True),
        ("10 / anchor.muscle_groups.size()", 5.0),
        ("10 / size(anchor.muscle_groups) + 1", 6.0),
        ("anchor.sets.filter(s, has(s.reps)).size() == 1", True),
        ("size(anchor.sets.filter(s, s.weight_kg > 0)) / 2", 0.5),
        ("int(gap_h / 2)", 1.0),
        ("now.getHours() - anchor.start.getHours() == 3", True),
        ('now.getDayOfWeek("Europe/Berlin") == 1', True),
        ("anchor.start.getFullYear() == 2026 // a comment", True),
        ('"number 6: " + string(6)', "number 6: 6"),
        ("params.steps[1] + params.steps[0]", 3.0),
        ("[5, 6][1]", 6.0),
        ("gap_h > 2 ? 1 : 0", 1.0),
        # times and durations
        ("hours(now - anchor.start)", 3.0),
        ("minutes(anchor.end - anchor.start)", 90.0),
        ('days(duration("36h"))', 1.5),
        ("local_hour(anchor.start)", 22.5),
        ("anchor.end - anchor.start", timedelta(minutes=90)),
        ('anchor.start + duration("30m")', START + timedelta(minutes=30)),
        ('now - anchor.end < duration("2h")', True),
        ('timestamp("2026-03-02T17:00:00Z") == anchor.start', True),
        # texts, flags and lists
        ('anchor.title.contains("Leg") && anchor.title.startsWith("L") && who.endsWith("a")', True),
        ('who.matches("^M.a$")', True),
        ('"chest" in anchor.muscle_groups', True),
        ('anchor.muscle_groups.exists(m, m.startsWith("ch"))', True),
        ('params.goals.exists(g, g == "muscle") && params.strict', True),
        ("anchor.muscle_groups", ["chest", "arms"]),
        ("anchor.muscle_groups.map(m, m.size())", [5.0, 4.0]),
        ("[now].all(t, t.getHours() == 20)", True),
        ("day.nutrition_complete || !day.nutrition_complete", True),
        (r'who.matches(r"^\w+$") && "\"6h\"" != who', True),
        ("'it\\'s ' + \"💪\"", "it's 💪"),
    ],
)
def test_an_expression_has_its_value(source: str, value: object) -> None:
    found = value_of(source)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("has(anchor.rpe)", True),
        ("has(anchor.avg_hr_bpm)", False),
        ("has(anchor.energy_kcal) && anchor.energy_kcal == 0", True),
        ("has(lift.start)", False),
        ("has(week.sessions)", False),
        ("lift.found", False),
        ("lift.found && hours(now - lift.end) < 6", False),
        ("hours(now - lift.end) < 6 && lift.found", False),
        ("!lift.found || lift.rpe > 5", True),
        ("anchor.rpe > 5 || anchor.avg_hr_bpm > 150", True),
        ("anchor.avg_hr_bpm > 150 || anchor.rpe > 5", True),
        ("has(anchor.avg_hr_bpm) ? anchor.avg_hr_bpm : 100", 100.0),
        ("lift.found ? lift.rpe > 5 : true", True),
        ("anchor.sets.exists(s, s.reps > 4)", True),  # one that is there decides
        ("anchor.sets.all(s, s.reps > 5)", False),
        ("anchor.sets.exists(s, has(s.reps) && s.reps > 5)", False),
        ("anchor.sets.map(s, has(s.reps) ? s.reps : 0)", [5.0, 0.0]),
        ("anchor.sets.exists(s, s.weight_kg == 0)", True),  # zero is not absent
    ],
)
def test_what_is_absent_decides_nothing_where_the_rest_decides(source: str, value: object) -> None:
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("anchor.avg_hr_bpm < 100", "anchor.avg_hr_bpm"),
        ("anchor.avg_hr_bpm == 0", "anchor.avg_hr_bpm"),
        ("lift.start < now", "lift.start"),
        ("lift.found || lift.rpe > 5", "lift.rpe"),
        ("athlete.age < 18", "athlete.age"),
        ("week.sessions > 2", "week.sessions"),
        ("gone > 2", "gone"),
        ('anchor.distance_m > 5 && anchor.activity == "strength"', "anchor.distance_m"),
        ("anchor.sets.exists(s, s.reps > 5)", "s.reps"),
        ("anchor.sets.all(s, s.reps > 4)", "s.reps"),
        ("anchor.sets.map(s, s.rpe)", "s.rpe"),
        ("lift.sets.exists(s, s.reps > 5)", "lift.sets"),
        ("gap_h / week.sessions > 1", "week.sessions"),
        ("local_hour(lift.start) > 20", "lift.start"),
    ],
)
def test_a_value_that_hangs_on_an_absent_one_names_it(source: str, missing: str) -> None:
    with pytest.raises(AbsentError) as caught:
        value_of(source)
    assert caught.value.missing == missing


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gap_h / 0 > 1", "division by zero"),
        ("gap_h / (gap_h - 3) > 1", "division by zero"),
        ("1 / anchor.energy_kcal < 1", "division by zero"),
        ("1.0 / 0.0", "division by zero"),
        ("1e308 * 10", "not a finite number"),
        ("params.steps[5] > 1", "Index error"),
        ('timestamp("yesterday") < now', "Timestamp"),
        ('now.getHours("Nowhere/Land") > 1', "Invalid timezone"),
        ('double("many") > 1', "cannot convert"),
    ],
)
def test_a_failure_on_values_is_the_rules_fault_and_names_the_expression(source: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message) as caught:
        value_of(source)
    assert str(caught.value).startswith(source)


def test_a_failure_decides_nothing_where_the_rest_decides() -> None:
    assert value_of("anchor.energy_kcal > 0 && gap_h / anchor.energy_kcal > 1") is False


@pytest.mark.parametrize(
    ("source", "at", "message", "hint"),
    [
        ("gap_h < 6 && lift.fond", "fond", "no field 'fond'", "did you mean 'found'?"),
        ("gap < 6", "gap", "unknown name 'gap'", "did you mean 'gap_h'?"),
        ("has(gap.x)", "gap", "unknown name 'gap'", "did you mean 'gap_h'?"),
        ("has(anchor.rpee)", "rpee", "no field 'rpee'", "did you mean 'rpe'?"),
        ("has(gap_h)", "has", "has() asks for one field", "has(anchor.rpe)"),
        ("has(gap_h.x)", "gap_h", "'gap_h' is no record", ""),
        ("params.min_gap", "min_gap", "params have no field 'min_gap'", "did you mean 'min_gap_h'?"),
        ("anchor", "anchor", "is a record; name one of its fields", "such as anchor.activity"),
        ("anchor.sets.exists(s, s.rep > 4)", "rep >", "a set has no field 'rep'", "did you mean 'reps'?"),
        ("anchor.sets.exists(s, has(s.rep))", "rep", "a set has no field 'rep'", "did you mean 'reps'?"),
        ("anchor.sets[0].reps > 5", "reps", "outside a list function", "anchor.sets.exists"),
        ("anchor.sets.exists(gap_h, true)", "gap_h", "hides a name", "choose another"),
        ("gap_h.foo > 1", ".foo", "a number has no fields", ""),
        ("hour(now) > 1", "hour", "unknown function 'hour'", "did you mean 'hours'?"),
        ("hours > 1", "hours", "unknown name 'hours'", "write hours(...)"),
        ("who.startswith('M')", "startswith", "unknown function 'startswith'", "did you mean 'startsWith'?"),
        ("dyn(gap_h) == who", "dyn", "unknown function 'dyn'", "functions: hours"),
        ('gap_h < "6"', '< "6"', "'<' does not go with (number, text)", ""),
        ("hours(gap_h)", "(gap_h)", "'hours' does not go with (number)", ""),
        ("anchor.start - gap_h", "- gap_h", "'-' does not go with (time, number)", ""),
        ("gap_h % 2", "% 2", "'%' does not go with (number, number)", "no remainder"),
        ("gap_h > 3 and lift.found", "and", "unknown name 'and'", "write &&"),
        ("not lift.found", "not", "unknown name 'not'", "write !"),
        ("gap_h = 3", "= 3", "'=' means nothing", "write == to compare"),
        ("lift.found & params.strict", "& params", "'&' means nothing", "write &&"),
        ("gap_h <", "", "the expression ends too early", "say what follows"),
        ("gap_h gap_h", "gap_h", "'gap_h' cannot stand here", "&&"),
        ('anchor.activity == "run', '"run', "is never closed", 'add a "'),
        ("(gap_h > 3", "(", "'(' is never closed", "add )"),
        ("gap_h > 3)", ")", "')' closes nothing", "leave it out"),
        ("[gap_h > 3)", ")", "')' closes nothing", "close [ first"),
        ("gap_h < 6h", "6h", "'6h' is no number", 'duration("6h")'),
        ("gap_h < 0x1F", "0x1F", "'0x1F' is no number", "such as 6"),
        ("gap_h < 1e999", "1e999", "the number is too large", ""),
        ("", "", "the expression is empty", ""),
        ("// nothing", "// nothing", "the expression is empty", ""),
        ("anchor.sets", "anchor", "gives list<set>; it must give a number, text", ""),
        (f"{'(' * 33}1{')' * 33}", "(1", "brackets nest deeper than 32", "as facts above it"),
        (f"1{' + 1' * 40}", "1", "joins more than 32 parts in a row", "as facts above it"),
        (
            "[1].exists(x, [x].exists(y, [y].exists(z, z > 1)))", "(z, z",
            "list functions nest deeper than 2", "as facts above it",
        ),
        ('"💪é" + string(gap_h) +\n  string(gap)', "gap)", "unknown name 'gap'", "gap_h"),
        ('"💪é" == string(gap_h) &&\n  "💪" < 1', "< 1", "'<' does not go with (text, number)", ""),
    ],
)  # fmt: skip
def test_a_wrong_expression_is_told_at_its_place(source: str, at: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(source)
    fault = next(each for each in caught.value.faults if message in each.message)
    assert len(caught.value.faults) <= 2  # a fault may make another, and no flood
    assert source[fault.offset :].startswith(at)
    assert (at == "") == (fault.offset == len(source))
    assert hint in fault.hint


def test_every_unknown_name_is_told_at_once() -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled("gap < 6 && lift.strt < now && params.mingap < 1")
    assert [fault.offset for fault in caught.value.faults] == [0, 16, 37]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("gap_h", "number"),
        ("who", "text"),
        ("now", "time"),
        ("now - now", "duration"),
        ("[gap_h]", "numbers"),
    ],
)
def test_a_condition_must_be_a_flag(source: str, kind: str) -> None:
    assert compiled(source).kind == kind
    with pytest.raises(ExpressionError, match=f"gives {kind}; it must give a flag"):
        compiled(source, kinds.FLAG)


def test_an_expression_knows_which_names_it_reads() -> None:
    source = "has(lift.rpe) && gap_h < params.min_gap_h && anchor.sets.exists(s, s.reps > week.sessions)"
    assert compiled(source).names == {"lift", "gap_h", "params", "anchor", "week"}
    assert compiled("1 < 2").names == frozenset()


THREE_VALUED = {
    "has(anchor.rpe)": True, "lift.found": False, "anchor.avg_hr_bpm > 1": None, "lift.rpe > 1": None,
    "gap_h == 3": True, "gone < 1": None,
}  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> tuple[str, bool | None]:
    """A condition, and what Kleene's logic makes of it: None where it hangs on what is absent."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(sorted(THREE_VALUED.items())))
    left, one = draw(conditions(depth - 1))
    right, other = draw(conditions(depth - 1))
    match draw(st.sampled_from("&|!")):
        case "!":
            return f"!({left})", None if one is None else not one
        case "&":
            both = False if False in {one, other} else None if None in {one, other} else True
            return f"({left} && {right})", both
        case _:
            either = True if True in {one, other} else None if None in {one, other} else False
            return f"({left} || {right})", either


@given(conditions())
def test_absence_is_kleenes_unknown(condition: tuple[str, bool | None]) -> None:
    source, expected = condition
    try:
        found = value_of(source)
    except AbsentError:
        found = None
    assert found is expected


NUMBERS = {"gap_h": 3.0, "2": 2.0, "0.5": 0.5, "size(who)": 3.0, "params.steps[0]": 1.0, "[7, 0][1]": 0.0}


@st.composite
def sums(draw: st.DrawFn, depth: int = 3) -> tuple[str, float | None]:
    """A sum, and what arithmetic makes of it: None where it divides by zero."""
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(sorted(NUMBERS.items())))
    (left, one), (right, other) = draw(sums(depth - 1)), draw(sums(depth - 1))
    sign, minus = draw(st.sampled_from(["+", "-", "*", "/"])), draw(st.sampled_from(["", " -"]))
    source = f"({left} {sign}{minus}{right})"
    if one is None or other is None or (sign == "/" and other == 0):
        return source, None
    other = -other if minus else other
    results = {"+": one + other, "-": one - other, "*": one * other, "/": one / (other or 1)}
    return source, results[sign]


@given(sums())
def test_arithmetic_is_of_doubles_and_never_infinite(made: tuple[str, float | None]) -> None:
    source, expected = made
    try:
        found = value_of(source)
    except EvaluationError:
        found = None
    assert found == expected


PIECES = [
    "anchor", ".", "rpe", "sets", "lift", "found", "start", "gap_h", "gone", "now", "params", "goals", "(", ")", "[",
    "]", "{", "}", ",", ":", "?", "&&", "||", "!", "-", "+", "*", "/", "%", "<", "==", "in", "true", "null", "0", "1",
    "2.5", "1e9", "6h", '"run"', "'", '"', "r'", '"""', "\\", "has(", "size(", "hours(", "exists(", "map(", "s", ", ",
    "s.reps", "\n", "//", "é", "💪", "int(", "double(", "duration(", "@", "=", "&", "\x00", "$", "..", "absent_number(",
    "divisor(", "v0_", "anchor.sets.exists(s, ", "anchor.start", "local_hour(", "getHours()", "`",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]))
def test_any_text_gives_a_value_or_a_fault_with_a_place(pieces: list[str], space: str) -> None:
    source = space.join(pieces)
    outcome = outcome_of(source)
    if isinstance(outcome, ExpressionError):
        assert outcome.faults
        for fault in outcome.faults:
            assert 0 <= fault.offset <= len(source)
            assert fault.message
    else:
        assert not isinstance(outcome, Exception) or str(outcome)


def outcome_of(source: str) -> object:
    try:
        return value_of(source)
    except (ExpressionError, AbsentError, EvaluationError) as error:
        return error


_BEFORE = compiled("lift.found && lift.rpe > gap_h || gone > 1.0 && who != 'Mia'")


@given(
    st.lists(
        st.fixed_dictionaries(
            {"found": st.booleans(), "gap_h": st.floats(0, 3)},
            optional={"rpe": st.integers(0, 3).map(float), "gone": st.sampled_from([0.0, 1.0, 2.0])},
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_was_found_before_is_what_is_found_anew(asked: list[dict[str, float]]) -> None:
    for each in asked:
        lift: dict[str, Bound] = {name: each[name] for name in ("found", "rpe") if name in each}
        names: dict[str, Bound] = {"lift": Record("workout.completed", lift), "who": "Ann"}
        names |= {name: each[name] for name in ("gap_h", "gone") if name in each}
        anew = compiled(_BEFORE.source)
        assert _outcome(_BEFORE, names) == _outcome(_BEFORE, names) == _outcome(anew, names)


def _outcome(expression: CompiledExpression, names: Mapping[str, Bound]) -> object:
    try:
        return expression.evaluate(names, local)
    except AbsentError as error:
        return error.missing
