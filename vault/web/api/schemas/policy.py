"""The policy on the wire: what is in force, its versions, and what stands between a person and an account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from vault.domain.policy import Permission, Policy
from vault.domain.policy_changes import Difference, Way
from vault.domain.policy_version import PolicyVersion
from vault.services.explaining import Explained, GateSeen, Passage
from vault.services.policies import Compared, FileState
from vault.services.proposals import CONTENT_MAX
from vault.web.api.schemas.base import ACCOUNT_ID_PATTERN, Body, Lax, Query, QueryNumber, Resource
from vault.web.api.schemas.proposals import Proposing

PolicyText = Annotated[str, StringConstraints(min_length=1, max_length=CONTENT_MAX)]
"""A whole policy file (TOML), byte for byte: its digest is what two people agree to."""


class FileResource(Resource):
    """How the host's file stands to the version in force."""

    digest: str
    waits: bool = Field(description="Whether it says something that nobody agreed to.")
    fault: str = Field(description="Why it could not be proposed; empty where it could.")

    @classmethod
    def of(cls, state: FileState) -> FileResource:
        """Show one."""
        return cls(digest=state.digest, waits=state.waits, fault=state.fault)


class PolicyResource(Resource):
    """The version in force, as everybody may know it; reasons are at /reasons."""

    number: int
    digest: str
    permissions: dict[Permission, list[str]] = Field(description="The roles that have each permission.")
    machine_scopes: list[Permission]
    limits: dict[str, int | str]
    file: FileResource | None = Field(
        description="The host's file; null but for administrators and auditors."
    )
    fault: str | None = Field(
        description="For those: why the database is not believed; null while all is well."
    )

    @classmethod
    def of(cls, number: int, policy: Policy, file: FileState | None, fault: str | None) -> PolicyResource:
        """Show one."""
        limits = policy.limits
        names = [name for name in type(limits).__slots__ if name != "longest_age"]
        return cls(
            number=number,
            digest=policy.digest,
            permissions={each: sorted(policy.permissions[each]) for each in Permission},
            machine_scopes=sorted(policy.machine_scopes),
            limits={"longest_age_days": limits.longest_age.days}
            | {each: getattr(limits, each) for each in names},
            file=None if file is None else FileResource.of(file),
            fault=fault or None,
        )


class DifferenceResource(Resource):
    """One difference between two versions."""

    place: str
    words: str
    way: Annotated[Way, Lax]

    @classmethod
    def of(cls, difference: Difference) -> DifferenceResource:
        """Show one."""
        return cls(place=difference.place, words=difference.words, way=difference.way)


class VersionResource(Resource):
    """One version; `differences` are to the one of the number before."""

    number: int
    digest: str
    way: str = Field(description="`agreed` by two people, or `adopted` on the host.")
    proposal_id: str | None
    effective_at: datetime
    ended_at: datetime | None = Field(description="When it was withdrawn or overtaken before it counted.")

    @classmethod
    def of(cls, version: PolicyVersion) -> VersionResource:
        """Show one."""
        return cls(
            number=version.number,
            digest=version.digest,
            way=version.way,
            proposal_id=version.proposal_id,
            effective_at=version.effective_at,
            ended_at=version.ended_at,
        )


class VersionTextResource(Resource):
    """One version with its text."""

    version: VersionResource
    text: str
    differences: list[DifferenceResource] = Field(description="To the version of the number before.")


class ComparedResource(Resource):
    """A text beside the version in force."""

    digest: str
    differences: list[DifferenceResource]
    hold_seconds: int = Field(description="How long it would wait after the second word.")

    @classmethod
    def of(cls, compared: Compared) -> ComparedResource:
        """Show one."""
        return cls(
            digest=compared.digest,
            differences=[DifferenceResource.of(each) for each in compared.differences],
            hold_seconds=int(compared.hold.total_seconds()),
        )


class Comparing(Body):
    """A text to hold against the version in force."""

    text: PolicyText


class PolicyProposal(Proposing):
    """Another policy."""

    text: PolicyText


class ExplainQuery(Query):
    """For which account and reason."""

    account: Annotated[str, StringConstraints(pattern=ACCOUNT_ID_PATTERN)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    seconds: Annotated[QueryNumber, Field(ge=1, le=86_400)] | None = None
    ticket: Annotated[str, StringConstraints(max_length=64)] = ""


class GateResource(Resource):
    """One gate as it stands."""

    gate: Annotated[Passage, Lax]
    passed: bool
    code: str | None = Field(description="The code of the refusal that it would give.")
    words: str

    @classmethod
    def of(cls, seen: GateSeen) -> GateResource:
        """Show one."""
        return cls(gate=seen.gate, passed=seen.passed, code=seen.code or None, words=seen.words)


class ExplainedResource(Resource):
    """Every gate between you and an account's root for a reason, in the order in which asking goes through them."""

    account_id: str
    reason: str
    seconds: int
    open: bool = Field(description="Whether asking now would be granted, or would only wait for approvals.")
    needs: str = Field(description="Whose agreement it takes.")
    approvers: list[str] = Field(description="Names of those who may approve it now.")
    policy_number: int
    policy_hash: str
    gates: list[GateResource]

    @classmethod
    def of(cls, told: Explained) -> ExplainedResource:
        """Show one."""
        return cls(
            account_id=told.account.id,
            reason=told.reason,
            seconds=told.seconds,
            open=told.is_open,
            needs=told.needs,
            approvers=list(told.approvers),
            policy_number=told.policy_number,
            policy_hash=told.policy_hash,
            gates=[GateResource.of(each) for each in told.gates],
        )
