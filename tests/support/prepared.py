"""A world that is kept: made once, copied, and opened again by other processes."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING

from audit.note import Signer, read_key, write_key
from tests.support.world import ORIGIN, HandClock, Human, World, create_world, open_world
from vault.adapters.destroyed_list import DestroyedFile
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.adapters.server_key import create_server_key, read_server_key
from vault.bootstrap.ground import DESTROYED_PURPOSE
from vault.crypto import totp
from vault.domain.actor import Actor, ActorKind, Origin, Power, Role, Scope
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path


def prepare(url: str, directory: Path) -> World:
    """Make a world whose keys lie in `directory`, so that `reopen` finds them."""
    create_local_keys(directory / "local-keys.json")
    create_server_key(directory / "server.key")
    write_key(directory / "log.key", Signer.generate(ORIGIN))
    server_key = read_server_key(directory / "server.key")
    DestroyedFile(directory / "destroyed.list", partial(server_key.mac, DESTROYED_PURPOSE)).begin()
    return create_world(
        url,
        directory,
        InsecureLocalKeys(directory / "local-keys.json"),
        read_key(directory / "log.key", ORIGIN),
        server_key,
    )


def keep_people(world: World, directory: Path) -> None:
    """Write down the people of a world and their devices."""
    kept = {
        name: [
            human.actor.id,
            human.actor.roles[0],
            human.actor.origin.session,
            human.seed.secret.expose(),
            human.used,
        ]
        for name, human in world.people.items()
    }
    (directory / "people.json").write_text(json.dumps(kept))


def reopen(url: str, directory: Path) -> World:
    """Open a prepared world as a process of its own, at the hour at which its story begins."""
    clock = HandClock()
    world = open_world(
        url,
        directory,
        InsecureLocalKeys(directory / "local-keys.json"),
        read_key(directory / "log.key", ORIGIN),
        read_server_key(directory / "server.key"),
        clock,
    )
    for name, (person_id, role, session, seed, used) in json.loads(
        (directory / "people.json").read_text()
    ).items():
        origin = Origin(request_id="-", ip="192.0.2.7", session=session, mfa="totp")
        actor = Actor(ActorKind.PERSON, person_id, name, powers=(Power(Role(role), Scope()),), origin=origin)
        world.people[name] = Human(actor, totp.Seed(Secret(seed)), clock, used)
    return world


def copy_files(source: Path, target: Path) -> None:
    """Copy a prepared directory, with its SQLite database if that lies in it."""
    shutil.copytree(source, target)
