"""The recovery recipient, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from vault.services.recipients import RecipientState
from vault.web.api.schemas.base import Resource
from vault.web.api.schemas.proposals import Proposing


class NewRecipient(Proposing):
    """Whom every data key shall be wrapped for, so that shares kept offline open a backup."""

    recipient: Annotated[str, StringConstraints(min_length=4, max_length=80, pattern="^[a-z0-9]+$")] = Field(
        description="An age recipient, as `rootvault recovery new` prints it; `none` for nobody."
    )


class HeldRecipient(Resource):
    """One that was agreed to and waits out its hold."""

    recipient: str = Field(description="Empty for nobody.")
    effective_at: datetime


class RecipientResource(Resource):
    """Whom data keys are wrapped for now, and how many sealed values name it."""

    recipient: str = Field(description="The one in force, as the log proves it; empty where there is none.")
    held: list[HeldRecipient]
    versions: int = Field(description="All sealed values that are not destroyed.")
    wrapped: int = Field(
        description="Those with a wrap that names it. That it opens, three shares alone can tell."
    )
    fault: str = Field(description="Why the database is not believed about it; empty while all is well.")

    @classmethod
    def of(cls, state: RecipientState) -> RecipientResource:
        """Show the state."""
        held = [
            HeldRecipient(recipient=each.recipient, effective_at=each.effective_at) for each in state.held
        ]
        return cls(
            recipient=state.recipient,
            held=held,
            versions=state.versions,
            wrapped=state.wrapped,
            fault=state.fault,
        )
