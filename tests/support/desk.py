"""Two operators at work on one account, with the AWS console beside them: what scenarios of rotation begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from vault.domain.actor import Role
from vault.domain.credential import PartKind, PartState, VersionLabel
from vault.domain.rotation import Outcome, Rotation, RotationState
from vault.domain.secret import Secret
from vault.errors import Conflict, VaultError

if TYPE_CHECKING:
    from tests.support.console import AwsConsole
    from tests.support.world import Human, World
    from vault.domain.checkout import Checkout

NUMBER: Final = "111122223333"
PASSWORD: Final = "Correct-Horse-7-Battery"
SEED: Final = "JBSWY3DPEHPK3PXP" * 4


class Desk:
    """Two operators, the AWS console, and the account they work on."""

    def __init__(self, world: World, console: AwsConsole) -> None:
        self.world, self.console = world, console
        self.vault = world.vault
        self.alice: Human = world.human("alice", Role.OPERATOR)
        self.bob: Human = world.human("bob", Role.OPERATOR)

    def held(self) -> Desk:
        """Begin with an account in custody."""
        self.console.reset_password(PASSWORD)
        self.console._write(seed=SEED)
        self.world.held(NUMBER, PASSWORD, SEED)
        return self

    def lease(self, who: Human, reason: str = "CRED_ROTATE") -> Checkout:
        """Take the account out."""
        self.world.clock.advance(seconds=60)
        return self.world.lease(who, NUMBER, reason)

    def check_in(self, who: Human, lease: Checkout) -> None:
        """Give it back."""
        self.vault.checkouts.check_in(who.actor, lease.id)

    def plan(self, who: Human, lease: Checkout, kind: PartKind = PartKind.PASSWORD) -> Rotation:
        """Seal a candidate."""
        seed = Secret(self.console.offer_seed()) if kind is PartKind.MFA else None
        return self.vault.rotations.plan(who.actor, lease.id, kind, seed)

    def show(self, who: Human, rotation: Rotation) -> str:
        """Display a staged password."""
        shown = self.vault.rotations.display(who.actor, rotation.id).password
        assert shown is not None
        return shown.expose()

    def attest(self, who: Human, rotation: Rotation, outcome: Outcome) -> Rotation:
        """Say what AWS did."""
        return self.vault.attestations.attest(who.actor, rotation.id, outcome)

    def rotate(self, who: Human, lease: Checkout) -> Rotation:
        """Rotate the password to acceptance."""
        rotation = self.plan(who, lease)
        self.console.reset_password(self.show(who, rotation))
        return self.attest(who, rotation, Outcome.ACCEPTED)

    def reveal(self, who: Human, lease: Checkout, wanted: VersionLabel | int = VersionLabel.CURRENT) -> str:
        """Reveal a password."""
        return self.vault.reveals.password(who.actor, lease.id, wanted).value.expose()

    def part(self, kind: PartKind = PartKind.PASSWORD) -> PartState:
        """Give the state of a part."""
        with self.vault.units.read() as unit:
            return next(part.state for part in unit.accounts.parts(NUMBER) if part.kind is kind)

    def labels(self, kind: PartKind = PartKind.PASSWORD) -> list[VersionLabel]:
        """List the labels, oldest version first."""
        with self.vault.units.read() as unit:
            return [version.label for version in reversed(unit.versions.of(NUMBER, kind))]

    def state(self, rotation: Rotation) -> RotationState:
        """Give the state of a rotation."""
        return self.vault.views.rotation(self.alice.actor, rotation.id).rotation.state

    def refused(self, code: str, kind: type[VaultError] = Conflict) -> pytest.RaisesExc[VaultError]:
        """Expect a refusal of a kind and a code."""
        return pytest.raises(kind, check=lambda error: error.code == code)
