"""A copy of the log on the wire: what is asked for, and how one that was cut off goes on."""

from __future__ import annotations

import base64
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from vault.domain.event import Result
from vault.ports.store import EntryFilter
from vault.services.exports import Format, Wish
from vault.web.api.schemas.base import AccountId, Body, Lax, Line, QueryTime, Words

_MOST: Final = 2**53 - 1
_OUTCOMES: Final = f"^({'|'.join(Result)})(,({'|'.join(Result)}))*$"


class NewExport(Body):
    """A copy of the log to take along; a filter is for all formats but `bundle`, times are half open as in the list.

    One that was cut off goes on with the same request and two members more: `after`, the index of the last
    entry that arrived (for a bundle `offset`, the bytes), and as `checkpoint` the first answer's header
    `Rootvault-Checkpoint` (as it is, or decoded from base64), or at least `until_size`, its `Rootvault-Size`.
    """

    format: Annotated[Format, Lax]
    account_id: AccountId | None = None
    actor: Line | None = None
    checkout_id: Line | None = None
    type: Line | None = Field(default=None, description="As in the list: one, or several parted by commas.")
    without: Line | None = Field(default=None, description="As in the list: types that are left out.")
    outcome: Annotated[str, StringConstraints(pattern=_OUTCOMES)] | None = Field(
        default=None, description="As in the list: one, or several parted by commas."
    )
    reason: Line | None = None
    ticket: Line | None = None
    since: QueryTime | None = None
    until: QueryTime | None = None
    q: Line | None = None
    proofs: bool = Field(
        default=False, description="A tar: the lines, and beside them a proof for each entry."
    )
    after: int | None = Field(default=None, ge=0, le=_MOST, description="The last index that arrived.")
    offset: int | None = Field(
        default=None, ge=0, le=_MOST, description="Of a bundle, the bytes that arrived."
    )
    until_size: int | None = Field(default=None, ge=1, le=_MOST, description="Only entries below this index.")
    checkpoint: Words | None = Field(
        default=None, description="What the copy is proven under: the header's base64, or the text."
    )
    limit: int | None = Field(default=None, ge=1, le=1_000_000, description="At most so many entries.")

    def wish(self) -> Wish:
        """Give what the service takes."""
        wanted = EntryFilter(
            account_id=self.account_id,
            actor_id=self.actor,
            checkout_id=self.checkout_id,
            types=_several(self.type),
            not_types=_several(self.without),
            outcomes=_several(self.outcome),
            reason=self.reason,
            ticket=self.ticket,
            since=self.since,
            until=self.until,
            text=self.q,
        )
        return Wish(
            self.format,
            wanted,
            proofs=self.proofs,
            after=-1 if self.after is None else self.after,
            offset=self.offset or 0,
            until_size=self.until_size,
            checkpoint=None if self.checkpoint is None else _checkpoint(self.checkpoint),
            limit=self.limit,
        )


def _several(names: str | None) -> tuple[str, ...]:
    return tuple(name for name in (names or "").split(",") if name)


def _checkpoint(sent: str) -> str:
    """Read a checkpoint that is sent as its text, or in base64 as the header has it; a shell eats line ends."""
    text = sent.strip()
    if "\n" not in text:
        try:
            text = base64.b64decode(text, validate=True).decode("utf-8").strip()
        except ValueError:
            return sent
    return f"{text}\n"
