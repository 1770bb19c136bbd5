"""The daily note: once a day, whatever happens, with what proves everything before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit.note import Verifier, open_note
from tests.support.places import Mailbox, mail_server, mailing, with_outside
from vault.adapters.mailer import SmtpMailer
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World

TO = ("auditor@customer.example",)


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def posted(world: World, box: Mailbox) -> Iterator[World]:
    """Lend a vault that writes letters to a real mail server."""
    with mail_server(box) as server:
        mailer = SmtpMailer(server, "none", "vault@msp.example")
        yield with_outside(world, mailer=mailer, settings=mailing(world, *TO))


def body(box: Mailbox, number: int = -1) -> str:
    content = box.letters[number].get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")


def test_one_letter_a_day_with_the_checkpoint_and_what_changed(posted: World, box: Mailbox) -> None:
    note = posted.vault.daily_note
    assert note.once() is None  # nothing was published yet
    first = posted.vault.publishing.publish()
    assert first is not None
    note.once()
    for _ in range(48):
        posted.clock.advance(minutes=15)
        note.once()
    assert len(box.letters) == 1
    posted.held()
    lease = posted.lease(posted.human("olga", Role.OPERATOR))
    posted.vault.reveals.password(posted.people["olga"].actor, lease.id)
    second = posted.vault.publishing.publish()
    assert second is not None
    posted.clock.advance(hours=12)
    note.once()
    assert len(box.letters) == 2
    text = body(box)
    assert second.note.rstrip("\n") in text
    assert f"Entries since the letter of 2026-11-23: {second.size - first.size}" in text
    assert "Disclosures since then: 1, refused: 0." in text
    assert "No other place keeps this log." in text
    assert posted.vault.vkey in text
    start = text.index(posted.vault.origin)
    kept = text[start : text.index("\n\n", text.index("\n— ", start)) + 1]
    assert (
        open_note(kept, [Verifier.parse(posted.vault.vkey)]).text == second.note.rpartition("\n\n")[0] + "\n"
    )
    for secret in ("111122223333", "olga", "Example Ltd", "root+"):
        assert secret not in text
    assert len({letter["Message-ID"] for letter in box.letters}) == 2


def test_a_refused_letter_is_tried_again_and_stops_nothing(posted: World, box: Mailbox) -> None:
    posted.held()
    posted.vault.publishing.publish()
    box.refuse = "451 later"
    for minute in range(120):
        posted.vault.daily_note.once()
        posted.clock.advance(seconds=60 if minute >= 20 else 1)
    with posted.vault.units.read() as unit:
        outlet = unit.outlets.get(posted.vault.daily_note.name)
    assert outlet is not None
    assert outlet.lost
    assert outlet.error == "mail server: 451 later"
    lease = posted.lease(posted.human("olga", Role.OPERATOR))
    assert posted.vault.reveals.password(posted.people["olga"].actor, lease.id).version == 1
    box.refuse = ""
    posted.clock.advance(minutes=1)
    posted.vault.daily_note.once()
    assert len(box.letters) == 1


def test_a_letter_that_may_have_gone_out_has_the_same_name(posted: World, box: Mailbox) -> None:
    posted.vault.publishing.publish()
    note = posted.vault.daily_note

    class Killed(BaseException):
        """The process ends here."""

    class Dying:
        def send(
            self, to: tuple[str, ...], subject: str, body: str, message_id: str, html: str | None = None
        ) -> str:
            assert note.mailer is not None
            note.mailer.send(to, subject, body, message_id, html)
            raise Killed

    dying = type(note)(note.units, note.outlets, note.clock, note.origin, note.vkey, note.to, Dying())
    with pytest.raises(Killed):
        dying.once()
    posted.clock.advance(minutes=1)
    note.once()
    first, second = (letter["Message-ID"] for letter in box.letters)
    assert first == second


def test_each_list_of_people_gets_its_own(posted: World, box: Mailbox) -> None:
    posted.vault.publishing.publish()
    posted.vault.daily_note.once()
    note = posted.vault.daily_note
    more = type(note)(
        note.units, note.outlets, note.clock, note.origin, note.vkey, (*note.to, "b@c.example"), note.mailer
    )
    more.once()
    more.once()
    assert box.recipients == [list(TO), [*TO, "b@c.example"]]
