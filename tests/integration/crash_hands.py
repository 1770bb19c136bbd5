"""Somebody at the vault and at the AWS console: what they do, and what they know.

They know the password that they signed in with or set last; whatever else changed it at AWS, they do not know. The
console is the oracle: it is asked for nothing but what a person could try there.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.crash_fuse import Fuse, Where
from tests.support.console import AwsConsole
from tests.support.world import Human, World
from vault.crypto import totp
from vault.domain.account import Custody
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.domain.secret import Secret
from vault.services.rotations import Displayed

if TYPE_CHECKING:
    from vault.domain.checkout import Checkout
    from vault.domain.credential import Version
    from vault.domain.rotation import Rotation

NUMBER = "111122223333"


@dataclass(slots=True)
class Hands:
    """One operator; `shown` is where every value that came out of the vault is written down, durably."""

    who: Human
    world: World
    console: AwsConsole
    shown: Path
    fuse: Fuse
    checkout: Checkout | None = None
    knows: str = ""

    def lease(self, reason: str = "CRED_ROTATE") -> None:
        """Take the account, and sign in at AWS with what works there."""
        self.checkout = self.world.lease(self.who, NUMBER, reason)
        self.knows = self.console.password or ""

    def lease_for_rotation(self) -> None:
        """Take the account for the reason that its custody allows."""
        with self.world.vault.units.read() as unit:
            account = unit.accounts.get(NUMBER)
        onboarding = account is not None and account.custody is Custody.ONBOARDING
        self.lease("ONBOARD_TAKEOVER" if onboarding else "CRED_ROTATE")

    def check_in(self) -> None:
        """Give it back."""
        self.world.vault.checkouts.check_in(self.who.actor, self.lease_id)

    @property
    def lease_id(self) -> str:
        """Name the lease."""
        return "" if self.checkout is None else self.checkout.id

    def plan(self, kind: PartKind) -> Rotation:
        """Have a new value sealed; AWS shows a device's seed first."""
        seed = Secret(self.console.offer_seed()) if kind is PartKind.MFA else None
        return self.world.vault.rotations.plan(self.who.actor, self.lease_id, kind, seed)

    def display(self, rotation: Rotation) -> Displayed:
        """Look at a staged value, with a fresh factor."""
        vault = self.world.vault
        vault.checkouts.step_up(self.who.actor, self.lease_id, self.who.otp())
        displayed = vault.rotations.display(self.who.actor, rotation.id)
        if displayed.password is not None:
            self.note("password", displayed.password.expose())
        else:
            self.note("code", displayed.codes[0].code.expose())
        return displayed

    def show(self, kind: PartKind) -> Displayed:
        """Seal a new value and look at it."""
        return self.display(self.plan(kind))

    def set_at_aws(self, displayed: Displayed) -> bool:
        """Set what was shown in the console; say whether AWS took it."""
        self.fuse.step(Where.CONSOLE)
        if displayed.password is not None:
            new = displayed.password.expose()
            by_mailbox = displayed.rotation.recovering or not self.knows
            taken = (
                self.console.reset_password(new)
                if by_mailbox
                else self.console.change_password(self.knows, new)
            )
            self.knows = new if taken else self.knows
        else:
            first, second = (code.code.expose() for code in displayed.codes)
            taken = self.console.enrol(first, second, displayed.codes[0].valid_from.timestamp())
        self.fuse.step(Where.ACTED)
        return taken

    def attest(self, displayed: Displayed, outcome: Outcome) -> Rotation:
        """Say what AWS did."""
        return self.world.vault.attestations.attest(self.who.actor, displayed.rotation.id, outcome)

    def rotate(self, kind: PartKind) -> Rotation:
        """Change one part to its end."""
        displayed = self.show(kind)
        taken = self.set_at_aws(displayed)
        return self.attest(displayed, Outcome.ACCEPTED if taken else Outcome.REFUSED)

    def sign_in(self) -> None:
        """Reveal both parts and sign in at AWS, which has to work."""
        vault = self.world.vault
        self.world.clock.advance(seconds=90)
        password = self.reveal()
        code = vault.reveals.code(self.who.actor, self.lease_id)
        self.note("code", code.code.expose())
        at_aws = code.valid_until.timestamp() - 15  # whatever the vault's clock does meanwhile
        if not self.console.opens(password, code.code.expose(), at_aws):
            message = "the console does not open with what the vault revealed"
            raise AssertionError(message)

    def reveal(self, number: int | None = None) -> str:
        """Reveal a password: the current one, or the version of this number."""
        reveals = self.world.vault.reveals
        wanted = () if number is None else (number,)
        password = reveals.password(self.who.actor, self.lease_id, *wanted).value.expose()
        self.note("password", password)
        return password

    def opens(self, version: Version) -> bool:
        """Reveal one version and try it at AWS."""
        if version.kind is PartKind.PASSWORD:
            return self.reveal(version.number) == self.console.password
        self.world.clock.advance(seconds=60)
        revealed = self.world.vault.reveals.code(self.who.actor, self.lease_id, version.number)
        self.note("code", revealed.code.expose())
        step = totp.step_of(revealed.valid_until) - 1
        seed = totp.parse_seed(Secret(self.console.seed or ""))
        return totp.code_at(seed, step).expose() == revealed.code.expose()

    def say_that_none_works(self) -> None:
        """Say that AWS takes no password that the lease opens, after they looked at it."""
        self.reveal()
        self.world.vault.losing.none_works(self.who.actor, self.lease_id, PartKind.PASSWORD)

    def note(self, kind: str, value: str) -> None:
        """Write down, durably, what came out of the vault."""
        with self.shown.open("a") as file:
            file.write(json.dumps([kind, value]) + "\n")
            file.flush()
            os.fsync(file.fileno())
