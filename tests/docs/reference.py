"""What of the pages is made from code and figures: `make docs` writes it between its markers, a test holds it there."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from marshmallow import fields

from services.rules.engine.facts import MOST_EVENTS_A_WINDOW
from services.rules.explaining import explain
from services.rules.language import bounds, kinds
from services.rules.language.documents import MAX_BYTES, MAX_DEPTH, MAX_VALUES
from services.rules.language.facts import FORMS, REDUCES, WINDOWS, FactSchema
from services.rules.language.functions import FUNCTIONS, METHODS
from services.rules.language.load import load
from services.rules.language.model import DERIVED_NUMBERS, Rule
from services.rules.language.params import MAX_LISTED
from services.rules.language.schema import (
    DOUBTS,
    MAX_A_DAY,
    MAX_DURATION,
    MAX_EXPRESSION,
    MAX_FACTS,
    MAX_RULES,
    AdviseSchema,
    RuleSchema,
)
from services.rules.language.template_environment import ARGUMENTS, FILTERS, TESTS
from services.rules.language.template_environment import MOST_CHARACTERS as LONGEST_TEXT
from services.rules.language.where import OPERATORS
from services.rules.schemas.descriptions import DESCRIPTIONS
from shared.contracts.athletes import Param
from shared.contracts.events import EVENT_TYPES, TIMELINE_TYPES, Field
from tests.docs import cluster, wording
from tests.docs.pages import ROOT
from tests.docs.shipped_rules import SHIPPED, Said
from tests.load import scaling

PAGES: Final = (ROOT / "docs/rules.md", ROOT / "docs/shipped-rules.md", ROOT / "docs/scaling.md")
_BAR = r"\|"
PACKS: Final = ROOT / "services/rules/packs"
_MARKED = re.compile(
    r"(<!-- made from the code: ([a-z ]+); `make docs` writes it -->\n).*?(<!-- end -->)", re.DOTALL
)


def whole(page: Path) -> str:
    """Return the page's text as it should be: what stands between its markers made anew."""

    def made(found: re.Match[str]) -> str:
        return "\n".join([found[1], *PARTS[found[2]](), "", found[3]])

    return _MARKED.sub(made, page.read_text("utf-8"))


def parts_of(page: Path) -> list[str]:
    """Return the names of the parts that the page has."""
    return [found[2] for found in _MARKED.finditer(page.read_text("utf-8"))]


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield head
    yield "|".join(["", *["---"] * (head.count("|") - 1), ""])
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', _BAR) for cell in row)} |"


def _keys() -> Iterator[str]:
    of_rule = RuleSchema().load_fields
    return _table(
        "| key | what it holds | |",
        (
            (f"`{name}`", DESCRIPTIONS[f"RuleSchema.{name}"], "required" if field.required else "")
            for name, field in of_rule.items()
        ),
    )


def _warnings() -> Iterator[str]:
    return _table("| warning | what it says |", ((f"`{name}`", wording.WARNINGS[name]) for name in DOUBTS))


def _bounds() -> Iterator[str]:
    days = f"{MAX_DURATION.days} days"
    return _table(
        "| of | at most |",
        [
            ("a file", f"{MAX_BYTES // 1024 // 1024} MiB, {MAX_VALUES:,} values, {MAX_DEPTH} levels"),
            ("a pack", f"{MAX_RULES} rules; {MAX_A_DAY} for each severity of `most_a_day`"),
            ("a rule", f"{MAX_FACTS} facts"),
            ("a param that is a list", f"{MAX_LISTED} values"),
            ("an expression", f"{MAX_EXPRESSION:,} characters"),
            ("brackets inside each other", f"{bounds.DEEPEST}"),
            ("list functions inside each other", f"{bounds.DEEPEST_COMPREHENSION}"),
            ("a title, as written", f"{AdviseSchema().load_fields['title'].metadata['maxLength']} characters"),
            ("a message, as written", f"{AdviseSchema().load_fields['message'].metadata['maxLength']:,} characters"),
            ("a title or message, as read", f"{LONGEST_TEXT:,} characters"),
            ("a duration, a window", days),
            ("events of one type in a window, when the rule runs", f"{MOST_EVENTS_A_WINDOW:,}: {wording.OVER}"),
        ],
    )  # fmt: skip


def _forms() -> Iterator[str]:
    written = {form: f"{form}: TYPE.FIELD" if form in REDUCES else f"{form}: TYPE" for form in FORMS}
    forms = ((f"`{written[form]}`", DESCRIPTIONS[f"FactSchema.{form}"]) for form in FORMS)
    yield from _table("| form | value |", (*forms, ("a text", "A CEL expression.")))
    for kind, names in DERIVED_NUMBERS.items():
        told = ", ".join(f"`{name}` ({wording.DERIVED[name]})" for name in names)
        yield ""
        yield f"Beside its own number fields a `{kind}` has {told} here."


def _windows() -> Iterator[str]:
    spans = _choices(FactSchema().load_fields["during"])
    written = {"during": " or ".join(f"`during: {span}`" for span in spans), "before": "`before: 48h`",
               "after": "`after: 2h`", "last_days": "`last_days: 7`"}  # fmt: skip
    told = (
        (written[name], DESCRIPTIONS[f"FactSchema.{name}"].removeprefix("The window: ").removesuffix("."))
        for name in WINDOWS
    )
    return _table("| window | spans |", told)


def _operators() -> Iterator[str]:
    return _table("| operator | the field |", ((f"`{name}`", wording.OPERATORS[name]) for name in OPERATORS))


