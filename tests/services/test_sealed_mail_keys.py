"""Sealed mail under other keys: re-wrapped and drilled with the credentials, so that no key takes it along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.key_work import NEW, NUMBERS, Changing, changing
from tests.support.mailbox import came, code, invoice, reset, with_mailbox
from tests.support.replay import check_replay
from vault.crypto.context import mail_place
from vault.crypto.envelope import decode_wraps
from vault.services.sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World
    from vault.domain.mail import Mail

VALUES = 2 * len(NUMBERS)


@pytest.fixture
def both(database_url: str, tmp_path: Path) -> Iterator[Changing]:
    """Hold two accounts under old keys; the log has to lead to what is in the database afterwards."""
    made = changing(database_url, tmp_path)
    yield made
    check_replay(made.world)
    made.world.close()


def test_sealed_mail_is_taken_along_and_only_the_new_keys_open_it(both: Changing) -> None:
    """A key that is taken away after this loses no mail, whosever it is; a pass finds what an old process seals."""
    house = with_mailbox(both.world)
    kept = [came(house, reset()), came(house, code(), "nobody@msp.example"), came(house, invoice())]
    proposal = both.agreed()
    late = [code(message_id="<late@signin.aws>")]

    def progress(_what: str, done: int, total: int) -> None:
        assert done <= total
        if late:
            kept.append(came(house, late.pop()))

    first = both.rewrapping().run(proposal.id, progress=progress)
    assert (first.mails, first.old_left, first.complete) == (3, VALUES + 3, True)
    report = both.rewrapping().run(proposal.id, remove_old=True)
    assert (report.versions, report.mails, report.removed, report.old_left) == (VALUES, 3, VALUES + 3, 0)
    sealer = Sealer(both.after)
    with house.vault.units.read() as unit:
        mails = [mail for each in kept if (mail := unit.mail.get(each.id)) is not None and mail.is_sealed]
        vault_id = unit.vault_id
    assert [mail.body for mail in mails] == [each.body for each in kept if each.is_sealed]
    for mail in mails:
        assert [wrap.key_id for wrap in decode_wraps(mail.wraps or b"")] == list(NEW)
        place = mail_place(vault_id, mail.account_id, mail.id)
        assert sealer.open_in(place, mail.body or b"", mail.wraps or b"").plaintext.expose()
    told = [
        each for each in entries(house, type="keys.rewrapped") if each["detail"].get("mail") == mails[0].id
    ]
    assert [each["detail"]["step"] for each in told] == ["made", "proven", "removed"]
    assert {call["purpose"] for each in told for call in each.get("kms", ())} == {"rewrap"}
    _drill(both, house, mails)


def _drill(both: Changing, house: World, mails: list[Mail]) -> None:
    """Drill under the new keys, one mail having another's wraps: it is named, and the others open."""
    one, other = mails[:2]
    with house.vault.units.write() as unit:
        assert unit.mail.rewrap(one, other.wraps or b"")
        unit.commit()
    report = both.drill().run(both.agreed_drill().id)
    assert (report.versions, report.mails, report.opened, report.failed) == (VALUES, 3, VALUES + 2, 1)
    ((account, part, number, _, mail),) = report.faults
    assert (account, part, number, mail) == (NUMBERS[0], "mail", 0, one.id)
    opened = entries(house, type="drill.opened")
    told = {each["detail"]["mail"]: each for each in opened if "mail" in each["detail"]}
    assert {name for name, each in told.items() if each["outcome"] == "failed"} == {one.id}
    assert [len(each["kms"]) for each in told.values()] == [2, 2, 2]
    with house.vault.units.write() as unit:
        assert unit.mail.rewrap(replace(one, wraps=other.wraps), one.wraps or b"")
        unit.commit()
