"""The worker that tells people, and what doctor says of it, with a real mail server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.cli.conftest import rootvault
from tests.support.places import mail_server
from tests.support.told import Post, subject
from vault.bootstrap import open_vault
from vault.domain.actor import Role, Scope, system_actor
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.person import Grant, Person, PersonState
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path


def with_auditors(directory: Path, *names: str) -> None:
    """Put auditors into a vault, and something that they are told of."""
    vault, now = open_vault(load_settings(str(directory), {})), datetime.now(UTC)
    with vault.units.write() as unit:
        for name in names:
            person = Person(new_id(), f"{name}@msp.example", name, PersonState.ACTIVE, now)
            unit.people.add(person)
            unit.people.add_grant(Grant(new_id(), person.id, Role.AUDITOR, Scope(), "test", now, "test", now))
        unit.log.record(Event(EventType.LOG_KEY_ROTATED, system_actor("host")), now)
        unit.commit()
    vault.close()


def test_the_worker_mails_and_doctor_tells_of_what_is_dead(vault_directory: Path) -> None:
    config = ("--config", str(vault_directory))
    with_auditors(vault_directory, "udo", "ute")
    box = Post(unknown={"ute@msp.example"})
    with mail_server(box) as server:
        with (vault_directory / "vault.toml").open("a") as file:
            file.write(f'[mail]\nserver = "{server}"\nsecurity = "none"\nsender = "vault@msp.example"\n')
        rootvault("worker", "--once", *config)
    told = [subject(letter) for letter in box.to("udo")]
    assert "[Rootvault] The key that signs the log was changed" in told
    assert box.to("ute") == []
    said = rootvault("doctor", *config).stdout
    assert f"mail: {len(told)} could not be delivered" in said
    assert "rootvault notices replay --all" in said
