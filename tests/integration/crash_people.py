"""Faults that people and time cause in the middle of somebody's work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.integration.crash_after import Aftermath
from tests.integration.crash_fuse import NEVER, OUTSIDE, Fault, Fuse
from tests.integration.crash_hands import NUMBER, Hands
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.errors import VaultError

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.checkout import Checkout


def faults(world: World, alice: Hands, bob: Hands) -> Iterator[Fault]:
    """List them, on a vault (`world`) that has no fuse of its own."""
    calm = Fuse(Fault("none", frozenset(), lambda _fuse: None), NEVER)
    rival = replace(bob, who=world.human("eve", Role.OPERATOR), world=world, fuse=calm, checkout=None)

    def moves(**delta: float) -> Callable[[Fuse], None]:
        def act(_fuse: Fuse) -> None:
            world.clock.at += timedelta(**delta)

        return act

    def check_in(_fuse: Fuse) -> None:
        claim = _claim(world)
        for holder in (alice, bob):
            if claim is not None and claim.requester_id == holder.who.actor.id:
                world.vault.checkouts.check_in(holder.who.actor, claim.id)

    def revoke(_fuse: Fuse) -> None:
        claim = _claim(world)
        if claim is not None:
            amir = world.human("amir", Role.APPROVER).actor
            world.vault.checkouts.revoke(amir, claim.id, "somebody else has to look now")

    def take_over(fuse: Fuse) -> None:
        check_in(fuse)
        rival.lease_for_rotation()
        Aftermath(rival).settle()
        for kind in PartKind:
            world.clock.advance(seconds=90)
            rival.rotate(kind)
        rival.check_in()

    def meddle(_fuse: Fuse) -> None:
        _try_everything(world, rival)

    yield Fault("lease ended by time", OUTSIDE, moves(hours=5))
    yield Fault("clock back two hours", OUTSIDE, moves(hours=-2))
    yield Fault("clock ahead two days", OUTSIDE, moves(days=2))
    yield Fault("checked in meanwhile", OUTSIDE, check_in)
    yield Fault("revoked meanwhile", OUTSIDE, revoke)
    yield Fault("another takes over and changes both", OUTSIDE, take_over)
    yield Fault("another tries everything at once", OUTSIDE, meddle)


def _claim(world: World) -> Checkout | None:
    with world.vault.units.read() as unit:
        return unit.checkouts.open_of(NUMBER)


def _try_everything(world: World, eve: Hands) -> None:
    """Let somebody without the lease try to get in between: all of it is refused."""
    claim = _claim(world)
    with world.vault.units.read() as unit:
        unsettled = unit.rotations.unsettled(NUMBER)
    rotations, actor = world.vault.rotations, eve.who.actor
    attempts: list[Callable[[], object]] = []
    if claim is not None:
        attempts.append(lambda: world.ask(eve.who, NUMBER, "CRED_ROTATE"))
        attempts.append(lambda: rotations.plan(actor, claim.id, PartKind.PASSWORD))
        attempts.append(lambda: world.vault.checkouts.check_in(actor, claim.id))
    for rotation in unsettled:
        attempts.append(lambda each=rotation: rotations.display(actor, each.id))  # type: ignore[misc]  # a lambda's default
        attempts.append(lambda each=rotation: rotations.abandon(actor, each.id))  # type: ignore[misc]  # a lambda's default
        for outcome in Outcome:
            attempts.append(  # noqa: PERF401 - a list of attempts reads better
                lambda each=rotation, said=outcome: world.vault.attestations.attest(actor, each.id, said)  # type: ignore[misc]  # a lambda's default
            )
    for attempt in attempts:
        try:
            attempt()
        except VaultError:
            continue
        message = "somebody without the lease could meddle"
        raise AssertionError(message)
