"""From a customer's request to accounts that we hold: each gate closes, and what follows is told (A1-A5, C3-C5, L3)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.onboardings import (
    INFORMATION,
    SEEN,
    A,
    B,
    C,
    Reception,
    reception_of,
)
from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.actor import Reach, Role, Scope, ScopeKind
from vault.domain.case import CaseKind, PlaceState
from vault.domain.outlook import Standing
from vault.domain.plans import onboarding as steps
from vault.domain.policy import Permission
from vault.domain.root_email import EmailUse
from vault.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from vault.ports.onboarding import AddressFilter
from vault.ports.store import EntryFilter, Slice
from vault.services.accounts import AccountFacts
from vault.services.case_opening import Opening
from vault.services.customers import CustomerFacts

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.account import Account
    from vault.domain.root_email import RootAddress
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


def addresses(desk: Reception, number: str) -> list[RootAddress]:
    wanted = AddressFilter(account_id=number)
    return list(desk.world.vault.root_emails.page(desk.carla, wanted, Slice(limit=50)).items)


# --- the whole way


def test_an_account_goes_from_the_request_to_custody(desk: Reception) -> None:
    case = desk.open(desk.joining(A), cause="order-7")
    assert desk.standing(case) == {
        "information": Standing.DONE,
        "address": Standing.DONE,
        "instructions": Standing.OPEN,
        "no_root_keys": Standing.BLOCKED,
        "alone": Standing.BLOCKED,
        "approval": Standing.BLOCKED,
        "root_email": Standing.BLOCKED,
        "custodians": Standing.BLOCKED,
        "held": Standing.BLOCKED,
        "mfa": Standing.BLOCKED,
        "defaults": Standing.BLOCKED,
    }
    address = desk.address(case)
    assert re.fullmatch(r"aws\+111122223333-[a-z2-9]{10}@roots\.example", address)
    desk.until_approval(case)
    desk.until_held(case)
    assert account(desk).custody is Custody.HELD
    assert (account(desk).root_email, account(desk).mailbox, account(desk).phone) == (
        address,
        Custodian.OURS,
        Custodian.OURS,
    )
    desk.run(case, steps.MFA, A)
    desk.run(case, steps.DEFAULTS, A)
    ended = desk.view(case)
    assert (ended.scene.case.state, ended.waits) == ("done", ())
    assert ended.scene.places[0].state is PlaceState.DONE
    uses = {(each.address, each.use, each.lasts, each.said_name) for each in addresses(desk, A)}
    assert uses == {
        (address, EmailUse.BORNE, True, "carla"),
        (address, EmailUse.RESERVED, False, "carla"),
        ("aws-111122223333@customer.example", EmailUse.BORNE, False, "carla"),
    }


def test_where_it_waits_names_who_is_next(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    desk.until_approval(case)
    desk.say(case, steps.EMAIL, A, **SEEN)
    waits = {each.step.name: each.who for each in desk.view(case).waits}
    assert waits == {
        "custodians": Permission.ONBOARDING_MANAGE,
        "held": Permission.CHECKOUT_USE,
    }


# --- who, which, how many


def test_accounts_are_registered_with_the_case_and_a_second_try_goes_on(desk: Reception) -> None:
    welcome = desk.welcome(desk.joining(A), desk.joining(B), cause="order-7")
    case = desk.desk.open(desk.carla, welcome)
    assert {account(desk, A).customer_id, account(desk, B).customer_id} == {desk.customer_id}
    assert desk.desk.open(desk.carla, welcome).id == case.id, "the same cause is the same case"
    with pytest.raises(Conflict, match=case.id):
        desk.desk.open(desk.carla, replace(welcome, cause="order-8"))
    assert len(entries(desk, "account.registered")) == 2


@pytest.mark.parametrize(
    ("kinds", "path", "words"),
    [
        ((Kind.STANDALONE, Kind.PAYER), "payer", "no way in together"),
        ((Kind.PAYER, Kind.PAYER), "payer", "no way in together"),
        ((Kind.MEMBER,), "standalone", "no way in together"),
        ((Kind.STANDALONE,), "payer", "as standalone, not as payer"),
    ],
)
def test_accounts_that_go_no_way_in_together_are_refused_before_any_is_registered(
    desk: Reception, kinds: tuple[Kind, ...], path: str, words: str
) -> None:
    joining = [desk.joining(number, kind) for number, kind in zip((A, B), kinds, strict=False)]
    with pytest.raises(Conflict, match=words):
        desk.open(*joining, path=path)
    assert entries(desk, "account.registered") == []


def test_information_that_names_another_way_in_is_refused_later_as_well(desk: Reception) -> None:
    desk.world.vault.accounts.register(
        desk.carla, A, desk.customer_id, Model.SPAM, Kind.STANDALONE, AccountFacts("a", "a@customer.example")
    )
    opening = desk.world.vault.cases.opening
    case = opening.open(desk.carla, Opening(CaseKind.ONBOARDING, desk.customer_id, (A,), "T-1"))
    with pytest.raises(Conflict, match="as standalone, not as payer"):
        desk.say(case, steps.INFORMATION, **INFORMATION | {"path": "payer"})
    desk.say(case, steps.INFORMATION, **INFORMATION)


def test_wrong_information_is_named_before_anything_is_registered(desk: Reception) -> None:
    wrong = replace(
        desk.welcome(desk.joining(A)), information={"company": "", "signatory_email": "no", "path": "x"}
    )
    with pytest.raises(Invalid) as caught:
        desk.desk.open(desk.carla, wrong)
    assert {error.pointer for error in caught.value.errors} == {
        f"/information/{name}"
        for name in ("company", "company_address", "signatory", "signatory_email", "path")
    }
    for joining in ((), (desk.joining(A), desk.joining(A)), (replace(desk.joining(A), name=""),)):
        with pytest.raises(Invalid):
            desk.open(*joining)
    with pytest.raises(Invalid):
        desk.open(replace(desk.joining(A), address="no address"))
    assert entries(desk, "account.registered") == []


def test_who_may_not_registers_nothing(desk: Reception) -> None:
    olga = desk.world.human("olga", Role.OPERATOR).actor
    with pytest.raises(Forbidden):
        desk.desk.open(olga, desk.welcome(desk.joining(A)))
    assert entries(desk, "account.registered") == []
    assert entries(desk, "access.denied")
    case = desk.open(desk.joining(A))
    elsewhere = desk.world.human("nina", Role.CUSTODIAN, Scope(ScopeKind.CUSTOMER, "another")).actor
    with pytest.raises(NotFound):
        desk.desk.text(elsewhere, case.id)


def test_an_account_of_another_customer_or_one_that_is_held_is_refused(desk: Reception) -> None:
    theirs = desk.world.held(C)  # of the customer of the world, which is this one
    assert theirs.customer_id == desk.customer_id
    with pytest.raises(Conflict, match="is held") as caught:
        desk.open(desk.joining(C))
    assert caught.value.code == "case.account"
    other = desk.world.vault.customers.register(desk.carla, "900002", CustomerFacts(name="Other"))
    with pytest.raises(Conflict, match="not one of this customer's"):
        desk.desk.open(
            desk.carla, replace(desk.welcome(desk.joining(A), desk.joining(C)), customer_id=other.id)
        )
    with desk.world.vault.units.read() as unit:
        assert unit.accounts.get(A) is None, "nothing was registered beside it"


# --- A4


def test_a_sixth_new_account_takes_a_limit_increase(desk: Reception) -> None:
    limits = desk.world.vault.account_limits
    new = [desk.joining(f"44445555666{index}", is_new=True) for index in range(6)]
    with pytest.raises(Conflict, match=r"may have 5 \(A4\)") as caught:
        desk.open(*new, path="new")
    assert caught.value.code == "account.limit"
    assert entries(desk, "account.registered") == [], "not even the first five"
    desk.open(*new[:5], path="new")
    with pytest.raises(Conflict) as caught:
        desk.world.vault.accounts.register(
            desk.carla,
            new[5].account_id,
            desk.customer_id,
            Model.SPAM,
            Kind.STANDALONE,
            AccountFacts("six", "six@roots.example"),
            is_new=True,
        )
    assert caught.value.code == "account.limit"
    desk.open(desk.joining(A))  # transferred ones do not count
    for most, ticket in ((4, "T-9"), (6, " ")):
        with pytest.raises(Invalid):
            limits.record(desk.carla, desk.customer_id, most, ticket)
    olga = desk.world.human("olga", Role.OPERATOR).actor
    with pytest.raises(Forbidden):
        limits.record(olga, desk.customer_id, 6, "T-9")
    view = limits.record(desk.carla, desk.customer_id, 6, "T-9")
    assert limits.record(desk.carla, desk.customer_id, 6, "T-9") == view
    assert (view.new, view.most) == (5, 6)
    assert view.recorded is not None
    assert (view.recorded.ticket, view.recorded.set_name) == ("T-9", "carla")
    desk.open(new[5], path="new")
    assert limits.get(desk.carla, desk.customer_id).new == 6


def test_what_was_made_for_the_customer_needs_no_transfer(desk: Reception) -> None:
    case = desk.open(desk.joining(A, is_new=True, root_email="aws+a@roots.example"), path="new")
    stand = desk.standing(case)
    assert not {"instructions", "no_root_keys", "alone", "approval"} & stand.keys()
    assert (stand["root_email"], desk.address(case)) == (Standing.OPEN, "aws+a@roots.example")


# --- the customer's text


def test_the_customer_is_told_on_the_ticket(desk: Reception) -> None:
    hostile = INFORMATION | {"company": "{accounts} & <b>Sons</b>"}
    welcome = replace(desk.welcome(desk.joining(A), desk.joining(B)), information=hostile)
    case = desk.desk.open(desk.carla, welcome)
    text = desk.desk.text(desk.carla, case.id)
    assert "{accounts} & <b>Sons</b> asked us to take on these AWS accounts, 2 in all, on ticket T-77" in text
    assert f"- {A} (account {A}, standalone): new root e-mail {desk.address(case)}" in text
    assert f"- {B} " in text
    assert desk.acts.preview(desk.carla, case.id, steps.INSTRUCTIONS, "").words == text
    assert desk.tickets.notes == {}
    desk.tickets.error = "503"
    with pytest.raises(Unavailable, match="did not take the note on T-77: 503"):
        desk.run(case, steps.INSTRUCTIONS)
    desk.tickets.error = None
    desk.run(case, steps.INSTRUCTIONS)
    assert list(desk.tickets.notes.values()) == [("T-77", text)]


def test_without_a_ticket_system_somebody_sends_the_text_and_says_so(desk: Reception) -> None:
    case = desk.open(desk.joining(A))
    assert not desk.world.vault.cases.acts.able(CaseKind.ONBOARDING, steps.INSTRUCTIONS)
    with pytest.raises(Invalid, match="sent"):
        desk.say(case, steps.INSTRUCTIONS)
    desk.say(case, steps.INSTRUCTIONS, sent="by mail at noon, see the ticket")
    assert desk.standing(case)[steps.INSTRUCTIONS] is Standing.DONE


def test_the_text_is_there_before_all_is_known(desk: Reception) -> None:
    case = desk.desk.open(desk.carla, replace(desk.welcome(desk.joining(A)), information={}))
    assert "Dear (not known yet)" in desk.desk.text(desk.carla, case.id)


# --- addresses


def test_an_address_that_anybody_ever_had_is_refused(desk: Reception) -> None:
    first = desk.open(desk.joining(A))
    kept = desk.address(first)
    for address in (kept, kept.upper(), f"aws-{A}@customer.example"):
        with pytest.raises(Conflict) as caught:
            desk.open(desk.joining(B, address=address))
        assert caught.value.code == "custody.email_used"
    denied = entries(desk, "access.denied")
    assert len(denied) == 3, "each refusal stays in the log"
    assert all("custody.email_used" in str(each.content) for each in denied)
    case = desk.open(desk.joining(B, address="own@roots.example"))
    with pytest.raises(Conflict) as caught:
        desk.say(case, steps.ADDRESS, B, address=kept)
    assert caught.value.code == "custody.email_used"
    with pytest.raises(Conflict):
        desk.world.vault.accounts.change(desk.carla, B, AccountFacts(root_email=kept))
    desk.world.vault.cases.work.cancel(desk.carla, first.id, "the customer stays where it is")
    with pytest.raises(Conflict):
        desk.say(case, steps.ADDRESS, B, address=kept)
    assert [each.use for each in addresses(desk, A)] == [EmailUse.RESERVED, EmailUse.BORNE]


def test_two_accounts_of_a_case_cannot_have_one_address(desk: Reception) -> None:
    with pytest.raises(Conflict) as caught:
        desk.open(desk.joining(A, address="one@roots.example"), desk.joining(B, address="One@roots.example"))
    assert caught.value.code == "custody.email_used"
    with desk.world.vault.units.read() as unit:
        assert unit.onboarding.owner("one@roots.example") is None


def test_addresses_are_made_later_where_there_was_no_pattern(desk: Reception) -> None:
    bare = replace(desk.desk, pattern=None)
    case = bare.open(desk.carla, desk.welcome(desk.joining(A), desk.joining(B)))
    assert desk.standing(case)["address"] is Standing.OPEN
    with pytest.raises(Conflict, match=r"onboarding\.root_address"):
        bare.make_addresses(desk.carla, case.id)
    desk.desk.make_addresses(desk.carla, case.id)
    made = (desk.address(case), desk.address(case, B))
    desk.desk.make_addresses(desk.carla, case.id)
    assert (desk.address(case), desk.address(case, B)) == made
    assert len({*made, ""}) == 3
