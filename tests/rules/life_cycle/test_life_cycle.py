"""Whatever happens in whatever order, advice lives as a plain model of its life says, on a real store.

TANDEM_LIVES says how many lives are tried, each of up to thirty things that happen.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.contracts.advice import VERDICTS, Advice, Verdict
from shared.contracts.events import Event
from tests.rules.life_cycle.club import START, Club
from tests.rules.life_cycle.model import HOUR, Model, Name

LIVES = int(os.environ.get("TANDEM_LIVES", "40"))
QUARTER = timedelta(minutes=15)

names = st.integers(0, 5).map(lambda number: f"e{number}")
revisions = st.integers(0, 3)
workers = st.integers(0, 1)
changes: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"activity": "strength"}, {"activity": "walk"}, {"activity": "strength"}, {"activity": "walk"},
     {"activity": "run"}, {"duration_s": 2700}, {"duration_s": 3600}, {"title": "Legs"}, {"title": "Arms"},
     {"distance_m": 5000}, {"distance_m": None}, {"earlier": 2}, {"earlier": -8}]
)  # fmt: skip


@st.composite
def contents(draw: st.DrawFn) -> Event:
    """Return what an event may say: a lift, a run or a meal, by how long before now it began."""
    kind = draw(st.sampled_from(["strength", "strength", "run", "run", "run", "meal"]))
    start = START - QUARTER * draw(st.one_of(st.integers(0, 12), st.integers(0, 120)))
    if kind == "meal":
        eaten = {"energy_kcal": draw(st.sampled_from([600, 1200])), "time_precision": "exact"}
        return Event("watch-sync", "", "meal.logged", start, start, eaten)
    minutes = draw(st.sampled_from([30, 45, 60, 120]))
    data: dict[str, object] = {"activity": kind, "duration_s": minutes * 60}
    if kind == "run":
        data |= draw(st.sampled_from([{}, {"distance_m": 5000}, {"distance_m": 8000}]))
    return Event("watch-sync", "", "workout.completed", start, start + timedelta(minutes=minutes), data)


def run(hours_ago: float, **data: Any) -> Event:
    start = START - HOUR * hours_ago
    found = {"activity": "run", "duration_s": 1800, **data}
    end = start + timedelta(seconds=found["duration_s"])
    return Event("watch-sync", "", "workout.completed", start, end, found)


class LifeCycle(RuleBasedStateMachine):
    """Things that happen to an athlete, a club and its workers."""

    def __init__(self, club: Club) -> None:
        super().__init__()
        self.club = club
        self.model = Model(START)
        self.ids: dict[Name, str] = {}

    @initialize(lifted=st.booleans(), early=st.lists(contents(), max_size=3))
    def begin(self, lifted: bool, early: list[Event]) -> None:  # noqa: FBT001 - hypothesis passes it by name
        """There is something to advise on: a run, maybe after lifting, and what else was done."""
        self.club.reset()
        lift = run(2, activity="strength" if lifted else "walk")
        for number, event in enumerate([lift, run(0.5, distance_m=5000), *early]):
            self._post(replace(event, id=f"e{number}"))
            self._look(0)

    @rule(name=names, revision=revisions, content=contents(), worker=workers)
    def an_event_arrives(self, name: str, revision: int, content: Event, worker: int) -> None:
        """New, late, revised, an old revision after a new one; or again, when that revision is known."""
        self._arrive(name, revision, content)
        self._look(worker)

    @rule(data=st.data(), change=changes, worker=workers)
    @precondition(lambda self: self.model.arrived)
    def an_event_is_revised(self, data: st.DataObject, change: dict[str, Any], worker: int) -> None:
        """One thing of it changes: what it was, how long, how far, or when."""
        known = sorted({name for name, _ in self.model.arrived})
        name = data.draw(st.sampled_from([known[0], known[0], *known]))
        before = max(
            (event for event in self.model.arrived.values() if event.id == name), key=attrgetter("revision")
        )
        said = {key: value for key, value in {**before.data, **change}.items() if value is not None}
        start = before.start - QUARTER * said.pop("earlier", 0)
        end = start + timedelta(seconds=said.get("duration_s", 0))
        if before.type == "meal.logged":
            said, end = {**before.data, "energy_kcal": change.get("distance_m") or 700}, start
        moved = replace(before, start=start, end=end, data=said, revision=before.revision + 1)
        if start <= self.model.now:
            self._post(moved)
            self._look(worker)

    @rule(name=st.integers(0, 9).map(lambda number: f"e{number}"), worker=workers)
    def an_event_is_deleted(self, name: str, worker: int) -> None:
        """Also before it arrives, and also again."""
        gone = Event("watch-sync", f"gone-{name}", "event.deleted", START, START, {"event_id": name})
        self.club.post(gone)
        self.model.deleted.add(name)
        self._look(worker)

    @rule(quarters=st.one_of(st.integers(1, 8), st.integers(1, 8), st.integers(1, 60)), worker=workers)
    def time_passes(self, quarters: int, worker: int) -> None:
        until = self.model.now + QUARTER * quarters
        self.club.advance(until, worker)
        self.model.advance(until)

    @rule(
        quarters=st.integers(1, 40),
        name=names,
        content=contents(),
        worker=workers,
        verdict=st.sampled_from(VERDICTS),
    )
    def time_passes_without_a_worker(
        self, quarters: int, name: str, content: Event, worker: int, verdict: Verdict
    ) -> None:
        """Events and answers come all the same, and a worker finds everything at once."""
        self.model.now += QUARTER * quarters
        self.club.store.clock.set(self.model.now)
        for known in sorted(self.model.cards)[:1]:
            self._answer(known, verdict)
        self._arrive(name, 0, content)
        self._look(worker)

    @rule(data=st.data(), verdict=st.sampled_from([*VERDICTS, "dismiss", "dismiss"]))
    @precondition(lambda self: self.model.cards)
    def the_athlete_answers(self, data: st.DataObject, verdict: Verdict) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.cards)))
        self._answer(name, verdict)
        self._look(0)

    @rule(version=st.sampled_from([1, 2]), worker=workers)
    def the_pack_changes(self, version: int, worker: int) -> None:
        self.club.install(version)
        if self.model.packs[-1][1] != version:
            self.model.packs.append((self.model.now, version))
        self._look(worker)

    def _arrive(self, name: str, revision: int, content: Event) -> None:
        shift = self.model.now - START
        content = replace(content, start=content.start + shift, end=content.end + shift)
        self._post(self.model.arrived.get((name, revision)) or replace(content, id=name, revision=revision))

    def _answer(self, name: Name, verdict: Verdict) -> None:
        self.model.answer(name, verdict)
        assert self.club.answer(self.ids[name], verdict) == self.model.cards[name].state

    def _post(self, event: Event) -> None:
        known = (event.id, event.revision) in self.model.arrived
        answer = self.club.post(event)
        assert answer == {"accepted": 1 - known, "duplicates": int(known), "rejected": []}
        self.model.arrived[event.id, event.revision] = event

    def _look(self, worker: int) -> None:
        self.club.evaluate(worker)
        self.model.look()

    @invariant()
    def every_advice_is_as_the_model_has_it(self) -> None:
        found = {
            _name(record.advice): (
                record.advice.message,
                record.advice.expires_at,
                record.state,
                record.revision,
                record.quiet,
                record.feedback,
            )
            for record in self.club.records().values()
        }
        expected = {
            name: (
                card.content.text,
                card.content.expires,
                card.state,
                card.revision,
                card.quiet,
                card.verdicts,
            )
            for name, card in self.model.cards.items()
        }
        assert found == expected

    @invariant()
    def advice_keeps_its_one_id(self) -> None:
        found = [(_name(record.advice), name) for name, record in self.club.records().items()]
        assert len(dict(found)) == len(found)
        assert {name: self.ids.get(name, known) for name, known in found} == dict(found)
        self.ids = dict(found)

    @invariant()
    def subscribers_are_told_of_each_change_once(self) -> None:
        told: dict[str, list[tuple[str, int, bool]]] = {}
        for entry in self.club.outbox():
            told.setdefault(entry.advice_id, []).append((entry.type, entry.revision, entry.visible))
        assert told == {self.ids[name]: card.told for name, card in self.model.cards.items()}

    @invariant()
    def the_rules_counts_are_the_models(self) -> None:
        kinds = {
            "issued": "issued", "withdrawn": "withdrawn", "helpful": "helpful", "not_helpful": "not_helpful",
            "done": "done", "dismissed": "dismiss",
        }  # fmt: skip
        for told in self.club.rules():
            counted = {shown: self.model.counts.get((told["id"], kind), 0) for shown, kind in kinds.items()}
            assert {shown: told[shown] for shown in kinds} == counted

    @invariant()
    def a_second_evaluation_with_nothing_new_changes_nothing(self) -> None:
        self.club.evaluate_again(1)


def _name(advice: Advice) -> Name:
    return advice.rule, advice.because.anchor.key


@pytest.fixture
def club(store_url: str, tmp_path: Path) -> Iterator[Club]:
    made = Club(store_url, tmp_path)
    yield made
    made.close()


def test_advice_lives_as_the_model_says(club: Club) -> None:
    run_state_machine_as_test(
        lambda: LifeCycle(club),  # type: ignore[arg-type]  # a class is asked for, anything that makes one is called
        settings=settings(max_examples=LIVES, stateful_step_count=30),
    )


def life(club: Club) -> LifeCycle:
    """Return a life to go through by hand."""
    club.reset()
    return LifeCycle(club)


def check(lived: LifeCycle) -> None:
    lived.every_advice_is_as_the_model_has_it()
    lived.advice_keeps_its_one_id()
    lived.subscribers_are_told_of_each_change_once()
    lived.the_rules_counts_are_the_models()
    lived.a_second_evaluation_with_nothing_new_changes_nothing()


def test_advice_whose_rule_now_fails_expires_at_the_time_that_it_was_given(club: Club) -> None:
    lived = life(club)
    lived.an_event_arrives("e0", 0, run(6, distance_m=5000), 0)
    lived.an_event_arrives("e0", 1, run(1), 0)  # moved by five hours, and its distance is gone
    lived.time_passes(28, 0)
    check(lived)


def test_rules_that_came_back_while_a_worker_slept_do_not_hide_those_between(club: Club) -> None:
    lived = life(club)
    lived.an_event_arrives("e0", 0, run(6, distance_m=5000), 0)
    lived.the_pack_changes(2, 1)
    lived.time_passes(8, 1)
    lived.the_pack_changes(1, 1)
    lived.an_event_arrives("e1", 0, run(4, activity="strength", duration_s=2700), 1)
    lived.an_event_arrives("e2", 0, run(2), 0)  # fell due while 45 minutes of lifting were too few
    check(lived)
