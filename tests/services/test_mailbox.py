"""Mail to root addresses, taken in and kept: sealed, passed on or refused, and never lost (C7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.support.events import newest
from tests.support.mailbox import CODE, RESET, ROOT, came, code, invoice, message, reset, with_mailbox
from tests.support.replay import check_replay
from tests.support.world import World, with_keys
from vault.domain.actor import Reach, Role
from vault.domain.event import EventType
from vault.domain.mail import Emptied, Mail, MailKind, NoteState, Verdict
from vault.errors import Limited, NotFound, Unavailable, VaultError
from vault.ports.store import Slice
from vault.services.accounts import AccountFacts

if TYPE_CHECKING:
    from vault.ports.keys import KeyService

ALL = Reach(everything=True)
QUICK = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


@pytest.fixture
def house(world: World) -> World:
    """Lend a vault with a mailbox and one account held."""
    world.held()
    return with_mailbox(world)


def all_rows(world: World) -> str:
    """Give everything that is kept of mail, and the log, as text."""
    names = ("mail", "mail_note", "mail_ticket", "mail_opening", "audit_entry")
    with world.vault.units.engine.connect() as connection:  # type: ignore[attr-defined]  # SqlUnits has it
        rows = [row for name in names for row in connection.execute(text(f"SELECT * FROM {name}"))]  # noqa: S608 - names of our own tables
    return "\n".join(str(tuple(bytes(c) if isinstance(c, memoryview) else c for c in row)) for row in rows)


def test_security_mail_is_sealed_and_nothing_of_it_stands_beside(house: World) -> None:
    one, two = came(house, reset()), came(house, code(message_id="<2@signin.aws>"))
    assert (one.kind, one.rule, one.verdict) == (MailKind.SECURITY, "password_reset", Verdict.PASSED)
    assert (two.rule, two.half) == ("sign_in_code", "mfa")
    with house.vault.units.read() as unit:
        assert unit.mail.get(one.id) == one
        note = unit.mail.note_of(one.id)
    assert note is not None
    assert (note.state, note.topic) == (NoteState.WAITING, "security")
    assert "http" not in note.text
    kept = all_rows(house)
    assert not [word for word in (CODE, RESET, "Zx81Token", "Assistance", "You asked") if word in kept]
    check_replay(house)


def test_harmless_mail_becomes_words_for_a_ticket(house: World) -> None:
    mail = came(house, invoice())
    assert (mail.kind, mail.rule, mail.body) == (MailKind.ORDINARY, "billing", None)
    with house.vault.units.read() as unit:
        note = unit.mail.note_of(mail.id)
    assert note is not None
    assert note.subject == "Amazon Web Services Invoice Available"
    assert "invoice for October" in note.text
    assert newest(house, EventType.MAIL_RECEIVED)[0]["account"]["id"] == "111122223333"
    check_replay(house)


@QUICK
def test_an_address_that_an_account_had_before_is_still_its(house: World) -> None:
    custodian = house.human("carla", Role.CUSTODIAN).actor
    house.vault.accounts.change(custodian, "111122223333", AccountFacts(root_email="new@msp.example"))
    assert came(house, reset(), ROOT.upper()).account_id == "111122223333"
    assert came(house, code(), "new@msp.example").account_id == "111122223333"


@QUICK
def test_mail_to_nobody_is_sealed_and_told_to_custodians_alone(house: World) -> None:
    mail = came(house, invoice(), "nobody@msp.example")
    assert (mail.kind, mail.account_id, mail.is_sealed) == (MailKind.UNMATCHED, None, True)
    with house.vault.units.read() as unit:
        assert unit.mail.note_of(mail.id) is None
    mails, carla = house.vault.mails, house.human("carla", Role.CUSTODIAN)
    (seen,) = mails.unmatched(carla.actor, Slice(10)).items
    assert (seen.mail.id, seen.mail.recipient) == (mail.id, "nobody@msp.example")
    assert mails.get(carla.actor, mail.id).mail.id == mail.id
    olga = house.human("olga", Role.OPERATOR)
    with pytest.raises(VaultError, match=r"custodian|role|policy|may"):
        mails.unmatched(olga.actor, Slice(10))
    with pytest.raises(NotFound):
        mails.get(olga.actor, mail.id)
    assert "invoice" not in all_rows(house).lower()
    with pytest.raises(NotFound):
        came(house, invoice(), "somebody@elsewhere.example")


@QUICK
def test_the_same_mail_again_is_the_one_that_is_there(house: World) -> None:
    first = came(house, reset())
    again = reset(headers={"X-Way": "another"}).replace(b"from outside", b"from another way")
    assert came(house, again).id == first.id
    assert came(house, reset(message_id="<other@signin.aws>")).id != first.id
    assert len(newest(house, EventType.MAIL_UNASKED)) == 2


@QUICK
def test_nothing_is_kept_while_keys_are_down_and_the_calls_are_told(
    house: World, broken_keys: KeyService
) -> None:
    dark = with_mailbox(with_keys(house, broken_keys))
    with pytest.raises(Unavailable) as refused:
        came(dark, reset())
    assert refused.value.code == "keys.unavailable"
    with house.vault.units.read() as unit:
        assert unit.mail.page(ALL, Slice(10)).items == ()
    (entry,) = newest(house, EventType.MAIL_SEALED)
    assert (entry["outcome"], entry["kms"][0]["operation"]) == ("failed", "GenerateDataKey")
    assert came(house, reset()).is_sealed


@QUICK
def test_security_mail_without_a_lease_is_worth_a_word_and_with_one_its_holder_hears(house: World) -> None:
    came(house, reset())
    (unasked,) = newest(house, EventType.MAIL_UNASKED)
    assert unasked.get("checkout") is None
    olga = house.human("olga", Role.OPERATOR)
    lease = house.lease(olga)
    came(house, code())
    (sealed,) = newest(house, EventType.MAIL_SEALED)
    assert sealed["checkout"] == lease.id
    house.human("ursula", Role.AUDITOR)
    while house.vault.telling.once():
        continue
    with house.vault.units.read() as unit:
        told = {each.event for each in unit.notices.inbox(olga.actor.id, Slice(50), unread=False).items}
        auditors = unit.notices.inbox(house.people["ursula"].actor.id, Slice(50), unread=False).items
    assert EventType.MAIL_SEALED in told
    assert EventType.MAIL_UNASKED in {each.event for each in auditors}


@QUICK
def test_a_flood_is_refused_for_a_time_and_told_once(house: World) -> None:
    small = with_mailbox(house, kept_of_address=3)
    for number in range(3):
        came(small, message("hello", "junk", "Eve <eve@evil.example>", said="", message_id=f"<{number}@e>"))
    junk = message("hello", "junk", "Eve <eve@evil.example>", said="", message_id="<4@e>")
    with pytest.raises(Limited):
        came(small, junk)
    with pytest.raises(Limited) as full:
        came(small, junk)
    assert (full.value.code, full.value.retry_after) == ("mailbox.full", 900)
    assert len(newest(house, EventType.MAIL_FLOOD)) == 1
    # proven mail of AWS has as much room again: a flood does not shut a reset out
    assert came(small, reset()).rule == "password_reset"
    for number in range(2):
        came(small, code(message_id=f"<{number}@signin.aws>"))
    with pytest.raises(Limited):
        came(small, code(message_id="<9@signin.aws>"))
    with pytest.raises(Limited):
        small.vault.mailbox.would_take(ROOT)
    hourly = with_mailbox(house, per_hour=1)
    with pytest.raises(Limited, match="per_hour"):
        came(hourly, junk, "another@msp.example")
    house.clock.advance(hours=1, seconds=1)
    came(hourly, junk, "another@msp.example")


@QUICK
def test_old_mail_is_emptied_and_never_filled_again(house: World) -> None:
    mail = came(house, reset())
    assert house.vault.mails.empty_old() == 0
    house.clock.advance(days=30, seconds=1)
    assert house.vault.mails.empty_old() == 1
    with house.vault.units.read() as unit:
        left = unit.mail.get(mail.id)
    assert left is not None
    assert (left.is_sealed, left.wraps, left.emptied_why, left.state) == (False, None, Emptied.AGE, "emptied")
    check_replay(house)
    with house.vault.units.engine.begin() as connection, pytest.raises(Exception, match="mail_content_once"):  # type: ignore[attr-defined]  # SqlUnits has it
        connection.execute(text("UPDATE mail SET body = x'00', wraps = x'00'"))


def test_what_is_kept_of_an_account_can_be_destroyed(house: World) -> None:
    mail, harmless = came(house, reset()), came(house, invoice())
    now = house.clock.now()
    with house.vault.units.write() as unit:
        ((was, is_now),) = unit.mail.destroy("111122223333", now)
        unit.commit()
    assert (was.id, was.is_sealed, is_now.emptied_why) == (mail.id, True, Emptied.DESTROYED)
    with house.vault.units.read() as unit:
        left, note = unit.mail.get(mail.id), unit.mail.note_of(harmless.id)
        assert unit.mail.sealed_of("111122223333") == ()
    assert left is not None
    assert (left.body, left.wraps) == (None, None)
    assert note is not None
    assert note.text == ""


def test_lists_go_by_pages_within_reach_and_carry_no_content(house: World) -> None:
    made: list[Mail] = []
    for number in range(5):
        made.append(came(house, code(message_id=f"<{number}@signin.aws>")))
        house.clock.advance(seconds=1)
    olga = house.human("olga", Role.OPERATOR)
    first = house.vault.mails.of_account(olga.actor, "111122223333", Slice(3))
    rest = house.vault.mails.of_account(olga.actor, "111122223333", Slice(3, first.next))
    listed = [each.mail for each in (*first.items, *rest.items)]
    assert [each.id for each in listed] == [each.id for each in reversed(made)]
    assert {each.body for each in listed} == {b"\x00"}
    assert house.vault.mails.page(olga.actor, Slice(10), MailKind.ORDINARY).items == ()
    nobody = replace(olga.actor, powers=())
    assert house.vault.mails.page(nobody, Slice(10)).items == ()
    counts: Any = house.vault.mails.counts()
    assert (counts.sealed, counts.waiting) == ({MailKind.SECURITY: 5}, 5)


def test_a_mail_that_two_deliver_at_once_is_kept_once(house: World) -> None:
    box = house.vault.mailbox
    first = came(house, reset())
    # the other delivery looked before the first was committed
    raced = replace(first, id="00000000-0000-4000-8000-00000000aaaa")
    assert box._keep(raced, None, (), house.clock.now()).id == first.id
    assert timedelta(0) == house.clock.now() - first.received_at
