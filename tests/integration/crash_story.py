"""The life of one credential, as a program that can be killed at each of its steps.

One child is forked for each step number, on a copy of a prepared world. It lives the story until that step and
kills itself with SIGKILL. Another child then opens the vault as another operator would, hours later, looks
for the oracle's values (S1) and for entries behind everything that was shown (S2), and goes on with the work to
its end, where both parts are held and what the vault reveals opens the console.

A step is the moment before or after: a commit, a call of the key service, an act at the AWS console.
"""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.console import AwsConsole
from tests.support.events import entries
from tests.support.prepared import reopen
from tests.support.world import World, hasher
from vault.bootstrap.compose import Ground, compose
from vault.crypto import totp
from vault.domain.account import Custody
from vault.domain.actor import Role
from vault.domain.checkout import Checkout
from vault.domain.credential import PartKind, PartState, VersionLabel
from vault.domain.rotation import Outcome, RotationState
from vault.domain.secret import Secret
from vault.errors import VaultError

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.domain.rotation import Rotation
    from vault.ports.keys import DataKey, KeyHealth, KeyService, Unwrapped, Wrap, Wrapped
    from vault.ports.store import Unit, Units

NUMBER = "111122223333"
NEVER = 10**9


@dataclass(slots=True)
class Fuse:
    """Counts steps and ends the process, without a word, at the one that is set."""

    at: int = NEVER
    count: int = 0

    def step(self) -> None:
        """Count one; die if this is it."""
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class FusedUnits:
    """Units whose commits are steps."""

    units: Units
    fuse: Fuse

    def read(self) -> AbstractContextManager[Unit]:
        """Pass on."""
        return self.units.read()

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Pass on, with a step before and after the commit."""
        with self.units.write() as unit:
            commit = unit.commit

            def fused() -> None:
                self.fuse.step()
                commit()
                self.fuse.step()

            unit.commit = fused  # type: ignore[method-assign]  # the fuse is the point of this class
            yield unit


@dataclass(frozen=True, slots=True)
class FusedKeys:
    """A key service whose calls are steps."""

    keys: KeyService
    fuse: Fuse

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Pass on, with a step before and after."""
        self.fuse.step()
        made = self.keys.generate(context)
        self.fuse.step()
        return made

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Pass on."""
        return self.keys.wrap(key, context)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Pass on, with a step before and after."""
        self.fuse.step()
        regained = self.keys.unwrap(wraps, context)
        self.fuse.step()
        return regained

    def check(self) -> tuple[KeyHealth, ...]:
        """Pass on."""
        return self.keys.check()


