"""What durable_rules costs for the ten conditions: prints the CPU microseconds of one session with its facts.

    python -m tests.load.durable SESSIONS

In a process of its own, for it keeps threads and state.
"""

import sys
import time
from typing import Any

from durable.lang import m, post, ruleset, when_all

FACTS = {
    "intensity": "sprint", "lifts_24h": 1, "load_7": 900, "load_28": 4000, "runs_28": 12, "km_7": 40, "hard_7": 2,
    "protein_1": 90, "kcal_7": 9000, "days_14": 9, "sleep_7": 7,
}  # fmt: skip


def main() -> None:
    """Post sessions one after another, each of which meets the first condition, and print what one cost."""
    sessions = int(sys.argv[1])
    told = 0

    def note(_: Any) -> None:
        nonlocal told
        told += 1

    with ruleset("bench"):
        when_all((m.intensity == "sprint") & (m.lifts_24h > 0))(note)
        when_all((m.load_7 > m.load_28 * 1.5) & (m.load_28 > 1000000))(note)
        for condition in (
            m.runs_28 > 100000, m.km_7 > 100000, m.hard_7 > 10000, m.protein_1 > 100000, m.kcal_7 < 0,
            m.days_14 > 20, m.sleep_7 < 1, (m.load_7 < 0) | (m.lifts_24h > 1000),
        ):  # fmt: skip
            when_all(condition)(note)
    post("bench", FACTS | {"id": "first"})
    began = time.process_time()
    for number in range(sessions):
        post("bench", FACTS | {"id": str(number)})
    took = time.process_time() - began
    if told != sessions + 1:
        raise RuntimeError(f"{told} of {sessions + 1} sessions were told of")
    print(took * 1e6 / sessions)  # noqa: T201


if __name__ == "__main__":
    main()
