"""How a club's own rules and params read on the wire."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

from typing import Any

from marshmallow import ValidationError, fields, validates

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.athlete_schema import ParamsField
from shared.contracts.overrides import MOST_FILES, OVERRIDE_MODES

_FILE = r"(?!.*\.test\.yaml$)[A-Za-z0-9][A-Za-z0-9_.-]{0,79}\.yaml"


class RuleTextSchema(wire.StrictSchema):
    """A rule file, as `tandem rules check` takes it."""

    name = wire.Text(
        required=True, max_length=85, pattern=_FILE, allowed="must be a file name like evening.yaml"
    )
    text = wire.Text(required=True, max_length=1_000_000, lines=True)


class OverridePutSchema(wire.StrictSchema):
    """What the club wants laid over the shared rules, whole: what is left out is laid over no more."""

    files = wire.Records(RuleTextSchema, most=MOST_FILES, load_default=list)
    params = ParamsField(
        load_default=dict, metadata={"example": {"no-sprint-after-strength": {"min_gap_h": 8}}}
    )
    mode = wire.Text(
        choices=OVERRIDE_MODES,
        load_default="live",
        metadata={"description": "shadow: evaluated beside what speaks, and nobody is told."},
    )
    note = wire.Text(
        max_length=500, load_default=None, metadata={"description": "Why, for whoever reads the versions."}
    )

    @validates("files")
    def named_once(self, files: list[dict[str, Any]], **_: Any) -> None:
        """Refuse two files of one name."""
        names = [file["name"] for file in files if "name" in file]  # one that is wrong is told of already
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValidationError(f"must name each file once; {', '.join(twice)} stands there twice")


class RollbackSchema(wire.StrictSchema):
    """Which version to go back to; 0 is what was there before any."""

    version = wire.Whole(minimum=0, maximum=1_000_000_000, load_default=None)


class OverrideSchema(wire.SparseSchema):
    """One version of what a club lays over the shared rules."""

    version = fields.Integer(required=True)
    mode = fields.String(required=True, metadata={"enum": list(OVERRIDE_MODES)})
    since = times.Instant(required=True)
    files = fields.List(fields.Nested(RuleTextSchema), required=True)
    params = ParamsField(required=True)
    note = fields.String()
    restores = fields.Integer(metadata={"description": "The version whose content this one repeats."})


class AcceptedOverrideSchema(OverrideSchema):
    """A version that was just put in force, with the rules that differ by it and what is doubtful about them."""

    rules = fields.List(fields.String(), required=True, metadata={"description": "Added or changed by it."})
    warnings = fields.List(fields.String(), required=True)


class OverridesSchema(wire.StrictSchema):
    """What is in force for a club beside the shared rules; null where there is nothing."""

    live = fields.Nested(OverrideSchema, required=True, allow_none=True)
    trial = fields.Nested(OverrideSchema, required=True, allow_none=True)
    faults = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Why it no longer fits the shared rules; what fitted before goes on."},
    )


class ShadowAdviceSchema(wire.StrictSchema):
    """What a rule in shadow would have told an athlete."""

    advice_id = fields.String(required=True)
    athlete_id = fields.String(required=True)
    rule = fields.String(required=True)
    rule_version = fields.Integer(required=True)
    rule_hash = fields.String(required=True)
    severity = fields.String(required=True)
    title = fields.String(required=True)
    message = fields.String(required=True)
    first_at = times.Instant(required=True)
    expires_at = times.Instant(required=True)
