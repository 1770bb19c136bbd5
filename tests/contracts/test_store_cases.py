"""The store's contract: cases, their accounts and steps, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.builders import NOW, account, customer
from vault.domain.account import Kind
from vault.domain.actor import Reach
from vault.domain.case import CaseFile, CaseKind, Done, Place, PlaceState, StepState
from vault.domain.ids import new_id
from vault.errors import Conflict, VaultError
from vault.ports.cases import Booked, CaseFilter
from vault.ports.records import Slice

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits
    from vault.ports.store import Unit

ALL = Reach(everything=True)
A, B = "111122223333", "222233334444"
DAY = NOW + timedelta(days=3)


def case_of(customer_id: str, **facts: object) -> CaseFile:
    made = CaseFile(new_id(), CaseKind.MOVE, customer_id, "T-1", "open", "chris", NOW, NOW)
    return replace(made, **facts)  # type: ignore[arg-type]  # by name


def stand(unit: Unit, *numbers: str, **facts: object) -> CaseFile:
    """Keep a customer, accounts and a case of them."""
    owner = customer(id=new_id(), ddi=str(900000 + len(numbers)))
    unit.customers.add(owner)
    for number in numbers:
        unit.accounts.add(account(owner.id, number, root_email=f"aws+{number}@msp.example"))
    made = case_of(owner.id, **facts)
    unit.cases.add(made, places(made, *numbers))
    return made


def places(case: CaseFile, *numbers: str) -> tuple[Place, ...]:
    return tuple(Place(case.id, number, at, PlaceState.WAITING, NOW) for at, number in enumerate(numbers))


def test_what_was_kept_comes_back_equal(units: SqlUnits) -> None:
    with units.write() as unit:
        case = stand(unit, A, B)
        done = (
            Done(case.id, "", "who", StepState.DONE, NOW, "chris", {"name": 'Zoë "Z" Ünal'}),
            Done(case.id, A, "begin", StepState.DOING, NOW, "olga", by_vault=True, words="half"),
            Done(case.id, B, "begin", StepState.ASKED, NOW, "olga", waiving=True),
        )
        unit.cases.put(done)
        unit.commit()
    with units.read() as unit:
        scene = unit.cases.scene(case)
        assert unit.cases.get(case.id) == case
        assert scene.places == places(case, A, B)
        assert sorted(scene.accounts) == [A, B]
        assert scene.done == {(each.account_id, each.step): each for each in done}


def test_near_one_account_others_are_not_looked_up(units: SqlUnits) -> None:
    with units.write() as unit:
        case = stand(unit, A, B)
        done = [Done(case.id, number, "begin", StepState.DONE, NOW, "olga") for number in ("", A, B)]
        unit.cases.put(done)
        scene = unit.cases.scene(case, A)
        whole = unit.cases.scene(case)
        assert (scene.places, scene.kind_of) == (whole.places, whole.kind_of)
        assert dict(scene.accounts) == dict(whole.accounts), "the others are read when asked for"
        assert unit.cases.scene(case, "999999999999") == whole, "which is not of the case"
        moved = (
            replace(scene.accounts[A], name="renamed"),
            replace(scene.places[0], state=PlaceState.IN_PROGRESS),
        )
        unit.accounts.update(moved[0])
        unit.cases.place(moved[1:])
        unit.cases.update(replace(case, state="done", ended_at=NOW))
        again = unit.cases.again(scene)
        assert (again.accounts[A], again.places, again.case.state) == (
            moved[0],
            (moved[1], whole.places[1]),
            "done",
        )
        assert unit.cases.again(whole).places == again.places
        far = unit.cases.scene(case, A)
    assert {number for number, _ in scene.done} == {"", A}
    assert (list(far.accounts), B in far.accounts, "999999999999" in far.accounts) == ([A, B], True, False)
    with pytest.raises(LookupError):
        scene.of(B, "begin")
    with pytest.raises(VaultError, match="unit of work is over"):
        far.accounts[B]


def test_said_again_it_is_written_over(units: SqlUnits) -> None:
    with units.write() as unit:
        case = stand(unit, A)
        first = Done(case.id, A, "who", StepState.ASKED, NOW, "olga")
        unit.cases.put((first,))
        second = replace(first, state=StepState.DONE, second_by="ada", evidence={"x": "y"})
        unit.cases.put((second,))
        assert unit.cases.scene(case).of(A, "who") == second


def test_an_account_is_in_one_open_case(units: SqlUnits) -> None:
    with units.write() as unit:
        first = stand(unit, A)
        unit.commit()
    again = case_of(first.customer_id)
    with pytest.raises(Conflict) as caught, units.write() as unit:
        unit.cases.add(again, places(again, A))
    assert caught.value.code == "case.account"
    with units.write() as unit:
        assert unit.cases.open_of((A, B)) == {A: first}
        ended = tuple(replace(each, state=PlaceState.CANCELLED, ended_at=NOW) for each in places(first, A))
        unit.cases.place(ended)
        unit.cases.add(again, places(again, A))
        assert unit.cases.open_of((A,)) == {A: again}
        unit.commit()


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "requested"},  # a handover's
        {"state": "done"},  # without an end
        {"ended_at": NOW},
        {"kind": CaseKind.HANDOVER},  # which is never open, but requested
    ],
)
def test_a_state_is_of_its_kind_and_has_its_end(units: SqlUnits, wrong: dict[str, object]) -> None:
    with pytest.raises(VaultError), units.write() as unit:
        stand(unit, A, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"second_by": "olga"}, {"state": StepState.WAIVED}], ids=["one person", "waived by one"]
)
def test_two_are_two(units: SqlUnits, wrong: dict[str, object]) -> None:
    with units.write() as unit:
        case = stand(unit, A)
        unit.commit()
    done = replace(Done(case.id, A, "who", StepState.DONE, NOW, "olga"), **wrong)  # type: ignore[arg-type]  # by name
    with pytest.raises(VaultError), units.write() as unit:
        unit.cases.put((done,))


def test_pages_counts_and_days_are_of_what_is_in_reach(units: SqlUnits) -> None:
    with units.write() as unit:
        mine = stand(unit, A)
        theirs = stand(unit, B, "333344445555", opened_at=NOW + timedelta(hours=1), cause="order-1")
        planned = [replace(each, state=PlaceState.SCHEDULED, day=DAY) for each in places(theirs, B)]
        unit.cases.place(planned)
        unit.commit()
    own = Reach(customers=frozenset({mine.customer_id}))
    one = Reach(accounts=frozenset({B}))
    with units.read() as unit:
        everything = unit.cases.page(ALL, CaseFilter(), Slice(limit=1))
        assert [each.id for each in everything.items] == [theirs.id]
        rest = unit.cases.page(ALL, CaseFilter(), Slice(limit=1, cursor=everything.next))
        assert [each.id for each in rest.items] == [mine.id]
        for reach, found in ((own, mine), (one, theirs)):
            assert [each.id for each in unit.cases.page(reach, CaseFilter(), Slice()).items] == [found.id]
            assert unit.cases.counts(reach) == {(CaseKind.MOVE, "open"): 1}
        assert unit.cases.counts(ALL) == {(CaseKind.MOVE, "open"): 2}
        for wanted, ids in (
            (CaseFilter(account_id=A), [mine.id]),
            (CaseFilter(cause="order-1", opened_by="chris"), [theirs.id]),
            (CaseFilter(is_open=False), []),
            (CaseFilter(customer_id=mine.customer_id, kind=CaseKind.MOVE, state="open"), [mine.id]),
        ):
            assert [each.id for each in unit.cases.page(ALL, wanted, Slice()).items] == ids
        booked = unit.cases.booked(DAY, DAY + timedelta(seconds=1), ALL)
        name = unit.accounts.get(B)
        assert name is not None
        assert booked == (
            Booked(theirs.id, CaseKind.MOVE, theirs.customer_id, B, name.name, Kind.STANDALONE, DAY),
        )
        assert unit.cases.booked(DAY, DAY + timedelta(days=1), own) == ()
        assert unit.cases.booked(NOW, DAY, ALL) == ()


def test_many_scenes_take_as_many_statements_as_one(units: SqlUnits) -> None:
    with units.write() as unit:
        cases = [stand(unit, A), stand(unit, B, "333344445555")]
        scenes = unit.cases.scenes(cases)
        assert [scene.case for scene in scenes] == cases
        assert [sorted(scene.accounts) for scene in scenes] == [[A], [B, "333344445555"]]
        assert unit.cases.scenes(()) == ()
