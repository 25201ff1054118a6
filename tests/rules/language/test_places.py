"""Each character of a YAML scalar is found again in its file, however the scalar is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.language.documents import Place, read

WORDS = "gap_h < params.min && lift.found"


@pytest.mark.parametrize(
    "text",
    [
        f"when: {WORDS}",
        f"when: '{WORDS}'",
        f'when: "{WORDS}"',
        f"when: >-\n  {WORDS}",
        f"when: |  # a condition\n    {WORDS}\n",
        "when: gap_h <\n  params.min &&\n\n  lift.found",
        "when: >\n  gap_h <\n  params.min &&\n  lift.found\n",
        'when: "gap_h <\n  params.min && \\\n  lift.found"',
        "deep:\n- {when: gap_h < params.min && lift.found}",
        "when: &name gap_h < params.min && lift.found",
        "\ufeffwhen: |\r\n  gap_h <\r\n  params.min &&\r\n  lift.found\r\n",
    ],
)
@pytest.mark.parametrize("word", ["gap_h", "params", "min", "&&", "lift.found"])
def test_a_word_is_found_where_it_stands(text: str, word: str) -> None:
    place = Place(read("a.yaml", text))
    place = place / "deep" / 0 / "when" if text.startswith("deep") else place / "when"
    fault = place.fault("", "", offset=place.value.index(word))
    assert fault.text[fault.column - 1 :].startswith(word)


@given(
    st.lists(
        st.text(
            st.characters(codec="utf-8", max_codepoint=0xFFFF, exclude_categories=["Cc", "Cs", "Co", "Cn"])
        )
    )
)
def test_a_word_after_any_quoted_text_is_found_where_it_stands(parts: list[str]) -> None:
    text = "\n".join([*parts, "sprint"])
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        place = Place(read("a.yaml", f"a: [{written}]")) / "a" / 0
        assert place.value == text
        fault = place.fault("", "", offset=len(text) - len("sprint"))
        assert fault.text[fault.column - 1 :].startswith("sprint")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("2026-03-02", "2026-03-02"), ("20:30", "20:30"),
        ("true", True), ("False", False), ("~", None), ("", None), ("12", 12), ("-1.5", -1.5), ("1e3", 1000.0),
        ("'12'", "12"), ("!!str 12", "12"),
        ("0x1f", "0x1f"), ("1_000", "1_000"), ("2026-03-02T17:00", "2026-03-02T17:00"),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_yaml_1_2_says_and_times_stay_text(written: str, value: object) -> None:
    found = read("a.yaml", f"a: {written}\n").value["a"]
    assert (found, type(found)) == (value, type(value))
