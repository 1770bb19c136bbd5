"""Notices: who is told of what, once, within their scope, and as they chose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.people import came, move_in
from tests.support.told import part, subject, telling
from vault.domain.actor import Role, Scope, ScopeKind, system_actor
from vault.domain.audience import QUIET, ROUTES, UNKNOWN, route_of
from vault.domain.checkout import Decision
from vault.domain.event import Event, EventType, Result
from vault.domain.notice import BURST, Channel, Topic, Way
from vault.domain.outlet import Outlet
from vault.errors import Forbidden, Invalid, NotFound, VaultError
from vault.ports.store import Slice
from vault.services.approvals import Word
from vault.services.notices import OUT_OF_SIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.told import Told
    from tests.support.world import World

NUMBER = "111122223333"
OTHER = "444455556666"
ONE_DATABASE = pytest.mark.parametrize("world", ["sqlite"], indirect=True)
APPROVED = "ACCOUNT_CLOSE"


@pytest.fixture
def told(world: World) -> Iterator[Told]:
    """Lend a vault with a held account that has told everything so far."""
    with telling(world) as made:
        world.held(NUMBER)
        made.vault.telling.once()
        yield made


@pytest.fixture
def empty(world: World) -> Iterator[Told]:
    """Lend a vault with nobody in it."""
    with telling(world) as made:
        yield made


def record(told: Told, *events: Event) -> None:
    """Write entries as a use case would."""
    with told.vault.units.write() as unit:
        for event in events:
            unit.log.record(event, told.world.clock.now())
        unit.commit()


def test_every_type_of_event_has_an_audience_or_is_quiet() -> None:
    """A new type is put into `ROUTES` (who is told) or into `QUIET` of vault/domain/audience.py."""
    known = set(ROUTES) | QUIET
    missing = sorted(set(EventType) - known)
    assert not missing, f"say in vault/domain/audience.py who is told of: {', '.join(missing)}"
    assert not set(ROUTES) & QUIET
    assert route_of("some.newer.type") is UNKNOWN


def test_no_line_has_room_for_what_was_stated() -> None:
    for event, route in ROUTES.items():
        assert route.line.format(who="", whom="", account="", what=""), event
        assert route.to, event


def test_those_who_may_approve_are_told_and_then_the_requester(told: Told) -> None:
    world = told.world
    olga, anna, axel = (
        world.human("olga", Role.OPERATOR),
        world.human("anna", Role.APPROVER),
        world.human("axel", Role.APPROVER),
    )
    elsewhere = world.human("elsa", Role.APPROVER, Scope(ScopeKind.ACCOUNT, OTHER))
    aud = world.human("udo", Role.AUDITOR)
    asked = world.ask(olga, reason=needs_approval(told))
    told.work()
    line = f"olga asks for root of {NUMBER}: your approval is needed"
    assert told.lines(anna) == told.lines(axel) == [line]
    assert [told.lines(each) for each in (olga, elsewhere, aud)] == [[], [], []]
    (letter,) = told.box.to("anna")
    assert subject(letter) == f"[Rootvault] {line}"
    assert f"/checkouts/{asked.id}" in str(letter)
    assert "a task for this test" not in str(letter)
    assert "T-1001" not in str(letter)
    told.world.clock.advance(seconds=1)
    told.vault.approvals.decide(anna.actor, asked.id, Word(Decision.APPROVE), anna.otp())
    told.work()
    assert told.lines(olga) == told.lines(axel)[1:] == [f"anna approved the request for {NUMBER}"]
    assert told.lines(anna) == [line]
    assert len(told.box.to("olga")) == 1


def test_a_request_that_nobody_approves_is_nobodys_to_hear_of(told: Told) -> None:
    anna = told.world.human("anna", Role.APPROVER)
    olga = told.world.human("olga", Role.OPERATOR)
    lease = told.world.lease(olga)
    told.world.clock.advance(hours=5)
    told.vault.sweep.once()
    told.work()
    assert told.lines(anna) == []
    assert told.lines(olga) == [f"The lease of {NUMBER} ended by time"]
    assert told.inbox(olga)[0].path == f"/checkouts/{lease.id}"


@ONE_DATABASE
def test_refusals_are_not_told_and_rolled_back_acts_never_were(told: Told) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    with pytest.raises(VaultError):
        told.world.ask(olga, "999999999999")
    with told.vault.units.write() as unit:
        event = Event(EventType.INCIDENT_OPENED, system_actor("test"))
        unit.log.record(event, told.world.clock.now())
    told.work()
    assert told.lines(anna) == told.lines(olga) == []


def test_an_entry_is_told_once_whoever_reads_it_and_wherever_reading_begins(told: Told) -> None:
    udo = told.world.human("udo", Role.AUDITOR)
    record(told, Event(EventType.LOG_KEY_ROTATED, system_actor("host")))
    told.work()
    with told.vault.units.write() as unit:
        unit.outlets.put(Outlet("notices", 10_000))
        unit.commit()
    told.work()
    told.work()
    lines = told.lines(udo)
    assert lines.count("The key that signs the log was changed") == 1
    assert "A place outside that keeps the log is lost" in lines
    assert len(told.box.to("udo")) == len(lines)
    assert told.vault.telling.lag() == 0


@ONE_DATABASE
def test_a_vault_that_never_told_anything_begins_with_the_last_day(world: World) -> None:
    udo = world.human("udo", Role.AUDITOR)
    old = Event(EventType.LOG_KEY_ROTATED, system_actor("host"), detail={"n": 1})
    with telling(world) as told:
        record(told, old)
        world.clock.advance(hours=30)
        record(told, old)
        told.work()
        assert len(told.inbox(udo)) == 1


@ONE_DATABASE
def test_power_added_goes_by_mail_whatever_was_chosen(empty: Told) -> None:
    told = empty
    house = move_in(told.world)
    admins = house.admins()
    told.vault.telling.once()
    udo = told.world.human("udo", Role.AUDITOR)
    scoped = told.world.human("ursel", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, NUMBER))
    for topic in (Topic.PEOPLE, Topic.OWN):
        told.vault.notices.choose(udo.actor, {topic: Way.INBOX})
    house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    told.vault.telling.once()
    told.vault.sending.mail()
    lines = told.lines(udo)
    assert "Ada Lovelace proposed a role for olga: a second administrator is needed" in lines
    assert "Bob Noyce agreed to a role for olga" in lines
    assert {subject(letter).partition("]")[0] for letter in told.box.to("udo")} == {"[Rootvault, urgent"}
    assert told.lines(scoped) == []


@ONE_DATABASE
def test_the_person_hears_of_a_sign_in_from_elsewhere_and_of_nothing_usual(empty: Told) -> None:
    told = empty
    house = move_in(told.world)
    ada, _ = house.admins()
    told.vault.telling.once()
    signed = house.sign_in(ada)
    house.sign_in(ada, device=signed.device.expose())
    told.vault.telling.once()
    mine = told.vault.notices.inbox(signed.actor(came()), Slice()).items
    (notice,) = (each for each in mine if each.event == "session.opened")
    assert "device that was not known" in notice.title
    assert notice.path == "/sessions"


@ONE_DATABASE
def test_who_was_shut_out_hears_of_that_and_of_nothing_after(told: Told) -> None:
    ada = told.world.human("ada", Role.ADMIN)
    told.world.human("bob", Role.ADMIN)
    olga = told.world.human("olga", Role.OPERATOR)
    told.world.lease(olga)
    told.vault.telling.once()
    told.vault.people.disable(ada.actor, olga.actor.id)
    told.work()
    assert [subject(letter) for letter in told.box.to("olga")] == ["[Rootvault] ada shut olga out"]


@ONE_DATABASE
def test_what_is_out_of_sight_by_then_is_neither_sent_nor_shown(told: Told) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    told.world.ask(olga, reason=needs_approval(told))
    told.vault.telling.once()
    with told.vault.units.write() as unit:
        (grant,) = unit.people.grants(anna.actor.id)
        unit.people.update_grant(replace(grant, removed_at=told.world.clock.now()))
        unit.commit()
    told.vault.sending.mail()
    assert told.box.letters == []
    now_blind = replace(anna.actor, powers=())
    (notice,) = told.vault.notices.inbox(now_blind, Slice()).items
    assert (notice.title, notice.account_id, notice.path) == (OUT_OF_SIGHT, None, "/notices")
    assert told.vault.notices.load()[Channel.MAIL].waiting == 0


@ONE_DATABASE
def test_choices_are_ones_own_and_told(told: Told) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    notices = told.vault.notices
    assert set(notices.choices(anna.actor).values()) == {Way.MAIL}
    assert Topic.EMERGENCY not in notices.choices(anna.actor)
    assert notices.choose(anna.actor, {Topic.REQUESTS: Way.INBOX})[Topic.REQUESTS] is Way.INBOX
    notices.choose(anna.actor, {Topic.REQUESTS: Way.INBOX})
    with pytest.raises(Invalid):
        notices.choose(anna.actor, {Topic.EMERGENCY: Way.INBOX})
    told.world.clock.advance(seconds=1)
    told.world.ask(olga, reason=needs_approval(told))
    told.work()
    changed = "How you are told of what happens was changed"
    assert told.lines(anna) == [changed, f"olga asks for root of {NUMBER}: your approval is needed"]
    assert [subject(letter) for letter in told.box.letters] == [f"[Rootvault, urgent] {changed}"]
    entries = move_in(told.world).events("notice.chosen")
    assert [entry["detail"] for entry in entries] == [{"requests": "inbox"}]


@ONE_DATABASE
def test_a_digest_is_one_letter_in_the_morning(told: Told) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    told.vault.notices.choose(anna.actor, {Topic.REQUESTS: Way.DIGEST})
    told.work()
    told.box.letters.clear()
    told.box.recipients.clear()
    for _ in range(3):
        asked = told.world.ask(olga, reason=needs_approval(told))
        told.vault.checkouts.cancel(olga.actor, asked.id)
    told.work()
    assert told.box.letters == []
    told.world.clock.at = told.world.clock.at.replace(hour=6, minute=1)
    told.world.clock.advance(days=1)
    told.work()
    (letter,) = told.box.to("anna")
    assert subject(letter) == "[Rootvault] 6 notices"
    assert str(letter).count("withdrew") == 6


def test_a_flood_is_folded(told: Told) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    asked = Event(EventType.CHECKOUT_REQUESTED, olga.actor, account_id=NUMBER)
    record(told, *[asked] * 210)  # more than one batch
    told.work()
    assert len(told.box.to("anna")) == BURST
    assert sum(each.count for each in told.inbox(anna)) == 210
    assert len(told.inbox(anna)) == BURST
    told.world.clock.advance(minutes=11)
    told.work()
    assert len(told.box.to("anna")) == BURST + 1
    assert "(and 204 more like it)" in subject(told.box.to("anna")[-1])
    record(told, asked)
    told.work()
    assert told.vault.notices.unread(anna.actor) == BURST


@ONE_DATABASE
def test_refusals_by_the_hundred_tell_nobody_anything(told: Told) -> None:
    udo = told.world.human("udo", Role.AUDITOR)
    denied = Event(EventType.ACCESS_DENIED, udo.actor, Result.DENIED)
    record(told, *[denied] * 300)
    assert told.vault.telling.once() == 300
    assert told.lines(udo) == []


@ONE_DATABASE
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Eve\r\nBcc: all@x.example", "Eve[U+000D][U+000A]Bcc: all@x[.]example"),
        ("\u202egpj.exe", "[U+202E]gpj[.]exe"),
        ("http://evil.example/login", "http[:]//evil[.]example/login"),
        ("{who.__class__}", "{who[.]__class__}"),
    ],
)
def test_a_name_stays_a_name(told: Told, name: str, written: str) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    hostile = replace(olga.actor, name=name)
    record(told, Event(EventType.CHECKOUT_REQUESTED, hostile, account_id=NUMBER))
    told.work()
    line = f"{written} asks for root of {NUMBER}: your approval is needed"
    assert told.lines(anna) == [line]
    (letter,) = told.box.to("anna")
    assert subject(letter) == f"[Rootvault] {line}"
    assert letter["Bcc"] is None
    html = part(letter, "html")
    assert "<script" not in html
    assert part(letter, "plain").startswith(line)


@ONE_DATABASE
def test_an_inbox_is_its_persons_alone(told: Told) -> None:
    anna, axel = told.world.human("anna", Role.APPROVER), told.world.human("axel", Role.APPROVER)
    olga = told.world.human("olga", Role.OPERATOR)
    told.world.ask(olga, reason=needs_approval(told))
    told.work()
    (notice,) = told.inbox(anna)
    with pytest.raises(NotFound):
        told.vault.notices.read(axel.actor, notice.id)
    assert told.vault.notices.unread(anna.actor) == 1
    assert told.vault.notices.read(anna.actor, notice.id) == 1
    assert told.vault.notices.read(anna.actor, notice.id) == 0
    assert told.vault.notices.unread(anna.actor) == 0
    assert told.inbox(anna, unread=True) == []
    assert told.vault.notices.unread(axel.actor) == 1
    with pytest.raises(Forbidden):
        told.vault.notices.dead(anna.actor, Slice())


@ONE_DATABASE
def test_what_is_old_is_removed_and_what_waits_is_not(told: Told) -> None:
    anna, olga = told.world.human("anna", Role.APPROVER), told.world.human("olga", Role.OPERATOR)
    told.world.ask(olga, reason=needs_approval(told))
    told.vault.telling.once()
    told.world.clock.advance(days=91)
    assert told.vault.sending.sweep() == 1
    assert told.vault.sending.sweep() == 0
    assert told.inbox(anna) == []
    with told.vault.units.read() as unit:
        assert unit.notices.load(told.world.clock.now())[Channel.MAIL].waiting == 1


def needs_approval(told: Told) -> str:
    """Name a reason that somebody has to approve for a held account."""
    return next(
        code
        for code, reason in told.vault.policy.reasons.items()
        if reason.approvals == 1 and "held" in {str(each) for each in reason.situations}
    )
