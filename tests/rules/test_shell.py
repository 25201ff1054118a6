"""The laws at the shell, on a real store: however a month of events arrives, the same advice stands."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.rules.rulebook import GoverningRules, install
from services.rules.sweep import sweep
from services.rules.tasks import RulesShell
from shared.broker import NOTIFY_QUEUE, RULES_QUEUE, celery_app
from shared.contracts.advice import AdviceRecord
from shared.contracts.athletes import Athlete, ZoneChange
from shared.contracts.events import Event
from shared.contracts.partitions import PARTITIONS, partition_of_athlete
from shared.settings import Settings
from shared.store import keys
from shared.store.connect import Store, StoreUnavailableError, connect
from shared.store.due import Due, Taken
from shared.store.line import Command
from shared.store.timelines import Timelines, Wanted

CLUB, ADA = "clb_test", "ada"
START = datetime(2026, 3, 2, tzinfo=UTC)
MONTH = timedelta(days=28)
PACKS = Path(__file__).parents[2] / "services" / "rules" / "packs"
PROFILE = Athlete(
    CLUB, ADA, (ZoneChange(None, "Europe/Berlin"),), goal="build_muscle", sex="female", birth_year=1995, height_cm=170,
    body_mass_kg=64, supplements=True,
)  # fmt: skip


class SetClock:
    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant


class Shell:
    """A rules worker without its queue, on a store of its own."""

    def __init__(self, url: str) -> None:
        self.store: Store = connect(url)
        self.clock = SetClock()
        self.app = celery_app(Settings(redis_url=url), "rules")
        self.reset()

    def reset(self, paths: Sequence[Path] = (PACKS,)) -> None:
        self.store.client.flushall()
        self.clock.instant = START
        self.store.clubs.create("Test", START)
        install(paths, self.store, START)
        self.shell = RulesShell(self.store, self.clock, GoverningRules(self.store), self.app)
        self.store.athletes.put(PROFILE, START)

    def post(self, *events: Event) -> None:
        self.store.timelines.append(CLUB, [(ADA, event) for event in events])
        self.shell.evaluate([(CLUB, ADA)])

    def go_to(self, instant: datetime) -> None:
        """Let time pass, evaluating whenever something is due."""
        while (due := self.store.outlook.at(self.clock.instant).next_due) is not None and due <= instant:
            self.clock.instant = max(due, self.clock.instant)
            self.store.due.collect(self.clock.instant)
            self.shell.evaluate([(CLUB, ADA)])
        self.clock.instant = instant

    def standing(self) -> dict[str, tuple[str, str]]:
        page = self.store.advice.page(CLUB, ADA, frozenset({"active"}), None, None, 200)
        return {record.advice.id: (record.advice.rule, record.advice.message) for record in page.items}

    def states(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in self.store.advice.page(CLUB, ADA, None, None, None, 200).items:
            found.setdefault(record.advice.rule, []).append(record.state)
        return found

    def close(self) -> None:
        self.app.close()
        self.store.close()


@pytest.fixture
def shell(store_url: str) -> Iterator[Shell]:
    made = Shell(store_url)
    yield made
    made.close()


def workout(name: str, start: datetime, minutes: int = 45, revision: int = 0, **data: Any) -> Event:
    fields = {"activity": "run", "duration_s": minutes * 60, **data}
    return Event(
        "gym", name, "workout.completed", start, start + timedelta(minutes=minutes), fields, revision
    )


def meal(name: str, at: datetime, kcal: int, protein: int) -> Event:
    data = {"energy_kcal": kcal, "protein_g": protein, "time_precision": "exact"}
    return Event("gym", name, "meal.logged", at, at, data)


@st.composite
def months(draw: st.DrawFn) -> list[Event]:
    """Up to thirty events of the last days of a month, some revised, some deleted."""
    events: list[Event] = []
    for number in range(draw(st.integers(3, 30))):
        at = START + MONTH - timedelta(minutes=15 * draw(st.integers(1, 4 * 24 * 4)))
        if draw(st.booleans()):
            activity = draw(st.sampled_from(["run", "strength", "ride"]))
            intensity = draw(st.sampled_from(["easy", "hard", "sprint"]))
            events.append(workout(f"w{number}", at, 30, activity=activity, intensity=intensity))
        else:
            events.append(meal(f"m{number}", at, draw(st.integers(100, 1200)), draw(st.integers(0, 60))))
    for event in draw(st.lists(st.sampled_from(events), max_size=3, unique_by=lambda each: each.id)):
        if event.type == "workout.completed" and draw(st.booleans()):
            events.append(workout(event.id, event.start, 30, revision=1, activity="strength"))
        else:
            gone = {"event_id": event.id}
            events.append(Event("gym", f"d-{event.id}", "event.deleted", event.start, event.start, gone))
    return events


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(events=months(), data=st.data())
def test_any_permutation_duplication_and_grouping_ends_in_the_same_advice(
    shell: Shell, events: list[Event], data: st.DataObject
) -> None:
    shell.reset()
    shell.clock.instant = START + MONTH
    shell.post(*events)
    expected = shell.standing()
    shell.reset()
    arrivals = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=5))))
    shell.go_to(START + MONTH - timedelta(days=1))
    moments = sorted(
        START + MONTH - timedelta(minutes=minutes)
        for minutes in data.draw(st.lists(st.integers(0, 24 * 60), min_size=1, max_size=4))
    )
    size = len(arrivals) // len(moments) + 1
    for number, moment in enumerate(moments):
        shell.go_to(moment)
        group = arrivals[number * size : (number + 1) * size]
        if group:
            shell.post(*group)
    shell.go_to(START + MONTH)
    assert shell.standing() == expected


def test_a_late_deletion_withdraws_what_it_refutes_and_a_revision_brings_it_back(shell: Shell) -> None:
    lift = workout("lift", START + timedelta(hours=16), 60, activity="strength")
    run = workout("run", START + timedelta(hours=18), 30, intensity="sprint")
    shell.go_to(run.end)
    shell.post(lift, run)
    assert shell.states()["no-sprint-after-strength"] == ["active"]
    shell.post(workout("lift", lift.start, 60, revision=1, activity="walk"))
    assert shell.states()["no-sprint-after-strength"] == ["withdrawn"]
    shell.post(workout("lift", lift.start, 60, revision=2, activity="strength"))
    assert shell.states()["no-sprint-after-strength"] == ["active"]
    said = [entry.type for entry in shell.store.outbox.read(CLUB, ADA) if entry.advice_id in shell.standing()]
    assert said == ["advice.issued", "advice.withdrawn", "advice.issued"]
    assert shell.store.outbox.read(CLUB, ADA)[-1].revision == 2


def test_advice_expires_at_its_time_and_says_nothing_of_it(shell: Shell) -> None:
    run = workout("run", START + timedelta(hours=18), 30, intensity="sprint")
    shell.go_to(run.end)
    shell.post(workout("lift", START + timedelta(hours=16), 60, activity="strength"), run)
    said = len(shell.store.outbox.read(CLUB, ADA))
    shell.go_to(run.end + timedelta(hours=24))
    assert shell.states()["no-sprint-after-strength"] == ["expired"]
    later = shell.store.outbox.read(CLUB, ADA)
    assert [entry.type for entry in later[said:]] == []


def test_an_edit_governs_what_is_due_after_it_and_sets_off_nothing_about_the_past(
    shell: Shell, tmp_path: Path
) -> None:
    pack = (PACKS / "ordering.yaml").read_text(encoding="utf-8")
    run = workout("run", START + timedelta(hours=18), 30, intensity="sprint")
    shell.reset([PACKS])
    shell.go_to(run.end)
    shell.post(workout("lift", START + timedelta(hours=16), 60, activity="strength"), run)
    before = shell.standing()
    shutil.copytree(PACKS, tmp_path, dirs_exist_ok=True)
    edited = pack.replace("You ran hard", "You sprinted").replace("version: 1", "version: 2")
    (tmp_path / "ordering.yaml").write_text(edited, encoding="utf-8")
    install([tmp_path], shell.store, shell.clock.instant + timedelta(minutes=1))
    shell.go_to(shell.clock.instant + timedelta(hours=1))
    assert shell.standing() == before
    tomorrow = START + timedelta(days=1)
    shell.go_to(tomorrow + timedelta(hours=18, minutes=30))
    shell.post(
        workout("lift-2", tomorrow + timedelta(hours=16), 60, activity="strength"),
        workout("run-2", tomorrow + timedelta(hours=18), 30, intensity="sprint"),
    )
    messages = [message for rule, message in shell.standing().values() if rule == "no-sprint-after-strength"]
    assert any(message.startswith("You sprinted") for message in messages)


FAULTY = """
  - id: faulty
    category: ordering
    severity: info
    each: workout.completed
    when: "true"
    advise: {title: Faulty, message: "{{ anchor.distance_m }}"}
    evidence: heuristic
    sources: [nobody]
