"""Health gathered from what is kept: due by incident and what it closes, the board's pages, the recovery score."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from tests.services.test_leavers_many import plant
from tests.support.trails import root, used
from tests.support.watch import NUMBER, Watch
from tests.support.world import make_world
from vault.crypto.envelope import decode_wraps, encode_wraps
from vault.domain.account import Custodian
from vault.domain.actor import Reach, Role, Scope, ScopeKind
from vault.domain.board import Stage
from vault.domain.campaign import Assignment, Campaign, Parts
from vault.domain.credential import Due, PartKind, PartState
from vault.domain.due import FoundBy, Reused
from vault.domain.health import Health, Next, Why
from vault.domain.hygiene import Finding, FindingState, Rule
from vault.domain.ids import new_id
from vault.domain.proposal import Proposal, ProposalKind
from vault.domain.recoverable import Fate, Loss
from vault.domain.rotation import Outcome
from vault.errors import Blocked, Invalid, NotFound
from vault.ports.cloud import IncidentFilter
from vault.ports.health import Whose
from vault.ports.keys import Wrap
from vault.ports.store import Slice
from vault.services.accounts import AccountFacts
from vault.services.board import Doer
from vault.services.healths import HealthFilter
from vault.services.recipient_book import FixedRecipient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.support.world import World

EVERYTHING = HealthFilter()
OTHER = "444455556666"


def whys(watch: Watch, number: str = NUMBER) -> set[Why]:
    found = watch.vault.healths.get(watch.alice.actor, number).health
    return {fact.why for part in found.parts for fact in part.facts}


def test_an_open_incident_makes_both_parts_due_and_closes_all_but_rotation(watch: Watch) -> None:
    at = watch.world.clock.now()
    assert Why.DUE_INCIDENT not in whys(watch)
    watch.deliver(root(NUMBER, at), used(NUMBER, at + timedelta(minutes=5)))
    watch.world.clock.advance(hours=2)
    assert watch.run().opened == 2
    view = watch.vault.accounts.get(watch.alice.actor, NUMBER)
    assert all(Due.INCIDENT in part.due for part in view.parts)
    assert Why.DUE_INCIDENT in whys(watch)
    with pytest.raises(Blocked, match="rotate it first"):
        watch.world.ask(watch.alice, NUMBER)
    board = watch.vault.board.page(watch.alice.actor, EVERYTHING, None, Slice())
    assert board.items[0].found.account.id == NUMBER
    assert board.items[0].facts[0].why is Why.DUE_INCIDENT
    assert watch.world.ask(watch.alice, NUMBER, "CRED_ROTATE").account_id == NUMBER


@pytest.mark.parametrize(
    "harmless",
    [
        {"responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed authentication"},
        {"eventName": "PasswordRecoveryRequested", "responseElements": None},
    ],
    ids=["failed", "asked"],
)
def test_what_anybody_on_the_network_can_do_makes_nothing_due(watch: Watch, harmless: dict[str, Any]) -> None:
    watch.deliver(root(NUMBER, watch.world.clock.now(), **harmless))
    watch.world.clock.advance(hours=2)
    assert watch.run().opened == 1
    assert Why.DUE_INCIDENT not in whys(watch)


def test_a_rotation_after_it_answers_an_incident_and_so_does_its_end(watch: Watch) -> None:
    world, vault = watch.world, watch.vault
    watch.deliver(root(NUMBER, world.clock.now()))
    world.clock.advance(hours=2)
    watch.run()
    lease = world.lease(watch.alice, NUMBER, "CRED_ROTATE")
    planned = vault.rotations.plan(watch.alice.actor, lease.id, PartKind.PASSWORD)
    vault.rotations.display(watch.alice.actor, planned.id)
    world.clock.advance(minutes=1)
    vault.attestations.attest(watch.alice.actor, planned.id, Outcome.ACCEPTED)
    password, device = vault.accounts.get(watch.alice.actor, NUMBER).parts
    assert Due.INCIDENT not in password.due
    assert Due.INCIDENT in device.due
    found = vault.board.page(watch.alice.actor, EVERYTHING, Stage.UNVERIFIED, Slice())
    assert [each.found.account.id for each in found.items] == [NUMBER]
    assert found.counts[Stage.UNVERIFIED] == found.counts[Stage.IN_PROGRESS] == 1
    assert found.items[0].found.holder is not None
    assert found.items[0].found.unverified[0].id == planned.id
    uma = world.human("uma", Role.AUDITOR).actor
    (incident,) = vault.incidents.page(uma, IncidentFilter(is_open=True), Slice()).items
    vault.incidents.take(uma, incident.incident.id)
    vault.incidents.close(uma, incident.incident.id, "a sign-in of our own, told of too late")
    assert Due.INCIDENT not in vault.accounts.get(watch.alice.actor, NUMBER).parts[1].due


@pytest.fixture
def engine(world: World) -> Engine:
    found: Engine = world.vault.units.engine  # type: ignore[attr-defined]  # the adapter's own
    return found


def test_marks_parts_and_people_are_told_of_the_accounts_asked_for_alone(world: World) -> None:
    world.held(NUMBER)
    world.held(OTHER, "Another-Horse-8-Battery")
    alice = world.human("alice", Role.OPERATOR)
    now = world.clock.now()
    with world.vault.units.write() as unit:
        assert unit.health.add_reused(Reused(OTHER, PartKind.PASSWORD, 1, now, FoundBy.DRILL))
        assert not unit.health.add_reused(Reused(OTHER, PartKind.PASSWORD, 1, now, FoundBy.IMPORT))
        everywhere = Whose(Reach(everything=True))
        assert unit.health.marks(everywhere).reused == {(OTHER, PartKind.PASSWORD, 1): now}
        assert unit.health.marks_of((NUMBER,)) == unit.health.marks(replace(everywhere, accounts=(NUMBER,)))
        assert unit.health.marks_of((OTHER,)).reused
        none = Whose(Reach())
        assert (unit.health.accounts(none), unit.health.parts(none), unit.health.holders(none)) == (
            (),
            {},
            {},
        )
        here = Whose(Reach(accounts=frozenset({NUMBER})))
        assert list(unit.health.parts(here)) == [NUMBER]
        kinds = [each.part.kind for each in unit.health.parts(everywhere)[OTHER]]
        assert kinds == [PartKind.PASSWORD, PartKind.MFA]
    lease = world.lease(alice, NUMBER, "CRED_ROTATE")
    with world.vault.units.read() as unit:
        assert unit.health.holders(here)[NUMBER].checkout_id == lease.id
        assert unit.health.holders(replace(everywhere, accounts=(OTHER,))) == {}


def test_another_customers_credentials_are_nowhere(world: World) -> None:
    world.held(NUMBER)
    stranger = world.human("sam", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER))
    vault = world.vault
    with pytest.raises(NotFound):
        vault.healths.get(stranger.actor, NUMBER)
    assert vault.healths.page(stranger.actor, EVERYTHING, Slice()).items == ()
    assert not any(vault.healths.page(stranger.actor, EVERYTHING, Slice()).counts.values())
    assert vault.board.page(stranger.actor, EVERYTHING, None, Slice()).items == ()
    assert vault.recoverables.page(stranger.actor, EVERYTHING, None, None, Slice()).score.held == 0


def test_lists_go_on_where_they_ended_and_know_their_own_cursors(world: World) -> None:
    numbers = [f"{each:012}" for each in range(100_000_000_000, 100_000_000_005)]
    for number in numbers:
        world.held(number, f"Correct-Horse-7-{number}")
    world.clock.advance(days=15)
    alice, vault = world.human("alice", Role.OPERATOR).actor, world.vault
    seen: list[str] = []
    cursor = None
    while True:
        found = vault.board.page(alice, EVERYTHING, Stage.OVERDUE, Slice(2, cursor))
        seen += [each.found.account.id for each in found.items]
        if (cursor := found.next) is None:
            break
    assert seen == numbers
    first = vault.healths.page(alice, HealthFilter(health=Health.OVERDUE), Slice(3))
    rest = vault.healths.page(alice, HealthFilter(health=Health.OVERDUE), Slice(3, first.next))
    assert [each.account.id for each in (*first.items, *rest.items)] == numbers
    assert rest.next is None
    assert first.counts[Health.OVERDUE] == 5
    assert first.items[0].health.next is Next.ROTATE
    for wrong in ("", "x", "12345678901²", "-1", "99999999999999"):
        with pytest.raises(Invalid, match="cursor"):
            vault.healths.page(alice, EVERYTHING, Slice(2, wrong))
        with pytest.raises(Invalid, match="cursor"):
            vault.board.page(alice, EVERYTHING, None, Slice(2, wrong))
        with pytest.raises(Invalid, match="cursor"):
            vault.recoverables.page(alice, EVERYTHING, None, None, Slice(2, wrong))


def test_the_score_counts_on_nothing_that_is_in_doubt(world: World) -> None:
    world.held(NUMBER)
    carla, vault = world.human("carla", Role.CUSTODIAN).actor, world.vault
    kept = vault.recoverables.page(carla, EVERYTHING, None, None, Slice())
    assert (kept.score.percent, kept.items[0].worst) == (100, Fate.KEPT)
    vault.accounts.change(carla, NUMBER, AccountFacts(phone=Custodian.UNKNOWN))
    lost = vault.recoverables.page(carla, EVERYTHING, Loss.VAULT, Fate.LOST, Slice())
    assert (lost.score.percent, len(lost.items)) == (0, 1)
    assert not vault.recoverables.page(carla, EVERYTHING, Loss.PHONE, Fate.LOST, Slice()).items
    with vault.units.write() as unit:
        password = unit.accounts.parts(NUMBER)[0]
        unit.accounts.put_part(replace(password, state=PartState.UNKNOWN))
        unit.commit()
    found = vault.recoverables.page(carla, EVERYTHING, Loss.MAILBOX, Fate.LOST, Slice())
    assert [each.account.id for each in found.items] == [NUMBER]


@pytest.fixture
def planted(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Make a world whose rows are put in by the back door, so that its log is not replayed."""
    made = make_world(database_url, tmp_path)
    plant(made, made.vault.units.engine, 120, "test")  # type: ignore[attr-defined]  # the adapter's own
    yield made
    made.close()


