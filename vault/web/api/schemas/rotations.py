"""Rotations on the wire: plan, display, attest, verify."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from vault.domain.credential import PartKind
from vault.domain.rotation import Evidence, Outcome, Rotation, RotationState
from vault.ports.proofs import UnverifiedFilter
from vault.services.proving import Waiting
from vault.services.rotations import Displayed, ShownCode
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Lax,
    Line,
    PageQuery,
    ReceiptResource,
    Resource,
    SecretText,
    Words,
)

_NEXT: Final[dict[RotationState, str]] = {
    RotationState.PLANNED: "Display it, set it at AWS, then attest what AWS said; or abandon it.",
    RotationState.DISPLAYED: "Attest what AWS said: accepted, refused or unknown.",
    RotationState.ACCEPTED: "Wait for AWS's records; or have a colleague verify it, or use it later and verify it.",
    RotationState.VERIFIED: "Nothing: proven, and what came before is retired.",
    RotationState.ABANDONED: "Nothing: nobody saw the value. Plan a new one if it is still needed.",
    RotationState.REFUSED: "Nothing: the value before stays. Plan a new one if it is still needed.",
    RotationState.UNKNOWN: "Check the account out, try which value works, and attest accepted or refused.",
}


class NewRotation(Body):
    """Which part to change: a password is made here, a seed is what AWS shows."""

    part: Annotated[PartKind, Lax]
    seed: SecretText | None = Field(
        default=None, description="For `mfa`: the secret key that AWS shows, or its otpauth URI."
    )


class Attestation(Body):
    """What AWS did with the displayed value."""

    outcome: Annotated[Outcome, Lax]


class Verification(Body):
    """What proves the new value."""

    evidence: Words


class RotationResource(Resource):
    """One attempt to change one part; it belongs to the account."""

    id: str
    account_id: str
    part: PartKind
    version: int
    state: RotationState
    checkout_id: str
    planned_by: str
    planned_at: datetime
    displayed_by: str | None
    displayed_at: datetime | None
    attested_by: str | None
    attested_at: datetime | None
    verified_by: str | None
    verified_at: datetime | None
    evidence: Evidence | None
    evidence_note: str | None = Field(
        description="What proved it, in words; of a record of AWS's its source, event, time and id."
    )
    next: str = Field(description="What to do next.")

    @classmethod
    def of(cls, rotation: Rotation) -> RotationResource:
        """Show one."""
        return cls(
            id=rotation.id,
            account_id=rotation.account_id,
            part=rotation.kind,
            version=rotation.version,
            state=rotation.state,
            checkout_id=rotation.checkout_id,
            planned_by=rotation.planned_by,
            planned_at=rotation.planned_at,
            displayed_by=rotation.displayed_by,
            displayed_at=rotation.displayed_at,
            attested_by=rotation.attested_by,
            attested_at=rotation.attested_at,
            verified_by=rotation.verified_by,
            verified_at=rotation.verified_at,
            evidence=rotation.evidence,
            evidence_note=rotation.evidence_note,
            next=_NEXT[rotation.state],
        )


class RotationQuery(PageQuery):
    """Which rotations that wait for their proof: the oldest first."""

    state: Literal["unverified"] = Field(
        default="unverified",
        description="What is listed: what AWS is said to have taken, and nothing proved yet.",
    )
    account_id: AccountId | None = None
    customer_id: Line | None = None
    part: PartKind | None = None
    overdue: bool = Field(default=False, description="Only those that wait longer than the vault's limit.")

    def wanted(self, before: datetime) -> UnverifiedFilter:
        """Give what the service takes."""
        late = before if self.overdue else None
        return UnverifiedFilter(self.account_id, self.customer_id, self.part, late)


class WaitingRotation(RotationResource):
    """A rotation that waits for its proof."""

    account_name: str
    customer_id: str
    waiting_seconds: int = Field(description="Since AWS was said to have taken the value.")
    overdue: bool = Field(description="Longer than the vault's limit (`upkeep.unverified_days`).")

    @classmethod
    def of_one(cls, waiting: Waiting, now: datetime) -> WaitingRotation:
        """Show one."""
        return cls(
            **RotationResource.of(waiting.rotation).model_dump(),
            account_name=waiting.account.name,
            customer_id=waiting.account.customer_id,
            waiting_seconds=int((now - waiting.since).total_seconds()),
            overdue=waiting.is_overdue,
        )


class ShownCodeResource(Resource):
    """One of two consecutive codes."""

    code: SecretText
    valid_from: datetime
    valid_until: datetime
    seconds_left: int = Field(description="Until `valid_until`, when this was answered.")

    @classmethod
    def of(cls, shown: ShownCode, now: datetime) -> ShownCodeResource:
        """Show one."""
        left = max(0, int((shown.valid_until - now).total_seconds()))
        return cls(
            code=shown.code, valid_from=shown.valid_from, valid_until=shown.valid_until, seconds_left=left
        )


class DisplayedPassword(Resource):
    """A staged password on its way to AWS."""

    password: SecretText
    version: int
    state: RotationState
    next: str = Field(description="What to do next.")
    receipt: ReceiptResource


class DisplayedCodes(Resource):
    """Two consecutive codes of a staged seed, as AWS asks for them when a device is enrolled."""

    codes: Annotated[list[ShownCodeResource], Field(min_length=2, max_length=2)]
    version: int
    state: RotationState
    next: str = Field(description="What to do next.")
    receipt: ReceiptResource


def displayed(shown: Displayed, now: datetime) -> DisplayedPassword | DisplayedCodes:
    """Show a staged value, as its part asks for."""
    rotation, receipt = shown.rotation, ReceiptResource.of(shown.receipt)
    words = _NEXT[rotation.state]
    if shown.password is not None:
        return DisplayedPassword(
            password=shown.password,
            version=rotation.version,
            state=rotation.state,
            next=words,
            receipt=receipt,
        )
    codes = [ShownCodeResource.of(code, now) for code in shown.codes]
    return DisplayedCodes(
        codes=codes, version=rotation.version, state=rotation.state, next=words, receipt=receipt
    )
