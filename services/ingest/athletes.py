"""Athletes' profiles over HTTP."""

from typing import Any

from services.ingest.auth import caller
from services.ingest.operations import PageSchema, Resource, Takes, operation, page_of
from services.ingest.parts import parts
from services.ingest.problems import not_found
from services.ingest.tracing import note
from shared.contracts.athlete_schema import AthleteSchema, read_athlete
from shared.contracts.athletes import Athlete
from shared.contracts.partitions import partition_of_athlete
from shared.store.pages import Page

resource = Resource("athletes", __name__, description="Who the advice is for")


@operation(
    resource,
    "/v1/athletes/<athlete>",
    method="PUT",
    scope="events:write",
    takes=Takes(body=AthleteSchema),
    answers=(200, AthleteSchema),
    also=(201,),
)
def put_athlete(found: dict[str, Any], athlete: str) -> tuple[Athlete, int]:
    """Create or replace a profile.

    What is left out is forgotten. A changed time zone holds from now on; the days before keep theirs.
    201 the first time.
    """
    club = caller().club
    now = parts().clock.now()
    kept, created = parts().store.athletes.put(read_athlete(club, athlete, found, now), now)
    parts().wake.evaluate(parts().store.calls.ask("rules", [str(partition_of_athlete(club, athlete))]))
    note(athlete=athlete)
    return kept, 201 if created else 200


@operation(
    resource, "/v1/athletes/<athlete>", scope="advice:read", answers=(200, AthleteSchema), errors=(404,)
)
def get_athlete(athlete: str) -> Athlete:
    """Read a profile."""
    profile = parts().store.athletes.get(caller().club, athlete)
    if profile is None:
        raise not_found("profile of an athlete", athlete)
    return profile


@operation(
    resource,
    "/v1/athletes",
    scope="advice:read",
    takes=Takes(query=PageSchema),
    answers=(200, page_of(AthleteSchema)),
)
def list_athletes(page: dict[str, Any]) -> Page[Athlete]:
    """List profiles, by athlete id."""
    return parts().store.athletes.page(caller().club, page["cursor"], page["limit"])
