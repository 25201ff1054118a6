"""The rules in force over HTTP."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from services.ingest.auth import caller
from services.ingest.operations import PageSchema, Resource, Takes, operation, page_of, slice_of
from services.ingest.parts import parts
from shared.contracts.club_schema import RuleSchema
from shared.store.pages import Page
from shared.store.rulebook import RuleInfo

resource = Resource("rules", __name__, description="What advice is given by")


@dataclass(frozen=True, slots=True)
class _CountedRule(RuleInfo):
    """A rule, how often it has failed at run time, and what became of its advice in the caller's club."""

    errors: int
    issued: int
    withdrawn: int
    helpful: int
    not_helpful: int
    done: int
    dismissed: int


@operation(
    resource,
    "/v1/rules",
    scope="advice:read",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(RuleSchema)),
)
def list_rules(page: dict[str, Any]) -> Page[_CountedRule]:
    """List the rules in force, by id, with their versions, sources, run-time errors and what became of their advice."""
    club = caller().club
    failed = parts().store.rulebook.errors(club)
    spoken = parts().store.advice.counts(club)
    counted = [
        _counted(rule, failed.get(rule.id, 0), spoken.get(rule.id, {})) for rule in parts().desk.rules(club)
    ]
    return slice_of(counted, "id", page["cursor"], page["limit"])


def _counted(rule: RuleInfo, errors: int, spoken: Mapping[str, int]) -> _CountedRule:
    return _CountedRule(
        **asdict(rule),
        errors=errors,
        issued=spoken.get("issued", 0),
        withdrawn=spoken.get("withdrawn", 0),
        helpful=spoken.get("helpful", 0),
        not_helpful=spoken.get("not_helpful", 0),
        done=spoken.get("done", 0),
        dismissed=spoken.get("dismiss", 0),
    )
