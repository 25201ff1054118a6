"""What a field can hold at all, and whether any of it meets several bounds at once."""

from collections.abc import Sequence
from typing import Any

from services.rules.language.model import Condition
from shared.contracts.events import Field


def never(value: float | str, spec: Field) -> bool:
    """Whether a number lies outside what the field can hold."""
    low, high = spec.minimum, spec.maximum
    return (
        isinstance(value, int | float) and low is not None and high is not None and not low <= value <= high
    )


def allowed(spec: Field) -> str:
    """Return what a field of numbers can hold, for a hint; nothing for a field without ends."""
    ends = spec.minimum is not None and spec.maximum is not None
    return f"allowed: {spec.minimum:,.0f} to {spec.maximum:,.0f}" if ends else ""


def leaves_room(bounds: Sequence[Condition], spec: Field) -> bool:
    """Whether a value that the field can hold meets all the bounds."""
    over: list[tuple[Any, bool]] = [(spec.minimum, False)] if spec.minimum is not None else []
    under: list[tuple[Any, bool]] = [(spec.maximum, False)] if spec.maximum is not None else []
    over += [(each.value, each.operator == "gt") for each in bounds if each.operator in {"gt", "gte"}]
    under += [(each.value, each.operator == "lt") for each in bounds if each.operator in {"lt", "lte"}]
    refused = [each.value for each in bounds if each.operator == "ne"]
    return not any(
        low > high or (low == high and (open_below or open_above or low in refused))
        for low, open_below in over
        for high, open_above in under
    )
