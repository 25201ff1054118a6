"""What is worked out of a rule stays with it, and goes with it."""

import gc
from datetime import time

from services.rules.engine.advise import advise
from services.rules.engine.once import once
from services.rules.language.model import Daily, Each, Rule
from tests.rules.engine.diary import ANN, at, run
from tests.rules.engine.rulebooks import TODAY, count, rule, rulebook


def test_work_is_done_once_a_rule() -> None:
    done = []

    @once
    def work(of: Rule) -> str:
        done.append(of.id)
        return f"about {of.id}"

    one, other = rule("one", Each("meal.logged")), rule("other", Each("meal.logged"))
    assert [work(one), work(other), work(one)] == ["about one", "about other", "about one"]
    assert done == ["one", "other"]


def test_a_rule_that_no_club_has_any_more_is_let_go() -> None:
    facts = [count("n", "workout.completed", TODAY)]
    book = rulebook(
        rule("gone-each", Each("workout.completed"), "n > params.least", facts=facts, params={"least": 0.0}),
        rule("gone-daily", Daily(time(8))),
    )
    assert advise(book, ANN, [run("2026-03-02T09:00Z")], at("2026-03-02T10:00Z")).active
    del book
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Rule) and each.id.startswith("gone-")]
