"""Mail to root addresses, taken in and kept: sealed, passed on or refused, and never lost (C7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.mailbox import CODE, RESET, ROOT, came, code, invoice, message, reset, with_mailbox
from vault.domain.mail import MailKind, NoteState, Verdict

if TYPE_CHECKING:
    from tests.support.world import World


def test_a_reset_is_sealed_and_nothing_of_it_stands_beside(world: World) -> None:
    world.held()
    world = with_mailbox(world)
    mail = came(world, reset())
    assert (mail.kind, mail.rule, mail.verdict, mail.forged) == (
        MailKind.SECURITY,
        "password_reset",
        Verdict.PASSED,
        False,
    )
    with world.vault.units.read() as unit:
        kept, note = unit.mail.get(mail.id), unit.mail.note_of(mail.id)
    assert kept == mail
    assert kept.body is not None
    assert note is not None
    assert (note.state, note.topic) == (NoteState.WAITING, "security")
    written = f"{note} {note.text} {mail}"
    assert "Assistance" not in written
    assert "http" not in note.text
