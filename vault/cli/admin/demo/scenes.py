"""The story's acts: how accounts come into custody, how root is used, how a credential is rotated.

Every act calls the same use cases as the web does, as the person who would do it, and then tries at the
simulated AWS console that what the vault gave out is what opens the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.cli.admin.demo.stage import refused
from vault.domain.account import Custodian
from vault.domain.actor import Role
from vault.domain.checkout import Decision
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome, Rotation
from vault.domain.secret import Secret
from vault.services.accounts import AccountFacts
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault.bootstrap import Vault
    from vault.cli.admin.demo.cast import Cast, Player
    from vault.cli.admin.demo.clock import StoryClock
    from vault.cli.admin.demo.console import Console
    from vault.cli.admin.demo.stage import Stage
    from vault.cli.admin.demo.world import Company, Ground
    from vault.domain.account import Customer
    from vault.domain.checkout import Checkout

PAUSE: Final = 240
"""Seconds after a lease, so that AWS's records, which tell whole seconds, are of one lease and not the next."""
SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Act:
    """What every act plays on."""

    vault: Vault
    clock: StoryClock
    stage: Stage
    cast: Cast
    console: Console

    def enlist(self, companies: Iterable[Company]) -> None:
        """Register customers."""
        custodian = self.cast.of(Role.CUSTODIAN)
        for company in companies:
            with self.stage.step(f"{custodian.part.name} registers {company.name}") as told:
                facts = CustomerFacts(name=company.name)
                self.vault.customers.register(custodian.actor(self.vault), company.ddi, facts)
                told(f"DDI {company.ddi}")

    def customer(self, company: Company) -> Customer:
        """Find a customer that was registered."""
        with self.vault.units.read() as unit:
            found = unit.customers.by_ddi(company.ddi)
        if found is None:
            raise AssertionError(f"{company.name} is registered")
        return found

    def register(self, grounds: tuple[Ground, ...]) -> None:
        """Register accounts, of customers that are registered."""
        custodian = self.cast.of(Role.CUSTODIAN)
        ids = {each: self.customer(each).id for each in {ground.company for ground in grounds}}
        with self.stage.step(f"{custodian.part.name} registers {len(grounds)} AWS accounts") as told:
            states: dict[str, int] = {}
            for ground in grounds:
                ours = Custodian.OURS
                account = self.vault.accounts.register(
                    custodian.actor(self.vault),
                    ground.number,
                    ids[ground.company],
                    ground.model,
                    ground.kind,
                    AccountFacts(ground.name, ground.root_email, ours, ours),
                )
                states[account.custody] = states.get(account.custody, 0) + 1
            told(", ".join(f"{count} {state}" for state, count in states.items()))

    def refuse_theirs(self, ground: Ground) -> None:
        """Show that a root which is the customer's is not taken in (C2)."""
        custodian = self.cast.of(Role.CUSTODIAN)
        with self.stage.step(f"The root of {ground.name}, an ECAM member, is refused") as told:
            existing = Existing(
                ground.root_email, Secret("Not-Ours-To-Keep-7"), Secret("JBSWY3DPEHPK3PXP" * 4), attested=True
            )
            actor = custodian.actor(self.vault)
            refused(
                "custody.customer_held",
                lambda: self.vault.custodies.take_in(actor, ground.number, existing, custodian.code()),
            )
            told("custody.customer_held, rule C2")

    def take_in(self, ground: Ground) -> None:
        """Take values from before us into custody, as they are and due for rotation at once (C4)."""
        custodian = self.cast.of(Role.CUSTODIAN)
        root = self.console.opened_long_ago(
            ground.number, f"Legacy-{ground.name.title()}-{ground.number[-3:]}!"
        )
        with self.stage.step(f"{custodian.part.name} takes the existing values of {ground.name} in") as told:
            if root.password is None or root.seed is None:
                raise AssertionError("an account opened long ago has both parts")
            existing = Existing(ground.root_email, root.password, root.seed, attested=True)
            actor = custodian.actor(self.vault)
            account = self.vault.custodies.take_in(actor, ground.number, existing, custodian.code())
            told(f"{account.custody}; both parts due for rotation")

    def lease(self, who: Player, ground: Ground, reason: str, why: str, *approvers: Player) -> Checkout:
        """Ask, have it approved where that is needed, and step up."""
        with self.stage.step(f"{who.part.name} asks for {ground.name}: {reason}") as told:
            asked = self.vault.asking.ask(who.actor(self.vault), Ask(ground.number, reason, "RV-2041", why))
            told(f"{asked.state}, {asked.approvals_needed} approval(s) needed")
        for approver in approvers:
            with self.stage.step(f"{approver.part.name} approves with a fresh code") as told:
                word = Word(Decision.APPROVE, "agreed", content_hash=asked.content_hash)
                actor = approver.actor(self.vault)
                decided = self.vault.approvals.decide(actor, asked.id, word, approver.code())
                told(f"{decided.state}, bound to content {asked.content_hash[:12]}")
        with self.stage.step(f"{who.part.name} steps up; the lease begins") as told:
            active, _ = self.vault.checkouts.step_up(who.actor(self.vault), asked.id, who.code())
            told(f"{active.state} for {active.granted_seconds // 60} minutes")
        return active

    def rotate_password(self, who: Player, ground: Ground, checkout: Checkout) -> Rotation:
        """Seal, show, set at AWS, attest."""
        with self.stage.step(f"{who.part.name} rotates the password of {ground.name}") as told:
            actor = who.actor(self.vault)
            planned = self.vault.rotations.plan(actor, checkout.id, PartKind.PASSWORD)
            shown = self.vault.rotations.display(actor, planned.id)
            if shown.password is None:
                raise AssertionError("a password's rotation shows a password")
            self.console.set_password(ground.number, shown.password, self.clock.now())
            done = self.vault.attestations.attest(actor, planned.id, Outcome.ACCEPTED)
            told(
                f"version {done.version} {done.state}; sealed before it was shown, entry {shown.receipt.index}"
            )
        return done

    def rotate_device(self, who: Player, ground: Ground, checkout: Checkout) -> Rotation:
        """Seal the seed that AWS shows, enter two consecutive codes, attest."""
        with self.stage.step(f"{who.part.name} enrols a new MFA device of {ground.name}") as told:
            actor = who.actor(self.vault)
            seed = self.console.show_seed(ground.number)
            planned = self.vault.rotations.plan(actor, checkout.id, PartKind.MFA, seed)
            shown = self.vault.rotations.display(actor, planned.id)
            codes = (shown.codes[0].code, shown.codes[1].code)
            self.console.enrol_device(ground.number, codes, self.clock.now())
            done = self.vault.attestations.attest(actor, planned.id, Outcome.ACCEPTED)
            told(f"version {done.version} {done.state}; the seed itself is never shown")
        return done

    def take_over(self, who: Player, other: Player, ground: Ground) -> None:
        """Bring an account into custody by setting both parts ourselves (C4)."""
        checkout = self.lease(who, ground, "ONBOARD_TAKEOVER", "Take over the root user of the new account.")
        rotations = (self.rotate_password(who, ground, checkout), self.rotate_device(who, ground, checkout))
        with self.stage.step(f"{ground.name} is in custody") as told:
            view = self.vault.accounts.get(who.actor(self.vault), ground.number)
            versions = {part.part.kind: part.current.number if part.current else None for part in view.parts}
            if view.account.custody != "held" or None in versions.values():
                raise AssertionError(f"{ground.number} is {view.account.custody}")
            told(f"password version {versions[PartKind.PASSWORD]}, device version {versions[PartKind.MFA]}")
        self.check_in(who, checkout)
        self.verify(other, rotations)

    def check_in(self, who: Player, checkout: Checkout) -> None:
        """End the lease."""
        with self.stage.step(f"{who.part.name} checks in") as told:
            ended, receipt = self.vault.checkouts.check_in(who.actor(self.vault), checkout.id)
            told(f"{ended.state}, entry {receipt.index}")
        self.clock.advance(PAUSE)
        self.vault.publishing.once()  # as the worker does all the time

    def verify(self, who: Player, rotations: tuple[Rotation, ...]) -> None:
        """Prove what a colleague set, so that older versions are retired."""
        with self.stage.step(f"{who.part.name} verifies it as the second person") as told:
            for rotation in rotations:
                note = "Signed in at the console with the new value."
                done = self.vault.attestations.verify(who.actor(self.vault), rotation.id, note)
                told(f"{done.kind} version {done.version} {done.state}")

    def use(self, who: Player, ground: Ground, checkout: Checkout) -> None:
        """Reveal the password, give a code, and sign in at the console with both."""
        actor = who.actor(self.vault)
        with self.stage.step(f"{who.part.name} reveals the password") as told:
            revealed = self.vault.reveals.password(actor, checkout.id)
            told(
                f"version {revealed.version}, recorded as entry {revealed.receipt.index} before it was shown"
            )
        with self.stage.step(f"{who.part.name} gets the MFA code") as told:
            code = self.vault.reveals.code(actor, checkout.id)
            told(f"valid until {code.valid_until:%H:%M:%S}, entry {code.receipt.index}")
        self.clock.advance(SECONDS)
        with self.stage.step(f"{who.part.name} signs in to AWS as root of {ground.name}"):
            self.console.sign_in(ground.number, revealed.value, code.code, self.clock.now())

    def refuse_due(self, who: Player, ground: Ground) -> None:
        """Show that a disclosed password opens nothing else before it was rotated (rule 7)."""
        with self.stage.step(f"{who.part.name} asks for {ground.name} again, and is refused") as told:
            ask = Ask(ground.number, "BILL_ROOT", "RV-2042", "Look at a bill once more.")
            actor = who.actor(self.vault)
            refused("rotation.due", lambda: self.vault.asking.ask(actor, ask))
            told("rotation.due: it was disclosed, so it has to be rotated first")

    def lose_sight(self, who: Player, ground: Ground, checkout: Checkout) -> None:
        """Display a new password and never learn whether AWS took it; AWS, in truth, did not."""
        with self.stage.step(
            f"{who.part.name} sets a password of {ground.name}, and the connection breaks"
        ) as told:
            actor = who.actor(self.vault)
            planned = self.vault.rotations.plan(actor, checkout.id, PartKind.PASSWORD)
            self.vault.rotations.display(actor, planned.id)
            done = self.vault.attestations.attest(actor, planned.id, Outcome.UNKNOWN)
            told(f"version {done.version} {done.state}; both stay openable until one is proven")