def test_a_hundred_credentials_take_as_many_statements_as_one(planted: World) -> None:
    alice, vault = planted.human("alice", Role.OPERATOR).actor, planted.vault
    statements: list[str] = []
    engine: Engine = vault.units.engine  # type: ignore[attr-defined]  # the adapter's own

    def note(*given: Any) -> None:
        if not given[2].startswith("BEGIN"):
            statements.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    vault.healths.get(alice, NUMBER)
    one = len(statements) - 1  # it asks first whether the account is in sight
    statements.clear()
    found = vault.healths.page(alice, EVERYTHING, Slice(200))
    assert len(found.items) == 121
    assert len(statements) == one == 7
    assert not any(" version.body" in each or " version.wraps" in each for each in statements)


def test_the_board_says_whose_an_account_is_in_a_campaign_that_runs(world: World) -> None:
    world.held(NUMBER)
    olga, now = world.human("olga", Role.OPERATOR), world.clock.now()
    agreed = Proposal(
        new_id(), ProposalKind.CAMPAIGN, "Autumn", "{}", "because of this test", olga.actor.id, now
    )
    campaign = Campaign(
        id=new_id(),
        proposal_id=agreed.id,
        name="Autumn",
        why="because of this test",
        parts=Parts.BOTH,
        accounts=1,
        accounts_per_hour=5,
        people=frozenset({olga.actor.id}),
        proposed_by="ada",
        agreed_by="amy",
        begun_at=now,
        until=now + timedelta(days=1),
    )
    with world.vault.units.write() as unit:
        unit.proposals.add(agreed)
        unit.campaigns.add(campaign, [Assignment(campaign.id, NUMBER, olga.actor.id, now, "ada")])
        unit.commit()
    (item,) = world.vault.board.page(olga.actor, EVERYTHING, None, Slice()).items
    assert item.doer == Doer(campaign.id, "Autumn", olga.actor.id, "olga")
    world.clock.advance(days=1)
    (item,) = world.vault.board.page(olga.actor, EVERYTHING, None, Slice()).items
    assert item.doer is None


