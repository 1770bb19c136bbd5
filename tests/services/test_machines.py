"""Machines' tokens: two administrators for what does more than read, allowed addresses, and nothing beyond."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.people import House, Member, came, move_in
from tests.support.replay import check_replay
from tests.support.world import make_world
from vault.domain.actor import Role, Scope
from vault.domain.person import Token, TokenState
from vault.domain.policy import MACHINE_READS, NEVER_FOR_MACHINES, Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.errors import Conflict, Forbidden, Invalid, Unauthenticated, VaultError
from vault.ports.store import Slice
from vault.services.machines import Wanted, networks, takes_two
from vault.services.proposals import content_hash
from vault.services.tokens import Issued

CHANGES = frozenset({Permission.ACCOUNT_REGISTER})
READS = frozenset({Permission.ACCOUNT_READ})
WHY = "the offboarding workflow registers accounts"


class Site:
    """A house with two administrators, in which an account was held, so that a hold is a day."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ada, self.bob = house.admins()
        house.world.held()

    def issue(self, wanted: Wanted | None = None, by: Member | None = None) -> Issued:
        """Make a token, as one administrator in a browser."""
        by = by or self.ada
        wanted = wanted or Wanted("offboarding", CHANGES, Scope(), why=WHY)
        return self.house.vault.machines.issue(self.house.actor(by), wanted, by.code())

    def waiting(self, issued: Issued) -> Proposal:
        """Find what waits for a second administrator."""
        page = self.house.vault.proposals.page(
            self.house.actor(self.bob), Slice(limit=100), kind=ProposalKind.TOKEN
        )
        return next(each for each in page.items if each.subject == issued.token.id)

    def agree(self, issued: Issued, by: Member | None = None) -> Proposal:
        """Agree, as the other administrator."""
        by = by or self.bob
        proposal = self.waiting(issued)
        actor = self.house.actor(by)
        return self.house.vault.proposals.confirm(actor, proposal.id, by.code(), content_hash(proposal))

    def counts(self, issued: Issued, ip: str = "192.0.2.7") -> bool:
        """Say whether the token opens anything."""
        return self.house.vault.tokens.resolve(issued.text, ip) is not None

    def token(self, issued: Issued) -> Token:
        """Read it as it is."""
        return self.house.vault.tokens.get(self.house.actor(self.ada), issued.token.id)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("machines")
    house = move_in(make_world(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory))
    yield Site(house)
    house.vault.close()


def test_what_only_reads_counts_at_once(site: Site) -> None:
    issued = site.issue(Wanted("sync", READS, Scope()))
    assert issued.token.state(site.house.world.clock.now()) is TokenState.IN_FORCE
    assert site.counts(issued)


def test_what_does_more_counts_after_a_second_administrator_and_the_hold(site: Site) -> None:
    issued = site.issue()
    assert site.token(issued).state(site.house.world.clock.now()) is TokenState.WAITING
    assert not site.counts(issued)
    agreed = site.agree(issued)
    assert not site.counts(issued)
    assert agreed.effective_at is not None
    site.house.world.clock.advance(hours=23, minutes=59)
    assert not site.counts(issued)
    site.house.world.clock.advance(minutes=2)
    assert site.counts(issued)
    bearer = site.house.vault.tokens.resolve(issued.text, "192.0.2.7")
    assert bearer is not None
    assert bearer.actor(came()).permissions == CHANGES


def test_the_second_administrator_sees_exactly_what_it_may_do(site: Site) -> None:
    issued = site.issue(
        Wanted("offboarding", CHANGES | READS, Scope(), ("192.0.2.0/24", "2001:db8::1"), why=WHY)
    )
    told = json.loads(site.waiting(issued).content)
    assert told == {
        "addresses": ["192.0.2.0/24", "2001:db8::1/128"],
        "made_by": site.ada.id,
        "name": "offboarding",
        "scope": "all",
        "scopes": ["account.read", "account.register"],
        "until": told["until"],
    }
    assert issued.text.expose() not in site.waiting(issued).content


def test_nobody_agrees_to_the_token_they_made_nor_an_operator_to_any(site: Site) -> None:
    issued = site.issue()
    with pytest.raises(Forbidden) as caught:
        site.agree(issued, by=site.ada)
    assert caught.value.code == "policy.second_person"
    olga = site.house.appoint((site.ada, site.bob), "olga@msp.example", Role.CUSTODIAN)
    with pytest.raises(VaultError):
        site.agree(issued, by=olga)
    assert not site.counts(issued)


def test_a_reason_is_for_the_second_person(site: Site) -> None:
    with pytest.raises(Invalid) as caught:
        site.issue(Wanted("offboarding", CHANGES, Scope()))
    assert [each.pointer for each in caught.value.errors] == ["/why"]


def test_refusing_ends_the_token_and_ending_the_token_ends_what_waits(site: Site) -> None:
    refused, ended = site.issue(), site.issue()
    bob = site.house.actor(site.bob)
    site.house.vault.proposals.end(bob, site.waiting(refused).id, "nobody asked for this")
    assert site.token(refused).revoked_at is not None
    proposal = site.waiting(ended)
    site.house.vault.tokens.revoke(bob, ended.token.id)
    with pytest.raises(Conflict):
        site.house.vault.proposals.confirm(bob, proposal.id, site.bob.code())
    assert not site.counts(refused)
    assert not site.counts(ended)
    told = [entry["detail"] for entry in site.house.events("token.revoked")]
    assert refused.token.id in str(told)
    assert ended.token.id in str(told)


