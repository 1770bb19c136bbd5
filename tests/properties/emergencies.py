"""Emergencies in stories about checkouts: broken glass and its review, freezes and the two who lift them.

What has to hold of them is read from the log alone where that is possible: it must tell the same as the vault does.
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from tests.properties.checkout_model import ACCOUNTS, ADMINS, APPROVERS, GLASS, OPERATORS, Lease, Told
from vault.domain.checkout import OPEN, CheckoutState, Verdict, state_at
from vault.domain.event import EventType
from vault.domain.freeze import Covered, FreezeKind, read_covered
from vault.domain.reason import Situation
from vault.services.asking import Ask

REASONS: Final = ("CRED_ROTATE", "BILL_ROOT", "IAM_RESTORE", "ONBOARD_TAKEOVER")
OPERATOR: Final = st.sampled_from(OPERATORS)
ANYBODY: Final = st.sampled_from(OPERATORS + APPROVERS + ADMINS)
ANY: Final = st.integers(0, 19)
"""Which lease or rotation: mostly one of those that go on, now and then any."""
RARELY: Final = st.sampled_from([False] * 7 + [True])


class Emergencies(Told):
    """People in emergencies."""

    @rule(who=OPERATOR, account=st.sampled_from(ACCOUNTS), reason=st.sampled_from(REASONS))
    def break_glass(self, who: str, account: str, reason: str) -> None:
        """Break the glass: for who is enabled; whoever has the account loses it."""
        request = Ask(account, reason, "INC-1", "an emergency that cannot wait for anybody", break_glass=True)
        before = {id: lease for id, lease in self.leases.items() if lease.account == account}
        waits = self._waits(account)
        made = self._try(lambda: self.world.vault.asking.ask(self._human(who).actor, request))
        if made is None:
            assert all(self._written(id) is not CheckoutState.REVOKED or before[id].over for id in before)
            return
        assert who == GLASS
        assert not self._stopped(account, who)
        assert not waits
        assert made.state is CheckoutState.APPROVED
        lease = Lease(account, who, glass=True, involved={who})
        if made.revoked_id is not None:
            ended = self.leases[made.revoked_id]
            assert ended.who != who
            assert not ended.glass
            ended.over = True
            lease.involved.add(ended.who)
        assert not [id for id in before if self._alive(before[id])], "somebody still has it"
        self.leases[made.id] = lease

    @precondition(lambda self: any(lease.glass for lease in self.leases.values()))
    @rule(who=ANYBODY, which=ANY, verdict=st.sampled_from(list(Verdict)))
    def review(self, who: str, which: int, verdict: Verdict) -> None:
        """Review a broken glass: for an approver who had no part in it, once it has ended."""
        broken = [id for id, lease in self.leases.items() if lease.glass]
        checkout_id = broken[which % len(broken)]
        lease, human = self.leases[checkout_id], self._human(who)
        made = self._try(
            lambda: self.world.vault.glass.review(
                human.actor, checkout_id, verdict, "looked at every entry", human.otp()
            )
        )
        if made is not None:
            assert who in APPROVERS
            assert who not in lease.involved
            assert not lease.reviewed
            assert not self._frozen_person(who)
            assert not self._alive(lease)
            lease.reviewed = True

    @rule(
        who=ANYBODY,
        whom=st.sampled_from(OPERATORS + APPROVERS),
        account=st.sampled_from(ACCOUNTS),
        kind=st.sampled_from(list(FreezeKind)),
        rarely=RARELY,
    )
    def freeze(self, who: str, whom: str, account: str, kind: FreezeKind, rarely: bool) -> None:
        """Freeze something, whoever one is: now and then."""
        if not rarely:
            return
        targets = {
            FreezeKind.ACCOUNT: account,
            FreezeKind.PERSON: self._human(whom).actor.id,
            FreezeKind.CUSTOMER: self.customer,
        }
        covered = Covered(kind, targets.get(kind, ""))
        made = self.world.vault.freezes.freeze(self._human(who).actor, str(covered))
        self.frozen[made.id] = covered
        for lease in self.leases.values():
            if covered.concerns(self.customer, lease.account, self._human(lease.who).actor.id):
                lease.fresh_until = None

    @precondition(lambda self: self.frozen)
    @rule(who=ANYBODY, which=ANY)
    def lift(self, who: str, which: int) -> None:
        """Say that a freeze can end: for approvers and administrators, two of them, none of them frozen."""
        freeze_id = list(self.frozen)[which % len(self.frozen)]
        human, first = self._human(who), self.halves.get(freeze_id)
        made = self._try(
            lambda: self.world.vault.freezes.lift(human.actor, freeze_id, "it was looked at", human.otp())
        )
        allowed = who in APPROVERS + ADMINS and not self._frozen_person(who) and who != first
        assert (made is not None) == allowed
        if made is None:
            return
        if first is None:
            self.halves[freeze_id] = who
            return
        covered = self.frozen.pop(freeze_id)
        del self.halves[freeze_id]
        for lease in self.leases.values():
            if covered.concerns(self.customer, lease.account, self._human(lease.who).actor.id):
                lease.fresh_until = None

    def _frozen_person(self, who: str) -> bool:
        return Covered(FreezeKind.PERSON, self._human(who).actor.id) in self.frozen.values()

    def _written(self, checkout_id: str) -> CheckoutState:
        with self.world.vault.units.read() as unit:
            found = unit.checkouts.get(checkout_id)
        assert found is not None
        return found.state

    def _took_part(self, account: str, who: str) -> None:
        for lease in self.leases.values():
            if lease.glass and lease.account == account and self._active(lease):
                lease.involved.add(who)

    # --- what always holds

    @invariant()
    def nothing_was_released_while_it_was_frozen(self) -> None:
        """Read it from the log alone: between a freeze and its end nothing that it covers is released."""
        if not hasattr(self, "world"):
            return
        frozen: dict[str, Covered] = {}
        for each in self._leaves():
            detail = each.get("detail", {})
            if each["type"] == EventType.FREEZE_SET:
                found = read_covered(detail["scope"])
                assert found is not None
                frozen[detail["freeze"]] = found
            elif each["type"] == EventType.FREEZE_LIFTED:
                assert detail["proposed_by"] != each["actor"]["id"]
                frozen.pop(detail["freeze"])
            elif each["type"] == EventType.REVEAL_RELEASED:
                who, account = each["actor"]["id"], each["account"]["id"]
                assert not [c for c in frozen.values() if c.concerns(self.customer, account, who)]
        assert frozen == self.frozen

    @invariant()
    def an_account_is_free_after_rotation_and_review(self) -> None:
        """Hold what is missing, as the vault says it, to what the model knows of broken glass."""
        if not hasattr(self, "world"):
            return
        actor = self._human(ADMINS[0]).actor
        for account in ACCOUNTS:
            view = self.world.vault.accounts.get(actor, account)
            ended = [
                id
                for id, lease in self.leases.items()
                if lease.account == account and lease.glass and not lease.reviewed and not self._open(id)
            ]
            assert {each.id for each in view.unreviewed} == set(ended)
            assert ("review" in view.missing) == bool(ended)
            assert (view.situation is Situation.REVIEW) == bool(ended)

    def _open(self, checkout_id: str) -> bool:
        with self.world.vault.units.read() as unit:
            found = unit.checkouts.get(checkout_id)
        assert found is not None
        return state_at(found, self._now) in OPEN
