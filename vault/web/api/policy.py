"""The policy: what is in force, its versions, proposing another, and why something is not open to you."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.services.policies import between
from vault.web.api.proposals import shown
from vault.web.api.routes import operation
from vault.web.api.schemas.base import Items, PageQuery
from vault.web.api.schemas.policy import (
    ComparedResource,
    Comparing,
    DifferenceResource,
    ExplainedResource,
    ExplainQuery,
    PolicyProposal,
    PolicyResource,
    VersionResource,
    VersionTextResource,
)
from vault.web.api.schemas.proposals import ProposalResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/policy", SIGNED_IN)
def read_policy_in_force() -> PolicyResource:
    """Say which version is in force, and who may do what."""
    vault = the_vault()
    reads = vault.policies.may_read(actor())
    file = vault.policies.file_state() if reads else None
    return PolicyResource.of(vault.book.number, vault.policy, file, vault.book.fault if reads else None)


@operation("GET", "/policy/explain", SIGNED_IN, problems={404: ("not_found",)})
def explain(sent: ExplainQuery) -> ExplainedResource:
    """Say what stands between you and an account's root for a reason, gate by gate; nothing is asked for."""
    told = the_vault().explaining.explain(actor(), sent.account, sent.reason, sent.seconds, sent.ticket)
    return ExplainedResource.of(told)


@operation("GET", "/policy/versions", SIGNED_IN, problems={403: ("policy.denied",), 422: ("cursor.invalid",)})
def list_policy_versions(sent: PageQuery) -> Items[VersionResource]:
    """List the versions, newest first, for administrators and auditors."""
    page = the_vault().policies.page(actor(), Slice(sent.limit, sent.cursor))
    return Items[VersionResource](items=[VersionResource.of(each) for each in page.items], next=page.next)


@operation("GET", "/policy/versions/<digest>", SIGNED_IN, problems={403: ("policy.denied",)})
def read_policy_version(digest: str) -> VersionTextResource:
    """Read a version's text, and how it differs from the one before, for administrators and auditors."""
    version, before = the_vault().policies.version(actor(), digest)
    return VersionTextResource(
        version=VersionResource.of(version),
        text=version.text,
        differences=[DifferenceResource.of(each) for each in between(before, version)],
    )


@operation("POST", "/policy/compare", Permission.POLICY_MANAGE, problems={422: ("policy.invalid",)})
def compare_policy(sent: Comparing) -> ComparedResource:
    """Hold a text against the version in force: each difference, and the hold that would follow; nothing is kept."""
    return ComparedResource.of(the_vault().policies.compare(actor(), sent.text))


@operation(
    "POST",
    "/policy/proposals",
    Permission.POLICY_MANAGE,
    creates="/proposals/{id}",
    problems={
        401: ("auth.refused",),
        409: ("proposal.exists", "proposal.state", "otp.used", "concurrent.change"),
        422: ("policy.invalid",),
        429: ("auth.delayed",),
    },
)
def propose_policy(sent: PolicyProposal) -> ProposalResource:
    """Propose another policy, with a fresh second factor; another administrator agrees to exactly this text."""
    return shown(the_vault().policies.propose(actor(), sent.text, sent.why, sent.otp.expose()))
