"""One run: a chapter and a fault at one of its steps, in a child of its own on a prepared world; and what is left."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.integration.crash_after import Aftermath
from tests.integration.crash_fuse import BARE, NEVER, Fault, Fuse, FusedKeys, FusedUnits
from tests.integration.crash_hands import Hands
from tests.integration.crash_people import faults
from tests.integration.crash_story import CHAPTERS
from tests.support.console import AwsConsole
from tests.support.prepared import reopen
from tests.support.replay import check_replay
from tests.support.world import World, hasher
from vault.bootstrap.compose import Ground, compose
from vault.domain.actor import Role
from vault.errors import VaultError

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = ("alice", "bob", "eve", "amir")
ROLES = (Role.OPERATOR, Role.OPERATOR, Role.OPERATOR, Role.APPROVER)


@dataclass(frozen=True, slots=True)
class Run:
    """Which chapter, which fault by its name, where its world lies."""

    chapter: str
    fault: str
    url: str
    directory: Path

    def live(self, at: int) -> dict[str, Any]:
        """Live the chapter, hurt at step `at`; tell the steps counted and the code of what it was given up for."""
        with closing(reopen(self.url, self.directory)) as world:
            fuse = Fuse(BARE[0], at)
            fused = self._fused(world, fuse)
            alice, bob = (self._hands(fused, name, fuse) for name in PEOPLE[:2])
            known = {each.name: each for each in (*BARE, *faults(world, alice, bob))}
            fuse.fault = known[self.fault]
            gave_up = ""
            try:
                CHAPTERS[self.chapter].tell(alice, bob)
            except VaultError as error:
                if not fuse.blown:
                    raise
                gave_up = error.code
            return {"steps": fuse.count, "gave_up": gave_up, "blown": fuse.blown}

    def examine(self) -> dict[str, Any]:
        """Look at what was left, as another operator hours later."""
        with closing(reopen(self.url, self.directory)) as world:
            world.clock.advance(hours=24 * 3)
            calm = Fuse(Fault("none", frozenset(), lambda _fuse: None))
            bob = self._hands(world, "bob", calm)
            found = Aftermath(bob, mistaken=CHAPTERS[self.chapter].mistaken).look()
            check_replay(world)
            return found

    def _hands(self, world: World, name: str, fuse: Fuse) -> Hands:
        console = AwsConsole(self.directory / "console.json")
        return Hands(world.people[name], world, console, self.directory / "shown", fuse)

    @staticmethod
    def _fused(world: World, fuse: Fuse) -> World:
        vault = world.vault
        ground = Ground(
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
        return World(compose(ground), world.clock, world.people)


def fault_names(url: str, directory: Path) -> list[str]:
    """Name every fault."""
    run = Run("change", "killed", url, directory)
    with closing(reopen(url, directory)) as world:
        calm = Fuse(BARE[0])
        hands = run._hands(world, "alice", calm), run._hands(world, "bob", calm)
        return [each.name for each in (*BARE, *faults(world, *hands))]


def rehearse(run: Run) -> None:
    """Live a chapter to its end and look at it, here: children find in memory what was compiled on the way."""
    run.live(NEVER)
    run.examine()


def enumerate_steps(
    open_fresh: Callable[[int], Run], first: int, stride: int, most: int = NEVER
) -> Iterator[dict[str, Any]]:
    """Hurt a chapter at each `stride`-th step from `first` on, on a fresh copy each time, and examine what is left.

    Ends after `most` runs, or with the run that came to the chapter's end unhurt, which tells how many steps there are.
    """
    for at in range(first, first + stride * most, stride):
        run = open_fresh(at)
        row: dict[str, Any] = {"chapter": run.chapter, "fault": run.fault, "step": at}
        status, answer = in_child(partial(run.live, at))
        if status > 0:
            yield row | {"error": answer}
            return
        told = json.loads(answer) if status == 0 else {"killed": -status}
        if status == 0 and not told["blown"]:
            yield row | {"finished": told["steps"]}
            return
        looked, found = in_child(run.examine)
        yield row | told | (json.loads(found) if looked == 0 else {"error": found})


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
