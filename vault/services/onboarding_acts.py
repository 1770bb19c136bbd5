"""What the vault does itself in an onboarding: it looks at accounts, and writes on the ticket (A2, A3, A5).

Decided here: what was not seen is never a pass; it is left to do, with its reason, until it is seen or attested. A look
that counts is kept as every look is, with its entry; a preview keeps nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.account import Account
from vault.domain.case import CaseKind, Scene
from vault.domain.hygiene import Rule, judge
from vault.domain.inspection import IN_WORDS, Fact, Inspection, Place, Roster, Unknown
from vault.domain.plans import onboarding as steps
from vault.errors import Unavailable
from vault.services.case_kinds import Act, Carried, Preview, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vault.domain.hygiene import Wanted
    from vault.ports.tickets import TicketSystem
    from vault.services.inspecting import Inspecting
    from vault.services.onboarding_desk import Letters

APPLIED: Final = frozenset({Rule.PASSWORD_POLICY, Rule.CONTACT, Rule.DEFAULT})
"""The rules that say what is applied at onboarding."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What of a requirement is met, and what is not, or is not known, each in words."""

    met: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookAct:
    """Implements `Act`: looks at the account, and at its Organization's list where `judges` needs that."""

    inspecting: Inspecting
    judges: Callable[[Scene, Account, Inspection, Wanted], Verdicts]
    lists: bool = False

    def preview(self, work: Work) -> Preview:
        """Look, and keep nothing."""
        found = self._judged(work, self.inspecting.glance(work.account, work.scene.customer, work.actor.id))
        left = tuple(f"not yet: {each}" for each in found.unmet)
        return Preview(stays=(*found.met, *left), words="The vault looks, and changes nothing.")

    def carry_out(self, work: Work) -> Carried:
        """Look, and keep what was seen."""
        seen = self.inspecting.see(work.account, work.scene.customer, work.actor.id)
        found = self._judged(work, seen)
        return Carried(tuple(f"{each} (inspection {seen.id})" for each in found.met), found.unmet)

    def _judged(self, work: Work, seen: Inspection) -> Verdicts:
        found = self.judges(work.scene, work.account, seen, self.inspecting.wanted)
        if not self.lists:
            return found
        roster = self.inspecting.roster(work.account, work.scene.customer, work.actor.id)
        listed = listed_exactly(work.scene, roster)
        return Verdicts((*found.met, *listed.met), (*found.unmet, *listed.unmet))


@dataclass(frozen=True, slots=True)
class TellAct:
    """Implements `Act`: writes the instructions on the case's ticket."""

    letters: Letters
    tickets: TicketSystem

    def preview(self, work: Work) -> Preview:
        """Show the text."""
        return Preview(
            goes=(f"a note on ticket {work.scene.case.ticket}",), words=self.letters.text(work.scene)
        )

    def carry_out(self, work: Work) -> Carried:
        """Write it, the same text once."""
        text, ticket = self.letters.text(work.scene), work.scene.case.ticket
        digest = hashlib.sha256(text.encode()).hexdigest()
        came = self.tickets.note(ticket, text, f"{work.scene.case.id}-{digest[:16]}")
        if came.error is not None:
            words = f"The ticket system did not take the note on {ticket}: {came.error}. Try again, or send the text."
            raise Unavailable("case.unavailable", words, cause="ticket")
        return Carried((f"note on ticket {ticket}, SHA-256 of its text {digest}",))


def acts(
    inspecting: Inspecting | None, letters: Letters, tickets: TicketSystem | None
) -> Mapping[tuple[CaseKind, str], Act]:
    """Give what can be done here; `inspecting` is None where settings name no role to look through."""
    found: dict[str, Act] = {}
    if tickets is not None and tickets.takes_notes:
        found[steps.INSTRUCTIONS] = TellAct(letters, tickets)
    if inspecting is not None:
        found |= {
            steps.KEYS: LookAct(inspecting, no_keys),
            steps.ALONE: LookAct(inspecting, is_alone),
            steps.ORGANIZATION: LookAct(inspecting, is_master, lists=True),
            steps.MFA: LookAct(inspecting, has_mfa),
            steps.DEFAULTS: LookAct(inspecting, defaults),
        }
    return {(CaseKind.ONBOARDING, name): act for name, act in found.items()}


