"""Attacks by two acts at one moment, on the database where they really overlap: what takes power away stays.

The other act runs just before the first one writes: it either waits for the row that the first one holds, or is there
when the first one looks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.people import House, Member, came, move_in
from tests.support.replay import check_replay
from vault.adapters.db.stores.accounts import Customers
from vault.adapters.db.stores.log import LogEntries
from vault.adapters.db.stores.people import People
from vault.crypto import totp
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.person import PersonState
from vault.domain.secret import Secret
from vault.errors import VaultError
from vault.services.asking import Ask
from vault.services.customers import CustomerFacts
from vault.services.people import Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.world import World
    from vault.domain.actor import Actor

pytestmark = pytest.mark.parametrize("world", ["postgresql"], indirect=True)
PATIENCE: Final = 0.4
"""Seconds that the other act has before the first one goes on."""


@dataclass
class Meanwhile:
    """Lets another act happen within a first one, once; `codes` are how it ended."""

    monkeypatch: pytest.MonkeyPatch
    codes: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def before(self, store: type, name: str, act: Callable[[], object]) -> None:
        """Begin `act` in a thread of its own when a method of a store is first called."""
        original = getattr(store, name)

        def called(*given: object, **named: object) -> object:
            if not self.threads:
                self.threads.append(threading.Thread(target=self._run, args=(act,)))
                self.threads[0].start()
                self.threads[0].join(PATIENCE)
            return original(*given, **named)

        self.monkeypatch.setattr(store, name, called)

    def over(self) -> str:
        """Wait for the other act; give "ok" or its error's code."""
        self.threads[0].join()
        return self.codes[0]

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        except VaultError as error:
            self.codes.append(error.code)
        else:
            self.codes.append("ok")


@pytest.fixture
def house(world: World) -> Iterator[House]:
    """Lend a house; when it is left, the log has to lead to what is in the database."""
    yield move_in(world)
    check_replay(world)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)


def guess(house: House, who: Actor, code: str) -> None:
    """Give a wrong code for a token of one's own, which holds one's row and then writes to the log."""
    house.vault.tokens.issue_own(replace(who, origin=replace(who.origin, browser=True)), "mine", code)


def state_of(house: House, person_id: str) -> PersonState:
    with house.vault.units.read() as unit:
        person = unit.people.get(person_id)
    assert person is not None
    return person.state


def test_a_role_that_is_taken_away_while_it_is_agreed_to_stays_away(
    house: House, admins: tuple[Member, Member], meanwhile: Meanwhile
) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    olga, grant = house.enrol(invited), invited.grants[0]
    meanwhile.before(People, "update_grant", partial(house.vault.people.remove_grant, ada, grant.id))
    house.vault.people.confirm_grant(bob, grant.id, admins[1].code())
    assert meanwhile.over() == "ok"
    assert house.vault.people.get(ada, olga.id).grants == ()
    assert house.sign_in(olga).powers == ()


def test_who_is_shut_out_while_their_link_is_looked_at_stays_out(
    house: House, admins: tuple[Member, Member], meanwhile: Meanwhile
) -> None:
    ada = house.actor(admins[0])
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    meanwhile.before(People, "update", partial(house.vault.people.disable, ada, invited.person.id))
    house.vault.enrolment.begin(invited.link, came())
    assert meanwhile.over() == "ok"
    assert state_of(house, invited.person.id) is PersonState.DISABLED


def test_who_enrols_while_a_new_link_is_made_does_not_enrol_by_the_old_one(
    house: House, admins: tuple[Member, Member], meanwhile: Meanwhile
) -> None:
    ada = house.actor(admins[0])
    invited = house.vault.people.invite(ada, "olga@msp.example", "Olga", (Wish(Role.OPERATOR),))
    enrolling = house.vault.enrolment.begin(invited.link, came())
    olga = Member(invited.person.id, "", totp.parse_seed(enrolling.seed), house.world.clock)
    code = olga.code()
    enrol = partial(house.vault.enrolment.complete, invited.link, Secret(olga.password), code, came())
    meanwhile.before(People, "update", enrol)
    house.vault.people.new_enrolment(ada, invited.person.id)
    assert meanwhile.over() != "ok"
    assert state_of(house, invited.person.id) is PersonState.INVITED


def test_shutting_out_and_a_second_factor_do_not_wait_for_each_other(
    house: House, admins: tuple[Member, Member], meanwhile: Meanwhile
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    account = house.world.held()
    ada, operator = house.actor(admins[0]), house.actor(olga)
    house.vault.asking.ask(operator, Ask(account.id, "BILL_ROOT", "T-1", "a task for this test"))
    # the lease ends first, which writes to the log; then comes the row that a wrong code holds as well
    meanwhile.before(People, "update", partial(guess, house, operator, olga.wrong_code()))
    house.vault.people.disable(ada, olga.id)
    assert meanwhile.over() in {"auth.refused", "policy.denied"}
    assert state_of(house, olga.id) is PersonState.DISABLED


def test_two_administrators_do_not_shut_each_other_out(
    house: House, admins: tuple[Member, Member], meanwhile: Meanwhile
) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    meanwhile.before(LogEntries, "record", partial(house.vault.people.disable, bob, ada.id))
    try:
        house.vault.people.disable(ada, bob.id)
        first = "ok"
    except VaultError as error:
        first = error.code
    assert sorted((first, meanwhile.over())) == ["concurrent.change", "ok"]
    states = {state_of(house, each.id) for each in admins}
    assert states == {PersonState.ACTIVE, PersonState.DISABLED}


def test_split_custody_that_is_turned_on_while_its_customer_is_renamed_stays_on(
    house: House, meanwhile: Meanwhile
) -> None:
    account = house.world.account()
    carla = house.world.human("carla", Role.CUSTODIAN).actor
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    meanwhile.before(Customers, "update", partial(house.vault.split.turn_on, carla, scope))
    house.vault.customers.change(carla, account.customer_id, CustomerFacts(name="Another Name Ltd"))
    assert meanwhile.over() == "ok"
    assert house.vault.split.is_split(account)
    assert house.vault.customers.get(carla, account.customer_id).name == "Another Name Ltd"
