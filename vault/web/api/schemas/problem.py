"""What every refusal looks like: RFC 9457 problem details with a stable `code`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from vault.web.api.schemas.base import Resource


class Place(Resource):
    """One invalid place of the input."""

    pointer: str = Field(description="JSON pointer (RFC 6901); `/name` for a query parameter.")
    detail: str


class Problem(BaseModel):
    """Why it was refused and what to do next; facts such as holder and until stand beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Place] | None = None
    request_id: str | None = None
