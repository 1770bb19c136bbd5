"""What speaks against a step of a handover beyond the plan's order (H1-H7, C2, C5, L3).

Decided here: a new root e-mail was never used for any account and is none of ours; a Consent to Assignment is signed
before it counts; work on an account begins while nobody has it, nothing of its credential is unsettled and nothing of
its root unexplained; what a person does as root is done under a lease for the handover. A payer goes after all of
its members that are ours.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.actor import EVERYTHING
from vault.domain.case import HandoverState, PlaceState
from vault.domain.ids import fold_email
from vault.domain.incident import IncidentKind
from vault.domain.offboarding import contact_of
from vault.domain.plans.handover import BEGIN, ELSEWHERE, NEW_EMAIL, PAYER
from vault.domain.reason import UNPROVEN
from vault.errors import Blocked, Conflict, FieldError, Invalid, VaultError
from vault.ports.cloud import IncidentFilter
from vault.ports.records import Slice
from vault.services.frozen import frozen
from vault.services.leases import had_lease, settle
from vault.services.payers import has_several_payers, members_of, payers_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.case import Scene
    from vault.ports.store import Unit

OURS: Final = frozenset({Custody.HELD, Custody.KEYLESS})
"""What can be handed over: its root is ours to give."""
_STILL_OURS: Final = OURS | {Custody.ONBOARDING, Custody.IN_TRANSFER, Custody.CLOSING}
"""Members in these stay behind when their payer goes: also what another case has on its way, and may give back."""
REASON: Final = "HANDOVER"
"""The reason under which root is used on the day."""
_OF_ROOT: Final = frozenset({IncidentKind.ROOT_SIGN_IN, IncidentKind.ROOT_USE})
_NAMED: Final = 5
_NUMBER: Final = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])", re.ASCII)


def why_not_ours(account: Account) -> VaultError | None:
    """Say why an account cannot be handed over by its model and custody; None where it can."""
    if account.custody is Custody.CUSTOMER_HELD or (
        account.model is Model.ECAM and account.kind is Kind.MEMBER
    ):
        words = (
            f"Account {account.id} is an ECAM member: its root is the customer's already (C2). Leave it out."
        )
        return Conflict("custody.customer_held", words, rule="C2", account=account.id)
    if account.custody in OURS:
        return None
    following = {
        Custody.ONBOARDING: "Finish its onboarding first.",
        Custody.IN_TRANSFER: "It is being handed over already.",
        Custody.RELEASED: "It was handed over already.",
        Custody.CLOSING: "It is being closed; cancel that first.",
        Custody.CLOSED: "A closed account leads to a dead end (L1); reopen it first, within its 90 days.",
        Custody.DEAD: "A dead account leads to a dead end (L1, L2); leave it out.",
    }
    words = f"Account {account.id} is {account.custody}. {following.get(account.custody, 'Leave it out.')}"
    return Conflict("custody.state", words, account=account.id, state=account.custody)


def check_email(unit: Unit, scene: Scene, account: Account, address: str) -> VaultError | None:
    """Say why an address cannot become the root e-mail of an account (H1, L3)."""
    folded = fold_email(address)
    if account.mailbox is Custodian.OURS and _domain(folded) == _domain(fold_email(account.root_email)):
        words = f"H1: {address} is under a domain of ours; the customer names an address of theirs."
        return _wrong("email", words, "H1")
    if unit.onboarding.owner(address) is not None:
        words = (
            f"L3: {address} was used for an AWS account before, and AWS never takes it for another. Ask the customer "
            "for an address that never was."
        )
        return Conflict("custody.email_used", words, rule="L3", account=account.id)
    others = {
        number
        for (number, step), done in scene.done.items()
        if step == NEW_EMAIL and fold_email(done.evidence.get("email", "")) == folded
    }
    others |= set(unit.cases.claimed(NEW_EMAIL, {"email": address}))
    others.discard(account.id)
    if others:
        here = sorted(
            number for number in others if number in scene.accounts
        )  # others' numbers are not told (S21)
        whose = f"account {here[0]} as well" if here else "another account already"
        words = f"H1: {address} is the new address of {whose}; each needs one of its own."
        return Conflict("custody.email_used", words, rule="H1", account=account.id)
    return None


def check_signed(evidence: Mapping[str, str], today: date) -> VaultError | None:
    """Say why a Consent to Assignment does not count: both sides sign before (H3)."""
    for name in ("signed_customer", "signed_us"):
        if evidence[name] > today.isoformat():
            return _wrong(
                name, f"H3: {evidence[name]} is still to come; it counts when both sides have signed.", "H3"
            )
    return None


def check_contact(evidence: Mapping[str, str]) -> VaultError | None:
    """Say what of a contact AWS would not take (H7)."""
    faults = contact_of(evidence).faults()
    if not faults:
        return None
    words = f"H7: AWS does not take this contact: {'; '.join(faults)}."
    errors = tuple(FieldError(f"/evidence/{fault.partition(' ')[0]}", fault) for fault in faults)
    return Invalid("case.evidence", words, errors=errors, rule="H7")


def check_begin(
    unit: Unit, actor: Actor, scene: Scene, account: Account, elsewhere: str, now: datetime
) -> VaultError | None:
    """Say why the work on an account cannot begin, whatever the day."""
    if scene.case.state not in {HandoverState.SCHEDULED, HandoverState.IN_PROGRESS}:
        waiting = [number for number, place in scene.live.items() if place.state is PlaceState.WAITING]
        named = ", ".join(waiting[:_NAMED])
        words = (
            f"H2: every account has its day before the first one begins; {len(waiting)} have none: {named}."
        )
        return Conflict("case.rule", words, rule="H2")
    if elsewhere and (account.kind is not Kind.PAYER or not numbers_in(elsewhere)):
        words = "This is for payers alone, and has the numbers of accounts; leave it out."
        return _wrong(ELSEWHERE, words, "H7")
    return (
        why_not_ours(account)
        or check_members(unit, scene, account, elsewhere)
        or check_thawed(unit, actor, account)
        or check_free(unit, account, now)
        or check_reviewed(unit, account)
        or _unsettled(unit, account)
        or check_explained(unit, account)
        or check_email(
            unit, _without(scene, account.id), account, scene.given(account.id, NEW_EMAIL, "email")
        )
    )


def check_free(unit: Unit, account: Account, now: datetime) -> VaultError | None:
    """Say who has the account, or asks for it; what time has ended is written down."""
    claim = unit.checkouts.open_of(account.id)
    if claim is None or not settle(unit, claim, now).is_open:
        return None
    words = f"Account {account.id} is checked out by {claim.requester_name}; ask them to check in first."
    return Conflict("checkout.conflict", words, holder=claim.requester_name, account=account.id)


def check_root(unit: Unit, scene: Scene, account: Account) -> VaultError | None:
    """Say that nobody had a lease of the account for the handover since its work began.

    A backup from before was restored where the account is released by now: nothing opens it, and nothing is left to do.
    """
    if account.custody is Custody.RELEASED:
        return None
    begun = scene.of(account.id, BEGIN)
    since = scene.case.opened_at if begun is None else begun.at
    if had_lease(unit, account.id, REASON, since):
        return None
    words = (
        f"H7: this is done as root, under a lease. Ask for a checkout of account {account.id} with the reason "
        f"{REASON}, do it in the console, and say so then."
    )
    return Conflict("case.state", words, rule="H7", account=account.id)


def check_under(unit: Unit, scene: Scene, account: Account, payer_id: str) -> VaultError | None:
    """Say why a member cannot be taken for one of a payer's (H7)."""
    payer = scene.accounts.get(payer_id)
    if payer is None or payer.kind is not Kind.PAYER or scene.place(payer_id) is None:
        named = ", ".join(number for number in scene.live if scene.accounts[number].kind is Kind.PAYER)
        return _wrong(PAYER, f"H7: the payers of this handover are {named}.", "H7")
    known = payers_of(unit, (account.id,)).get(account.id, payer_id)
    if known == payer_id:
        return None
    return _wrong(PAYER, f"H7: AWS has account {account.id} in the Organization of {known}.", "H7")


