"""A club's own rules and params over HTTP: checked, versioned, tried in shadow, and taken back by one call."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from services.ingest.auth import caller
from services.ingest.operations import PageSchema, Resource, Takes, operation, page_of, slice_of
from services.ingest.parts import parts
from services.ingest.problems import ProblemError, invalid
from shared.contracts.faults import Fault, InvalidError
from shared.contracts.override_schema import (
    AcceptedOverrideSchema,
    OverridePutSchema,
    OverrideSchema,
    OverridesSchema,
    RollbackSchema,
    ShadowAdviceSchema,
)
from shared.contracts.overrides import NOTHING, Override, RuleText, ShadowAdvice, before, live_of, trial_of
from shared.store.pages import Page, offset_of

resource = Resource("overrides", __name__, description="What a club lays over the shared rules")


@dataclass(frozen=True, slots=True)
class _Accepted(Override):
    """A version with what it changes and what is doubtful about it."""

    rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _InForce:
    """What is laid over the shared rules now."""

    live: Override | None
    trial: Override | None
    faults: Sequence[str]


@operation(
    resource,
    "/v1/rules/overrides",
    method="PUT",
    scope="admin",
    takes=Takes(body=OverridePutSchema),
    answers=(200, AcceptedOverrideSchema),
    errors=(409,),
)
def put_overrides(found: dict[str, Any]) -> _Accepted:
    """Lay rule files and params of the club's own over the shared rules.

    They are checked as `tandem rules check` does; one fault, and all stays as it was. Workers follow without a
    restart. A new version governs anchors due after it. With `mode: shadow` it is evaluated beside what speaks, and
    `GET /v1/rules/shadow` tells what it would have said.
    """
    files = tuple(RuleText(file["name"], file["text"]) for file in found["files"])
    wanted = Override(0, found["mode"], parts().clock.now(), files, found["params"], found["note"])
    return _put(wanted, parts().store.overrides.history(caller().club))


@operation(
    resource,
    "/v1/rules/overrides/promote",
    method="POST",
    scope="admin",
    answers=(200, AcceptedOverrideSchema),
    errors=(409, 422),
)
def promote_overrides() -> _Accepted:
    """Let what is tried in shadow speak. 409 when nothing is."""
    history = parts().store.overrides.history(caller().club)
    trial = trial_of(history)
    if trial is None:
        raise ProblemError(409, "nothing is tried in shadow; PUT /v1/rules/overrides with mode shadow first")
    return _put(replace(trial, mode="live", since=parts().clock.now()), history)


@operation(
    resource,
    "/v1/rules/overrides/rollback",
    method="POST",
    scope="admin",
    takes=Takes(body=RollbackSchema),
    answers=(200, AcceptedOverrideSchema),
    errors=(409,),
)
def roll_back_overrides(found: dict[str, Any]) -> _Accepted:
    """Go back: from a trial to what speaks, from what speaks to what spoke before it, or to the `version` named.

    History is kept: the old content becomes a new version.
    """
    history = parts().store.overrides.history(caller().club)
    if not history:
        raise ProblemError(409, "there is nothing to go back from: the club has laid nothing over the rules")
    known = {NOTHING.version: NOTHING, **{each.version: each for each in history}}
    wanted = found["version"]
    if wanted is not None and wanted not in known:
        kept = ", ".join(str(version) for version in known)
        raise invalid([Fault("version", f"must be one that is kept: {kept}", str(wanted))])
    back = before(history) if wanted is None else known[wanted]
    note = f"back to version {back.version}"
    now = parts().clock.now()
    return _put(replace(back, mode="live", since=now, note=note, restores=back.content), history)


@operation(resource, "/v1/rules/overrides", scope="advice:read", answers=(200, OverridesSchema))
def get_overrides() -> _InForce:
    """Read what speaks and what is tried."""
    history = parts().store.overrides.history(caller().club)
    live, trial = live_of(history), trial_of(history)
    faults: list[str] = []
    for each in (live, trial):
        if each is not None and (each.files or each.params):
            try:
                parts().desk.check(caller().club, each)
            except InvalidError as error:
                faults += [
                    f"version {each.version}: {fault.field}: {fault.message}" for fault in error.faults
                ]
    return _InForce(live if live.version else None, trial, faults)


@operation(
    resource,
    "/v1/rules/overrides/versions",
    scope="advice:read",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(OverrideSchema)),
)
def list_versions(page: dict[str, Any]) -> Page[Override]:
    """List the versions that are kept, the newest first."""
    start, limit = offset_of(page["cursor"]), page["limit"]
    newest_first = parts().store.overrides.history(caller().club)[::-1]
    more = len(newest_first) > start + limit
    return Page(newest_first[start : start + limit], str(start + limit) if more else None)


@operation(
    resource,
    "/v1/rules/shadow",
    scope="advice:read",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(ShadowAdviceSchema)),
)
def list_shadowed(page: dict[str, Any]) -> Page[ShadowAdvice]:
    """List what rules in shadow would have told, by advice id: the latest thousand."""
    said = parts().store.overrides.shadowed(caller().club)
    return slice_of(said, "advice_id", page["cursor"], page["limit"])


def _put(wanted: Override, history: tuple[Override, ...]) -> _Accepted:
    """Check `wanted` and put it in force after the `history` that was seen; 409 when there is more by now."""
    club, store = caller().club, parts().store
    checked = parts().desk.check(club, wanted)
    added = store.overrides.add(club, wanted, after=history[-1].version if history else 0)
    if added is None:
        raise ProblemError(409, "another version was put in force meanwhile; read it, and send yours again")
    store.due.mark_changed(added.since)
    return _Accepted(**asdict(added), **asdict(checked))