def test_what_aws_tells_otherwise_and_what_a_drill_found_is_in_the_health(watch: Watch) -> None:
    world, vault = watch.world, watch.vault
    at = world.clock.now() + timedelta(minutes=5)
    watch.deliver(
        root(NUMBER, at, eventName="PasswordUpdated", responseElements={"PasswordUpdated": "Success"})
    )
    world.clock.advance(hours=2)
    watch.run()
    found = vault.healths.get(watch.alice.actor, NUMBER).health
    assert (found.health, found.next) == (Health.OUT_OF_SYNC, Next.COMPARE)
    assert [each.health for each in found.parts] == [Health.OUT_OF_SYNC, Health.DUE]
    assert "PasswordUpdated" in found.parts[0].facts[0].words
    score = vault.recoverables.page(watch.alice.actor, EVERYTHING, Loss.MAILBOX, None, Slice()).items
    assert {each.account.id: each.means.sound for each in score}[NUMBER] == {PartKind.MFA}
    with vault.units.write() as unit:
        device = unit.versions.current(NUMBER, PartKind.MFA)
        assert device is not None
        assert unit.versions.drilled(device, None, "envelope.tampered")
        finding = Finding(
            new_id(), Rule.MFA_OFF, NUMBER, "", "Root has no MFA.", FindingState.OPEN, at, at, at
        )
        assert unit.findings.add(finding)
        unit.commit()
    password, device_health = vault.healths.get(watch.alice.actor, NUMBER).health.parts
    assert password.health is Health.OUT_OF_SYNC
    assert device_health.health is Health.OUT_OF_SYNC
    assert [fact.why for fact in device_health.facts][:2] == [Why.CONTRADICTED, Why.OPENS_NOT]
    assert device_health.facts[0].words == "Root has no MFA."


def test_the_offline_recovery_keeps_what_is_wrapped_for_the_recipient_in_force(world: World) -> None:
    world.held(NUMBER)
    carla, vault = world.human("carla", Role.CUSTODIAN).actor, world.vault
    vault.accounts.change(carla, NUMBER, AccountFacts(mailbox=Custodian.UNKNOWN))
    score = replace(vault.recoverables, recovery=FixedRecipient("age1inforce"))

    def lost() -> int:
        return score.page(carla, EVERYTHING, None, None, Slice()).score.fates[Loss.VAULT][Fate.LOST]

    for recipient, expected in (("age1another", 1), ("age1inforce", 0)):
        for kind in PartKind:
            assert lost() == 1
            with vault.units.write() as unit:
                version = unit.versions.current(NUMBER, kind)
                assert version is not None
                wraps = (*decode_wraps(version.wraps), Wrap("age", recipient, b"wrap"))
                assert unit.versions.rewrap(version, encode_wraps(wraps))
                unit.commit()
        assert lost() == expected
    assert not vault.recoverables.page(carla, EVERYTHING, None, None, Slice()).recipient