def check_members(unit: Unit, scene: Scene, account: Account, elsewhere: str = "") -> VaultError | None:
    """Refuse a payer while members that are ours stay outside of the case: their root would be in its new owner's hand.

    Of several payers each waits for its own: for whom AWS, or two people in `elsewhere`, do not say to be another's.
    """
    if account.kind is not Kind.PAYER:
        return None
    left = [each for each in members_of(unit, scene.customer.id, _STILL_OURS) if each not in scene.live]
    several, others = has_several_payers(unit, scene.customer.id), numbers_in(elsewhere)
    if others and not several:
        return _wrong(
            ELSEWHERE, "H7: the customer has one payer, so no member is another's; leave it out.", "H7"
        )
    known = payers_of(unit, left) if several else {}
    wrong = sorted(number for number in others if known.get(number) == account.id)
    if wrong:
        return _wrong(ELSEWHERE, f"H7: AWS has {', '.join(wrong[:_NAMED])} under this payer.", "H7")
    left = [each for each in left if known.get(each, account.id) == account.id and each not in others]
    if not left:
        return None
    named = ", ".join(left[:_NAMED])
    words = f"H7: members go before their payer, and {len(left)} of ours are not in this handover: {named}."
    if several:
        words += (
            " Where they are another payer's, have them looked at, or let two people say so at its begin."
        )
    return Conflict("case.rule", words, rule="H7")


