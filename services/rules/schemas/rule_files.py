"""Which rule files an editor takes for right: the JSON Schema of a pack."""

from services.rules.language.anchors import FORMS as ANCHORS
from services.rules.language.anchors import ONLY_EACH, PLAN
from services.rules.language.facts import COUNTS, FORMS, REDUCES, WHICHES, WINDOWS, FactSchema, numbers_of
from services.rules.language.names import NAME, TAKEN
from services.rules.language.params import MAX_LISTED
from services.rules.language.references import KEY, MAX_REFERENCES
from services.rules.language.schema import (
    MAX_EXPRESSION,
    MAX_FACTS,
    MAX_RULES,
    PackSchema,
    ReferenceSchema,
    RuleId,
    RuleSchema,
)
from services.rules.language.where import OPERATORS, ORDERED
from services.rules.schemas.fields import (
    DATE,
    DIALECT,
    Json,
    at_most_one_of,
    of_field,
    of_schema,
    one_of_keys,
    refusing,
)
from shared.contracts.events import EVENT_TYPES, TIMELINE_TYPES, Field

_NUMBERS = frozenset({"number", "integer"})


def rule_file_schema() -> Json:
    """Return the JSON Schema of a rule file."""
    by_rule = {
        "type": "object",
        "propertyNames": of_field(RuleId()),
        "additionalProperties": _ref("params"),
    }
    references = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MAX_REFERENCES,
        "propertyNames": {"pattern": f"^{KEY.pattern}$"},
        "additionalProperties": of_schema(ReferenceSchema()),
    }
    rules = {"type": "array", "minItems": 1, "maxItems": MAX_RULES, "items": _ref("rule")}
    return {
        "$schema": DIALECT,
        "title": "Tandem rule file",
        **of_schema(PackSchema(), rules=rules, params=by_rule, references=references),
        "dependentRequired": {"rules": ["pack", "version"], "most_a_day": ["pack"]},
        "anyOf": [{"required": [key]} for key in ("rules", "params", "most_a_day", "references")],
        "$defs": {
            "rule": _rule(),
            "fact": _fact(),
            "params": _params(),
            "event_type": {"enum": list(TIMELINE_TYPES)},
            **{f"where_{name}": _where(name) for name in TIMELINE_TYPES},
        },
    }


def _rule() -> Json:
    facts = {
        "type": "object",
        "maxProperties": MAX_FACTS,
        "propertyNames": {"pattern": f"^{NAME.pattern}$", "not": {"enum": sorted(TAKEN)}},
        "additionalProperties": _ref("fact"),
    }
    schema = of_schema(
        RuleSchema(),
        each=_ref("event_type"),
        where={"type": "object", "minProperties": 1},
        params=_ref("params"),
        facts=facts,
    )
    timed = [name for name in ANCHORS if name != "each"]
    due = {
        "if": {"properties": {"each": {"const": PLAN}}, "required": ["each"]},
        "then": refusing("delay"),
        "else": refusing("lead"),
    }
    return {
        **schema,
        **one_of_keys(ANCHORS),
        "dependentSchemas": dict.fromkeys(timed, refusing(*ONLY_EACH)),
        "allOf": [due, *(_where_if(name, {"each": {"const": name}}) for name in TIMELINE_TYPES)],
    }


def _fact() -> Json:
    """A fact is a CEL expression, or a mapping: what is said of texts holds for the one, of keys for the other."""
    fields = [f"{name}.{field}" for name in TIMELINE_TYPES for field in numbers_of(name)]
    reduced: Json = {"enum": fields}
    schema = of_schema(
        FactSchema(),
        **dict.fromkeys((*COUNTS, *WHICHES), _ref("event_type")),
        **dict.fromkeys(REDUCES, reduced),
        where={"type": "object", "minProperties": 1},
    )
    speaks = [
        _where_if(name, {form: {"const": name}})
        for name in TIMELINE_TYPES
        for form in (*COUNTS, *WHICHES)
    ] + [
        _where_if(name, {form: {"pattern": f"^{name.replace('.', '[.]')}[.]"}})
        for name in TIMELINE_TYPES
        if numbers_of(name)
        for form in REDUCES
    ]  # fmt: skip
    return {
        **schema,
        "type": ["string", "boolean", "object"],
        "pattern": r"\S",
        "maxLength": MAX_EXPRESSION,
        "if": {"type": "object"},
        "then": {
            **one_of_keys(FORMS),
            "dependentSchemas": at_most_one_of(WINDOWS),
            "allOf": speaks,
        },
    }


def _params() -> Json:
    scalars: list[Json] = [{"type": "number"}, {"type": "string"}]
    lists = [{"type": "array", "minItems": 1, "maxItems": MAX_LISTED, "items": scalar} for scalar in scalars]
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"anyOf": [*scalars, {"type": "boolean"}, *lists]},
    }


def _where_if(event_type: str, anchor: Json) -> Json:
    """Say which fields `where` has when the event type is this one."""
    return {
        "if": {"properties": anchor, "required": list(anchor)},
        "then": {"properties": {"where": _ref(f"where_{event_type}")}},
    }


def _where(event_type: str) -> Json:
    fields = {name: spec for name, spec in EVENT_TYPES[event_type].fields.items() if spec.kind != "records"}
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {name: _condition(spec) for name, spec in fields.items()},
        "additionalProperties": False,
    }


def _condition(spec: Field) -> Json:
    value = _value(spec)
    operators = OPERATORS if spec.kind in ORDERED else ("ne",)
    bounds = {
        "type": "object",
        "minProperties": 1,
        "properties": {name: value if name == "ne" else _beyond(value) for name in operators},
        "additionalProperties": False,
    }
    return {"anyOf": [value, {"type": "array", "minItems": 1, "items": value}, bounds]}


def _beyond(value: Json) -> Json:
    """Return what a bound may be: it may lie beyond what the field can hold."""
    return {key: said for key, said in value.items() if key not in {"minimum", "maximum"}}


def _value(spec: Field) -> Json:
    if spec.choices:
        return {"enum": list(spec.choices)}
    if spec.kind in _NUMBERS:
        return {"type": "number", "minimum": spec.minimum, "maximum": spec.maximum}
    if spec.kind == "date":
        return {"type": "string", "pattern": DATE}
    return {"type": "boolean" if spec.kind == "flag" else "string"}


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}
