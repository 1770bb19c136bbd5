"""The day's steps that the vault does at AWS, as acts of a case (H7, H8).

Decided here: what an act is told of the case, and which account's payer is asked; that a member's root credentials are
deleted only when AWS has the customer's e-mail, never again once recovery was asked for, because what is there then may
be the customer's own; and that nobody leaves whose root was deleted and not allowed to recover.

Never decided here: the order of the steps (`vault.domain.plans.handover`), what is ours (`vault.domain.offboarding`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.account import Custody, Kind
from vault.domain.case import CaseKind
from vault.domain.keyless import Task
from vault.domain.offboarding import Contact, Deed, Left, Outcome, Target
from vault.domain.plans import handover as steps
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.errors import Conflict, Unavailable
from vault.services.case_kinds import Act, Carried, Preview, Work
from vault.services.payers import payers_of

if TYPE_CHECKING:
    from vault.domain.offboarding import Preview as Seen
    from vault.ports.central_root import RootSession
    from vault.ports.offboarding import Offboarding
    from vault.ports.store import Units
    from vault.services.gate import Gate
    from vault.services.root_sessions import RootSessions

DEEDS: Final[Mapping[str, Deed]] = {
    steps.CONTACTS: Deed.CONTACT,
    steps.ALTERNATES: Deed.ALTERNATE_CONTACTS,
    steps.EMAIL_START: Deed.EMAIL_START,
    steps.EMAIL_ACCEPT: Deed.EMAIL_ACCEPT,
    steps.TOPICS: Deed.TOPICS,
    steps.DISPATCHER: Deed.DISPATCHER,
    steps.ROLES: Deed.ROLES,
    steps.LAST_ROLE: Deed.LAST_ROLE,
}
"""Steps of a handover that are one deed each."""
CODE: Final = "code"


@dataclass(frozen=True, slots=True)
class Hands:
    """What the acts have in common: the way into accounts, and into roots of members."""

    units: Units
    gate: Gate
    offboarding: Offboarding
    sessions: RootSessions

    def target(self, work: Work) -> Target:
        """Say which account it is, through which payer, and what the customer wants of it."""
        scene, account = work.scene, work.account
        code = work.evidence.get(CODE, "")
        return Target(
            account.id,
            scene.customer.ddi,
            work.actor.id,
            self.payer(work) if account.kind is Kind.MEMBER else "",
            scene.given(account.id, steps.NEW_EMAIL, "email"),
            _contact(work),
            Secret(code) if code else None,
        )

    def payer(self, work: Work) -> str:
        """Give a member's payer: as this case says, or has but one, as AWS says, or the only one there can be.

        Raises `Conflict` case.state where nobody can say.
        """
        said = work.scene.given(work.account_id, steps.UNDER, steps.PAYER)
        if said:
            return said
        of_case = [number for number, kind in work.scene.kind_of.items() if kind is Kind.PAYER]
        if len(of_case) == 1:
            return of_case[0]
        with self.units.read() as unit:
            known = payers_of(unit, (work.account_id,)).get(work.account_id)
            seen = unit.keyless.payers(self.gate.policy.reach(work.actor, Permission.ACCOUNT_READ))
        if known is not None:
            return known
        near = [each for each in seen if each.customer_id == work.account.customer_id] or list(seen)
        if len(near) != 1:
            words = (
                f"Which payer account {work.account_id} is under is not known here: it is not in this case."
            )
            raise Conflict("case.state", words)
        return near[0].id


@dataclass(frozen=True, slots=True)
class DeedAct:
    """Implements `Act` by one deed."""

    hands: Hands
    deed: Deed

    def preview(self, work: Work) -> Preview:
        """Look, and change nothing."""
        return _shown(self.hands.offboarding.preview(self.deed, self.hands.target(work)))

    def carry_out(self, work: Work) -> Carried:
        """Do it, as far as AWS lets us."""
        return carried(self.hands.offboarding.carry_out(self.deed, self.hands.target(work)))


@dataclass(frozen=True, slots=True)
class LeaveAct:
    """Implements `Act`: a member leaves, when its root can be recovered (AWS: afterwards nobody can allow it)."""

    hands: Hands

    def preview(self, work: Work) -> Preview:
        """Look, and change nothing."""
        return _shown(self.hands.offboarding.preview(Deed.LEAVE, self.hands.target(work)))

    def carry_out(self, work: Work) -> Carried:
        """Let it leave."""
        place = work.scene.place(work.account_id)
        with self.hands.units.read() as unit:
            deleted = unit.keyless.last_asked(work.account_id, Task.DELETE)
            allowed = unit.keyless.last_asked(work.account_id, Task.ALLOW)
        bare = place is not None and place.was == Custody.KEYLESS.value
        needed = work.scene.case.opened_at if deleted is None and bare else deleted
        if needed is not None and (allowed is None or allowed < needed):
            words = (
                f"The root of account {work.account_id} has no credentials, and its recovery is not allowed: outside "
                "its Organization nobody could ever get in."
            )
            raise Conflict("case.rule", words)
        return carried(self.hands.offboarding.carry_out(Deed.LEAVE, self.hands.target(work)))


@dataclass(frozen=True, slots=True)
class RootDeleted:
    """Implements `Act`: a member's password, devices, keys and certificates go, by a session of its payer's."""

    hands: Hands

    def preview(self, work: Work) -> Preview:
        """Look what root has; nothing is changed."""
        found = self._open(work, Task.AUDIT).look()
        target = self.hands.target(work)
        words = "" if self._is_theirs(target) else f"AWS does not have {target.email} as its root e-mail yet."
        goes = () if found.is_bare else (f"of the root: {found.in_words}",)
        return Preview(goes, ("everything that is not root's",), words)

    def carry_out(self, work: Work) -> Carried:
        """Delete them, and look again."""
        with self.hands.units.read() as unit:
            allowed = unit.keyless.last_asked(work.account_id, Task.ALLOW)
        if allowed is not None and allowed >= work.scene.case.opened_at:
            return Carried(("recovery was asked for already: what root has now may be the customer's",))
        target = self.hands.target(work)
        if not self._is_theirs(target):
            why = f"AWS does not have {target.email} as its root e-mail yet: recovery would be ours."
            return Carried(left=(why,))
        session = self._open(work, Task.DELETE)
        found = session.look()
        session.remove(found)
        left = session.look()
        if not left.is_bare:
            return Carried(left=(f"AWS still lists {left.in_words} of the root. Do it again in a minute.",))
        return Carried((f"of the root: {found.in_words} deleted; AWS lists nothing of it",))

    def _open(self, work: Work, task: Task) -> RootSession:
        return self.hands.sessions.open(work.actor, work.account_id, self.hands.payer(work), task)

    def _is_theirs(self, target: Target) -> bool:
        return bool(target.email) and (
            self.hands.offboarding.root_email(target).lower() == target.email.lower()
        )


@dataclass(frozen=True, slots=True)
class RecoveryAllowed:
    """Implements `Act`: whoever has the new mailbox may set a password."""

    hands: Hands

    def preview(self, work: Work) -> Preview:
        """Say what it means; there is nothing to look at."""
        email = work.scene.given(work.account_id, steps.NEW_EMAIL, "email")
        return Preview(words=f"Whoever has the mailbox of {email} may set root's password. Nothing goes.")

    def carry_out(self, work: Work) -> Carried:
        """Allow it."""
        payer = self.hands.payer(work)
        self.hands.sessions.open(work.actor, work.account_id, payer, Task.ALLOW).allow_recovery()
        return Carried(("recovery of root is allowed",))


def acts_of_handover(hands: Hands) -> dict[tuple[CaseKind, str], Act]:
    """Give the acts of a handover; those on a member's root only where settings name the way to its payer."""
    found: dict[tuple[CaseKind, str], Act] = {
        (CaseKind.HANDOVER, step): DeedAct(hands, deed) for step, deed in DEEDS.items()
    }
    found[CaseKind.HANDOVER, steps.LEAVE] = LeaveAct(hands)
    if hands.sessions.central is not None:
        found[CaseKind.HANDOVER, steps.ROOT_DELETED] = RootDeleted(hands)
        found[CaseKind.HANDOVER, steps.RECOVERY] = RecoveryAllowed(hands)
    return found


