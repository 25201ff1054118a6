"""How API keys and rules read on the wire."""
# ruff: noqa: ANN401 - marshmallow hands its hooks whatever JSON held, and options of its own

from typing import Any

from marshmallow import ValidationError, fields, validates

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.clubs import SCOPES


class ApiKeySchema(wire.SparseSchema):
    """An API key, without its token. The name is the source of events that name none."""

    id = fields.String(dump_only=True)
    name = wire.Text(required=True, max_length=100)
    scopes = wire.Texts(wire.Text(choices=SCOPES), most=len(SCOPES), required=True, metadata={"minItems": 1})
    created_at = times.Instant(dump_only=True)
    revoked_at = times.Instant(dump_only=True)

    @validates("scopes")
    def at_least_one(self, scopes: list[str], **_: Any) -> None:
        """Refuse a key that may do nothing."""
        if not scopes:
            raise ValidationError(f"must hold at least one of {', '.join(SCOPES)}")


class NewApiKeySchema(ApiKeySchema):
    """An API key as its creation answers it: the one time that its token is shown."""

    token = fields.String(dump_only=True)


class RuleSchema(wire.StrictSchema):
    """A rule in force, how often it has failed at run time, and what became of its advice in this club."""

    id = fields.String(required=True)
    pack = fields.String(required=True)
    version = fields.Integer(required=True)
    hash = fields.String(required=True)
    title = fields.String(required=True)
    category = fields.String(required=True)
    severity = fields.String(required=True)
    mode = fields.String(required=True, metadata={"enum": ["live", "shadow", "off"]})
    evidence = fields.String(required=True)
    sources = fields.List(fields.String(), required=True)
    errors = fields.Integer(required=True)
    issued = fields.Integer(
        required=True, metadata={"description": "Pieces of advice ever given to this club's athletes"}
    )
    withdrawn = fields.Integer(
        required=True, metadata={"description": "Times that new evidence took advice back"}
    )
    helpful = fields.Integer(required=True, metadata={"description": "Advice whose latest verdict is this"})
    not_helpful = fields.Integer(required=True)
    done = fields.Integer(required=True)
    dismissed = fields.Integer(required=True)
