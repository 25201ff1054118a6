"""Which keys of the store lie in which slot of a cluster, and how sixteen slots fall on its nodes?"""

import inspect
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from redis.crc import key_slot

from shared.contracts.partitions import PARTITIONS
from shared.store import keys

_SLOTS: Final = 16_384
_NO_KEYS: Final = {"athlete_ref", "split_ref", "change_of_rules"}
_OWNERS: Final[Mapping[str, object]] = {
    "an athlete, in the athlete's partition": keys.AthleteKeys("CLUB", "ATHLETE"),
    "all athletes of a partition, in it": keys.PartitionKeys("00"),
    "a subscription, in its partition": keys.LaneKeys("CLUB", "SUBSCRIPTION"),
    "all subscriptions of a partition, in it": keys.LanePartitionKeys("00"),
}


def kinds() -> dict[str, list[str]]:
    """Return the names of all keys by whose they are and whether they have a tag."""
    found: dict[str, list[str]] = defaultdict(list)
    for owner, place in _OWNERS.items():
        texts = [getattr(place, name) for name in place.__slots__ if name not in {"ref", "tag"}]  # type: ignore[attr-defined]
        flat = (each for text in texts for each in (text.values() if isinstance(text, Mapping) else [text]))
        found[owner] = _names(flat)
    for function in _functions():
        text = function(
            *("adv_00" if name == "advice_id" else _argument(name) for name in _arguments(function))
        )
        tagged = "{" in text
        found["athletes' advice and counts, in their partition" if tagged else "a club, without a tag"] += (
            _names([text])
        )
    constants = [text for name, text in vars(keys).items() if name.isupper() and isinstance(text, str)]
    found["all of Tandem, without a tag"] = sorted(constants)
    return dict(found)


def _functions() -> Iterator[Callable[..., str]]:
    for name, function in inspect.getmembers(keys, inspect.isfunction):
        if function.__module__ == keys.__name__ and name not in _NO_KEYS:
            yield function


def _arguments(function: Callable[..., str]) -> Iterable[str]:
    return inspect.signature(function).parameters


def _argument(name: str) -> str | int:
    return 0 if name == "shard" else "CLUB"


def _names(texts: Iterable[str]) -> list[str]:
    """Cut off what tells one key from the next of its kind."""
    return sorted({text.partition(":{")[0].partition(":CLUB")[0] for text in texts})


def _keys() -> Iterator[str]:
    yield "| keys of | names |"
    yield "|---|---|"
    for owner, names in kinds().items():
        yield f"| {owner} | {', '.join(f'`{name}`' for name in names)} |"


def _nodes() -> Iterator[str]:
    slots = [key_slot(f"{{{number:02x}}}".encode()) for number in range(PARTITIONS)]
    yield "| nodes | partitions on each, if slots are cut evenly | the most that one need have |"
    yield "|---|---|---|"
    for nodes in (2, 3, 4, 8, 16):
        held = Counter(slot * nodes // _SLOTS for slot in slots)
        spread = ", ".join(str(held[node]) for node in range(nodes))
        yield f"| {nodes} | {spread} | {math.ceil(PARTITIONS / nodes)} |"


PARTS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {"store keys": _keys, "nodes": _nodes}
