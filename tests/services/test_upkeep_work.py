"""The calendar of coming work, and reminders of it: within sight, once a day, and by few statements for thousands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, insert, select

from tests.support.events import entries
from tests.support.told import telling
from tests.support.world import make_world
from vault.adapters.db import mapping, tables
from vault.domain.account import Custody
from vault.domain.actor import EVERYTHING, Role, Scope, ScopeKind
from vault.domain.campaign import Parts, Stage
from vault.domain.credential import Part, PartKind, PartState, Version, VersionLabel, VersionOrigin
from vault.domain.event import EventType
from vault.domain.health import Health
from vault.domain.notice import Channel, Topic
from vault.domain.rotation import Outcome
from vault.errors import Invalid
from vault.ports.campaigns import Wanted
from vault.ports.store import EntryFilter, Slice
from vault.services.planning import Where, Wish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.support.world import World
    from vault.domain.campaign import Campaign

FIRST, OTHER = "111122223333", "444455556666"
MANY = 1_200


def begin(world: World, people: tuple[str, ...], **facts: object) -> Campaign:
    """Begin a campaign over all that is held, as two people do."""
    ada, amy = world.human("ada", Role.APPROVER), world.human("amy", Role.ADMIN)
    ids = tuple(world.people[each].actor.id for each in people)
    until = world.clock.now() + timedelta(days=10)
    wish = replace(Wish("Spring", "rotate all of them", Parts.BOTH, until, 50, ids), **facts)  # type: ignore[arg-type] # a test names fields of it
    made = world.vault.campaigns.propose(ada.actor, wish, ada.otp())
    world.vault.proposals.confirm(amy.actor, made.id, amy.otp())
    return world.vault.campaigns.get(ada.actor, made.subject).campaign


def accept(world: World, number: str) -> None:
    """Rotate a password, which nobody proves."""
    olga, vault = world.people["olga"], world.vault
    lease = world.lease(olga, number, "CRED_ROTATE")
    planned = vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)
    vault.rotations.display(olga.actor, planned.id)
    vault.attestations.attest(olga.actor, planned.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(olga.actor, lease.id)


def test_the_calendar_has_each_thing_on_its_day(quick_world: World) -> None:
    world = quick_world
    olga = world.human("olga", Role.OPERATOR)
    world.held(FIRST)
    world.clock.advance(days=1)
    accept(world, FIRST)
    campaign = begin(world, ("olga",))
    now = world.clock.now()
    days = world.vault.coming.days(olga.actor, now.date(), now.date() + timedelta(days=91))
    found = {each.day: each for each in days if not each.empty}
    age = world.vault.policy.limits.longest_age
    proof = (now + timedelta(days=7)).date()
    assert [each.unproven for each in (found[proof],)] == [[FIRST]]
    assert [each.id for each in found[campaign.until.date()].campaigns] == [campaign.id]
    aging = [(day, each.aging) for day, each in found.items() if each.aging]
    # the seed is a day older than the password
    assert aging == [((now - timedelta(days=1) + age).date(), [FIRST]), ((now + age).date(), [FIRST])]
    assert not any(each.reviews for each in days)
    auditor = world.human("ula", Role.AUDITOR)
    reviews = world.vault.coming.days(auditor.actor, now.date(), now.date() + timedelta(days=3))
    assert [each.reviews for each in reviews][1] == [now.date() - timedelta(days=1)]


def test_the_calendar_shows_what_is_in_sight(quick_world: World) -> None:
    world = quick_world
    world.held(FIRST)
    far = world.human("fred", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER))
    world.human("olga", Role.OPERATOR)
    begin(world, ("olga",))
    today = world.clock.now().date()
    assert all(each.empty for each in world.vault.coming.days(far.actor, today, today + timedelta(days=91)))
    for first, last in ((today, today - timedelta(days=1)), (today, today + timedelta(days=92))):
        with pytest.raises(Invalid):
            world.vault.coming.days(far.actor, first, last)


def reminded(world: World) -> list[dict[str, object]]:
    """Give the details of the reminders in the log."""
    found = [each for each in entries(world) if each["type"] == EventType.UPKEEP_REMINDED]
    return [each["detail"] for each in found]


def test_each_person_is_reminded_once_a_day_of_what_is_theirs(world: World) -> None:
    olga = world.human("olga", Role.OPERATOR)
    world.human("fred", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER))
    world.held(FIRST)
    begin(world, ("olga",))
    accept(world, FIRST)
    world.clock.at = datetime.combine(world.clock.now().date() + timedelta(days=1), time(5, 59), UTC)
    assert world.vault.reminders.once() == 0  # before the hour of digests
    world.clock.advance(minutes=1)
    with telling(world) as told:
        told.work()
        assert told.vault.reminders.once() == 1
        told.work()
        (notice,) = [each for each in told.inbox(olga) if each.topic is Topic.WORK and "Work" in each.title]
        assert (notice.path, notice.account_id, notice.channel) == ("/upkeep", None, Channel.INBOX)
        assert any("Work waits" in str(letter["Subject"]) for letter in told.box.to("olga"))
    # the password is new and not proven, the seed existed before us; both parts are the campaign's
    expected = {"person": olga.actor.id, "campaign_accounts": 1, "due": 1, "late": 0, "unverified": 1}
    assert reminded(world) == [expected]
    assert world.vault.reminders.once() == 0
    world.clock.advance(days=1)
    assert world.vault.reminders.once() == 1


def test_who_has_no_work_hears_nothing(quick_world: World) -> None:
    quick_world.human("olga", Role.OPERATOR)
    quick_world.account(FIRST)
    assert quick_world.vault.reminders.once() == 0
    assert reminded(quick_world) == []


@pytest.fixture
def crowd(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Make a world whose accounts are put in by the back door, so that its log is not replayed."""
    made = make_world(database_url, tmp_path)
    plant(made, MANY)
    yield made
    made.close()


