"""What a channel's sender is made from."""

from collections.abc import Callable
from dataclasses import dataclass

from services.notify.channels.http import Poster
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """`poster` makes guarded requests; `token` gives the unsubscribe token of a (club, athlete)."""

    settings: Settings
    poster: Poster
    token: Callable[[str, str], str]