"""


def test_a_rule_that_fails_is_counted_and_the_others_go_on(shell: Shell, tmp_path: Path) -> None:
    good = (PACKS / "ordering.yaml").read_text(encoding="utf-8")
    shutil.copytree(PACKS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "ordering.yaml").write_text(good + FAULTY, encoding="utf-8")
    shell.reset([tmp_path])
    run = workout("run", START + timedelta(hours=18), 30, intensity="sprint")
    shell.go_to(run.end)
    shell.post(workout("lift", START + timedelta(hours=16), 60, activity="strength"), run)
    assert "no-sprint-after-strength" in shell.states()
    assert "faulty" not in shell.states()
    assert shell.store.rulebook.errors(CLUB)["faulty"] >= 1


def test_what_is_only_counted_delays_no_delivery(shell: Shell, tmp_path: Path) -> None:
    shutil.copytree(PACKS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "faulty.yaml").write_text(f"pack: concurrent-training\nversion: 1\nrules:{FAULTY}", "utf-8")
    shell.reset([tmp_path])
    shell.go_to(SPRINT.end)
    shell.store.client.set(keys.rule_errors(CLUB), "no hash")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        shell.post(LIFT, SPRINT)
    assert SPRINTED in shell.states()
    assert shell.store.client.llen(NOTIFY_QUEUE) == 1


def test_who_waits_is_evaluated_and_nobody_is_woken_again(shell: Shell) -> None:
    shell.go_to(SPRINT.end)
    for name in ("ben", "cem", ADA):
        shell.store.timelines.append(
            CLUB, [(name, LIFT), (name, SPRINT)] if name == ADA else [(name, BREAKFAST)]
        )
    shell.shell.drain(range(PARTITIONS))
    assert SPRINTED in shell.states()
    assert shell.store.due.backlog() == 0
    assert shell.store.client.llen(RULES_QUEUE) == 0


def test_a_worker_hands_on_what_its_slice_of_time_does_not_reach(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.store.timelines.append(CLUB, [(ADA, LIFT)])
    monkeypatch.setattr("services.rules.tasks.SLICE_S", 0.0)
    partition = partition_of_athlete(CLUB, ADA)
    shell.shell.drain([partition])
    assert shell.store.due.backlog() == 1
    assert shell.store.calls.answer("rules", "test", 0, 9).wanted == (str(partition),)
    assert shell.store.client.llen(RULES_QUEUE) == 1


def test_who_is_overtaken_among_others_is_evaluated_by_itself(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, timelines = Timelines.load_and_ask, shell.store.timelines
    names, came = (ADA, "ben", "cem"), count()

    def post(*athletes: str) -> None:
        timelines.append(CLUB, [(name, meal(f"m{next(came)}", START, 500, 30)) for name in athletes])

    def and_more_comes(read_of: Timelines, wanted: Sequence[Wanted], then: Sequence[Command]) -> Any:
        read = load(read_of, wanted, then)
        if len(wanted) > 1:
            post(ADA, "cem")
        return read

    monkeypatch.setattr(Timelines, "load_and_ask", and_more_comes)
    post(*names)
    shell.shell.evaluate([(CLUB, name) for name in names])
    assert shell.store.due.backlog() == 0
    read = {name: timelines.load(CLUB, name, {"meal.logged": START}, START) for name in names}
    assert {name: (len(each.events), each.commits) for name, each in read.items()} == {
        ADA: (2, "1"), "ben": (1, "1"), "cem": (2, "1")
    }  # fmt: skip


def test_who_cannot_be_evaluated_keeps_nobody_waiting_and_is_named(shell: Shell) -> None:
    names = (ADA, "ben", "cem")
    events = {name: meal(f"of-{name}", START, 500, 30) for name in names}
    shell.store.timelines.append(CLUB, list(events.items()))
    shell.store.client.hset(keys.AthleteKeys(CLUB, "ben").events, events["ben"].key, "no event")
    with capture_logs() as logs:
        shell.shell.evaluate([(CLUB, name) for name in names])
    commits = {name: shell.store.client.hget(keys.AthleteKeys(CLUB, name).meta, "commits") for name in names}
    assert commits == {ADA: "1", "ben": None, "cem": "1"}
    assert shell.store.due.backlog() == 1
    divided, failed = (entry for entry in logs if entry["log_level"] in {"warning", "error"})
    assert divided["event"] == "evaluation.divided"
    assert divided["athletes"] == [(CLUB, name) for name in names]
    assert (failed["event"], failed["club"], failed["athlete"]) == ("evaluation.failed", CLUB, "ben")


def test_what_was_committed_is_told_though_the_store_goes_away_before_the_next_are_taken(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.go_to(SPRINT.end)
    shell.store.timelines.append(CLUB, [(ADA, LIFT), (ADA, SPRINT)])
    take, partition = Due.take, partition_of_athlete(CLUB, ADA)

    def once(due: Due, partitions: Sequence[int], most: int) -> Taken:
        taken = take(due, partitions, most)
        if not taken.athletes:
            raise StoreUnavailableError("the store is away")
        return Taken(taken.athletes, (partition,))

    monkeypatch.setattr(Due, "take", once)
    monkeypatch.setattr("services.rules.tasks.SLICE_S", 60.0)
    with pytest.raises(StoreUnavailableError):
        shell.shell.drain([partition])
    assert shell.store.client.llen(NOTIFY_QUEUE) == 1
    assert shell.store.client.llen(RULES_QUEUE) == 1  # what may be left is handed on


def test_a_tick_asks_for_evaluation_and_routing_though_the_broker_is_away(shell: Shell) -> None:
    shell.store.timelines.append(CLUB, [(ADA, LIFT)])
    shell.store.client.delete(keys.QueueKeys("rules").calls)  # whoever stored it asked, and that was lost
    at = keys.AthleteKeys(CLUB, ADA)
    shell.store.client.zadd(keys.PartitionKeys(at.tag).outboxes, {at.ref: 0})
    away = celery_app(Settings(redis_url="redis://127.0.0.1:1"), "test")
    sweep(shell.store, away, START)
    assert shell.store.calls.answer("rules", "test", 0, 9).wanted == (str(partition_of_athlete(CLUB, ADA)),)
    assert shell.store.calls.answer("notify", "test", 0, 9).wanted == (at.ref,)


LIFT = workout("lift", START + timedelta(hours=16), 60, activity="strength")
SPRINT = workout("run", START + timedelta(hours=18), 30, intensity="sprint")
BREAKFAST = meal("breakfast", START + timedelta(hours=8), 400, 20)
SPRINTED = "no-sprint-after-strength"


def the_advice(shell: Shell) -> AdviceRecord:
    page = shell.store.advice.page(CLUB, ADA, None, None, None, 200)
    return next(record for record in page.items if record.advice.rule == SPRINTED)


def said(shell: Shell) -> list[tuple[str, bool]]:
    name = the_advice(shell).advice.id
    return [
        (each.type, each.visible) for each in shell.store.outbox.read(CLUB, ADA) if each.advice_id == name
    ]


def test_dismissed_advice_is_not_said_again_while_it_says_the_same(shell: Shell) -> None:
    shell.go_to(SPRINT.end)
    shell.post(LIFT, SPRINT)
    before = the_advice(shell)
    shell.store.advice.feedback(CLUB, before.advice.id, "dismiss", shell.clock.instant)
    # The evidence goes and comes back as it was.
    shell.post(replace(LIFT, revision=1, data={**LIFT.data, "activity": "walk"}))
    shell.post(replace(LIFT, revision=2))
    after = the_advice(shell)
    assert (after.state, after.revision) == ("dismissed", before.revision + 2)
    assert [kind for kind, _ in said(shell)] == ["advice.issued", "advice.withdrawn"]


def test_dismissed_advice_speaks_again_when_its_evidence_makes_it_say_something_else(shell: Shell) -> None:
    shell.go_to(SPRINT.end)
    shell.post(LIFT, SPRINT)
    before = the_advice(shell)
    shell.store.advice.feedback(CLUB, before.advice.id, "dismiss", shell.clock.instant)
    shell.post(replace(LIFT, revision=1, data={**LIFT.data, "title": "Legs"}))  # says the same
    assert the_advice(shell).state == "dismissed"
    longer = workout("lift", LIFT.start, 90, revision=2, activity="strength")
    shell.post(longer)
    after = the_advice(shell)
    assert after.state == "active"
    assert "1.0 h after" in before.advice.message
    assert "0.5 h after" in after.advice.message
    assert said(shell)[-1] == ("advice.updated", True)
    # It is the new text that is open now: going and coming back it is said.
    shell.post(replace(longer, revision=3, data={**longer.data, "activity": "walk"}))
    shell.post(replace(longer, revision=4))
    assert the_advice(shell).state == "active"
    assert [kind for kind, _ in said(shell)][-2:] == ["advice.withdrawn", "advice.issued"]


def test_what_became_of_advice_is_counted_once_each(shell: Shell) -> None:
    shell.go_to(SPRINT.end)
    shell.post(LIFT, SPRINT)
    shell.post(LIFT, SPRINT)  # duplicates
    name = the_advice(shell).advice.id
    assert shell.store.advice.counts(CLUB)[SPRINTED] == {"issued": 1}
    for verdict in ("helpful", "helpful", "dismiss"):
        shell.store.advice.feedback(CLUB, name, verdict, shell.clock.instant)
    shell.post(replace(LIFT, revision=1, data={**LIFT.data, "activity": "walk"}))
    shell.post(replace(LIFT, revision=2))
    counts = shell.store.advice.counts(CLUB)[SPRINTED]
    assert counts == {"issued": 1, "helpful": 0, "dismiss": 1, "withdrawn": 1}
    shell.go_to(SPRINT.end + timedelta(hours=25))
    assert the_advice(shell).state == "expired"
    assert shell.store.advice.counts(CLUB)[SPRINTED] == counts
    assert shell.store.advice.counts("clb_other") == {}


def test_a_worker_that_finds_its_own_files_in_force_adds_nothing(shell: Shell) -> None:
    shell.reset([PACKS])
    assert install([PACKS], shell.store, START + timedelta(hours=1)) is None
    assert [generation.since for generation in shell.store.rulebook.generations()] == [None]


def test_rules_that_were_just_checked_govern_as_they_are(shell: Shell) -> None:
    shell.store.client.flushall()
    checked = install([PACKS], shell.store, START)
    [governing] = GoverningRules(shell.store).knowing(checked).current(CLUB)[0]
    assert governing.rule_set is checked


def test_of_each_verdict_the_latest_trace_is_kept_with_the_advice(shell: Shell) -> None:
    shell.reset()
    lift = workout("lift", START + timedelta(hours=16), 60, activity="strength")
    run = workout("run", START + timedelta(hours=18), 30, intensity="sprint")
    shell.go_to(run.end)
    shell.post(lift, run)
    [told] = [name for name, (rule, _) in shell.standing().items() if rule == "no-sprint-after-strength"]
    for revision in range(1, 7):  # it comes and goes three times
        activity = "swim" if revision % 2 else "strength"
        shell.post(replace(lift, revision=revision, data={**lift.data, "activity": activity}))
    shell.post(replace(run, id="gone", type="event.deleted", data={"event_id": "run"}))
    record = shell.store.advice.get(CLUB, told)
    assert record is not None
    assert record.state == "withdrawn"
    traces = shell.store.advice.traces(record)
    assert {trace.verdict for trace in traces} == {"holds", "does_not_hold", "no_anchor"}
    held = next(trace for trace in traces if trace.verdict == "holds")
    assert [each.id for each in held.events["lift"]] == ["lift"]
    assert held.events["lift"][0].revision == 6
    assert [each.held for each in held.conditions] == [True, True, True]
    assert held.conditions[0].text == "lift.found"
    missed = next(trace for trace in traces if trace.verdict == "does_not_hold")
    found = {each.text: each.held for each in missed.conditions}
    assert (found["lift.found"], found["gap_h < params.min_gap_h"]) == (False, None)
