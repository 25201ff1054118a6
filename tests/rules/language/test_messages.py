"""What titles and messages say: numbers as people write them, data never as template, nothing absent, no bombs."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.language.expressions import ExpressionError
from services.rules.language.messages import CompiledTemplate, compile_template
from services.rules.language.model import Bound, EvaluationError, Record
from tests.rules.language.test_expressions import NAMES, PARAMS, START, VALUES, local

HOSTILE = "{{ now }} {% for x in y %} <b> %s {0.__class__}"


def compiled(source: str) -> CompiledTemplate:
    return compile_template(source, NAMES, PARAMS)


def text_of(source: str, names: Mapping[str, Bound] = VALUES) -> str:
    return compiled(source).render(names, local)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ gap_h | round(1) }} h", "3.0 h"),
        ("{{ gap_h | round }} h", "3 h"),
        ("{{ gap_h | round | int }} h", "3 h"),
        ("{{ gap_h }} h", "3 h"),
        ("{{ gap_h | round(900000000) }} h", "3.000000 h"),
        ("{{ gap_h / 7 }} h", "0.43 h"),
        ("{{ gap_h / 7 | round }} h", "0.43 h"),
        ("{{ (gap_h / 7) | round(1) }} h", "0.4 h"),
        ("{{ (-gap_h / 100) | round(1) }} h", "0.0 h"),
        ("{{ gap_h * 123456 }} kcal", "370368 kcal"),
        ("{{ (gap_h * 50 / 10) | round | int * 10 }} g", "150 g"),
        ("{{ 10 // gap_h }} and {{ 10 % gap_h }}", "3 and 1"),
        ("{{ params.steps }}, {{ params.goals }}", "1, 2, muscle, health"),
        ('{{ anchor.muscle_groups | join(" and ") | upper }}', "CHEST AND ARMS"),
        ("{{ anchor.muscle_groups | length }} {{ anchor.muscle_groups | first }}", "2 chest"),
        ("{{ anchor.title | replace('Leg', 'Arm') }} by {{ who ~ '!' }}", "Arm Day by Mia!"),
        ("{{ anchor.start | clock }} to {{ anchor.end | clock }}", "22:30 to 00:00"),
        ("{{ anchor.start | weekday }}", "Monday"),
        ('{{ 5.99 | round(1, "floor") }} {{ 5.91 | round(1, "ceil") }} {{ 2.3 | round(1, "floor") }}', "5.9 6.0 2.3"),
        ("{{ local_hour(anchor.start) }}", "22.5"),
        ("{{ minutes(anchor.end - anchor.start) | round | int }} min", "90 min"),
        ("{{ days(now - anchor.start) }}", "0.12"),
        ("{% if gap_h < params.min_gap_h %}short{% else %}fine{% endif %}", "short"),
        ("{% if lift.found %}lifted{% elif anchor.rpe >= 7 %}hard{% endif %}", "hard"),
        ("{{ 'strict' if params.strict else 'easy' }}", "strict"),
        ("{% for s in anchor.sets %}{{ loop.index }} {{ s.exercise }}{{ ', ' if not loop.last }}{% endfor %}",
         "1 squat, 2 row"),
        ("{{ anchor.sets[0].exercise }} {{ anchor['title'] }}", "squat Leg Day"),
        ('{{ lift.title | default("your session") }}', "your session"),
        ("{% if lift.rpe is defined %}{{ lift.rpe }}{% endif %}none", "none"),
        ("one\n  two   {# three #}\n\nfour", "one two four"),
    ],
)  # fmt: skip
def test_a_message_says_what_it_should(source: str, text: str) -> None:
    assert text_of(source) == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ lift.start | clock }}", "lift.start is absent"),
        ("{{ anchor.avg_hr_bpm }} bpm", "anchor.avg_hr_bpm is absent"),
        ("{{ anchor.avg_hr_bpm | round }} bpm", "anchor.avg_hr_bpm is absent"),
        ("{{ gone | round(1) }}", "gone is absent"),
        ("{{ gap_h | round(gone) }}", "gone is absent"),
        ("{{ hours(lift.end - lift.start) }}", "is absent"),
        ("{% for s in anchor.sets %}{{ s.reps }}{% endfor %}", "reps is absent"),
        ("{% if week.sessions > 2 %}many{% endif %}", "week.sessions is absent"),
        ("{{ gap_h / anchor.energy_kcal }}", "division by zero"),
        ("{{ 1e308 * 10 }}", "not finite"),
        ("{{ (1e308 * 10) | round }}", "not finite"),
        ("{{ [1e308 * 10] }}", "not finite"),
        ("{{ anchor.muscle_groups[7] }}", "is absent"),
        ("{% for a in [2, 'x'] %}{{ a * 3 }}{% endfor %}", r"\* is not for 'x' and 3"),
        ("{% for a in [2, '%s'] %}{{ a % 3 }}{% endfor %}", "% is not for '%s' and 3"),
    ],
)
def test_a_message_that_cannot_be_said_is_an_error(source: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        text_of(source)


def test_text_from_events_is_data() -> None:
    names = {**VALUES, "who": HOSTILE, "anchor": Record("workout.completed", {"title": HOSTILE})}
    assert text_of("{{ who }} {{ anchor.title }}", names) == f"{HOSTILE} {HOSTILE}"


@pytest.mark.parametrize(
    ("source", "at", "message", "hint"),
    [
        ("You ran {{ gp_h }}", "gp_h", "unknown name 'gp_h'", "did you mean 'gap_h'?"),
        ("hours: {{ hours }}", "hours }}", "unknown name 'hours'", "write hours(...)"),
        ("strt {{ lift.strt }}", "strt }}", "'lift' has no field 'strt'", "did you mean 'start'?"),
        ("{{ params.gap }}", "gap", "this rule's params have no field 'gap'", "its fields: goals"),
        ("{{ anchor.sets[0].rep }}", "rep", "a set has no field 'rep'", "did you mean 'reps'?"),
        (
            "{% for s in anchor.sets %}{{ s.exercis }}{% endfor %}",
            "exercis",
            "a set has no field",
            "'exercise'?",
        ),
        ("{{ gap_h | rond(1) }}", "rond", "unknown filter 'rond'", "did you mean 'round'?"),
        ("one\ntwo {{ gap_h\n | rnd }}", "rnd", "unknown filter 'rnd'", "did you mean 'round'?"),
        ("{% if gap_h is evn %}x{% endif %}", "evn", "unknown test 'evn'", "did you mean 'even'?"),
        ("{{ hour(now) }}", "hour", "unknown function 'hour'", "did you mean 'hours'?"),
        ("{{ anchor.title.upper() }}", "anchor", "unknown function 'anchor.title.upper'", "a filter"),
        ("{{ hours(gap_h) }}", "hours", "hours takes a duration; found (number)", "hours(anchor.end"),
        ("{{ ['a', 'b'] | abs }}", "abs", "abs is for a number, not for a texts", ""),
        ("{{ [1, 2] | lower }}", "lower", "lower is for a text, not for a numbers", ""),
        (
            "one\n{{ anchor['strt'] }}\ntwo {{ gap_h }}",
            "{{ anchor",
            "no field 'strt'",
            "did you mean 'start'?",
        ),
        ("{{ who | round }}", "round", "round is for a number, not for a text", ""),
        ("{{ gap_h | clock }}", "clock", "clock is for a time, not for a number", ""),
        ("{{ gap_h | round('1') }}", "round", "round takes (number, text); found (text)", ""),
        ("{{ gap_h | round(1, 'up') }}", "round", "round knows no such way", "common, floor, ceil"),
        ("{{ gap_h | round(1, who) }}", "round", "round knows no such way", "common, floor, ceil"),
        ("{{ gap_h | abs(1) }}", "abs", "abs takes nothing in brackets; found (number)", ""),
        ("{{ who | replace('a') }}{{ who | replace('a', 1) }}", "replace", "replace takes (text, text)", ""),
        ("{{ anchor.start - gap_h }}", "anchor", "'-' does not go with (time, number)", "numbers"),
        (
            "{% if gap_h < who %}x{% endif %}",
            "gap_h",
            "a number cannot be compared with a text",
            "like with like",
        ),
        ("{{ gap_h.real }}", "real", "a number has no fields", "use a filter"),
        ("{{ anchor }}", "anchor", "a record stands for many values", "such as .activity"),
        ("{{ anchor.start }}", "anchor", "a time cannot be written as it is", "| clock"),
        ("{{ now - anchor.start }}", "now", "a duration cannot be written as it is", "minutes(...)"),
        ("{{ params.strict }}", "params", "a flag cannot be written as it is", "{% if ... %}"),
        ("{{ anchor.sets }}", "anchor", "a records cannot be written as it is", "{% for s in"),
        ("{% for s in gap_h %}x{% endfor %}", "for", "a number is no list to loop over", "anchor.sets"),
        ("{{ none }}", "none", "none is no value", "is defined"),
        ("a {{ gap_h | round(1 }} b", "{{", "unexpected '}'", "{{ ... }}"),
        ("{{ gap_h }} and {{ who", "{{ who", "unexpected end of template", "{{ ... }}"),
        ("a {% if gap_h %}b", "{% if", "Unexpected end of template", "has its end"),
        ("a {% endif %}", "{% endif", "unknown tag 'endif'", "has its end"),
        # what could grow, run on or reach outside is no part of the language
        ("{% set a = 'x' %}", "set", "{% set %} is not allowed", "{% if ... %}"),
        ("{% macro m() %}{% endmacro %}", "macro", "{% macro %} is not allowed", "{% if ... %}"),
        ("{% include 'x' %}", "include", "{% include %} is not allowed", "{% if ... %}"),
        ("{% filter upper %}x{% endfilter %}", "filter", "{% filter %} is not allowed", "{% if ... %}"),
        ("{% block b %}{% endblock %}", "block", "{% block %} is not allowed", "{% if ... %}"),
        ("{{ who.__class__ }}", "__class__", "a text has no fields", ""),
        ("{{ anchor.__class__ }}", "__class__", "'anchor' has no field '__class__'", ""),
        ("{{ anchor.fields }}", "fields", "'anchor' has no field 'fields'", ""),
        ("{{ who | attr('x') }}", "attr", "unknown filter 'attr'", ""),
        ("{{ who | center(900000000) }}", "center", "unknown filter 'center'", ""),
        ("{{ '%0900000000d' % 1 }}", "'%09", "'%' does not go with (text, number)", ""),
        ("{{ who * 900000000 }}", "who", "'*' does not go with (text, number)", ""),
        ("{{ 9 ** 999999999 }}", "9", "pow is not allowed", ""),
        ("{{ range(9) }}", "range", "unknown function 'range'", ""),
        ("{% for a in [1] %}" * 3 + "{% endfor %}" * 3, "for", "nests at most 2 deep", "say less"),
        ("{% for a, b in [[1, 2]] %}{% endfor %}", "for", "a loop has one name", "say less"),
        (f"{{{{ {'not ' * 40}gap_h }}}}", "gap_h", "nests deeper than 32", "as facts"),
        (f"{{{{ {'(' * 900}1{')' * 900} }}}}", "", "the template nests too deep", "say less"),
    ],
)
def test_a_wrong_message_is_told_at_its_place(source: str, at: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(source)
    fault = next(each for each in caught.value.faults if message in each.message)
    assert len(caught.value.faults) <= 2  # a fault may make another, and no flood
    assert source[fault.offset :].startswith(at)
    assert hint in fault.hint


def test_every_unknown_name_of_a_message_is_told_at_once() -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled("{{ gp_h }} {{ lift.strt }} {{ params.gap }}")
    assert [fault.message.split("'")[-2] for fault in caught.value.faults] == ["gp_h", "strt", "gap"]


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in params.many %}{% for b in params.many %}" + "x" * 500 + "{% endfor %}{% endfor %}",
        "{{ params.word" + " | replace('x', 'xxxxxxxxxxxxxxxxxxxx')" * 12 + " }}",
        "{{ ['x', 'x']"
        + " | join('xxxxxxxxxxxxxxxxxx')" * 1
        + ""
        + " | replace('x', 'xxxxxxxxxxxxxxxx')" * 9
        + " }}",
        "{{ " + " ~ ".join(["who"] * 900) + " }}",
    ],
)
def test_a_message_that_grows_is_cut_off_by_an_error(source: str) -> None:
    params = {"many": "numbers", "word": "text"}
    template = compile_template(source, NAMES, params)
    record = Record("params", {"many": [1.0] * 1000, "word": "x" * 100})
    with pytest.raises(EvaluationError, match="more than 2,000 characters"):
        template.render({**VALUES, "params": record}, local)


def test_a_message_knows_which_names_it_reads() -> None:
    source = "{% for s in anchor.sets %}{{ s.exercise }}{% endfor %} {{ hours(now - lift.end) }}"
    assert compiled(source).names == {"anchor", "now", "lift"}


def test_times_are_the_athletes() -> None:
    names = {**VALUES, "now": START + timedelta(hours=20)}
    assert text_of("{{ now | clock }}", names) == "18:30"


PIECES = [
    "{{", "}}", "{%", "%}", "{#", "#}", "{{ gap_h }}", "gap_h", "anchor", ".", "start", "sets", "[0]", "| round(1)",
    "| int", "| clock", "|", "join", "(", ")", "if ", "else", "endif", "for s in ", "endfor", "s.reps", "is defined",
    "not ", "~", "+", "%", "*", "**", "'x'", '"', "1", "1e999", "None", "[", "]", "{", "}", ":", ",", "hours(", "loop",
    "set a = ", "raw", "-", "\n", " ", "é💪", "\x00", "{{-", "-%}", "params.goals", "now - anchor.start", "macro m()",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.booleans())
def test_any_template_gives_a_text_or_a_fault_with_a_place(pieces: list[str], tagged: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    source = f"{{{{ {' '.join(pieces)} }}}}" if tagged else "".join(pieces)
    outcome = outcome_of(source)
    if isinstance(outcome, ExpressionError):
        assert outcome.faults
        for fault in outcome.faults:
            assert 0 <= fault.offset <= len(source)
            assert fault.message
    else:
        assert isinstance(outcome, str | EvaluationError)


def outcome_of(source: str) -> object:
    try:
        return text_of(source)
    except (ExpressionError, EvaluationError) as error:
        return error