def _events() -> Iterator[str]:
    for name in TIMELINE_TYPES:
        if name != TIMELINE_TYPES[0]:
            yield ""
        fields = EVENT_TYPES[name].fields
        yield f"`{name}`: {wording.EVENTS[name]}."
        twin = next((each for each in TIMELINE_TYPES if EVENT_TYPES[each].fields is fields), name)
        if twin != name:
            yield f"It has the fields of `{twin}`."
            continue
        yield ""
        yield from _table("| field | unit | holds | |", _field_rows(fields))


def _field_rows(fields: Mapping[str, Field], owner: str = "") -> Iterator[tuple[str, ...]]:
    for name, spec in fields.items():
        yield (f"`{owner}{name}`", _unit(name), _holds(spec), "required" if spec.required else "")
        yield from _field_rows(spec.records, f"{owner}{name}[].")


def _holds(spec: Field) -> str:
    listed = ", ".join(f"`{choice}`" for choice in spec.choices)
    match spec.kind:
        case "number" | "integer":
            whole_number = "a whole number " if spec.kind == "integer" else ""
            return f"{whole_number}{spec.minimum:,.0f} to {spec.maximum:,.0f}"
        case "text":
            default = f"; `{spec.default}` if left out" if spec.default else ""
            return (f"one of {listed}" if listed else f"text, up to {spec.max_length} characters") + default
        case "texts":
            return f"a list of {listed}"
        case "flag":
            return "true or false"
        case "date":
            return 'a date such as "2026-03-02"'
        case "records":
            return "a list"


def _unit(name: str) -> str:
    return wording.RECKONED.get(name) or wording.UNITS.get(name.rpartition("_")[2] if "_" in name else "", "")


def _names() -> Iterator[str]:
    kinds_of = {"athlete": "`athlete`", "daily_anchor": "`anchor` of a day or week"}
    assert kinds.RECORD_FIELDS["daily_anchor"] == kinds.RECORD_FIELDS["weekly_anchor"]
    event = TIMELINE_TYPES[0]
    own = {
        name: kind
        for name, kind in kinds.RECORD_FIELDS[event].items()
        if name not in EVENT_TYPES[event].fields
    }
    rows = [("`anchor` of an event, `first:` and `last:` facts", _told(own) + "; and the fields of its type")]
    rows += [(said, _told(kinds.RECORD_FIELDS[kind])) for kind, said in kinds_of.items()]
    rows += [
        ("`day`, `week`", "what the anchor's local day, or its ISO week so far, adds up to: below"),
        ("`params`", "the rule's own, with the club's and the athlete's values laid over them"),
        ("`now`", "the time of the look"),
        ("the rule's own facts", "those above the place"),
    ]
    return _table("| name | fields |", rows)


def _told(fields: Mapping[str, str]) -> str:
    return "; ".join(
        f"{', '.join(f'`{name}`' for name, kind in fields.items() if kind == wanted)} ({wanted}s)"
        for wanted in dict.fromkeys(fields.values())
    )


def _periods() -> Iterator[str]:
    assert kinds.RECORD_FIELDS["day"] == kinds.RECORD_FIELDS["week"]
    fields_ = kinds.RECORD_FIELDS["day"].items()
    return _table(
        "| of `day` and `week` | kind | unit |",
        ((f"`{name}`", wording.KINDS[kind], _unit(name)) for name, kind in fields_),
    )


def _functions() -> Iterator[str]:
    rows = [(f"`{wording.FUNCTIONS[name][0]}`", wording.FUNCTIONS[name][1]) for name in FUNCTIONS]
    said = dict.fromkeys(wording.METHODS[name] for name in METHODS)
    for each in said:
        names = ", ".join(f"`.{name}()`" for name in METHODS if wording.METHODS[name] == each)
        rows.append((names, each))
    return _table("| function | |", rows)


def _filters() -> Iterator[str]:
    def row(name: str) -> tuple[str, ...]:
        takes, gives = FILTERS[name]
        arguments = ", ".join(ARGUMENTS.get(name, ()))
        told = wording.GIVES[name] if gives is None else wording.KINDS[gives]
        return (f"`{name}`", ", ".join(sorted(wording.KINDS[kind] for kind in takes)), arguments, told)

    yield from _table("| filter | for | in brackets | gives |", map(row, FILTERS))
    yield ""
    yield f"Tests (`x.y is defined`): {', '.join(f'`{name}`' for name in TESTS)}."


def _shipped() -> Iterator[str]:
    rules = {rule.id: rule for rule in load([PACKS]).rules}
    return _table(
        "| rule | when, and what | params | evidence and sources | does not claim |",
        (_shipped_row(rules[name], said) for name, said in SHIPPED.items()),
    )


def _shipped_row(rule: Rule, said: Said) -> tuple[str, ...]:
    looks = next(line for line in explain(rule).splitlines() if line.startswith("Looks "))
    params = ", ".join(f"`{name}` {_value(value)}" for name, value in rule.params.items())
    return (
        f"`{rule.id}`",
        f'{_sentence(rule.severity)}. {_sentence(looks.removeprefix("Looks "))} {said.speaks}. "{rule.title.source}"',
        params,
        f"{rule.evidence}; {'; '.join(rule.sources)}",
        said.not_claimed,
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _value(value: Param) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _choices(field: fields.Field[Any]) -> tuple[str, ...]:
    return tuple(field.metadata["enum"])


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "keys": _keys, "warnings": _warnings, "bounds": _bounds, "forms": _forms, "windows": _windows,
    "operators": _operators, "events": _events, "names": _names, "periods": _periods, "functions": _functions,
    "filters": _filters, "shipped rules": _shipped, **scaling.PARTS, **cluster.PARTS,
}  # fmt: skip


if __name__ == "__main__":
    for each in PAGES:
        each.write_text(whole(each), "utf-8")
