"""What came of mail is told to the ticket system, over real HTTP, once, and whatever happens in between (C7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.events import newest
from tests.support.mailbox import RESET, came, code, invoice, message, reset, with_mailbox
from tests.support.tickets import TicketDesk
from vault.domain.actor import Role
from vault.domain.event import EventType
from vault.domain.mail import BEHIND, PAUSES, MailNote, NoteState
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World
    from vault.domain.mail import Mail

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


@pytest.fixture
def desk() -> Iterator[TicketDesk]:
    """Serve a ticket system."""
    with TicketDesk() as made:
        yield made


@pytest.fixture
def house(world: World, desk: TicketDesk) -> World:
    """Lend a vault with a mailbox, a ticket system and one account held."""
    world.held()
    return with_mailbox(world, desk.system)


def note_of(world: World, mail: Mail) -> MailNote:
    """Give a mail's note."""
    with world.vault.units.read() as unit:
        found = unit.mail.note_of(mail.id)
    assert found is not None
    return found


def answer(number: int = 2, **more: object) -> bytes:
    """Write another mail about the same invoice."""
    raw = invoice(message_id=f"<invoice-{number}@amazon.com>", **more)
    return raw.replace(b"Subject: Amazon", b"Subject: Re: Fwd: amazon")


def test_the_first_makes_a_ticket_and_what_follows_is_noted_on_it(house: World, desk: TicketDesk) -> None:
    first = came(house, invoice())
    house.clock.advance(seconds=1)
    second = came(house, answer())
    assert house.vault.mail_telling.once() == 2
    ((number, key, subject, words),) = desk.made
    assert (key, subject) == (first.id, "Amazon Web Services Invoice Available")
    assert "invoice for October" in words
    assert "/accounts/111122223333/mail" in words
    ((noted, again, _),) = desk.notes
    assert (noted, again) == (number, second.id)
    assert [(note_of(house, each).state, note_of(house, each).text) for each in (first, second)] == [
        (NoteState.TOLD, ""),
        (NoteState.TOLD, ""),
    ]
    assert house.vault.mail_telling.once() == 0


def test_of_security_mail_a_ticket_gets_a_notice_alone(house: World, desk: TicketDesk) -> None:
    came(house, reset())
    came(house, code())
    came(house, message("URGENT 123456", f"click {RESET}", "AWS <a@evil.example>", said="dmarc=pass"))
    assert house.vault.mail_telling.once() == 3
    assert len(desk.made) == 1
    whole = str((desk.made, desk.notes))
    assert whole.count("sealed in the vault") == 3
    for word in (
        "418293",
        "resetpassword",
        "Zx81",
        "Assistance",
        "URGENT",
        "123456",
        "evil.example",
        "signin",
    ):
        assert word not in whole


def test_mails_of_one_instant_are_told_and_listed_in_the_order_in_which_they_came(
    house: World, desk: TicketDesk
) -> None:
    """Also where the system is down at the first: nothing of its topic overtakes it, but what is of another does."""
    made = [came(house, answer(number)) for number in range(5)]
    other = came(house, reset())
    assert house.clock.now() - made[0].received_at < timedelta(milliseconds=1)
    olga = house.human("olga", Role.OPERATOR)
    listed = house.vault.mails.page(olga.actor, Slice(10)).items
    assert [each.mail.id for each in reversed(listed)] == [each.id for each in (*made, other)]
    telling = house.vault.mail_telling
    desk.note_status.append(503)
    assert telling.once() == 1
    assert [key for _, key, *_ in desk.made] == [other.id]
    assert {note_of(house, each).error for each in made[1:]} == {BEHIND}
    made.append(came(house, answer(5)))
    assert telling.once() == 0
    house.clock.at += PAUSES[0]
    assert telling.once() == 6
    assert [key for _, key, *_ in desk.made] == [other.id, made[0].id]
    assert [key for _, key, _ in desk.notes] == [each.id for each in made[1:]]


