"""The life of one credential in chapters, which together take every step of the tables of part, version and rotation.

Each chapter begins on a prepared world, so that a fault late in the life costs no more than an early one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome

if TYPE_CHECKING:
    from tests.integration.crash_hands import Hands

PASSWORD, MFA = PartKind.PASSWORD, PartKind.MFA


def takeover(alice: Hands, bob: Hands) -> None:
    """Take an account over: first values, and first devices that AWS refuses in every way; then use it."""
    alice.lease("ONBOARD_TAKEOVER")
    alice.rotate(PASSWORD)
    device = alice.show(MFA)
    alice.check_in()
    alice.attest(device, Outcome.REFUSED)
    bob.lease("ONBOARD_TAKEOVER")
    device = bob.show(MFA)
    bob.attest(device, Outcome.UNKNOWN)
    bob.attest(device, Outcome.REFUSED)
    bob.attest(bob.show(MFA), Outcome.REFUSED)
    bob.rotate(MFA)
    bob.check_in()
    alice.lease("BILL_ROOT")
    alice.sign_in()
    alice.check_in()


def change(alice: Hands, bob: Hands) -> None:
    """Change both parts: a plan is dropped, a value looked at twice, one refused by AWS; have it proven."""
    alice.lease()
    alice.sign_in()
    vault = alice.world.vault
    vault.rotations.abandon(alice.who.actor, alice.plan(PASSWORD).id)
    alice.attest(alice.show(PASSWORD), Outcome.REFUSED)
    planned = alice.plan(PASSWORD)
    alice.display(planned)
    displayed = alice.display(planned)
    taken = alice.set_at_aws(displayed)
    password = alice.attest(displayed, Outcome.ACCEPTED if taken else Outcome.REFUSED)
    device = alice.rotate(MFA)
    alice.check_in()
    for rotation in (password, device):
        vault.attestations.verify(bob.who.actor, rotation.id, "seen signed in with it")


def doubt(alice: Hands, bob: Hands) -> None:
    """Lose sight of the outcome, under a lease and after it, of both parts; find out, by either operator."""
    alice.lease()
    password = alice.show(PASSWORD)
    taken = alice.set_at_aws(password)
    alice.attest(password, Outcome.UNKNOWN)
    alice.reveal(password.rotation.version)
    alice.attest(password, Outcome.ACCEPTED if taken else Outcome.REFUSED)
    device = alice.show(MFA)
    taken = alice.set_at_aws(device)
    alice.check_in()
    alice.attest(device, Outcome.ACCEPTED if taken else Outcome.REFUSED)
    bob.lease()
    device = bob.show(MFA)
    bob.attest(device, Outcome.UNKNOWN)
    bob.check_in()
    bob.attest(device, Outcome.REFUSED)
    bob.lease()
    device = bob.show(MFA)
    bob.check_in()
    alice.lease()
    alice.attest(device, Outcome.REFUSED)
    alice.check_in()


def lost(alice: Hands, bob: Hands) -> None:
    """Say by mistake that nothing works, in both ways; reset by the mailbox, which fails in every way first."""
    alice.lease()
    alice.say_that_none_works()
    alice.rotate(PASSWORD)
    alice.check_in()
    alice.lease()
    password = alice.show(PASSWORD)
    alice.set_at_aws(password)
    alice.attest(password, Outcome.UNKNOWN)
    alice.attest(password, Outcome.NONE_WORKS)
    alice.attest(alice.show(PASSWORD), Outcome.REFUSED)
    password = alice.show(PASSWORD)
    alice.check_in()
    alice.attest(password, Outcome.REFUSED)
    bob.lease()
    password = bob.show(PASSWORD)
    bob.attest(password, Outcome.UNKNOWN)
    bob.attest(password, Outcome.REFUSED)
    bob.rotate(PASSWORD)
    bob.check_in()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter; `held` says that it begins with an account in custody, `mistaken` that somebody attests falsely."""

    tell: Callable[[Hands, Hands], None]
    held: bool = True
    mistaken: bool = False


CHAPTERS: Final[Mapping[str, Chapter]] = {
    "takeover": Chapter(takeover, held=False),
    "change": Chapter(change),
    "doubt": Chapter(doubt),
    "lost": Chapter(lost, mistaken=True),
}
