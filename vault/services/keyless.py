"""Members without root credentials: looking, proposing, removing, and the way back (C2, C4).

Decided here: the order. Each session is told of before it is asked for and again before it is used, so that AWS's own
records of it are explained; nothing crosses the network with a transaction open. Two people agree to exactly what a
look found; where AWS has more than that, nothing is deleted. The account is without root credentials when AWS says so
in a session of its own, and only then are the values that we hold retired: whoever is stopped in the middle does
the same again, and until the end every value opens that opened before. A member that never had any is taken as it is,
on AWS's word, by one person.

Never decided here: what two people may agree to (`keyless_agreed`), and how AWS is asked (`vault.ports.central_root`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.account import CUSTODY, Account, Custody, CustodyEvent
from vault.domain.actor import Scope, ScopeKind
from vault.domain.credential import PartState
from vault.domain.event import Event, EventType, Result
from vault.domain.keyless import (
    KEYLESS,
    LOOK_LASTS,
    Act,
    Keyless,
    KeylessEvent,
    KeylessState,
    RootFound,
    Task,
    why_not,
    written,
)
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, Refused, Unavailable
from vault.ports.proposals import ProposalFilter
from vault.ports.store import Page, Slice
from vault.services.agreed import used_up
from vault.services.frozen import require_thawed
from vault.services.gate import Gate, refuse
from vault.services.keyless_agreed import act_of, agreed_root, content_of
from vault.services.keyless_ended import leave, retire_all
from vault.services.keyless_view import KeylessView
from vault.services.leases import settle
from vault.services.proposals import Draft
from vault.services.root_sessions import RootSessions

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.proposal import Proposal
    from vault.errors import Fact, VaultError
    from vault.ports.central_root import CentralRoot, KeylessFilter, RootSession
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.agreed import Agreed
    from vault.services.proposals import Proposals

PERMISSION: Final = Permission.KEYLESS_DECIDE


@dataclass(frozen=True, slots=True)
class _Work:
    """One account under way: who does it, through which payer, for which proposal."""

    actor: Actor
    account: Account
    payer_id: str
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class KeylessMembers:
    """Use cases on members without root credentials; `central` is None where the settings name no role."""

    units: Units
    gate: Gate
    proposals: Proposals
    agreed: Agreed
    clock: Clock
    central: CentralRoot | None = None

    def page(
        self, actor: Actor, wanted: KeylessFilter, part: Slice
    ) -> tuple[Page[KeylessView], tuple[Account, ...]]:
        """List members in sight whose root could be, or is, without credentials; and the payers in sight."""
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        with self.units.read() as unit:
            found = unit.keyless.page(reach, wanted, part)
            views = tuple(KeylessView(account, known) for account, known in found.items)
            return Page(views, found.next), unit.keyless.payers(reach)

    def get(self, actor: Actor, account_id: str) -> KeylessView:
        """Read one, with what two people are about to agree to or agreed to."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            known = unit.keyless.get(account.id)
            proposal = _proposal(unit, account.id)
        return KeylessView(account, known, proposal)

    def look(self, actor: Actor, account_id: str, payer_id: str | None = None) -> KeylessView:
        """Ask AWS what the member's root has, and keep the answer; nothing is changed at AWS.

        Raises `Conflict` keyless.state, `Unavailable` keyless.unavailable.
        """
        work = self._work(actor, account_id, payer_id)
        found = self._open(work, Task.AUDIT).look()
        now = self.clock.now()
        with self.units.write() as unit:
            unit.accounts.lock(work.account.id)
            self._seen(unit, work, found, now)
            unit.commit()
        return self.get(actor, account_id)

    def propose(self, actor: Actor, account_id: str, act: Act, why: str, otp: str) -> Proposal:
        """Propose that what the last look found goes, or that recovery be allowed; another person has to agree."""
        now = self.clock.now()
        with self.units.write() as unit:
            account = self._mine(unit, actor, account_id, now)
            known = unit.keyless.get(account.id)
            if known is None or (act is Act.REMOVE and now - known.seen_at > LOOK_LASTS):
                words = f"Look at account {account.id} first: what is agreed to is what a look of the last hour found."
                self._refuse(unit, actor, account, Conflict("keyless.state", words), now)
        scope = Scope(ScopeKind.ACCOUNT, account.id)
        draft = Draft(ProposalKind.KEYLESS, account.id, content_of(act, known), why, scope)
        return self.proposals.propose(actor, draft, otp)

    def carry_out(self, actor: Actor, account_id: str) -> KeylessView:
        """Do what two people agreed to, or go on with it; done again it is the same.

        Raises `Conflict` proposal.state, keyless.state, keyless.changed or checkout.conflict, `Unavailable`
        keyless.unavailable or proposal.unproven.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            account = self._mine(unit, actor, account_id, now)
            known = unit.keyless.get(account.id)
            agreed = unit.proposals.in_force(ProposalKind.KEYLESS, account.id, now)
            if known is None or agreed is None:
                words = f"Nothing that two people agreed to is to be done for account {account.id}."
                self._refuse(unit, actor, account, Conflict("proposal.state", words), now)
            self._free(unit, actor, account, now)
            unit.commit()
        try:
            proposal = self.agreed.require(actor, agreed.id, ProposalKind.KEYLESS, PERMISSION)
        except Refused as error:  # a row that the log does not prove: nothing is done by it
            raise Unavailable(error.code, error.detail) from None
        work = _Work(actor, account, known.payer_id, proposal)
        try:
            if act_of(proposal) is Act.REMOVE:
                self._remove(work)
            else:
                self._allow(work)
        except Unavailable as failure:
            self._stopped(work, failure)
            raise
        return self.get(actor, account_id)

    def register(self, actor: Actor, account_id: str, payer_id: str | None = None) -> KeylessView:
        """Take a member that has no root credentials as it is, on AWS's word; one that we hold anything of is removed.

        Raises `Conflict` keyless.state where AWS lists any, checkout.conflict while somebody takes it over, and what
        `look` raises.
        """
        work = self._work(actor, account_id, payer_id)
        found = self._open(work, Task.AUDIT).look()
        now = self.clock.now()
        with self.units.write() as unit:
            account = self._mine(unit, actor, account_id, now)
            self._free(unit, actor, account, now)
            known = self._seen(unit, work, found, now)
            empty = all(part.state is PartState.ABSENT for part in unit.accounts.parts(account.id))
            if not found.is_bare or not empty or account.custody is not Custody.ONBOARDING:
                words = (
                    f"Account {account.id} is {account.custody}, and AWS lists {found.in_words}. Only what has no "
                    "root credentials, and of which we hold none, is registered so; propose their removal."
                )
                self._refuse(unit, actor, account, Conflict("keyless.state", words), now)
            self._reached(unit, work, account, known, now)
            unit.commit()
        return self.get(actor, account_id)

    # ------------------------------------------------------------------------------------------ steps

    def _remove(self, work: _Work) -> None:
        """Delete what was agreed to and is still there, and prove that nothing is left."""
        session = self._open(work, Task.DELETE)
        found = session.look()
        self._begin(work, found, KeylessState.REMOVING, KeylessEvent.REMOVAL_BEGUN)
        session.remove(found)
        left = self._open(work, Task.AUDIT).look()
        now = self.clock.now()
        with self.units.write() as unit:
            account = unit.accounts.lock(work.account.id) or work.account
            known = self._seen(unit, work, left, now)
            if not left.is_bare:
                raise Unavailable(
                    "keyless.unavailable",
                    f"AWS still lists {left.in_words} for account {account.id}. Do it again in a minute.",
                    cause="left",
                )
            self._free(unit, work.actor, account, now)
            self._reached(unit, work, account, known, now)
            unit.commit()

    def _allow(self, work: _Work) -> None:
        """Let the mailbox's owner recover the root; custody begins anew."""
        session = self._open(work, Task.ALLOW)
        self._begin(work, None, KeylessState.ALLOWING, KeylessEvent.ALLOWING_BEGUN)
        session.allow_recovery()
        now = self.clock.now()
        with self.units.write() as unit:
            account = unit.accounts.lock(work.account.id) or work.account
            known = unit.keyless.get(account.id)
            if known is not None and known.state is KeylessState.ALLOWING and work.proposal is not None:
                leave(unit, work.actor, account, known, now)
                used_up(unit, work.actor, work.proposal, now)
            unit.commit()

    def _begin(self, work: _Work, found: RootFound | None, state: KeylessState, event: KeylessEvent) -> None:
        """Write that it begins, where AWS has no more than was agreed to; begun already, it goes on."""
        now = self.clock.now()
        with self.units.write() as unit:
            account = self._mine(unit, work.actor, work.account.id, now)
            known = unit.keyless.get(account.id)
            proposal = None if work.proposal is None else unit.proposals.get(work.proposal.id)
            if known is None or proposal is None or not proposal.in_force(now):
                raise Conflict(
                    "concurrent.change", "What was agreed to ended a moment ago; nothing was done."
                )
            if state is KeylessState.REMOVING:
                self._free(unit, work.actor, account, now)
            beyond = () if found is None else found.beyond(agreed_root(proposal))
            if beyond:
                words = (
                    f"AWS has {', '.join(beyond)} of account {account.id}, which nobody agreed to. Nothing was "
                    "deleted: end the proposal, look again, and let two people agree to what there is."
                )
                self._refuse(unit, work.actor, account, Conflict("keyless.changed", words), now)
            if known.state is state:
                return
            after = KEYLESS.after(known.state, event)
            if after is None:
                words = f"This root is {known.state}; that cannot be begun now."
                self._refuse(unit, work.actor, account, Conflict("keyless.state", words), now)
            begun = replace(known, state=after, proposal_id=proposal.id, changed_at=now)
            unit.keyless.put(begun)
            detail = {"act": act_of(proposal).value, "proposal": proposal.id, "why": proposal.why}
            told = Event(EventType.KEYLESS_BEGUN, work.actor, account_id=account.id, detail=detail)
            unit.log.record(replace(told, changes=changes(known, begun)), now)
            unit.commit()

    def _open(self, work: _Work, task: Task) -> RootSession:
        """Open a session, told of before it is asked for and before it is used."""
        sessions = RootSessions(self.units, self.clock, self.central)
        proposal_id = None if work.proposal is None else work.proposal.id
        return sessions.open(work.actor, work.account.id, work.payer_id, task, proposal_id)

    def _seen(self, unit: Unit, work: _Work, found: RootFound, now: datetime) -> Keyless:
        """Keep what a look found, and tell of it; the account's row is held."""
        known = unit.keyless.get(work.account.id)
        seen = (
            Keyless(work.account.id, work.payer_id, KeylessState.SEEN, now, written(found), now)
            if known is None
            else replace(known, payer_id=work.payer_id, seen_at=now, found=written(found), changed_at=now)
        )
        unit.keyless.put(seen)
        event = Event(EventType.KEYLESS_SEEN, work.actor, account_id=work.account.id, detail=found.counts)
        unit.log.record(
            replace(event, changes=changes(known, seen), subject=f"keyless:{work.account.id}"), now
        )
        return seen

    def _reached(self, unit: Unit, work: _Work, account: Account, known: Keyless, now: datetime) -> None:
        """Write that the member is without root credentials, with all that follows."""
        if account.custody is Custody.KEYLESS:
            return
        after = CUSTODY.transitions[account.custody, CustodyEvent.ROOT_REMOVED]
        keyless = replace(account, custody=after, held_since=account.held_since or now)
        unit.accounts.update(keyless)
        gone = KEYLESS.transitions[known.state, KeylessEvent.PROVEN_BARE]
        proven = replace(known, state=gone, proposal_id=None, changed_at=now)
        unit.keyless.put(proven)
        told = (*changes(account, keyless), *changes(known, proven), *retire_all(unit, account, now))
        detail: dict[str, Fact] = {"payer": known.payer_id, "never_had_any": work.proposal is None}
        event = Event(
            EventType.KEYLESS_REACHED, work.actor, account_id=account.id, changes=told, detail=detail
        )
        unit.log.record(replace(event, subject=f"keyless:{account.id}"), now)
        if work.proposal is not None:
            used_up(unit, work.actor, work.proposal, now)

    def _stopped(self, work: _Work, failure: Unavailable) -> None:
        now = self.clock.now()
        detail = {"cause": str(failure.facts.get("cause", ""))[:80]}
        with self.units.write() as unit:
            event = Event(EventType.KEYLESS_STOPPED, work.actor, Result.FAILED, account_id=work.account.id)
            unit.log.record(replace(event, detail=detail), now)
            unit.commit()

    # ----------------------------------------------------------------------------------------- checks

    def _work(self, actor: Actor, account_id: str, payer_id: str | None) -> _Work:
        now = self.clock.now()
        with self.units.write() as unit:
            account = self._mine(unit, actor, account_id, now)
            known = unit.keyless.get(account.id)
            payer = self._payer(unit, actor, account, payer_id or (known.payer_id if known else None), now)
            unit.commit()
        return _Work(actor, account, payer)

    def _mine(self, unit: Unit, actor: Actor, account_id: str, now: datetime) -> Account:
        """Give the account, its row held, where this actor may decide about its root."""
        account = self.gate.account(unit, actor, account_id, now, lock=True)
        self.gate.require(unit, actor, PERMISSION, now, account=account)
        require_thawed(
            unit, account, actor, Event(EventType.ACCESS_DENIED, actor, account_id=account.id), now
        )
        words = why_not(account)
        if words:
            self._refuse(unit, actor, account, Conflict("keyless.state", words, rule="C2"), now)
        return account

    def _payer(self, unit: Unit, actor: Actor, account: Account, named: str | None, now: datetime) -> str:
        """Give the payer to ask: the one that was named, or the only one of the customer, or the only one in sight."""
        seen = unit.keyless.payers(self.gate.policy.reach(actor, Permission.ACCOUNT_READ))
        near = [each for each in seen if each.customer_id == account.customer_id] or list(seen)
        fitting = [each for each in seen if each.id == named] if named else near
        if len(fitting) != 1:
            words = "Name the payer whose Organization the member is in, one that is registered here."
            self._refuse(unit, actor, account, Conflict("keyless.state", words), now)
        return fitting[0].id

    def _free(self, unit: Unit, actor: Actor, account: Account, now: datetime) -> None:
        """Return where nobody has the account, or asks for it."""
        claim = unit.checkouts.open_of(account.id)
        if claim is not None and settle(unit, claim, now) is claim:
            detail = (
                f"Account {account.id} is checked out by {claim.requester_name}; ask them to check in first."
            )
            error = Conflict("checkout.conflict", detail, holder=claim.requester_name)
            self._refuse(unit, actor, account, error, now)

    def _refuse(
        self, unit: Unit, actor: Actor, account: Account, error: VaultError, now: datetime
    ) -> NoReturn:
        refuse(unit, Event(EventType.ACCESS_DENIED, actor, account_id=account.id), error, now)


def _proposal(unit: Unit, account_id: str) -> Proposal | None:
    """Find the account's proposal that is not ended: the newest may be, and those before it are."""
    wanted = ProposalFilter(frozenset({ProposalKind.KEYLESS}), subject=account_id)
    newest = unit.proposals.page(wanted, Slice(1)).items
    return next((each for each in newest if each.ended_at is None), None)