def test_what_is_refused_again_and_again_does_not_hold_up_what_came_after_it_for_ever(
    house: World, desk: TicketDesk
) -> None:
    first, second = came(house, invoice()), came(house, answer())
    desk.note_status.extend([500] * (len(PAUSES) + 1))
    for pause in (*PAUSES, timedelta(0)):
        assert house.vault.mail_telling.once() == (1 if pause == timedelta(0) else 0)
        house.clock.at += pause
    assert [note_of(house, each).state for each in (first, second)] == [NoteState.WAITING, NoteState.TOLD]


def test_while_it_is_down_all_waits_and_nothing_is_lost(house: World, desk: TicketDesk) -> None:
    mail = came(house, invoice())
    desk.note_status.extend([503, 500, 429])
    telling = house.vault.mail_telling
    for pause in PAUSES[:3]:
        assert telling.once() == 0
        assert telling.once() == 0  # not before its time
        assert note_of(house, mail).error.startswith("answered")
        house.clock.at += pause
    assert telling.once() == 1
    assert (len(desk.made), note_of(house, mail).tries) == (1, 4)
    away = replace(telling, system=replace(desk.system, create_url="http://127.0.0.1:1/new"))
    late = came(
        house, invoice(message_id="<9@amazon.com>", headers={"X": "y"}).replace(b"Invoice", b"Receipt")
    )
    assert away.once() == 0
    assert "no answer" in note_of(house, late).error
    house.clock.advance(days=400)
    assert telling.once() == 1


def test_who_is_killed_after_the_ticket_was_made_makes_no_second(house: World, desk: TicketDesk) -> None:
    mail = came(house, invoice())
    telling = house.vault.mail_telling
    (claimed,) = telling._claim()
    desk.system.create(claimed.subject, claimed.text, claimed.mail_id)  # and here it ends
    assert telling.once() == 0
    house.clock.advance(minutes=5, seconds=1)
    assert telling.once() == 1
    assert (len(desk.made), note_of(house, mail).ticket) == (1, desk.made[0][0])


def test_a_ticket_that_takes_no_notes_any_more_gives_way_to_a_new_one(house: World, desk: TicketDesk) -> None:
    came(house, invoice())
    assert house.vault.mail_telling.once() == 1
    second = came(house, answer())
    desk.note_status.append(409)
    assert house.vault.mail_telling.once() == 1
    assert [number for number, *_ in desk.made] == ["T-2001", "T-2002"]
    assert note_of(house, second).ticket == "T-2002"
    house.clock.at += timedelta(days=31)
    came(house, answer(3))
    assert house.vault.mail_telling.once() == 1
    assert len(desk.made) == 3


def test_what_is_refused_for_good_is_an_entry_and_its_words_stay(house: World, desk: TicketDesk) -> None:
    mail = came(house, invoice())
    desk.note_status.append(422)
    assert house.vault.mail_telling.once() == 1
    note = note_of(house, mail)
    assert (note.state, note.error) == (NoteState.UNTOLD, "answered 422")
    assert "invoice for October" in note.text
    (entry,) = newest(house, EventType.MAIL_UNTOLD)
    assert entry["detail"] == {"mail": mail.id, "error": "answered 422"}
    assert house.vault.mails.counts().untold == 1


@pytest.mark.parametrize("said", ["{}", "no json", '{"key": ["A", "B"]}', '{"key": "a b"}'])
def test_a_number_that_is_not_told_is_no_reason_to_make_it_twice(
    house: World, desk: TicketDesk, said: str
) -> None:
    desk.answer = said
    mail = came(house, invoice())
    assert house.vault.mail_telling.once() == 1
    assert (note_of(house, mail).state, note_of(house, mail).ticket) == (NoteState.TOLD, "")


def test_without_a_place_for_tickets_all_waits(world: World, desk: TicketDesk) -> None:
    world.held()
    house = with_mailbox(world, replace(desk.system, create_url=""))
    mail = came(house, invoice())
    assert not house.vault.mail_telling.is_set
    assert house.vault.mail_telling.once() == 0
    assert note_of(house, mail).state is NoteState.WAITING
