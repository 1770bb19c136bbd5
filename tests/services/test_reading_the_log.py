"""Who reads the log leaves an entry, for each page and for each entry that is opened; stories keep to their reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.people import House, Member
from vault.adapters.db.paging import encode_cursor
from vault.adapters.db.stores import search
from vault.domain.actor import Role, Scope, ScopeKind
from vault.errors import NotFound
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from vault.domain.actor import Actor

FIRST, SECOND = "111122223333", "444455556666"


@pytest.fixture
def auditor(house: House, admins: tuple[Member, Member]) -> Actor:
    return house.actor(house.appoint(admins, "uma@msp.example", Role.AUDITOR))


def viewed(house: House) -> list[object]:
    return [each.get("detail") for each in house.events("audit.viewed")][::-1]


def test_every_page_that_an_auditor_reads_is_an_entry_with_its_filter(house: House, auditor: Actor) -> None:
    wanted = EntryFilter(types=("session.opened", "person.invited"), outcome="success", text="a")
    first = house.vault.trail.page(auditor, wanted, Slice(1))
    assert first.next is not None
    house.vault.trail.page(auditor, wanted, Slice(1, first.next))
    asked = {"type": "session.opened,person.invited", "outcome": "success", "text": "a"}
    assert viewed(house) == [asked, {**asked, "after": first.next}]


def test_a_cursor_that_nobody_gave_out_does_not_read_unseen(house: House, auditor: Actor) -> None:
    everything = Slice(200, encode_cursor((2**40,)))
    assert house.vault.trail.page(auditor, EntryFilter(), everything).items
    assert len(viewed(house)) == 1


def test_an_entry_that_an_auditor_opens_is_an_entry_and_its_proof_is_not(
    house: House, auditor: Actor
) -> None:
    assert house.vault.trail.entry(auditor, 1).index == 1
    house.vault.trail.proof(auditor, 1)
    house.vault.trail.receipt(auditor, 1)
    assert viewed(house) == [{"entry": 1}]


def test_an_auditor_of_one_customer_leaves_entries_too(house: House) -> None:
    account = house.world.held(FIRST)
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    part = house.world.human("part", Role.AUDITOR, scope).actor
    found = house.vault.trail.page(part, EntryFilter(), Slice(200)).items
    assert {entry.content["account"]["id"] for entry in found} == {FIRST}  # type: ignore[index]  # each is about one
    house.vault.trail.entry(part, found[0].index)
    assert viewed(house) == [None, {"entry": found[0].index}]


def test_who_reads_the_trail_of_their_accounts_leaves_none(house: House) -> None:
    account = house.world.held(FIRST)
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    operator = house.world.human("olga", Role.OPERATOR, scope).actor
    found = house.vault.trail.page(operator, EntryFilter(), Slice(200)).items
    house.vault.trail.placed(operator, found[0].index)
    house.vault.timelines.of_account(operator, FIRST, Slice())
    assert viewed(house) == []


def test_an_entry_is_placed_among_its_neighbours(house: House, auditor: Actor) -> None:
    house.world.held(FIRST)
    own = [
        entry.index
        for entry in house.vault.trail.page(auditor, EntryFilter(account_id=FIRST), Slice(200)).items
    ][::-1]
    middle = house.vault.trail.placed(auditor, own[1])
    assert (middle.account_before, middle.account_after) == (own[0], own[2])
    assert (middle.before, middle.after) == (own[1] - 1, own[1] + 1)
    assert house.vault.trail.placed(auditor, own[0]).account_before is None
    assert house.vault.trail.placed(auditor, own[-1]).account_after is None
    assert house.vault.trail.placed(auditor, 0).before is None
    assert (middle.published, middle.confirmed) == (None, ())


def test_stories_keep_to_what_their_reader_sees(house: House, admins: tuple[Member, Member]) -> None:
    mine, theirs = house.world.held(FIRST), house.world.held(SECOND)
    reader = house.world.human("olga", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, mine.id)).actor
    account, page = house.vault.timelines.of_account(reader, mine.id, Slice())
    assert account.id == mine.id
    assert page.items
    for absent in (theirs.id, "999999999999"):
        with pytest.raises(NotFound):
            house.vault.timelines.of_account(reader, absent, Slice())
    with pytest.raises(NotFound):
        house.vault.timelines.of_person(reader, admins[0].id, Slice())
    with pytest.raises(NotFound):
        house.vault.timelines.of_checkout(reader, "00000000-0000-4000-8000-000000000000")
    name, own = house.vault.timelines.of_person(reader, reader.id, Slice())
    assert (name, own.items) == ("olga", ())


def test_a_search_that_ends_early_tells_nobodys_name(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who worked for others alone is absent, also where a budget ended before anything was found (S21)."""
    mine, theirs = house.world.held(FIRST), house.world.held(SECOND)
    olga = house.world.human("olga", Role.OPERATOR)
    here = house.world.lease(olga, mine.id)
    for _ in range(3):
        house.vault.checkouts.check_in(olga.actor, here.id)
        here = house.world.lease(olga, mine.id)
    otto = house.world.human("otto", Role.OPERATOR)
    house.world.lease(otto, theirs.id)
    part = house.world.human("part", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, mine.id)).actor
    monkeypatch.setattr(search, "WINDOW", 2)
    monkeypatch.setattr(search, "BUDGET", 3)
    assert house.vault.trail.page(part, EntryFilter(actor_id=otto.actor.id), Slice()).reached is not None
    for absent in (otto.actor.id, "00000000-0000-4000-8000-00000000ffff"):
        with pytest.raises(NotFound):
            house.vault.timelines.of_person(part, absent, Slice())
    name, page = house.vault.timelines.of_person(part, olga.actor.id, Slice())
    assert name == "olga"
    assert page.items


def test_what_is_told_from_entries_is_an_entry_once_each_time(house: House, auditor: Actor) -> None:
    house.world.held(FIRST)
    olga = house.world.human("olga", Role.OPERATOR)
    lease = house.world.lease(olga, FIRST)
    vault = house.vault
    for reader in (olga.actor, auditor):
        vault.evidences.of_checkout(reader, lease.id)
        vault.knowledge.of_account(reader, FIRST)
        vault.knowledge.of_person(reader, olga.actor.id)
    assert viewed(house) == [
        {"what": "evidence", "checkout": lease.id},
        {"what": "known", "account": FIRST},
        {"what": "knows", "person": olga.actor.id},
    ]