@dataclass(frozen=True, slots=True)
class Story:
    """One operator at the vault and at the AWS console."""

    world: World
    console: AwsConsole
    shown: Path
    fuse: Fuse
    early_display: bool = False

    def tell(self) -> None:
        """Live the whole life: takeover, use, rotation of both parts, verification."""
        alice = self.world.human("alice", Role.OPERATOR)
        bob = self.world.human("bob", Role.OPERATOR)
        lease = self.world.lease(alice, NUMBER, "ONBOARD_TAKEOVER")
        self.rotate(alice, lease, PartKind.PASSWORD)
        self.rotate(alice, lease, PartKind.MFA)
        self.world.vault.checkouts.check_in(alice.actor, lease.id)
        lease = self.world.lease(alice, NUMBER)
        self.sign_in(alice, lease)
        self.world.vault.checkouts.check_in(alice.actor, lease.id)
        lease = self.world.lease(alice, NUMBER, "CRED_ROTATE")
        password = self.rotate(alice, lease, PartKind.PASSWORD)
        self.rotate(alice, lease, PartKind.MFA)
        self.world.vault.checkouts.check_in(alice.actor, lease.id)
        self.world.vault.attestations.verify(bob.actor, password.id, "seen signed in with it")

    def sign_in(self, who: Human, lease: Checkout) -> None:
        """Reveal both parts and sign in at AWS."""
        vault = self.world.vault
        self.world.clock.advance(seconds=90)
        password = vault.reveals.password(who.actor, lease.id).value.expose()
        self.note("password", password)
        code = vault.reveals.code(who.actor, lease.id)
        self.note("code", code.code.expose())
        if not self.console.opens(password, code.code.expose(), self.world.clock.now().timestamp()):
            message = "the console does not open with what the vault revealed"
            raise AssertionError(message)

    def rotate(self, who: Human, lease: Checkout, kind: PartKind) -> Rotation:
        """Rotate one part to its end: seal, show, set at AWS, attest."""
        vault = self.world.vault
        seed = Secret(self.console.offer_seed()) if kind is PartKind.MFA else None
        rotation = vault.rotations.plan(who.actor, lease.id, kind, seed)
        self.step_up(who, lease)
        return self.show(who, rotation)

    def show(self, who: Human, rotation: Rotation) -> Rotation:
        """Display a staged value, set it at AWS, attest what AWS said."""
        vault = self.world.vault
        displayed = vault.rotations.display(who.actor, rotation.id)
        if displayed.password is not None:
            new = displayed.password.expose()
            self.note("password", new)
            self.fuse.step()
            old = self.console.password
            accepted = self.console.change_password(old, new) if old else self.console.reset_password(new)
        else:
            first, second = (code.code.expose() for code in displayed.codes)
            self.note("code", first)
            self.fuse.step()
            accepted = self.console.enrol(first, second, displayed.codes[0].valid_from.timestamp())
        self.fuse.step()
        return vault.attestations.attest(
            who.actor, rotation.id, Outcome.ACCEPTED if accepted else Outcome.REFUSED
        )

    def step_up(self, who: Human, lease: Checkout) -> None:
        """Give a fresh factor."""
        self.world.vault.checkouts.step_up(who.actor, lease.id, who.otp())

    def note(self, kind: str, value: str) -> None:
        """Write down, durably, what came out of the vault."""
        with self.shown.open("a") as file:
            file.write(json.dumps([kind, value]) + "\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What another operator finds hours later, and how they bring the work to its end."""

    story: Story

    def look(self) -> dict[str, Any]:
        """Say what is lost, what is unlogged, and whether the work could be finished."""
        world = self.story.world
        world.clock.advance(hours=13)
        bob = world.human("bob", Role.OPERATOR)
        unlogged = self._unlogged()
        world.vault.sweep.once()
        with world.vault.units.read() as unit:
            account = unit.accounts.get(NUMBER)
        reason = "ONBOARD_TAKEOVER" if account and account.custody is Custody.ONBOARDING else "CRED_ROTATE"
        lease = world.lease(bob, NUMBER, reason)
        lost = self._lost(bob, lease)
        if lost:
            return {"lost": lost, "unlogged": unlogged}
        self._settle(bob, lease)
        self._finish(bob, lease)
        return {"lost": lost, "unlogged": unlogged}

    def _lost(self, bob: Human, lease: Checkout) -> list[str]:
        """Name each part whose value at AWS is not among those the vault opens now."""
        lost = []
        console = self.story.console
        if console.password is not None and console.password not in self._passwords(bob, lease):
            lost.append("password")
        if console.seed is not None and not self._code_opens(bob, lease):
            lost.append("mfa")
        return lost

    def _passwords(self, bob: Human, lease: Checkout) -> set[str]:
        found = set()
        for label in (VersionLabel.CURRENT, VersionLabel.STAGED, VersionLabel.PREVIOUS):
            try:
                found.add(self.story.world.vault.reveals.password(bob.actor, lease.id, label).value.expose())
            except VaultError as error:
                if error.code != "version.absent":
                    raise
        return found

    def _code_opens(self, bob: Human, lease: Checkout) -> bool:
        world = self.story.world
        seed = totp.parse_seed(Secret(self.story.console.seed or ""))
        for label in (VersionLabel.CURRENT, VersionLabel.STAGED, VersionLabel.PREVIOUS):
            world.clock.advance(seconds=60)
            try:
                revealed = world.vault.reveals.code(bob.actor, lease.id, label)
            except VaultError as error:
                if error.code != "version.absent":
                    raise
                continue
            step = totp.step_of(revealed.valid_until) - 1
            if totp.code_at(seed, step).expose() == revealed.code.expose():
                return True
        return False

    def _settle(self, bob: Human, lease: Checkout) -> None:
        """Settle what the killed process left open, by what the console shows."""
        world, console = self.story.world, self.story.console
        with world.vault.units.read() as unit:
            open_ones = unit.rotations.unsettled(NUMBER)
        for rotation in open_ones:
            if rotation.state is RotationState.PLANNED:
                world.vault.rotations.abandon(bob.actor, rotation.id)
                continue
            with world.vault.units.read() as unit:
                version = unit.versions.get(NUMBER, rotation.kind, rotation.version)
                if version is None:
                    message = "a rotation without its version"
                    raise AssertionError(message)
                value = world.vault.reveals.sealer.open(unit.vault_id, version).plaintext.expose()
            taken = value in {console.password, console.seed}
            outcome = Outcome.ACCEPTED if taken else Outcome.REFUSED
            world.vault.attestations.attest(bob.actor, rotation.id, outcome)

    def _finish(self, bob: Human, lease: Checkout) -> None:
        """Rotate both parts anew, sign in at AWS with what the vault reveals."""
        world = self.story.world
        for kind in PartKind:
            world.clock.advance(seconds=90)
            self.story.rotate(bob, lease, kind)
        world.vault.checkouts.check_in(bob.actor, lease.id)
        lease = world.lease(bob, NUMBER)
        self.story.sign_in(bob, lease)
        world.vault.checkouts.check_in(bob.actor, lease.id)
        with world.vault.units.read() as unit:
            account = unit.accounts.get(NUMBER)
            states = {part.state for part in unit.accounts.parts(NUMBER)}
        if account is None or account.custody is not Custody.HELD or states != {PartState.HELD}:
            message = f"the account ended as {account} with parts {states}"
            raise AssertionError(message)

    def _unlogged(self) -> int:
        """Count disclosures that came out without a durable authorisation (S2)."""
        shown = self.story.shown.read_text().count("\n") if self.story.shown.exists() else 0
        return max(0, shown - len(entries(self.story.world, type="secret.reveal.authorized")))


def live(world: World, directory: Path, at: int) -> int:
    """Live the story in this process until step `at`; give the steps counted, if that was never reached."""
    fuse = Fuse(at)
    vault = world.vault
    fused = compose(
        Ground(
            vault.settings,
            vault.policy,
            world.clock,
            FusedUnits(vault.units, fuse),
            FusedKeys(vault.keys, fuse),
            vault.server_key,
            vault.origin,
            vault.vkey,
            hasher(),
        )
    )
    told = World(fused, world.clock, world.people)
    Story(told, AwsConsole(directory / "console.json"), directory / "shown", fuse).tell()
    return fuse.count


def examine(world: World, directory: Path) -> dict[str, Any]:
    """Look at what a killed process left."""
    story = Story(world, AwsConsole(directory / "console.json"), directory / "shown", Fuse())
    found = Aftermath(story).look()
    with world.vault.units.read() as unit:
        note = unit.log.checkpoint()
    found["entries"] = int(note.split("\n")[1])
    return found


def rehearse(url: str, directory: Path) -> None:
    """Live the story to its end and look at it, here: children find in memory what was compiled on the way."""
    for act in (lambda world: live(world, directory, NEVER), lambda world: examine(world, directory)):
        with closing(reopen(url, directory)) as world:
            act(world)


def in_child(work: Callable[[], object]) -> tuple[int, str]:
    """Run `work` in a forked child; give how it ended (negative: the signal) and what it wrote."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 0
        try:
            answer = json.dumps(work())
        except BaseException:  # noqa: BLE001 - a forked child tells and ends; it must not unwind into the parent's code
            answer, status = traceback.format_exc(), 1
        os.write(writing, answer.encode())
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), answer


def enumerate_steps(
    open_fresh: Callable[[int], tuple[str, Path]], stride: int = 1
) -> Iterator[dict[str, Any]]:
    """Kill the story at each `stride`-th step in turn, on a fresh copy each time, and examine what is left."""
    at = 1
    while True:
        url, directory = open_fresh(at)
        status, answer = in_child(partial(_live, url, directory, at))
        if status == 1:
            yield {"step": at, "error": answer}
            return
        if status == 0:
            yield {"step": at, "finished": json.loads(answer)}
            return
        looked, found = in_child(partial(_examine, url, directory))
        yield {"step": at, "killed": -status, **(json.loads(found) if looked == 0 else {"error": found})}
        at += stride


def _live(url: str, directory: Path, at: int) -> int:
    return live(reopen(url, directory), directory, at)


def _examine(url: str, directory: Path) -> dict[str, Any]:
    return examine(reopen(url, directory), directory)