def numbers_in(text: str) -> frozenset[str]:
    """Read account numbers out of what somebody wrote."""
    return frozenset(_NUMBER.findall(text))


def check_thawed(unit: Unit, actor: Actor, account: Account) -> VaultError | None:
    """Say what freeze stands over an account: nothing of what is frozen is given away."""
    freeze = unit.freezes.over(account, actor.id)
    return None if freeze is None else frozen(freeze)


def check_reviewed(unit: Unit, account: Account) -> VaultError | None:
    """Say that what one person did alone with the root waits for another to look at it: a way in may stay behind."""
    if unit.checkouts.unreviewed((account.id,)):
        words = f"A broken glass of account {account.id} waits for its review; review it first."
        return Blocked("review.due", words, account=account.id)
    return None


def _unsettled(unit: Unit, account: Account) -> VaultError | None:
    if unit.rotations.unsettled(account.id):
        words = f"A rotation of account {account.id} is not settled; say first what AWS did with it."
        return Conflict("rotation.state", words, account=account.id)
    parts = unit.accounts.parts(account.id)
    unproven = [part for part in parts if part.state in UNPROVEN]
    if unproven:
        words = f"The {unproven[0].kind} of account {account.id} is {unproven[0].state}; settle that first."
        return Conflict("rotation.state", words, account=account.id)
    return None


def check_explained(unit: Unit, account: Account) -> VaultError | None:
    """Say which use of the root no lease of ours explains."""
    wanted = IncidentFilter(is_open=True, account_id=account.id)
    for each in unit.incidents.page(EVERYTHING, wanted, Slice(limit=50)).items:
        if each.kind in _OF_ROOT:
            words = f"Incident {each.id} about the root of account {account.id} is open; close it first."
            return Conflict("case.state", words, incident=each.id, account=account.id)
    return None


def _without(scene: Scene, account_id: str) -> Scene:
    kept = {place: done for place, done in scene.done.items() if place != (account_id, NEW_EMAIL)}
    return replace(scene, done=kept)


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _wrong(name: str, words: str, rule: str) -> VaultError:
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{name}", words),), rule=rule)
