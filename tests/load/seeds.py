"""Stores with a history in them, made once and copied for each run, so that every round starts from the same state."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.load.cases import Name
from tests.load.designs import Design, Plain, Tandem, fill_plain, fill_tandem
from tests.load.feeding import feed
from tests.load.rig import Rig, await_that, compact, rig
from tests.load.workload import Workload, pack

WORKERS = 2
"""Rules workers of Tandem where nothing else is said: the plain design has two worker processes too."""
_WARM = 100


@dataclass(slots=True)
class Seeds:
    """The stores that were made so far, in a folder that goes when the measuring ends."""

    folder: Path
    _made: dict[tuple[object, ...], Path] = field(default_factory=dict)

    def rules(self, many: int = 10) -> Path:
        """Return the folder of a pack of so many rules: always the same, or its rules would count as changed."""
        folder = self.folder / f"rules-{many}"
        if not folder.exists():
            folder.mkdir()
            (folder / "bench.yaml").write_text(pack(many), encoding="utf-8")
        return folder

    def of(self, name: Name, workload: Workload, rules: int = 10) -> Path:
        """Return a store filled with the workload's histories; Tandem's with every athlete evaluated."""
        kind = "tandem" if name == "tandem" else "plain"
        known = (kind, workload.athletes, workload.history, workload.over_days, workload.prefix, rules)
        if known not in self._made:
            place = self.folder / f"store-{len(self._made)}"
            with rig(place) as at:
                if kind == "tandem":
                    fill_tandem(at, workload)
                    self._settle(at, rules)
                else:
                    fill_plain(at, workload)
                compact(at)
            self._made[known] = place
        return self._made[known]

    def _settle(self, at: Rig, rules: int) -> None:
        tandem = Tandem.start(at, self.rules(rules), workers=os.cpu_count() or 1)
        try:
            await_that(tandem.idle, 900, 0.2)
        finally:
            tandem.stop()

    @contextmanager
    def running(
        self, name: Name, workload: Workload, *, rules: int = 10, workers: int = WORKERS
    ) -> Iterator[tuple[Rig, Design]]:
        """Start a design on a copy of its store and warm it up; end it."""
        with rig(seed=self.of(name, workload, rules)) as at:
            design: Tandem | Plain = (
                Tandem.start(at, self.rules(rules), workers=workers)
                if name == "tandem"
                else Plain.start(at, batched=name == "improved")
            )
            try:
                if isinstance(design, Tandem):
                    await_that(design.idle, 120, 0.1)
                    design.subscribe(at)
                _warm_up(at, design)
                yield at, design
            finally:
                design.stop()


def _warm_up(at: Rig, design: Design) -> None:
    """Have every process do each kind of its work: athletes of their own lift and then sprint, and hear of it."""
    warm = Workload(_WARM, 1, _WARM, datetime.now(UTC), one_in=1, prefix="w")
    feed(design, [event for name in warm.names() for event in warm.past(name)], 50)
    await_that(design.idle, 60)
    feed(design, list(warm.stream(warm.now, "w")), 1)
    await_that(lambda: at.hooks() >= _WARM and design.idle(), 60)
    at.forget()
