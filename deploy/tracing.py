"""`tandem rules trace`: finds the athlete's timeline and the rules in force, and asks why a rule spoke or did not."""

import json
from datetime import UTC, datetime

from services.rules.language.rewritten import nearest
from services.rules.rulebook import GoverningRules, NoRulesError
from services.rules.tracing import as_text, trace
from shared.clock import clock_for
from shared.contracts.trace_schema import TraceSchema
from shared.settings import Settings
from shared.store.connect import Store, connect


class TraceError(Exception):
    """There is no such rule, athlete or club, or no rules are in force."""


def report(
    settings: Settings, rule: str, athlete: str, club: str | None, at: datetime | None, *, as_json: bool
) -> str:
    """Return what the rule found about the athlete `at` an instant (None: now), as text or JSON.

    Raise `TraceError`, or `StoreUnavailableError`.
    """
    store = connect(str(settings.redis_url))
    place = _club_of(store, athlete, club)
    try:
        governing = GoverningRules(store).current(place)
    except NoRulesError as error:
        raise TraceError(str(error)) from error
    rules = {each.id: each for each in governing.rulebook[-1].rule_set.rules}
    if rule not in rules:
        hint = nearest(rule, sorted(rules)) or f"rules: {', '.join(sorted(rules))}"
        raise TraceError(f"there is no rule {rule!r}; {hint}")
    now = clock_for(settings, store).now() if at is None else at.astimezone(UTC)
    snapshot = store.timelines.load(place, athlete, governing.reach.since(now), now + governing.reach.ahead)
    if snapshot.profile is None and not snapshot.events:
        raise TraceError(f"club {place} knows no athlete {athlete!r}, or nothing of that time")
    found = trace(governing.rulebook, snapshot.athlete, snapshot.events, now, rule)
    store.close()
    if as_json:
        return json.dumps(TraceSchema(many=True).dump(found), indent=2, ensure_ascii=False)
    head = f"{rule} for {athlete} of {place} at {now:%Y-%m-%d %H:%M:%S} UTC"
    if not found:
        return (
            f"{head}\n\nno anchor: nothing that the rule looks at has come and is not over, and none is near"
        )
    return f"{head}\n\n{as_text(found)}"


def _club_of(store: Store, athlete: str, club: str | None) -> str:
    if club is not None:
        if store.clubs.get(club) is None:
            raise TraceError(f"there is no club {club!r}; `tandem club list` lists them")
        return club
    known = [each.id for each in store.clubs.list() if store.athletes.get(each.id, athlete) is not None]
    if not known:
        raise TraceError(f"no club has an athlete {athlete!r} with a profile")
    if len(known) > 1:
        raise TraceError(
            f"several clubs have an athlete {athlete!r}; name one with --club: {', '.join(known)}"
        )
    return known[0]
