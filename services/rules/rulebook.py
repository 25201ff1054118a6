"""The rules that govern: loaded from files at a worker's start, shared through the store, compiled once a process."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import structlog

from services.rules.club_rules import Shared, club_rulebook, shared_sources
from services.rules.digests import recent
from services.rules.engine.digest import Layout, layout
from services.rules.engine.horizon import Horizon, horizon
from services.rules.language.load import load_sources, sources
from services.rules.language.model import Generation, Rulebook, RuleSet
from shared.settings import Settings
from shared.store.connect import Store
from shared.store.rulebook import RuleInfo, StoredFile, StoredGeneration, Versions

MOST_CLUBS = 64
"""Clubs with rules of their own that a process keeps compiled, the latest asked for."""

log = structlog.get_logger()


def rule_paths(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of packs that the settings name, or the packs that ship with Tandem."""
    return settings.rules_path or (Path(str(resources.files("services.rules") / "packs")),)


def install(paths: Sequence[Path], store: Store, now: datetime) -> RuleSet | None:
    """Load the rule files, put them in force and return them; None when these very files are in force already.

    Raise `RuleFileError` with every fault when a file is wrong: a broken pack never replaces a good one.
    """
    files = sources(paths)
    stored = tuple(StoredFile(str(file.path), file.text, file.layer) for file in files)
    current = store.rulebook.current()
    if current is not None and current.files == stored:
        return None
    rule_set = load_sources(files)
    generation = StoredGeneration(None, rule_set.hash, stored, tuple(infos(rule_set)))
    reach = horizon((Generation(None, rule_set),)).longest
    if store.rulebook.register(generation, now, now - reach):
        log.info("rulebook.installed", rules=len(rule_set.rules), hash=rule_set.hash)
        store.due.mark_changed(now)
    return rule_set


class Governing(NamedTuple):
    """The generations in force for a club, how far from now their events can matter, and their version.

    `layout` is what their facts add up, and `recent` how far back events are read one by one all the same.
    """

    rulebook: Rulebook
    reach: Horizon
    version: str
    layout: Layout
    recent: timedelta

    @classmethod
    def of(cls, rulebook: Rulebook, version: str) -> "Governing":
        """Return these generations with what follows from them."""
        reach = horizon(rulebook)
        return cls(rulebook, reach, version, layout(rulebook, reach.back), recent(rulebook))


@dataclass(slots=True)
class GoverningRules:
    """The rulebooks of one process, each read again when another process has put new rules in force."""

    store: Store
    _version: str = ""
    _shared: tuple[Shared, ...] = ()
    _governing: Governing | None = None
    _compiled: dict[str, RuleSet] = field(default_factory=dict)
    _clubs: OrderedDict[str, tuple[str, Governing]] = field(default_factory=OrderedDict)

    def knowing(self, rule_set: RuleSet | None) -> "GoverningRules":
        """Return these, with a set of rules that need not be compiled again."""
        if rule_set is not None:
            self._compiled[rule_set.hash] = rule_set
        return self

    def current(self, club: str) -> Governing:
        """Return what governs a club now."""
        return self.current_many(self.store.rulebook.versions([club]))[club]

    def current_many(self, newest: Versions) -> dict[str, Governing]:
        """Return what governs each of the clubs of which the store told these versions."""
        if newest.shared != self._version or self._governing is None:
            self._read(newest.shared)
        if self._governing is None:
            raise NoRulesError("no rules are in force; a rules worker installs them when it starts")
        found = {}
        for club, own in newest.own.items():
            if own:
                found[club] = self._of_club(club, own)
            else:
                self._clubs.pop(club, None)
                found[club] = self._governing
        return found

    def known(self, club: str) -> Governing:
        """Return what may govern a club, without a look at the store where it can be helped."""
        own = self._clubs.get(club)
        return own[1] if own is not None else self._governing or self.current(club)

    def shared(self) -> tuple[StoredGeneration, ...]:
        """Return, as text, the generations that all clubs share and that `current` last saw."""
        return tuple(each.stored for each in self._shared)

    def _read(self, newest: str) -> None:
        stored = self.store.rulebook.generations()
        if not stored:
            return
        compiled = {each.hash: self._compiled.get(each.hash) or _compile(each) for each in stored}
        self._compiled = compiled
        self._shared = tuple(Shared(each, compiled[each.hash]) for each in stored)
        rulebook = tuple(Generation(each.stored.since, each.rule_set) for each in self._shared)
        self._governing = Governing.of(rulebook, newest)
        self._version = newest
        self._clubs.clear()
        log.info("rulebook.loaded", generations=len(stored), hash=stored[-1].hash)

    def _of_club(self, club: str, version: str) -> Governing:
        known = self._clubs.pop(club, None)
        if known is None or known[0] != version:
            history = self.store.overrides.history(club)
            book = club_rulebook(club, self._shared, history)
            known = (version, Governing.of(book, f"{self._version} {version}"))
            log.info("rulebook.club_loaded", club=club, version=version, generations=len(book))
        self._clubs[club] = known
        if len(self._clubs) > MOST_CLUBS:
            self._clubs.popitem(last=False)
        return known[1]


class NoRulesError(Exception):
    """No rules were ever put in force."""


def _compile(stored: StoredGeneration) -> RuleSet:
    return load_sources(shared_sources(stored.files))


def infos(rule_set: RuleSet) -> list[RuleInfo]:
    """Return what is told of the rules to those who list them, by id; of a trial nothing."""
    return [
        RuleInfo(
            rule.id,
            rule.pack,
            rule.version,
            rule.hash,
            rule.title.source,
            rule.category,
            rule.severity,
            rule.mode,
            rule.evidence,
            rule.sources,
        )
        for rule in sorted(rule_set.rules, key=lambda rule: rule.id)
        if not rule.trial
    ]
