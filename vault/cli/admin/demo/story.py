"""The story in order: eight accounts in every state of custody, root used once, rotated, and proven.

Decided here: who does what after whom, and in which state each account is left for whoever looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.cli.admin.demo import eyes, mailroom, trouble, upkeep, world
from vault.cli.admin.demo.proof import export, prove, prove_tampering
from vault.cli.admin.demo.scenes import Act
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit.witness.client import Client
    from vault.cli.admin.demo.cast import Player
    from vault.cli.admin.demo.world import Ground
    from vault.domain.rotation import Rotation
    from vault.domain.secret import Secret


def play(act: Act, directory: Path, witness: Client, shares: Sequence[Secret[str]]) -> None:
    """Play every scene after the vault was founded and its people came; `shares` open a backup."""
    operator, second = act.cast.of(Role.OPERATOR), act.cast.of(Role.OPERATOR, 1)
    act.stage.scene("Customers and accounts")
    act.enlist((world.NORTHGATE, world.BRIGHTWATER))
    act.register(world.ACCOUNTS)
    act.refuse_theirs(world.THEIRS)

    act.stage.scene("Taking custody")
    act.take_over(operator, second, world.PAYER)
    for ground in (world.MEMBER, world.DUE, world.ALONE, world.UNKNOWN):
        act.take_in(ground)
    leaver = act.cast.players[world.LEAVER.name]
    _renew(act, second, operator, world.MEMBER)
    _renew(act, leaver, operator, world.ALONE)
    _take_over_half(act, operator, world.HALF)

    older = act.vault.trail.checkpoint()
    # somebody signs in as root whom nobody knows: only AWS sees it
    act.console.trail.signed_in(world.UNKNOWN.number, act.clock.now(), ip=eyes.STRANGER, mfa=False)

    act.stage.scene("Using root")
    why = "Change the account's contact settings, which only root can."
    checkout = act.lease(second, world.PAYER, "ACCT_SETTINGS", why, act.cast.of(Role.APPROVER))
    act.use(second, world.PAYER, checkout)
    act.check_in(second, checkout)
    act.refuse_due(operator, world.PAYER)

    act.stage.scene("Rotating what was disclosed")
    checkout = act.lease(second, world.PAYER, "CRED_ROTATE", "Rotate the password that was disclosed.")
    rotation = act.rotate_password(second, world.PAYER, checkout)
    act.check_in(second, checkout)

    act.stage.scene("An outcome nobody knows")
    checkout = act.lease(
        operator, world.UNKNOWN, "CRED_ROTATE", "Rotate the password that came from before us."
    )
    act.lose_sight(operator, world.UNKNOWN, checkout)
    act.check_in(operator, checkout)

    mailroom.come_in(act, second, world.ALONE)

    act.stage.scene("In an emergency")
    trouble.break_glass(act, operator, second, world.MEMBER)

    act.stage.scene("Everything stops")
    trouble.freeze(act, second, world.MEMBER)

    act.stage.scene("Somebody leaves")
    trouble.leave(act, leaver, second, operator, world.ALONE)

    act.stage.scene("Upkeep")
    upkeep.keep_up(act, second, operator, (world.MEMBER, world.PAYER), (shares, directory))

    act.stage.scene("Eyes outside")
    act.clock.advance(eyes.LATER)
    eyes.reconcile(act, world.UNKNOWN)
    upkeep.prove_by_aws(act, rotation)
    eyes.publish(act)
    kept = eyes.cosign(act, witness, older, directory)

    act.stage.scene("Proof")
    bundle = export(act, directory)
    prove(act, bundle, kept)
    prove_tampering(act, bundle)
    act.clock.advance(60)
    act.vault.publishing.once()  # so that nothing of the story waits for a worker


def _take_over_half(act: Act, who: Player, ground: Ground) -> None:
    """Leave an account with its password set and no device yet."""
    checkout = act.lease(who, ground, "ONBOARD_TAKEOVER", "Begin to take over the root user.")
    act.rotate_password(who, ground, checkout)
    act.check_in(who, checkout)


def _renew(act: Act, who: Player, other: Player, ground: Ground) -> None:
    """Rotate both parts of values that came from before us."""
    checkout = act.lease(who, ground, "CRED_ROTATE", "Rotate the values that came from before us.")
    rotations: tuple[Rotation, ...] = (
        act.rotate_password(who, ground, checkout),
        act.rotate_device(who, ground, checkout),
    )
    act.check_in(who, checkout)
    act.verify(other, rotations)
