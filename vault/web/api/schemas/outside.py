"""Places outside and published checkpoints on the wire."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from vault.domain.outlet import Published
from vault.services.places import PROVES, Place, PlaceKind, PlaceState, Standing
from vault.web.api.schemas.base import Resource


class OutletResource(Resource):
    """One place outside."""

    name: str
    kind: PlaceKind
    state: PlaceState
    proves: str
    counts: bool = Field(description="Whether disclosures go on as long as this one confirms.")
    position: int = Field(description="So many entries, from the first, are known to be there.")
    lag: int
    confirmed_at: dt.datetime | None
    failing_since: dt.datetime | None
    tries: int
    next_at: dt.datetime | None
    error: str | None = Field(description="What the place said last; not to be trusted.")
    vkey: str | None = Field(
        description="A witness's public key, as this vault was given it; compare it with what the witness says."
    )

    @classmethod
    def of(cls, place: Place) -> OutletResource:
        """Show a place."""
        outlet = place.outlet
        return cls(
            name=outlet.name,
            kind=place.kind,
            state=place.state,
            proves=PROVES[place.kind],
            counts=place.counts,
            position=outlet.position,
            lag=place.lag,
            confirmed_at=outlet.confirmed_at,
            failing_since=outlet.failing_since,
            tries=outlet.tries,
            next_at=outlet.next_at,
            error=outlet.error,
            vkey=place.vkey,
        )


class StandingResource(Resource):
    """How the log stands outside."""

    size: int
    unconfirmed_since: dt.datetime | None = Field(
        description="Time of the oldest entry that no place confirmed; null where there is none, or none is asked."
    )
    stopped_since: dt.datetime | None = Field(description="Since when nothing is disclosed for that reason.")
    items: list[OutletResource]

    @classmethod
    def of(cls, standing: Standing) -> StandingResource:
        """Show how the log stands."""
        return cls(
            size=standing.size,
            unconfirmed_since=standing.unconfirmed_since,
            stopped_since=standing.stopped_since,
            items=[OutletResource.of(place) for place in standing.places],
        )


class PublishedResource(Resource):
    """A checkpoint that left the house."""

    size: int
    published_at: dt.datetime
    note: str = Field(
        description="The signed note (C2SP tlog-checkpoint), with every signature it collected."
    )

    @classmethod
    def of(cls, published: Published) -> PublishedResource:
        """Show a checkpoint."""
        return cls(size=published.size, published_at=published.published_at, note=published.note)
