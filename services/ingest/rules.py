"""The rules in force over HTTP."""

from dataclasses import asdict, dataclass
from typing import Any

from services.ingest.operations import PageSchema, Resource, Takes, operation, page_of, slice_of
from services.ingest.parts import parts
from shared.contracts.club_schema import RuleSchema
from shared.store.pages import Page
from shared.store.rulebook import RuleInfo

resource = Resource("rules", __name__, description="What advice is given by")


@dataclass(frozen=True, slots=True)
class _CountedRule(RuleInfo):
    """A rule, and how often it has failed at run time."""

    errors: int


@operation(
    resource,
    "/v1/rules",
    scope="advice:read",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(RuleSchema)),
)
def list_rules(page: dict[str, Any]) -> Page[_CountedRule]:
    """List the rules in force, by id, with their versions, sources and run-time errors."""
    rulebook = parts().store.rulebook
    current = rulebook.current()
    failed = rulebook.errors()
    counted = [
        _CountedRule(**asdict(rule), errors=failed.get(rule.id, 0))
        for rule in (current.rules if current else ())
    ]
    return slice_of(counted, "id", page["cursor"], page["limit"])
