"""What hangs on a rule alone: worked out when it is first asked for, and kept with the rule as long as that lives."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar


class Keeping(Protocol):
    """A rule, or rules that share their anchors."""

    @property
    def worked_out(self) -> dict[object, Any]:
        """What was worked out of it, by what did."""


Of = TypeVar("Of", bound=Keeping)
Found = TypeVar("Found")


def once(work: Callable[[Of], Found]) -> Callable[[Of], Found]:
    """Return `work` so that it is done once for each object. It must find something, and the same every time.

    A cache of its own would keep compiled rules alive, half a megabyte each, that no club has any more.
    """

    def found(of: Of) -> Found:
        kept: Found | None = of.worked_out.get(work)
        if kept is None:
            kept = of.worked_out[work] = work(of)
        return kept

    return found