def test_taking_back_what_was_agreed_to_ends_a_token_in_force(site: Site) -> None:
    issued = site.issue()
    agreed = site.agree(issued)
    site.house.world.clock.advance(hours=25)
    assert site.counts(issued)
    site.house.vault.proposals.end(site.house.actor(site.bob), agreed.id, "the workflow is gone")
    assert not site.counts(issued)


def test_a_token_that_ran_out_meanwhile_is_agreed_to_by_nobody(site: Site) -> None:
    issued = site.issue(Wanted("short", CHANGES, Scope(), lasts=timedelta(hours=1), why=WHY))
    site.house.world.clock.advance(hours=2)
    with pytest.raises(Conflict):
        site.agree(issued)


def test_a_code_is_needed_of_both(site: Site) -> None:
    ada = site.house.actor(site.ada)
    with pytest.raises(Unauthenticated):
        site.house.vault.machines.issue(ada, Wanted("x", CHANGES, Scope(), why=WHY), site.ada.wrong_code())
    issued = site.issue()
    bob = site.house.actor(site.bob)
    with pytest.raises(Unauthenticated):
        site.house.vault.proposals.confirm(bob, site.waiting(issued).id, site.bob.wrong_code())
    assert not site.counts(issued)


def test_only_administrators_list_machines(site: Site) -> None:
    site.issue(Wanted("sync", READS, Scope(), ()))
    uma = site.house.appoint((site.ada, site.bob), "uma@msp.example", Role.AUDITOR)
    with pytest.raises(Forbidden):
        site.house.vault.machines.page(site.house.actor(uma), Slice())
    found = site.house.vault.machines.page(site.house.actor(site.bob), Slice(limit=100)).items
    assert found
    assert {each.person_id for each in found} == {None}


def test_a_token_counts_from_its_addresses_only(site: Site) -> None:
    wanted = Wanted("sync", READS, Scope(), ("192.0.2.0/28", "2001:db8::/32"))
    issued = site.issue(wanted)
    for ip, counts in {
        "192.0.2.7": True,
        "2001:db8:1::5": True,
        "192.0.2.99": False,
        "2001:db9::1": False,
        "": False,
        "unknown": False,
    }.items():
        assert site.counts(issued, ip) is counts, ip
        stray = site.house.vault.tokens.stray(issued.text, ip)
        assert (stray is None) is counts


def test_the_last_use_tells_when_and_from_where(site: Site) -> None:
    issued = site.issue(Wanted("sync", READS, Scope()))
    now = site.house.world.clock.now()
    site.counts(issued, "192.0.2.7")
    assert (site.token(issued).used_at, site.token(issued).used_from) == (now, "192.0.2.7")
    site.counts(issued, "198.51.100.4")
    assert site.token(issued).used_from == "198.51.100.4"


@pytest.mark.parametrize(
    ("texts", "pointers"),
    [
        (("192.0.2.7/24",), ["/addresses/0"]),
        (("192.0.2.0/24", "everywhere"), ["/addresses/1"]),
        (("",), ["/addresses/0"]),
        (("192.0.2.0/33",), ["/addresses/0"]),
        (("fe80::1%eth0",), ["/addresses/0"]),
        (("192.0.2.0/24",) * 21, ["/addresses"]),
    ],
)
def test_addresses_that_cannot_be_are_named(texts: tuple[str, ...], pointers: list[str]) -> None:
    assert [each.pointer for each in networks(texts)[1]] == pointers


@given(st.ip_addresses(), st.integers(0, 32))
def test_a_network_holds_what_lies_in_it(address: object, bits: int) -> None:
    network = ip_network(f"{address}/{bits}", strict=False)
    (found,), errors = networks((str(network),))
    assert (found, errors) == (str(network), ())


def test_every_scope_that_is_not_only_read_takes_two() -> None:
    assert not MACHINE_READS & NEVER_FOR_MACHINES
    for permission in set(Permission) - NEVER_FOR_MACHINES:
        assert takes_two(frozenset({permission})) is (permission not in MACHINE_READS)
        assert takes_two(frozenset({permission}) | READS) is (permission not in MACHINE_READS)


def test_a_machine_mints_nothing(site: Site) -> None:
    issued = site.issue(Wanted("sync", READS, Scope()))
    bearer = site.house.vault.tokens.resolve(issued.text, "192.0.2.7")
    assert bearer is not None
    machine = replace(bearer.actor(came()), permissions=frozenset(Permission))
    with pytest.raises(Forbidden):
        site.house.vault.machines.issue(machine, Wanted("more", READS, Scope()), "000000")
    with pytest.raises(Forbidden):
        site.house.vault.tokens.issue_own(machine, "more", "000000")


def test_the_log_tells_all_of_it(site: Site) -> None:
    site.agree(site.issue())
    check_replay(site.house.world)
