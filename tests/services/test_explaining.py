"""Why was this denied, and what would be needed: each refusal has its gate, and the gate says what the refusal says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.policies import SHIPPED, Town, changed, settle
from tests.support.prepared import copy_files, reopen
from vault.domain.account import Kind, Model
from vault.domain.actor import Role, Scope, ScopeKind
from vault.errors import NotFound, VaultError
from vault.services.asking import Ask
from vault.services.explaining import Explained

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

OFFICE = '\n[hours.night]\nzone = "UTC"\ndays = ["sat"]\nfrom = "01:00"\nuntil = "02:00"\n'
TEXT = changed("[reasons.BILL_TAX_INVOICE]\n", '[reasons.BILL_TAX_INVOICE]\nhours = "night"\n') + OFFICE
HELD, ECAM, MEMBER, NEW = "111122223333", "222233334444", "333344445555", "444455556666"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, prepared_sqlite: Path) -> Iterator[World]:
    """Lend one world to all stories that change nothing."""
    directory = tmp_path_factory.mktemp("explained") / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    lent: Town = settle(world, text=TEXT)
    worker = lent.worker()
    worker.held(HELD)
    worker.held(MEMBER)
    worker.account(NEW)
    worker.account(ECAM, Kind.MEMBER, Model.ECAM)
    worker.human("oscar", Role.OPERATOR)
    worker.human("olga", Role.OPERATOR)
    worker.human("audrey", Role.AUDITOR)
    worker.ask(worker.people["olga"], MEMBER)
    yield worker
    world.close()


def explained(
    worker: World, reason: str, number: str = HELD, who: str = "oscar", **more: int | str
) -> Explained:
    return worker.vault.explaining.explain(worker.people[who].actor, number, reason, **more)  # type: ignore[arg-type]  # what `explain` takes by name


CASES = [
    ("BILL_ROOT", HELD, "audrey", {}, "policy.denied"),
    ("BILL_ROOT", ECAM, "oscar", {}, "custody.customer_held"),
    ("BILL_ROOT", MEMBER, "oscar", {}, "checkout.conflict"),
    ("CURIOSITY", HELD, "oscar", {}, "policy.reason_unknown"),
    ("SUPPORT_PLAN", HELD, "oscar", {}, "policy.lesser_way"),
    ("BILL_ROOT", NEW, "oscar", {}, "custody.state"),
    ("BILL_TAX_INVOICE", HELD, "oscar", {}, "policy.hours"),
    ("BILL_ROOT", HELD, "oscar", {"seconds": 3601}, "policy.denied"),
    ("IAM_RESTORE", HELD, "oscar", {}, "approval.locked"),
]


@pytest.mark.parametrize(("reason", "number", "who", "more", "code"), CASES)
def test_each_refusal_is_explained_by_the_gate_that_gives_it(
    town: World, reason: str, number: str, who: str, more: dict[str, int], code: str
) -> None:
    told = explained(town, reason, number, who, **more)
    assert not told.is_open
    closed = [gate for gate in told.gates if not gate.passed]
    assert code in {gate.code for gate in closed}
    assert all(gate.words for gate in told.gates)
    wish = Ask(number, reason, "T-1", "a task for this test", more.get("seconds"))
    with pytest.raises(VaultError) as caught:
        town.vault.asking.ask(town.people[who].actor, wish)
    assert caught.value.code == closed[0].code


def test_what_is_open_says_so_and_asking_does_it(town: World) -> None:
    told = explained(town, "BILL_ROOT", ticket="T-1")
    assert told.is_open
    assert [gate.gate for gate in told.gates] == [
        "sight", "role", "custody", "freeze", "free", "reason", "kind", "situation", "hours", "duration", "approvers",
        "velocity", "ticket", "factor",
    ]  # fmt: skip
    assert (told.policy_number, told.needs) == (1, "no approval")


def test_the_ticket_is_looked_at_where_it_is_named(town: World) -> None:
    told = explained(town, "BILL_ROOT", ticket="not a ticket!")
    assert [gate.code for gate in told.gates if not gate.passed] == ["input.invalid"]


def test_what_is_out_of_sight_is_not_explained(town: World) -> None:
    mine = Scope(ScopeKind.ACCOUNT, NEW)
    town.human("olaf", Role.OPERATOR, mine)
    for number in (HELD, "999999999999"):
        with pytest.raises(NotFound):
            explained(town, "BILL_ROOT", number, "olaf")


@pytest.fixture
def fresh(prepared_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    """Lend a world of one's own."""
    directory = tmp_path / "vault"
    copy_files(prepared_sqlite, directory)
    world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    worker = settle(world, text=SHIPPED).worker()
    worker.held(HELD)
    worker.human("oscar", Role.OPERATOR)
    yield worker
    world.close()


def freeze(worker: World) -> None:
    worker.vault.freezes.freeze(worker.human("ada", Role.ADMIN).actor, "vault")


def make_due(worker: World) -> None:
    oscar = worker.people["oscar"]
    lease = worker.lease(oscar)
    worker.vault.reveals.password(oscar.actor, lease.id)
    worker.vault.checkouts.check_in(oscar.actor, lease.id)


def run_about(worker: World) -> None:
    oscar = worker.people["oscar"]
    for each in range(10):
        number = f"5000000000{each:02d}"
        worker.held(number)
        worker.vault.checkouts.check_in(oscar.actor, worker.lease(oscar, number).id)


@pytest.mark.parametrize(
    ("act", "code"), [(freeze, "frozen"), (make_due, "rotation.due"), (run_about, "limit.accounts")]
)
def test_gates_that_close_later_are_explained_too(
    fresh: World, act: Callable[[World], None], code: str
) -> None:
    assert explained(fresh, "BILL_ROOT").is_open
    act(fresh)
    told = explained(fresh, "BILL_ROOT")
    assert code in {gate.code for gate in told.gates if not gate.passed}


def test_who_could_agree_is_named(fresh: World) -> None:
    fresh.human("anna", Role.APPROVER)
    fresh.human("abel", Role.APPROVER, Scope(ScopeKind.ACCOUNT, "999988887777"))
    told = explained(fresh, "IAM_RESTORE")
    assert told.approvers == ("anna",)
    assert told.needs == "1 approver"
    assert told.is_open
