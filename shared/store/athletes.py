"""Athletes' profiles, with the zones they have lived in and since when."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import redis

from shared.contracts.athletes import Athlete, ZoneChange
from shared.store import keys
from shared.store.codec import decode, encode
from shared.store.errors import store_errors
from shared.store.line import Line
from shared.store.pages import Page
from shared.store.scripts import Scripts


class Athletes:
    """Profiles. A change of profile is a change of evidence: it marks the athlete for evaluation."""

    def __init__(self, client: redis.Redis, line: Line, scripts: Scripts) -> None:
        self._client = client
        self._line = line
        self._scripts = scripts

    def put(self, athlete: Athlete, now: datetime) -> tuple[Athlete, bool]:
        """Replace the profile; the last of `athlete.zones` is where the athlete lives from `now` on.

        Return the profile as kept, with its zone history, and whether the athlete had none before.
        """
        place = keys.AthleteKeys(athlete.club, athlete.id)
        index = keys.PartitionKeys(place.tag)
        while True:
            with store_errors():
                found = self._client.get(place.profile)
            known = None if found is None else decode(str(found), Athlete)
            kept = replace(athlete, zones=_zones(known, athlete.zones[-1].timezone, now))
            written = self._scripts.run(
                "put_profile",
                [place.profile, place.meta, index.dirty, index.waiting, index.turns, place.news],
                [place.ref, str(found or ""), encode(kept)],
            )
            if written:
                with store_errors():
                    self._client.zadd(keys.club_athletes(athlete.club), {athlete.id: 0})
                return kept, known is None

    def change(self, athlete: Athlete, now: datetime) -> Athlete:
        """`put` for a profile that was read and changed in part."""
        return self.put(athlete, now)[0]

    def get(self, club: str, athlete: str) -> Athlete | None:
        """Return the profile, or None when none was ever put."""
        return self.get_many([(club, athlete)]).get((club, athlete))

    def get_many(self, athletes: Collection[tuple[str, str]]) -> dict[tuple[str, str], Athlete]:
        """Return those profiles of several (club, athlete) that there are, in one round trip."""
        if not athletes:
            return {}
        found = self._line.ask([("GET", keys.AthleteKeys(*athlete).profile) for athlete in athletes])
        return {
            name: decode(text, Athlete)
            for name, text in zip(athletes, found, strict=True)
            if text is not None
        }

    def page(self, club: str, cursor: str | None, limit: int) -> Page[Athlete]:
        """Return up to `limit` profiles by athlete id, after the id that `cursor` names."""
        start = "-" if cursor is None else f"({cursor}"
        with store_errors():
            names = [
                str(name)
                for name in self._client.zrangebylex(
                    keys.club_athletes(club), start, "+", start=0, num=limit + 1
                )
            ]
            pipeline = self._client.pipeline(transaction=False)
            for name in names[:limit]:
                pipeline.get(keys.AthleteKeys(club, name).profile)
            found = pipeline.execute()
        profiles = tuple(decode(str(text), Athlete) for text in found if text is not None)
        return Page(profiles, names[limit - 1] if len(names) > limit else None)


def _zones(known: Athlete | None, timezone: str, now: datetime) -> tuple[ZoneChange, ...]:
    if known is None:
        return (ZoneChange(None, timezone),)
    if known.zones[-1].timezone == timezone:
        return known.zones
    # A second change at the same instant replaces the first: it never was in force.
    earlier = tuple(zone for zone in known.zones if zone.since is None or zone.since < now)
    return (*earlier, ZoneChange(now, timezone))
