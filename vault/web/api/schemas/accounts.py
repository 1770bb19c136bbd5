"""Accounts and what is known of their credentials, on the wire: never a value of one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.checkout import CheckoutState
from vault.domain.credential import (
    Due,
    PartKind,
    PartState,
    Version,
    VersionLabel,
    VersionOrigin,
    offers,
)
from vault.domain.health import CredentialHealth
from vault.domain.reason import Situation
from vault.services.accounts import AccountFacts, AccountView, CredentialView, PartView
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Lax,
    Line,
    PageQuery,
    PersonName,
    Resource,
    SecretText,
)
from vault.web.api.schemas.rotations import RotationResource
from vault.web.api.schemas.upkeep import CredentialHealthResource


class AccountQuery(PageQuery):
    """Which accounts."""

    q: Line | None = Field(default=None, description="Text in the number, the name or the root e-mail.")
    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    state: Custody | None = None
    model: Model | None = None
    kind: Kind | None = None


class NewAccount(Body):
    """An account to register."""

    account_id: AccountId
    name: Line
    customer_id: Line = Field(description="The customer's id, or its DDI.")
    model: Annotated[Model, Lax]
    kind: Annotated[Kind, Lax]
    root_email: Line
    mailbox: Annotated[Custodian, Lax] | None = None
    phone: Annotated[Custodian, Lax] | None = None
    is_new: bool = Field(
        default=False, description="It was made at AWS for the customer, and not transferred (A4)."
    )

    def facts(self) -> AccountFacts:
        """Give what the service takes."""
        return AccountFacts(self.name, self.root_email, self.mailbox, self.phone)


class AccountChange(Body):
    """What to change; what is left out stays."""

    name: Line | None = None
    root_email: Line | None = None
    mailbox: Annotated[Custodian, Lax] | None = None
    phone: Annotated[Custodian, Lax] | None = None

    def facts(self) -> AccountFacts:
        """Give what the service takes."""
        return AccountFacts(self.name, self.root_email, self.mailbox, self.phone)


class Intake(Body):
    """Existing values to take into custody while onboarding (C4)."""

    root_email: Line
    password: SecretText = Field(description="As it is; due for rotation at once.")
    totp_seed: SecretText = Field(description="Base32, or the otpauth URI.")
    attested: bool = Field(description="True says that both were seen to work.")
    otp: SecretText = Field(description="A fresh code of your own second factor.")
    access_key_id: SecretText | None = Field(default=None, description="Never accepted (C3).")
    secret_access_key: SecretText | None = Field(default=None, description="Never accepted (C3).")


class PartResource(Resource):
    """One part of a credential: what is known of it, not what it is."""

    part: PartKind
    state: PartState
    version: int | None = Field(description="Number of the current version.")
    due: list[Due] = Field(description="Why it is due for rotation; empty while it is not.")
    unverified: bool = Field(description="Its latest rotation was accepted and is not proven yet.")

    @classmethod
    def of(cls, view: PartView) -> PartResource:
        """Show one."""
        return cls(
            part=view.part.kind,
            state=view.part.state,
            version=None if view.current is None else view.current.number,
            due=list(view.due),
            unverified=view.unverified,
        )


class ClaimResource(Resource):
    """Who has the account now."""

    id: str
    holder: PersonName
    until: datetime
    state: CheckoutState


class AccountResource(Resource):
    """An AWS account and where its custody stands."""

    account_id: str
    customer_id: str
    name: str
    model: Model
    kind: Kind
    state: Custody
    situation: Situation = Field(description="Which reasons open it now; see /reasons.")
    root_email: str
    mailbox: Custodian
    phone: Custodian
    parts: list[PartResource]
    checkout: ClaimResource | None = Field(description="The open checkout.")
    split_custody: bool = Field(description="Whether password and codes go to two people, for it alone (C8).")
    is_new: bool = Field(description="It was made at AWS for its customer, and not transferred (A4).")
    missing: list[Literal["rotation", "review"]] = Field(
        description="What has to be done before it is free: a rotation, the review of a broken glass."
    )
    unreviewed: list[str] = Field(description="Checkouts that broke the glass and wait for their review.")
    created_at: datetime
    held_since: datetime | None

    @classmethod
    def of(cls, view: AccountView) -> AccountResource:
        """Show one."""
        account = view.account
        return cls(
            account_id=account.id,
            customer_id=account.customer_id,
            name=account.name,
            model=account.model,
            kind=account.kind,
            state=account.custody,
            situation=view.situation,
            root_email=account.root_email,
            mailbox=account.mailbox,
            phone=account.phone,
            parts=[PartResource.of(part) for part in view.parts],
            checkout=_claim(view),
            split_custody=account.split_custody,
            is_new=account.is_new,
            missing=list(view.missing),
            unreviewed=[each.id for each in view.unreviewed],
            created_at=account.created_at,
            held_since=account.held_since,
        )


class VersionResource(Resource):
    """One immutable sealed version, by its number and its envelope's hash."""

    part: PartKind
    version: int
    label: VersionLabel
    origin: VersionOrigin
    sha256: str
    created_at: datetime
    current_since: datetime | None
    disclosed_at: datetime | None

    @classmethod
    def of(cls, version: Version) -> VersionResource:
        """Show one."""
        return cls(
            part=version.kind,
            version=version.number,
            label=version.label,
            origin=version.origin,
            sha256=version.sha256,
            created_at=version.created_at,
            current_since=version.current_since,
            disclosed_at=version.disclosed_at,
        )


class OfferResource(Resource):
    """A version that opens under a lease."""

    part: PartKind
    version: int
    label: VersionLabel = Field(description="What to ask for at /password and /code.")


class CredentialResource(Resource):
    """All of a credential but its values."""

    account_id: str
    state: Custody
    situation: Situation
    parts: list[PartResource]
    versions: list[VersionResource]
    offers: list[OfferResource] = Field(
        description="What opens under a lease, of each part in the order in which to try it at AWS."
    )
    rotations: list[RotationResource]
    health: CredentialHealthResource

    @classmethod
    def of(cls, found: CredentialView, health: CredentialHealth) -> CredentialResource:
        """Show one."""
        return cls(
            account_id=found.view.account.id,
            state=found.view.account.custody,
            situation=found.view.situation,
            parts=[PartResource.of(part) for part in found.view.parts],
            versions=[VersionResource.of(version) for version in found.versions],
            offers=[
                OfferResource(part=version.kind, version=version.number, label=version.label)
                for part in found.view.parts
                for version in offers(part.part, found.versions, unverified=part.unverified)
            ],
            rotations=[RotationResource.of(rotation) for rotation in found.rotations],
            health=CredentialHealthResource.of(health),
        )


def _claim(view: AccountView) -> ClaimResource | None:
    claim = view.claim
    if claim is None or view.claim_state is None or view.claim_state is not claim.state:
        return None
    return ClaimResource(
        id=claim.id,
        holder=PersonName(id=claim.requester_id, name=claim.requester_name),
        until=claim.expires_at or claim.use_by or claim.decide_by,
        state=claim.state,
    )
