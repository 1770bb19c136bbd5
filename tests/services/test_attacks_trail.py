"""Attacks on what the log tells to whom: all accounts in scope are not the whole log."""

from __future__ import annotations

import pytest

from tests.support.people import House, Member, came
from vault.domain.actor import Actor, Role, Scope
from vault.domain.secret import Secret
from vault.errors import NotFound, Unauthenticated
from vault.ports.store import EntryFilter, Slice
from vault.services.machines import Wanted

EVERYONE = [role for role in Role if role is not Role.AUDITOR]


def people_entry(house: House) -> int:
    """Leave an entry about a person and not about an account; give its index."""
    with pytest.raises(Unauthenticated):
        house.vault.signin.begin("nobody@msp.example", Secret("a wrong password"), "000000", came())
    with house.vault.units.read() as unit:
        return int(unit.log.checkpoint().split("\n")[1]) - 1


@pytest.mark.parametrize("role", EVERYONE)
def test_who_reads_accounts_reads_nothing_about_people(
    house: House, admins: tuple[Member, Member], role: Role
) -> None:
    reader = house.actor(admins[0] if role is Role.ADMIN else house.appoint(admins, "r@msp.example", role))
    account = house.world.held()
    index = people_entry(house)
    assert read(house, reader) == {account.id}
    with pytest.raises(NotFound):
        house.vault.trail.entry(reader, index)
    with pytest.raises(NotFound):
        house.vault.trail.proof(reader, index)


def test_an_auditor_reads_all(house: House, admins: tuple[Member, Member]) -> None:
    auditor = house.actor(house.appoint(admins, "aud@msp.example", Role.AUDITOR))
    account = house.world.held()
    index = people_entry(house)
    assert read(house, auditor) == {account.id, None}
    assert house.vault.trail.entry(auditor, index).index == index


def test_a_machine_reads_its_own_only(house: House, admins: tuple[Member, Member]) -> None:
    auditor = house.actor(house.appoint(admins, "aud@msp.example", Role.AUDITOR))
    account = house.world.held()
    signed = house.sign_in(admins[0])
    issued = house.vault.machines.issue(
        signed.actor(came()), Wanted("robot", frozenset({"trail.read"}), Scope()), admins[0].code()
    )
    bearer = house.vault.tokens.resolve(issued.text)
    assert bearer is not None
    robot = bearer.actor(came())
    index = people_entry(house)
    assert read(house, robot) == set()
    taken_in = next(
        each.index
        for each in house.vault.trail.page(auditor, EntryFilter(account_id=account.id), Slice(100)).items
    )
    for hidden in (index, taken_in):
        with pytest.raises(NotFound):
            house.vault.trail.entry(robot, hidden)


def read(house: House, actor: Actor) -> set[str | None]:
    """Give the accounts of all entries that someone reads, None for an entry about none."""
    found: set[str | None] = set()
    for entry in house.vault.trail.page(actor, EntryFilter(), Slice(200)).items:
        account = entry.content.get("account")
        found.add(str(account["id"]) if isinstance(account, dict) else None)
    return found
