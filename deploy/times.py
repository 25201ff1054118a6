"""How a time is written on the command line."""

from datetime import UTC, datetime
from typing import Any

import click


class Instant(click.ParamType[datetime]):
    """RFC 3339 with an offset, or with `days` a day, which begins at midnight UTC."""

    name = "time"

    def __init__(self, *, days: bool = False) -> None:
        self._days = days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 - click's signature
        """Return the instant in UTC, or fail with what may be written."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            found = None
        a_day = found is not None and self._days and len(value) == len("2026-03-02")
        if found is None or (found.tzinfo is None and not a_day):
            wanted = "a day, such as 2026-03-02, or a time" if self._days else "a time"
            self.fail(
                f"{value!r} is not {wanted} with its offset, such as 2026-03-02T20:00+01:00", param, ctx
            )
        return found.replace(tzinfo=UTC) if a_day else found.astimezone(UTC)
