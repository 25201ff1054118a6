"""Which rules govern one club: those that all share, with what the club lays over them, at each instant of change."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from services.rules.engine.advise import Evaluation
from services.rules.engine.horizon import horizon
from services.rules.language.faults import RuleFileError
from services.rules.language.load import SourceFile, load_sources
from services.rules.language.model import Generation, Rulebook, RuleSet
from services.rules.language.reuse import Before, read_before
from shared.contracts.overrides import Override, ShadowAdvice, live_of, trial_of
from shared.store.rulebook import StoredFile, StoredGeneration

PARAMS = "params"
"""The name under which faults speak of params that came with no file."""
_EVER = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger()


def shared_sources(files: Iterable[StoredFile]) -> tuple[SourceFile, ...]:
    """Return files as the store keeps them in the form that they were loaded in."""
    return tuple(SourceFile(file.path, file.text, file.layer) for file in files)


def club_sources(shared: Sequence[StoredFile], own: Override) -> tuple[SourceFile, ...]:
    """Return the shared files with the club's as the topmost layer."""
    top = max((file.layer for file in shared), default=0) + 1
    files = [SourceFile(file.name, file.text, top) for file in own.files]
    if own.params:
        # JSON is YAML, so params are checked, and their faults placed, like those of any file.
        files.append(SourceFile(PARAMS, json.dumps({PARAMS: own.params}, ensure_ascii=False), top))
    return (*shared_sources(shared), *files)


@dataclass(slots=True)
class Shared:
    """A generation that all clubs share: as the store has it, and compiled."""

    stored: StoredGeneration
    rule_set: RuleSet
    _before: Before | None = None

    def before(self) -> Before:
        """Return what a club's rules need not read and compile again; made when the first club asks."""
        if self._before is None:
            self._before = read_before(shared_sources(self.stored.files), self.rule_set)
        return self._before


def club_rulebook(club: str, shared: Sequence[Shared], history: tuple[Override, ...]) -> Rulebook:
    """Return the generations of `club`: one for each change of the shared rules or of its own, as far back as matters.

    What no longer fits shared rules that came later is logged, and what stood before goes on in its place: a broken
    pack never replaces a good one.
    """
    starts = [each.stored.since or _EVER for each in shared]
    moments = sorted({*starts, *(each.since for each in history if each.since > starts[0])})
    found: list[Generation] = []
    for index in reversed(range(len(moments))):
        moment = moments[index]
        place = max(position for position, start in enumerate(starts) if start <= moment)
        known = tuple(each for each in history if each.since <= moment)
        since = shared[0].stored.since if index == 0 else moment
        try:
            rules = _with_trial(shared[place], known)
        except RuleFileError as error:
            log.error(  # noqa: TRY400 - the faults say what is wrong; a traceback would say nothing
                "rulebook.club_unfit",
                club=club,
                since=moment.isoformat(),
                faults=[str(fault) for fault in error.faults],
                hint="what fitted before goes on; GET /v1/rules/overrides says so to the club, and a PUT mends it",
            )
            if index > 0:
                continue
            rules = shared[place].rule_set
        made = Generation(since, rules)
        if found and found[0].since is not None:
            newest = found[-1].since or found[0].since
            if found[0].since + horizon((made,)).longest < newest:
                break  # it was replaced so long before the newest that nothing of it can stand
        found.insert(0, made)
    return tuple(found)


def _with_trial(shared: Shared, history: tuple[Override, ...]) -> RuleSet:
    live, trial = live_of(history), trial_of(history)
    rules = _laid_over(shared, live) if live.files or live.params else shared.rule_set
    if trial is None:
        return rules
    hashes = {rule.id: rule.hash for rule in rules.rules}
    tried = [
        replace(rule, mode="shadow", trial=True)
        for rule in _laid_over(shared, trial).rules
        if rule.mode != "off" and hashes.get(rule.id) != rule.hash
    ]
    return RuleSet((*rules.rules, *tried), f"{rules.hash}+{trial.version}")


def _laid_over(shared: Shared, own: Override) -> RuleSet:
    return load_sources(club_sources(shared.stored.files, own), shared.before())


def shadowed(found: Evaluation, now: datetime) -> Iterator[ShadowAdvice]:
    """Yield what rules in shadow would say now."""
    for verdict in found.verdicts:
        advice = verdict.advice
        if verdict.rule.mode == "shadow" and advice is not None:
            yield ShadowAdvice(
                advice.id,
                advice.athlete,
                advice.rule,
                advice.rule_version,
                advice.rule_hash,
                advice.severity,
                advice.title,
                advice.message,
                now,
                advice.expires_at,
            )
