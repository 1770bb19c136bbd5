"""What another operator finds after a fault, and how they bring the work to its end.

They take the account, try what the vault offers in the order in which it offers it, say which value works, change both
parts and sign in with what the vault reveals. On the way: is the value at AWS among those that the vault opens (S1),
the first or second that it offers, and was everything that came out written down before (S2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.integration.crash_hands import NUMBER, Hands
from tests.support.events import entries
from vault.domain.account import Custody
from vault.domain.credential import PartKind, PartState, Version, offers
from vault.domain.rotation import Outcome, Rotation, RotationState
from vault.errors import Limited

if TYPE_CHECKING:
    from vault.services.accounts import CredentialView

SECOND = 1
"""The last place at which the value at AWS may stand in the order of offers, from 0."""


@dataclass(slots=True)
class Aftermath:
    """What is found; `mistaken` says that somebody attested what was not so, which may push the value further back."""

    bob: Hands
    mistaken: bool = False
    lost: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def look(self) -> dict[str, Any]:
        """Find, settle, finish."""
        bob = self.bob
        unlogged = self._unlogged()
        bob.world.vault.sweep.once()
        bob.lease_for_rotation()
        for kind in PartKind:
            self._settle(kind)
        if not self.lost:
            self._finish()
        return {"lost": self.lost, "late": self.late, "unlogged": unlogged}

    def settle(self) -> None:
        """Find out what AWS has and say so, of both parts."""
        for kind in PartKind:
            self._settle(kind)

    def _settle(self, kind: PartKind) -> None:
        vault, actor = self.bob.world.vault, self.bob.who.actor
        found = self._found(kind)
        with vault.units.read() as unit:
            open_ones = [each for each in unit.rotations.unsettled(NUMBER) if each.kind is kind]
        for rotation in open_ones:
            if rotation.state is RotationState.PLANNED:
                vault.rotations.abandon(actor, rotation.id)
            else:
                vault.attestations.attest(actor, rotation.id, self._outcome(rotation, found))
        if found is None and self._is_set(kind) and not open_ones:
            self._say_that_none_works(kind)
        if found is None and self._is_set(kind) and self._found(kind) is None:
            self.lost.append(kind)

    def _say_that_none_works(self, kind: PartKind) -> None:
        """Have all that is sealed offered: somebody set at AWS what they were shown, after the lease was another's."""
        bob, attest = self.bob, self.bob.world.vault.attestations.attest
        self.mistaken = True
        bob.world.clock.advance(seconds=90)
        shown = bob.show(kind).rotation.id
        for outcome in (Outcome.UNKNOWN, Outcome.NONE_WORKS):
            attest(bob.who.actor, shown, outcome)

    def _outcome(self, rotation: Rotation, found: Version | None) -> Outcome:
        if found is None and self._is_set(rotation.kind):
            return Outcome.NONE_WORKS
        taken = found is not None and found.number == rotation.version
        return Outcome.ACCEPTED if taken else Outcome.REFUSED

    def _is_set(self, kind: PartKind) -> bool:
        console = self.bob.console
        return (console.password if kind is PartKind.PASSWORD else console.seed) is not None

    def _found(self, kind: PartKind) -> Version | None:
        """Try what is offered; note a value that stands too far back."""
        if not self._is_set(kind):
            return None
        credential: CredentialView = self.bob.world.vault.accounts.credential(self.bob.who.actor, NUMBER)
        view = next(each for each in credential.view.parts if each.part.kind is kind)
        for place, version in enumerate(offers(view.part, credential.versions, unverified=view.unverified)):
            if self._opens(version):
                if place > SECOND and not self.mistaken:
                    self.late.append(f"{kind} at place {place}")
                return version
        return None

    def _opens(self, version: Version) -> bool:
        """Try one, with a new lease where this one has shown as many as it may."""
        try:
            return self.bob.opens(version)
        except Limited as error:
            if error.code != "reveal.quota":
                raise
        self.bob.check_in()
        self.bob.lease_for_rotation()
        return self.bob.opens(version)

    def _finish(self) -> None:
        """Change both parts, sign in at AWS with what the vault reveals."""
        bob = self.bob
        for kind in PartKind:
            bob.world.clock.advance(seconds=90)
            if bob.rotate(kind).state is not RotationState.ACCEPTED:
                message = f"AWS refused the next {kind}"
                raise AssertionError(message)
        bob.check_in()
        bob.lease("BILL_ROOT")
        bob.sign_in()
        bob.check_in()
        with bob.world.vault.units.read() as unit:
            account = unit.accounts.get(NUMBER)
            states = {part.state for part in unit.accounts.parts(NUMBER)}
        if account is None or account.custody is not Custody.HELD or states != {PartState.HELD}:
            message = f"the account ended as {account} with parts {states}"
            raise AssertionError(message)

    def _unlogged(self) -> int:
        """Count disclosures that came out without a durable authorisation (S2)."""
        shown = self.bob.shown.read_text().count("\n") if self.bob.shown.exists() else 0
        return max(0, shown - len(entries(self.bob.world, type="secret.reveal.authorized")))
