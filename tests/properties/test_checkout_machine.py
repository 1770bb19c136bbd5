"""Two accounts, six people, any order of acts, time passing: what must always hold holds after each of them.

A small model beside the vault knows who may see what now (leases, factors, quotas), and a simulated AWS knows what is
really set. People here make mistakes of every kind but one: they never say of AWS what is not so.

A run tries `EXAMPLES` stories of up to `STEPS` acts; THOROUGH=true tries many more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.properties.checkout_model import ACCOUNTS, APPROVERS, OPERATORS, Lease
from tests.properties.emergencies import ANY, OPERATOR, RARELY, REASONS, Emergencies
from tests.support.thorough import times
from vault.crypto import totp
from vault.domain.account import Custody
from vault.domain.checkout import OPEN, CheckoutState, Decision
from vault.domain.credential import PartKind, PartState, VersionLabel
from vault.domain.rotation import UNSETTLED, Outcome, RotationState
from vault.domain.secret import Secret
from vault.services.approvals import Word
from vault.services.asking import Ask

EXAMPLES: Final = times(16, 1_000)
STEPS: Final = 40
UNSURE: Final = {PartState.ROTATING, PartState.UNKNOWN, PartState.RECONCILING}
KINDS: Final = st.sampled_from(list(PartKind))
MOSTLY: Final = st.sampled_from([True] * 3 + [False])


class Checkouts(Emergencies):
    """People at work."""

    @initialize()
    def move_in(self) -> None:
        """Begin with two leases."""
        self.open_copy()
        for who, account in zip(OPERATORS, ACCOUNTS, strict=True):
            self.take_out(who, account, APPROVERS[0], reason=0)

    # --- acts

    @rule(
        who=OPERATOR,
        account=st.sampled_from(ACCOUNTS),
        approver=st.sampled_from(APPROVERS),
        reason=st.integers(0, 9),
    )
    def take_out(self, who: str, account: str, approver: str, reason: int) -> None:
        """Ask in proper words, be approved, give a factor: the usual way."""
        with self.world.vault.units.read() as unit:
            known = unit.accounts.get(account)
        takeover = known is not None and known.custody is Custody.ONBOARDING
        usual = "ONBOARD_TAKEOVER" if takeover else "CRED_ROTATE"
        before = len(self.leases)
        self.ask(who, account, usual if reason < 8 else REASONS[reason - 7])
        if len(self.leases) > before:
            human = self._human(approver)
            made, lease = list(self.leases.items())[-1]
            word = Word(Decision.APPROVE, "looked at it")
            self._try(lambda: self.world.vault.approvals.decide(human.actor, made, word, human.otp()))
            self._begin(made, lease, who)

    @precondition(lambda self: self.leases)
    @rule(which=ANY, kind=KINDS, sets=MOSTLY, says=st.integers(0, 5))
    def change(self, which: int, kind: PartKind, sets: bool, says: int) -> None:
        """Plan, give a factor, display, perhaps set at AWS, perhaps say so: the usual way, left at any point."""
        checkout_id, lease = self._lease(which)
        before = len(self.rotations)
        self._plan(lease.who, checkout_id, lease, kind)
        if len(self.rotations) == before:
            return
        self._begin(checkout_id, lease, lease.who)
        newest = list(self.rotations)[-1]
        self._display(lease.who, newest, sets=sets)
        if says:
            self._attest(lease.who, newest, unknown=says == 1)

    @rule(who=OPERATOR, account=st.sampled_from(ACCOUNTS), reason=st.sampled_from(REASONS))
    def ask(self, who: str, account: str, reason: str) -> None:
        """Ask for an account's root."""
        request = Ask(account, reason, "T-1", "one of many tasks here")
        made = self._try(lambda: self.world.vault.asking.ask(self._human(who).actor, request))
        if made is not None:
            live = [
                id for id, lease in self.leases.items() if lease.account == account and self._alive(lease)
            ]
            assert not live, f"{account} was given twice: {live}"
            assert not self._frozen_person(who)
            assert reason == "CRED_ROTATE" or not self._waits(account)
            self.leases[made.id] = Lease(account, who)

    @precondition(lambda self: self.leases)
    @rule(who=st.sampled_from(APPROVERS), which=ANY, decision=st.sampled_from(list(Decision)))
    def decide(self, who: str, which: int, decision: Decision) -> None:
        """Approve or deny."""
        checkout_id, lease = self._lease(which)
        human = self._human(who)
        word = Word(decision, "looked at it")
        made = self._try(
            lambda: self.world.vault.approvals.decide(human.actor, checkout_id, word, human.otp())
        )
        assert made is None or not self._frozen_person(who)
        lease.over |= made is not None and decision is Decision.DENY

    @precondition(lambda self: self.leases)
    @rule(other=RARELY, which=ANY, wrong=RARELY)
    def step_up(self, other: bool, which: int, wrong: bool) -> None:
        """Give a second factor, sometimes a wrong one."""
        checkout_id, lease = self._lease(which)
        self._begin(checkout_id, lease, self._who(lease, other=other), wrong=wrong)

    def _begin(self, checkout_id: str, lease: Lease, who: str, *, wrong: bool = False) -> None:
        human = self._human(who)
        otp = human.otp()
        if wrong:
            otp = "000000" if otp != "000000" else "111111"
        made = self._try(lambda: self.world.vault.checkouts.step_up(human.actor, checkout_id, otp))
        if made is None:
            return
        assert not wrong
        assert (lease.who, lease.over) == (who, False)
        assert not self._stopped(lease.account, who)
        checkout, until = made
        assert checkout.state is CheckoutState.ACTIVE
        lease.until, lease.fresh_until = checkout.expires_at, until
        assert until <= self._now + timedelta(seconds=300)

    @precondition(lambda self: self.leases)
    @rule(other=RARELY, which=ANY)
    def reveal(self, other: bool, which: int) -> None:
        """Reveal the current password: exactly when the model says that it may be seen."""
        checkout_id, lease = self._lease(which)
        who = self._who(lease, other=other)
        allowed = self._may_see(lease, who) and lease.shown < 5 and self._current(lease.account) is not None
        made = self._try(lambda: self.world.vault.reveals.password(self._human(who).actor, checkout_id))
        assert (made is not None) == allowed
        if made is not None:
            lease.shown += 1
            assert made.value.expose() == self._current(lease.account)

    @precondition(lambda self: self.leases)
    @rule(other=RARELY, which=ANY)
    def code(self, other: bool, which: int) -> None:
        """Ask for an MFA code."""
        checkout_id, lease = self._lease(which)
        who = self._who(lease, other=other)
        allowed = self._may_see(lease, who)
        made = self._try(lambda: self.world.vault.reveals.code(self._human(who).actor, checkout_id))
        if made is not None:
            assert allowed
            seed = totp.parse_seed(Secret(self._sealed(lease.account, PartKind.MFA, VersionLabel.CURRENT)[0]))
            assert made.code.expose() == totp.code_at(seed, totp.step_of(self._now)).expose()

    @precondition(lambda self: self.leases)
    @rule(other=RARELY, which=ANY, kind=KINDS)
    def plan(self, other: bool, which: int, kind: PartKind) -> None:
        """Seal a candidate."""
        checkout_id, lease = self._lease(which)
        self._plan(self._who(lease, other=other), checkout_id, lease, kind)

    def _plan(self, who: str, checkout_id: str, lease: Lease, kind: PartKind) -> None:
        seed = totp.generate_seed().secret if kind is PartKind.MFA else None
        actor = self._human(who).actor
        made = self._try(lambda: self.world.vault.rotations.plan(actor, checkout_id, kind, seed))
        if made is not None:
            assert lease.who == who
            assert self._active(lease)
            self.rotations[made.id] = None
            self._took_part(lease.account, who)

    @precondition(lambda self: self.rotations)
    @rule(who=OPERATOR, which=ANY, sets=st.booleans())
    def display(self, who: str, which: int, sets: bool) -> None:
        """Display a candidate and, perhaps, set it at AWS at once."""
        self._display(who, self._chosen(which), sets=sets)

    def _display(self, who: str, rotation_id: str, *, sets: bool) -> None:
        rotation = self._rotation(rotation_id)
        allowed = any(
            self._may_see(lease, who)
            for lease in self.leases.values()
            if lease.account == rotation.account_id
        )
        made = self._try(lambda: self.world.vault.rotations.display(self._human(who).actor, rotation.id))
        if made is None:
            return
        assert allowed
        self._took_part(rotation.account_id, who)
        value = self._sealed(rotation.account_id, rotation.kind, VersionLabel.STAGED)[0]
        assert made.password is None or made.password.expose() == value
        self.rotations[rotation.id] = value
        if sets:
            self.aws[rotation.account_id, rotation.kind] = value

    @precondition(lambda self: self.rotations)
    @rule(which=ANY)
    def set_late(self, which: int) -> None:
        """Set at AWS what was displayed before, while its outcome is open."""
        rotation = self._rotation(self._chosen(which))
        value = self.rotations[rotation.id]
        if value is not None and rotation.state in UNSETTLED:
            self.aws[rotation.account_id, rotation.kind] = value

    @precondition(lambda self: self.rotations)
    @rule(who=OPERATOR, which=ANY, unknown=st.booleans())
    def attest(self, who: str, which: int, unknown: bool) -> None:
        """Say what AWS did, or that one does not know."""
        self._attest(who, self._chosen(which), unknown=unknown)

    def _attest(self, who: str, rotation_id: str, *, unknown: bool) -> None:
        rotation = self._rotation(rotation_id)
        taken = self.aws[rotation.account_id, rotation.kind] == self.rotations[rotation.id]
        outcome = Outcome.UNKNOWN if unknown else (Outcome.ACCEPTED if taken else Outcome.REFUSED)
        actor = self._human(who).actor
        self._try(lambda: self.world.vault.attestations.attest(actor, rotation.id, outcome))

    @precondition(lambda self: self.rotations)
    @rule(who=OPERATOR, which=ANY)
    def abandon(self, who: str, which: int) -> None:
        """Drop a plan."""
        rotation = self._rotation(self._chosen(which))
        made = self._try(lambda: self.world.vault.rotations.abandon(self._human(who).actor, rotation.id))
        assert made is None or self.rotations[rotation.id] is None

    @precondition(lambda self: self.rotations)
    @rule(who=st.sampled_from(OPERATORS + APPROVERS), which=ANY)
    def verify(self, who: str, which: int) -> None:
        """Prove a rotation."""
        rotation = self._rotation(self._chosen(which))
        actor = self._human(who).actor
        self._try(lambda: self.world.vault.attestations.verify(actor, rotation.id, "seen it work"))

    @precondition(lambda self: self.leases)
    @rule(other=RARELY, which=ANY, how=st.sampled_from(["check_in", "cancel"]))
    def give_back(self, other: bool, which: int, how: str) -> None:
        """Check in or withdraw."""
        checkout_id, lease = self._lease(which)
        who = self._who(lease, other=other)
        active, actor = self._active(lease), self._human(who).actor
        end = self.world.vault.checkouts.check_in if how == "check_in" else self.world.vault.checkouts.cancel
        made = self._try(lambda: end(actor, checkout_id))
        if made is not None:
            assert lease.who == who
            assert active == (how == "check_in")
            lease.over = True

    @precondition(lambda self: self.leases)
    @rule(who=st.sampled_from(OPERATORS + APPROVERS), which=ANY)
    def revoke(self, who: str, which: int) -> None:
        """End someone's checkout: for approvers."""
        checkout_id, lease = self._lease(which)
        actor = self._human(who).actor
        made = self._try(
            lambda: self.world.vault.checkouts.revoke(actor, checkout_id, "better safe than sorry")
        )
        if made is not None:
            assert who in APPROVERS
            lease.over = True

    @rule(seconds=st.sampled_from([1, 29, 30, 30, 60, 60, 90, 299, 301, 1801, 3601, 28800]))
    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        """Let the worker write down what time has done."""
        self.world.vault.sweep.once()

    # --- what always holds

    @invariant()
    def one_claim_for_an_account(self) -> None:
        """At most one open checkout each (rule 1)."""
        if not hasattr(self, "world"):
            return
        with self.world.vault.units.read() as unit:
            written = {id: unit.checkouts.get(id) for id in self.leases}
        claims = [each.account_id for each in written.values() if each is not None and each.state in OPEN]
        assert len(claims) == len(set(claims))

    @invariant()
    def parts_rotations_and_versions_agree(self) -> None:
        """Hold parts to their rotations: in motion exactly together, one value staged while that is open."""
        if not hasattr(self, "world"):
            return
        with self.world.vault.units.read() as unit:
            for account in ACCOUNTS:
                claim = unit.checkouts.open_of(account)
                in_use = claim is not None and claim.state is CheckoutState.ACTIVE
                rotations = {rotation.kind: rotation for rotation in unit.rotations.unsettled(account)}
                for part in unit.accounts.parts(account):
                    found = rotations.get(part.kind)
                    state = None if found is None else found.state
                    labels = [version.label for version in unit.versions.of(account, part.kind)]
                    assert (part.state is PartState.ROTATING) == (state is RotationState.DISPLAYED)
                    unknown = part.state in {PartState.UNKNOWN, PartState.RECONCILING}
                    assert unknown == (state is RotationState.UNKNOWN)
                    assert part.state in {PartState.ABSENT, PartState.UNKNOWN, PartState.HELD} or in_use
                    assert part.state is not PartState.HELD or not in_use
                    assert labels.count(VersionLabel.STAGED) == (found is not None)
                    assert labels.count(VersionLabel.CURRENT) <= 1
                held = all(unit.versions.current(account, kind) is not None for kind in PartKind)
                known = unit.accounts.get(account)
                assert known is not None
                assert (known.custody is Custody.HELD) == held

    @invariant()
    def nothing_is_lost(self) -> None:
        """Find what is set at AWS as current or, where nobody knows, among what a next holder opens (S1)."""
        if not hasattr(self, "world"):
            return
        for (account, kind), value in self.aws.items():
            if value is None:
                continue
            with self.world.vault.units.read() as unit:
                state = next(part.state for part in unit.accounts.parts(account) if part.kind is kind)
            candidates = self._sealed(account, kind, VersionLabel.CURRENT)
            if state in UNSURE:
                candidates += self._sealed(account, kind, VersionLabel.STAGED)
                candidates += self._sealed(account, kind, VersionLabel.PREVIOUS)
            assert value in candidates, f"{kind} of {account} is {state} and lost"


Checkouts.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestCheckouts = Checkouts.TestCase
