"""What AWS says, what people attest, and custody in an onboarding: each gate closes (A2, A3, A5, C3-C5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.inspected import DENIED
from tests.support.onboardings import (
    APPROVAL,
    CUSTODIANS,
    SEEN,
    A,
    B,
    C,
    P,
    Reception,
    member_of,
    payer_at,
    reception_of,
)
from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.actor import Reach, Role
from vault.domain.case import PlaceState
from vault.domain.inspection import Known, Listed, Unknown
from vault.domain.outlook import Standing
from vault.domain.plans import onboarding as steps
from vault.errors import Conflict, Invalid, Unavailable
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.account import Account
    from vault.domain.case import CaseFile
    from vault.ports.store import Entry


@pytest.fixture
def desk(quick_world: World) -> Reception:
    return reception_of(quick_world)


def account(desk: Reception, number: str = A) -> Account:
    with desk.world.vault.units.read() as unit:
        found = unit.accounts.get(number)
    assert found is not None
    return found


def entries(desk: Reception, type_: str) -> list[Entry]:
    with desk.world.vault.units.read() as unit:
        return list(unit.log.page(EntryFilter(type=type_), Reach(everything=True), Slice(limit=50)).items)


# --- A2, A3


def test_what_the_vault_did_not_see_is_no_pass(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.run(case, steps.INSTRUCTIONS)
    desk.paper.other[A] = {"root_keys": DENIED, "membership": DENIED}
    for step, words in ((steps.KEYS, "whether root has no access keys"), (steps.ALONE, "whether it is in")):
        with pytest.raises(Unavailable, match=words):
            desk.run(case, step, A)
        assert desk.standing(case)[step] is Standing.FAILED
        assert desk.say(case, step, A, **SEEN).standing is Standing.DONE, "somebody looked, and says where"
    assert desk.standing(case)["approval"] is Standing.OPEN


def test_what_aws_says_weighs_more_than_a_word(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.run(case, steps.INSTRUCTIONS)
    desk.paper.other[A] = {"root_keys": Known(value=True), **payer_at(A)}
    for step, words in ((steps.KEYS, "root has access keys"), (steps.ALONE, "it is the payer of")):
        with pytest.raises(Unavailable, match=words):
            desk.run(case, step, A)
        with pytest.raises(Conflict, match="AWS said otherwise") as caught:
            desk.say(case, step, A, **SEEN)
        assert caught.value.code == "case.rule"
    with pytest.raises(Conflict, match="first comes"):
        desk.say(case, steps.APPROVAL, **APPROVAL)
    desk.paper.other[A] = {}
    desk.run(case, steps.KEYS, A)
    assert "root has no access keys (inspection" in _words(desk, case, steps.KEYS)
    assert len(entries(desk, "inspection.done")) >= 2


def test_a_preview_keeps_nothing(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.run(case, steps.INSTRUCTIONS)
    desk.paper.other[A] = {"root_keys": Known(value=True)}
    found = desk.acts.preview(desk.carla, case.id, steps.KEYS, A)
    assert found.stays == ("not yet: root has access keys; delete them",)
    assert entries(desk, "inspection.done") == []
    assert desk.standing(case)[steps.KEYS] is Standing.OPEN


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ((P, A), "does not have 222233334444"),
        ((P, A, B, C), r"it has 333344445555 \(ACTIVE\), which is not in this case"),
        (None, "which accounts it has: not seen"),
    ],
)
def test_a_payer_has_to_manage_exactly_the_accounts_of_the_case(
    desk: Reception, there: tuple[str, ...] | None, words: str
) -> None:
    case = payer_case(desk)
    desk.paper.lists[P] = Known(_listed(there)) if there is not None else DENIED
    with pytest.raises(Unavailable, match=words):
        desk.run(case, steps.ORGANIZATION, P)
    desk.paper.lists[P] = Known(_listed((A, P, B)))
    desk.run(case, steps.ORGANIZATION, P)
    assert "exactly the 3 accounts" in _words(desk, case, steps.ORGANIZATION, P)


def test_a_payer_that_manages_nothing_or_that_nobody_sees_is_no_payer(desk: Reception) -> None:
    case = payer_case(desk)
    desk.paper.lists[P] = Known(_listed((A, P, B)))
    others: tuple[dict[str, Any], ...] = ({}, member_of(C), {"membership": DENIED})
    for other in others:
        desk.paper.other[P] = other
        with pytest.raises(Unavailable):
            desk.run(case, steps.ORGANIZATION, P)
    assert "alone" not in desk.standing(case, P)
    assert steps.ORGANIZATION not in desk.standing(case, A)


def payer_case(desk: Reception) -> CaseFile:
    case = desk.open(
        desk.joining(A, Kind.MEMBER),
        desk.joining(B, Kind.MEMBER, model=Model.ECAM),
        desk.joining(P, Kind.PAYER),
        path="payer",
    )
    desk.run(case, steps.INSTRUCTIONS)
    desk.paper.other = {A: member_of(P), B: member_of(P), P: payer_at(P)}
    return case


def test_a_payer_comes_with_members_that_stay_their_customers(desk: Reception) -> None:
    case = payer_case(desk)
    assert account(desk, B).custody is Custody.CUSTOMER_HELD
    assert not {"address", "no_root_keys", "held", "defaults"} & desk.standing(case, B).keys()
    desk.paper.lists[P] = Known(_listed((A, P, B)))
    desk.run(case, steps.ORGANIZATION, P)
    for number in (A, P):
        desk.run(case, steps.KEYS, number)
    desk.say(case, steps.APPROVAL, **APPROVAL)
    for number in (P, A):
        desk.until_held(case, number)
        desk.run(case, steps.MFA, number)
        assert desk.view(case).scene.case.state == "open"
        desk.run(case, steps.DEFAULTS, number)
    ended = desk.view(case).scene
    assert ended.case.state == "done"
    assert {each.state for each in ended.places} == {PlaceState.DONE}


def test_aws_approves_on_a_day_that_has_come(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.run(case, steps.INSTRUCTIONS)
    for step in (steps.KEYS, steps.ALONE):
        desk.run(case, step, A)
    with pytest.raises(Invalid, match="a day that has come"):
        desk.say(case, steps.APPROVAL, **APPROVAL | {"approved": "2026-11-24"})
    with pytest.raises(Invalid, match="Custom terms"):
        desk.say(case, steps.APPROVAL, **APPROVAL | {"terms": ""})
    with pytest.raises(Conflict, match="first comes"):
        desk.say(case, steps.EMAIL, A, **SEEN)
    desk.say(case, steps.APPROVAL, **APPROVAL)
    desk.say(case, steps.EMAIL, A, **SEEN)
    with pytest.raises(Conflict, match="rests on it"):
        desk.say(case, steps.APPROVAL, **APPROVAL | {"reference": "another"})


# --- custody and defaults


def test_mailbox_and_phone_are_recorded(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.until_approval(case)
    with pytest.raises(Conflict, match="first comes"):
        desk.say(case, steps.CUSTODIANS, A, **CUSTODIANS)
    desk.say(case, steps.EMAIL, A, **SEEN)
    assert (account(desk).mailbox, account(desk).phone) == (Custodian.OURS, Custodian.UNKNOWN)
    desk.say(case, steps.CUSTODIANS, A, **CUSTODIANS | {"phone": "customer"})
    assert account(desk).phone is Custodian.CUSTOMER


def test_nobody_says_that_it_is_held(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.until_approval(case)
    desk.say(case, steps.EMAIL, A, **SEEN)
    desk.say(case, steps.CUSTODIANS, A, **CUSTODIANS)
    olga = desk.world.human("olga", Role.OPERATOR).actor
    with pytest.raises(Conflict, match="nobody says so"):
        desk.world.vault.cases.work.attest(olga, case.id, steps.HELD, A, {"note": "it is, believe me"})
    with pytest.raises(Conflict, match="first comes Password and MFA are ours"):
        desk.say(case, steps.MFA, A, **SEEN)


def test_mfa_and_defaults_are_looked_at(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.until_approval(case)
    desk.until_held(case)
    desk.paper.other[A] = {"root_mfa": Known(value=False)}
    with pytest.raises(Unavailable, match="root has no MFA device"):
        desk.run(case, steps.MFA, A)
    with pytest.raises(Conflict, match="AWS said otherwise"):
        desk.say(case, steps.MFA, A, **SEEN)
    desk.paper.other[A] = {}
    desk.run(case, steps.MFA, A)
    names = desk.world.vault.inspecting.wanted.names()
    missing = {name: Known(value=True) for name in names} | {"role:Rackspace": Known(value=False)}
    desk.paper.other[A] = {"defaults": missing}
    with pytest.raises(Unavailable, match=r"Rackspace \(role\) is missing"):
        desk.run(case, steps.DEFAULTS, A)
    unseen: dict[str, Unknown] = dict.fromkeys(names, DENIED)
    desk.paper.other[A] = {"defaults": unseen}
    with pytest.raises(Unavailable, match="not seen"):
        desk.run(case, steps.DEFAULTS, A)
    assert desk.view(case).scene.case.state == "open"
    with pytest.raises(Invalid, match="seen"):
        desk.say(case, steps.DEFAULTS, A, deviations="no role, says the contract")
    desk.say(case, steps.DEFAULTS, A, **SEEN, deviations="no role Rackspace, says the contract")
    assert desk.view(case).scene.case.state == "done"
    assert desk.view(case).scene.given(A, steps.DEFAULTS, "deviations").startswith("no role")


def _listed(numbers: tuple[str, ...]) -> tuple[Listed, ...]:
    return tuple(Listed(each, each, f"{each}@customer.example", "ACTIVE") for each in numbers)


def _words(desk: Reception, case: CaseFile, step: str, number: str = A) -> str:
    done = desk.view(case).scene.of(number, step)
    assert done is not None
    return done.words
