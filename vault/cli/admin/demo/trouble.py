"""Trouble, as it comes: a broken glass and its review, everything frozen, and somebody who leaves.

Each is played by the same use cases as on the pages, and each ends as it should: with the account free again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.cli.admin.demo.stage import refused
from vault.domain.actor import Role, Scope
from vault.domain.checkout import CheckoutState, Verdict
from vault.domain.credential import PartKind
from vault.ports.store import Slice
from vault.services.asking import Ask

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.cli.admin.demo.cast import Cast, Player
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.stage import Stage
    from vault.cli.admin.demo.world import Ground

TICKET: Final = "RV-2090"
NIGHT: Final = "Its root signs in from a place that nobody knows; the approvers do not answer at night."


def enable(vault: Vault, stage: Stage, cast: Cast) -> None:
    """Let two administrators enable an operator, before anything is held, so that no hold is waited out."""
    first, second = cast.of(Role.ADMIN), cast.of(Role.ADMIN, 1)
    who = cast.of(Role.OPERATOR)
    with stage.step(f"{who.part.name} is enabled to break the glass, by two administrators") as told:
        person = who.actor(vault).id
        why = "On call for emergencies, at night and on holidays."
        made = vault.glass.enable(first.actor(vault), person, Scope(), why, first.code())
        vault.proposals.confirm(second.actor(vault), made.id, second.code())
        told("proposed by one, agreed to by the other")


def break_glass(act: Act, who: Player, holder: Player, ground: Ground) -> None:
    """Break the glass over somebody's lease; rotate and review what was opened."""
    vault, stage = act.vault, act.stage
    held = act.lease(holder, ground, "CRED_ROTATE", "Rotate it because of its age.")
    with stage.step(f"{who.part.name} breaks the glass over that lease, without approvals") as told:
        ask = Ask(ground.number, "INCIDENT", TICKET, NIGHT, break_glass=True)
        broken = vault.asking.ask(who.actor(vault), ask)
        ended = vault.views.checkout(holder.actor(vault), held.id).checkout
        if ended.state is not CheckoutState.REVOKED:
            raise AssertionError(f"the lease before it is {ended.state}")
        told(f"{broken.state} at once; {holder.part.name}'s lease is {ended.state}; everyone is told")
    with stage.step(f"{who.part.name} steps up: a second factor is never waived") as told:
        active, _ = vault.checkouts.step_up(who.actor(vault), broken.id, who.code())
        told(f"{active.state} for {active.granted_seconds // 60} minutes")
    act.use(who, ground, active)
    act.check_in(who, active)
    with stage.step("Afterwards only a rotation opens the account") as told:
        ask = Ask(ground.number, "BILL_ROOT", TICKET, "Look at a bill meanwhile.")
        told(refused("review.due", lambda: vault.asking.ask(holder.actor(vault), ask)))
    again = act.lease(holder, ground, "CRED_ROTATE", "Rotate what the broken glass disclosed.")
    rotation = act.rotate_password(holder, ground, again)
    act.check_in(holder, again)
    act.verify(who, (rotation,))
    approver = act.cast.of(Role.APPROVER, 1)
    with stage.step(f"{approver.part.name}, who had no part in it, reviews it") as told:
        note = "The sign-in was a contractor's, as the customer confirmed; the password is a new one."
        actor = approver.actor(vault)
        vault.glass.review(actor, broken.id, Verdict.JUSTIFIED, note, approver.code())
        view = vault.accounts.get(actor, ground.number)
        told(f"{Verdict.JUSTIFIED}; {ground.name} is {view.situation} again")


def freeze(act: Act, holder: Player, ground: Ground) -> None:
    """Stop every disclosure with one press, and lift that with two people."""
    vault, stage = act.vault, act.stage
    auditor, admin, approver = (act.cast.of(role) for role in (Role.AUDITOR, Role.ADMIN, Role.APPROVER))
    checkout = act.lease(holder, ground, "CRED_ROTATE", "Rotate it because of its age.")
    with stage.step(f"{auditor.part.name} freezes the whole vault") as told:
        made = vault.freezes.freeze(
            auditor.actor(vault), "vault", "Something is wrong; nothing leaves until we know."
        )
        told("one press, no second factor: it has to be fast")
    with stage.step(f"{holder.part.name} is shown nothing") as told:
        told(refused("frozen", lambda: vault.reveals.password(holder.actor(vault), checkout.id)))
    with stage.step(f"{approver.part.name} wants it lifted, {admin.part.name} agrees") as told:
        why = "A false alarm; the sign-in was our own test."
        vault.freezes.lift(approver.actor(vault), made.id, why, approver.code())
        vault.freezes.lift(admin.actor(vault), made.id, why, admin.code())
        told("two people, each with a fresh code; every step-up from before is void")
    act.check_in(holder, checkout)


def leave(act: Act, leaver: Player, other: Player, third: Player, ground: Ground) -> None:
    """Shut somebody out, and see that what they knew is worth nothing."""
    vault, stage = act.vault, act.stage
    admin = act.cast.of(Role.ADMIN)
    person = leaver.actor(vault).id
    with stage.step(f"{leaver.part.name} leaves; {admin.part.name} shuts them out") as told:
        vault.people.disable(admin.actor(vault), person)
        if vault.tokens.resolve(leaver.token) is not None:
            raise AssertionError("the token of who was shut out still counts")
        progress = vault.leavers.progress(admin.actor(vault), person, Slice(limit=50))
        told(f"sessions, tokens and leases end at once; {progress.known} values they knew are due")
    checkout = act.lease(other, ground, "CRED_ROTATE", f"Rotate what {leaver.part.name} knew.")
    rotations = (act.rotate_password(other, ground, checkout), act.rotate_device(other, ground, checkout))
    act.check_in(other, checkout)
    act.verify(third, rotations)
    with stage.step("Nothing that the leaver knew opens anything any more") as told:
        progress = vault.leavers.progress(admin.actor(vault), person, Slice(limit=50))
        if progress.done != progress.known:
            raise AssertionError(f"{progress.known - progress.done} values are not rotated")
        kinds = ", ".join(PartKind)
        told(f"{progress.done} of {progress.known} rotated and proven ({kinds})")
    del act.cast.players[leaver.part.name]
