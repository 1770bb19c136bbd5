"""A value that two accounts have is found in an import and in a drill, marks both, and leaves nothing to guess with."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tests.support.events import entries
from tests.support.key_work import NEW, NUMBERS, changing
from tests.support.replay import check_replay
from vault.crypto.sameness import Sameness
from vault.domain.actor import Role
from vault.domain.credential import Due, PartKind
from vault.domain.due import FoundBy
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World
    from vault.bootstrap import Vault

HEADER = "account_id,customer_ddi,customer_name,name,model,kind,root_email,password,totp_seed"
FIRST, SECOND, THIRD, ALONE = (f"{number:012}" for number in range(1, 5))


def lines(*rows: tuple[str, str, bytes]) -> list[str]:
    """Write rows of number, password and seed."""
    return [HEADER] + [
        f"{number},9001,Example Ltd,account,SPAM,standalone,root+{number}@msp.example,{password},"
        + base64.b32encode(seed).decode()
        for number, password, seed in rows
    ]


def due(vault: Vault, number: str) -> set[PartKind]:
    """Name the parts of an account that are due because their value was found elsewhere."""
    with vault.units.read() as unit:
        marks = unit.health.marks_of((number,)).reused
    return {kind for _, kind, _ in marks}


def test_rows_of_one_import_with_the_same_value_are_marked_each_once(world: World) -> None:
    vault = world.vault
    given = lines(
        (FIRST, "Same-Horse-7-Battery", bytes(range(40))),
        (SECOND, "Same-Horse-7-Battery", bytes(range(1, 41))),
        (ALONE, "Other-Horse-7-Battery", bytes(range(2, 42))),
        (THIRD, "Same-Horse-7-Battery", bytes(range(1, 41))),
    )
    assert [each.result for each in vault.imports.apply(given, "Ivo Marek")] == ["taken"] * 4
    password, device = PartKind.PASSWORD, PartKind.MFA
    assert [due(vault, each) for each in (FIRST, SECOND, THIRD, ALONE)] == [
        {password},
        {password, device},
        {password, device},
        set(),
    ]
    told = entries(world, type="credential.reused")
    assert len(told) == 5
    assert {each["detail"]["found_by"] for each in told} == {FoundBy.IMPORT}
    # an entry names its own account alone
    for each in told:
        assert not any(other in str(each) for other in {FIRST, SECOND, THIRD} - {each["account"]["id"]})
    assert list(vault.imports.apply(given, "Ivo Marek"))
    assert len(entries(world, type="credential.reused")) == 5
    check_replay(world)


def test_a_drill_finds_what_was_taken_in_one_by_one_and_a_rotation_ends_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    made = changing(sqlite_url, tmp_path)
    world, vault = made.world, made.world.vault
    world.held("777788889999", "Twice-Horse-7-Battery")
    world.held("999988887777", "Twice-Horse-7-Battery")
    assert not due(vault, "777788889999")
    made.drill(made.keys(*NEW)).run(made.agreed_drill().id)
    assert due(vault, "777788889999") == due(vault, "999988887777") == {PartKind.PASSWORD}
    made.drill(made.keys(*NEW)).run(made.agreed_drill().id)
    told = entries(world, type="credential.reused")
    mine = [each for each in told if each["account"]["id"] not in NUMBERS]
    assert len(mine) == 2
    assert {each["detail"]["found_by"] for each in told} == {FoundBy.DRILL}
    check_replay(world)
    world.close()


def test_values_are_told_apart_by_account_part_and_run() -> None:
    same, value = Sameness(), Secret("Same-Horse-7-Battery")
    first, newer = (FIRST, PartKind.PASSWORD, 1), (FIRST, PartKind.PASSWORD, 2)
    second, third = (SECOND, PartKind.PASSWORD, 1), (THIRD, PartKind.PASSWORD, 1)
    assert same.meet(first, value) == same.meet(first, value) == same.meet(newer, value) == ()
    assert same.meet((SECOND, PartKind.MFA, 1), value) == ()
    assert same.meet(second, value) == (first, newer, second)
    assert same.meet(third, value) == (third,)
    assert same.meet(third, value) == ()
    assert same.meet((ALONE, PartKind.PASSWORD, 1), Secret("Same-Horse-7-batterY")) == ()
    assert Sameness().meet(second, value) == ()


def test_what_was_reused_is_due_and_blocks_nothing(quick_world: World) -> None:
    seed = bytes(range(40))
    given = lines((FIRST, "Same-Horse-7-Battery", seed), (SECOND, "Same-Horse-7-Battery", seed))
    vault = quick_world.vault
    assert list(vault.imports.apply(given, "Ivo Marek"))
    olga = quick_world.human("olga", Role.OPERATOR)
    view = vault.accounts.get(olga.actor, FIRST)
    assert all(Due.REUSED in part.due for part in view.parts)
    assert quick_world.ask(olga, FIRST).account_id == FIRST
    for each in entries(quick_world, type="credential.reused"):
        assert set(each["detail"]) == {"found_by"}