def no_keys(_: Scene, __: Account, seen: Inspection, ___: Wanted) -> Verdicts:
    """Judge that root has no access keys (A2, C3)."""
    return _flag(seen.root_keys, "root has no access keys", "root has access keys; delete them", wanted=False)


def has_mfa(_: Scene, __: Account, seen: Inspection, ___: Wanted) -> Verdicts:
    """Judge that root has MFA, and still no access keys (C3)."""
    mfa = _flag(seen.root_mfa, "root has MFA", "root has no MFA device", wanted=True)
    keys = _flag(seen.root_keys, "root has no access keys", "root has access keys; delete them", wanted=False)
    return Verdicts((*mfa.met, *keys.met), (*mfa.unmet, *keys.unmet))


def is_alone(_: Scene, __: Account, seen: Inspection, ___: Wanted) -> Verdicts:
    """Judge that an account is in no Organization: neither under a payer nor a payer itself (A2)."""
    fact = seen.membership
    if isinstance(fact, Unknown):
        return Verdicts(unmet=(f"whether it is in an Organization: {_why(fact)}",))
    if fact.value.place is Place.ALONE:
        return Verdicts(("it is in no Organization",))
    where = (
        "it is the payer of"
        if fact.value.place is Place.PAYER
        else f"it is a member under {fact.value.payer_id} in"
    )
    return Verdicts(unmet=(f"{where} the Organization {fact.value.organization}; it has to leave it first",))


def is_master(_: Scene, __: Account, seen: Inspection, ___: Wanted) -> Verdicts:
    """Judge that an account is the management account of its Organization (A2)."""
    fact = seen.membership
    if isinstance(fact, Unknown):
        return Verdicts(unmet=(f"whether it manages an Organization: {_why(fact)}",))
    if fact.value.place is Place.PAYER:
        return Verdicts((f"it manages the Organization {fact.value.organization}",))
    where = "is in no Organization" if fact.value.place is Place.ALONE else f"is under {fact.value.payer_id}"
    return Verdicts(unmet=(f"it manages no Organization: it {where}",))


def listed_exactly(scene: Scene, roster: Roster) -> Verdicts:
    """Judge that an Organization has exactly the accounts of a case, whatever their state (A2)."""
    if isinstance(roster.listed, Unknown):
        return Verdicts(unmet=(f"which accounts it has: {_why(roster.listed)}",))
    there, named = {each.id: each for each in roster.listed.value}, set(scene.live)
    unmet = [
        f"it has {number} ({there[number].state}), which is not in this case"
        for number in sorted(there.keys() - named)
    ]
    unmet += [f"it does not have {number}, which is in this case" for number in sorted(named - there.keys())]
    met = (f"it has exactly the {len(named)} accounts of this case",) if not unmet else ()
    return Verdicts(met, tuple(unmet))


def defaults(_: Scene, account: Account, seen: Inspection, wanted: Wanted) -> Verdicts:
    """Judge that what is applied at onboarding is there (A5, C6)."""
    met, unmet = [], []
    for verdict in judge(account, seen, wanted):
        if verdict.rule not in APPLIED:
            continue
        name = f"{verdict.rule} {verdict.subject}".strip()
        if verdict.ok:
            met.append(name)
        else:
            unmet.append(verdict.words if verdict.ok is False else f"{name}: not seen")
    if not met and not unmet:
        unmet.append("no defaults are judged of an account in this state")
    return Verdicts(tuple(_grouped(met)), tuple(unmet))


def _grouped(names: Iterable[str]) -> Iterator[str]:
    text = ", ".join(names)
    if text:
        yield f"there: {text}"


def _flag(fact: Fact[bool], fine: str, wrong: str, *, wanted: bool) -> Verdicts:
    if isinstance(fact, Unknown):
        return Verdicts(unmet=(f"whether {fine}: {_why(fact)}",))
    return Verdicts((fine,)) if fact.value is wanted else Verdicts(unmet=(wrong,))


def _why(unknown: Unknown) -> str:
    code = f" ({unknown.code})" if unknown.code else ""
    return f"not seen, {IN_WORDS[unknown.reason]}{code}"
