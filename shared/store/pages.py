"""What a list answers with: some items, and where to go on."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_LONGEST = 9  # digits


class BadCursorError(ValueError):
    """The cursor was not made by the list it was given to."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_cursor` is None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


def offset_of(cursor: str | None) -> int:
    """Return the position that a counting list's cursor names; raise `BadCursorError` for any other text."""
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > _LONGEST:
        raise BadCursorError("cursor is not one that this list gave out")
    return int(cursor)