def engine_of(world: World) -> Engine:
    """Give the engine below a world."""
    found: Engine = world.vault.units.engine  # type: ignore[attr-defined]  # the adapter's own
    return found


def plant(world: World, many: int) -> None:
    """Put held accounts, with both parts taken in, straight into the tables."""
    now = world.clock.now()
    world.account(FIRST)
    rows: dict[str, list[dict[str, object]]] = {"emails": [], "accounts": [], "parts": [], "versions": []}
    with engine_of(world).begin() as connection:
        model = dict(connection.execute(select(tables.account)).mappings().one())
        for number in (f"{each:012}" for each in range(900_000_000_000, 900_000_000_000 + many)):
            email = f"root+{number}@msp.example"
            rows["emails"].append({"folded": email, "account_id": number})
            held = {
                "custody": Custody.HELD,
                "held_since": now,
                "root_email": email,
                "root_email_folded": email,
            }
            rows["accounts"].append({**model, **held, "id": number})
            for kind in PartKind:
                rows["parts"].append(mapping.part.row(Part(number, kind, PartState.HELD, now)))
                facts = (b"sealed" * 100, b"wraps", "0" * 64, now, "carla")
                version = Version(number, kind, 1, VersionLabel.CURRENT, VersionOrigin.TAKEN_IN, *facts)
                rows["versions"].append(mapping.version.row(replace(version, current_since=now)))
        by_table = (tables.root_email, tables.account, tables.part, tables.version)
        for table, planted in zip(by_table, rows.values(), strict=True):
            connection.execute(insert(table), planted)


def test_thousands_of_accounts_take_few_statements_and_entries_that_fit(crowd: World) -> None:
    world, vault = crowd, crowd.vault
    olga, otto = world.human("olga", Role.OPERATOR), world.human("otto", Role.OPERATOR)
    statements: list[str] = []
    event.listen(engine_of(world), "before_cursor_execute", lambda *given: statements.append(given[2]))

    def counted() -> int:
        number = len(statements)
        statements.clear()
        return number

    campaign = begin(world, ("olga", "otto"), where=Where(healths=frozenset({Health.DUE})))
    begun = counted()
    assert (campaign.accounts, begun < 180) == (MANY, True), begun
    assert vault.campaigns.get(olga.actor, campaign.id).at(Stage.LEFT) == MANY
    found = vault.campaigns.accounts(olga.actor, campaign.id, Wanted(olga.actor.id, Stage.LEFT), Slice(100))
    assert (len(found.items), counted() < 12) == (100, True)
    vault.coming.days(olga.actor, world.clock.now().date(), world.clock.now().date() + timedelta(days=91))
    assert counted() < 12
    assert (vault.reminders.once(), counted() < 70) == (2, True)
    page = vault.campaigns.page(olga.actor, Slice(10))
    assert (page.items[0].seen, counted() < 6) == (MANY, True)
    with vault.units.read() as unit:
        told = unit.log.page(EntryFilter(type=EventType.CAMPAIGN_ASSIGNED), EVERYTHING, Slice(100)).items
    assert max(len(each.leaf) for each in told) < 60_000
    named = [change["id"] for each in told for change in each.content["changes"]]  # type: ignore[attr-defined]  # an entry's JSON
    assert len(set(named)) == MANY
    # one of two is shut out: all of theirs is nobody's, told in entries that fit
    amy = world.people["amy"].actor
    counted()
    vault.people.disable(amy, otto.actor.id)
    assert counted() < 120
    with vault.units.read() as unit:
        free = unit.campaigns.accounts(campaign.id, EVERYTHING, Wanted(""), Slice(1))
        told = unit.log.page(EntryFilter(type=EventType.CAMPAIGN_ASSIGNED), EVERYTHING, Slice(1)).items
    assert (len(free.items), max(len(each.leaf) for each in told) < 64_000) == (1, True)
