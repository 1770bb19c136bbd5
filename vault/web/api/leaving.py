"""Leavers and recoveries: what is left to rotate after somebody left, and how somebody comes in again (S19)."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.proposals import shown
from vault.web.api.routes import operation
from vault.web.api.schemas.leaving import LeaverQuery, LeaverResource, RecoveryLinkResource, TakeLink
from vault.web.api.schemas.proposals import ProposalResource, Proposing
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/people/<person_id>/leaver", SIGNED_IN, problems={422: ("cursor.invalid",)})
def read_leaver(person_id: str, sent: LeaverQuery) -> LeaverResource:
    """Tell what a person knew when they were shut out, and what became of each value.

    For administrators and auditors, of accounts within their reach. Machines' tokens that the person made are named:
    they run on until somebody ends them.
    """
    part = Slice(sent.limit, sent.cursor)
    found = the_vault().leavers.progress(actor(), person_id, part, is_open=sent.state == "open")
    return LeaverResource.of(found)


@operation(
    "POST",
    "/people/<person_id>/recovery",
    Permission.PEOPLE_MANAGE,
    creates="/proposals/{id}",
    problems={
        401: ("auth.refused",),
        403: ("policy.second_person",),
        409: ("person.state", "proposal.exists", "otp.used"),
        429: ("auth.delayed",),
    },
)
def propose_recovery(person_id: str, sent: Proposing) -> ProposalResource:
    """Propose that a person enrols again; it counts once another administrator agreed and the hold is over.

    Until they have enrolled, what they had counts on. Who was shut out comes back without any role.
    """
    return shown(the_vault().recovery.propose(actor(), person_id, sent.why, sent.otp.expose()))


@operation(
    "POST",
    "/people/<person_id>/recovery/link",
    Permission.PEOPLE_MANAGE,
    problems={
        401: ("auth.refused",),
        409: ("person.state", "approval.changed", "otp.used"),
        429: ("auth.delayed",),
    },
)
def take_recovery_link(person_id: str, sent: TakeLink) -> RecoveryLinkResource:
    """Take the enrolment token of a recovery, as one of the two who agreed; one taken before is dead."""
    return RecoveryLinkResource.of(the_vault().recovery.link(actor(), person_id, sent.otp.expose()))