def carried(outcome: Outcome) -> Carried:
    """Give an outcome as cases have it: what stays by rule is named beside what went."""
    did = (*outcome.did, *(f"stays: {each}" for each in outcome.kept))
    left = tuple(_said(each) for each in outcome.left)
    return Carried(did if did or left else ("nothing of ours is there",), left)


def _shown(seen: Seen) -> Preview:
    """Give a preview as cases have it; where nothing at all could be seen, that is the answer."""
    if seen.unseen and not seen.goes and not seen.stays:
        raise Unavailable(
            "case.unavailable", " ".join(_said(each) for each in seen.unseen[:3]), cause="unseen"
        )
    words = f"Not seen: {'; '.join(_said(each) for each in seen.unseen)}" if seen.unseen else ""
    return Preview(seen.goes, seen.stays, words)


def _said(left: Left) -> str:
    return f"{left.what}: {left.why}"


def _contact(work: Work) -> Contact | None:
    """Read the customer's contact information of this case; None where it was not given."""

    def given(name: str) -> str:
        return work.scene.given("", steps.CONTACT, name)

    if not given("full_name"):
        return None
    return Contact(
        full_name=given("full_name"),
        address=given("address"),
        city=given("city"),
        postal_code=given("postal_code"),
        country=given("country"),
        phone=given("phone"),
        company=given("company"),
        state=given("state"),
        more_address=given("more_address"),
    )
