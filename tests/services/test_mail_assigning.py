"""Mail to no account is given to one: by whom, once, sealed anew or passed on, and nobody sees it by that (C7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.support.events import newest
from tests.support.mailbox import CODE, came, code, invoice, reset, with_mailbox
from tests.support.replay import check_replay
from tests.support.world import World, with_keys
from vault.crypto.context import mail_place
from vault.domain.actor import Power, Role, Scope, ScopeKind
from vault.domain.event import Event, EventType
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.ids import new_id
from vault.domain.mail import MailKind
from vault.domain.person import Grant
from vault.errors import Blocked, Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from vault.ports.store import Slice
from vault.services.frozen import put
from vault.services.mail_assigning import MailAssigning

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.domain.mail import Mail
    from vault.ports.keys import KeyService

NUMBER = "111122223333"
STRAY = "root+old@msp.example"
WHY = "AWS wrote to the address that it had before us"
QUICK = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


@pytest.fixture
def house(world: World) -> World:
    """Lend a vault with a mailbox and one account held."""
    world.held()
    return with_mailbox(world)


@pytest.fixture
def carla(house: World) -> Human:
    """Lend a custodian of everything."""
    return house.human("carla", Role.CUSTODIAN)


def given(house: World, who: Human, mail: Mail, number: str = NUMBER) -> Mail:
    """Give a mail to an account."""
    return house.vault.mail_assigning.assign(who.actor, mail.id, number, WHY, who.otp())


def test_it_is_sealed_anew_for_its_account_and_nobody_sees_it(house: World, carla: Human) -> None:
    stray = came(house, code(), STRAY)
    mail = given(house, carla, stray)
    assert (mail.account_id, mail.kind, mail.rule, mail.half) == (
        NUMBER,
        MailKind.SECURITY,
        "sign_in_code",
        "mfa",
    )
    with house.vault.units.read() as unit:
        kept, note, vault_id = unit.mail.get(mail.id), unit.mail.note_of(mail.id), unit.vault_id
    assert kept == mail
    assert mail.body != stray.body
    assert note is not None
    assert CODE not in note.text
    sealer = house.vault.reveals.sealer
    assert (
        CODE
        in sealer.open_in(
            mail_place(vault_id, NUMBER, mail.id), mail.body or b"", mail.wraps or b""
        ).plaintext.expose()
    )
    (asked,), (entry,) = newest(house, EventType.MAIL_ASSIGNING), newest(house, EventType.MAIL_ASSIGNED)
    assert asked["detail"]["why"] == entry["detail"]["why"] == WHY
    assert {call["purpose"] for call in entry["kms"]} == {"mail", "seal"}
    assert CODE not in str((asked, entry))
    # said again it is as it was, and takes no factor
    assert house.vault.mail_assigning.assign(carla.actor, mail.id, NUMBER, WHY, "") == mail
    check_replay(house)


@QUICK
def test_who_gave_it_does_not_open_it_and_somebody_else_does(house: World) -> None:
    olga, oscar = house.human("olga", Role.OPERATOR), house.human("oscar", Role.OPERATOR)
    both = replace(olga.actor, powers=(*olga.actor.powers, Power(Role.CUSTODIAN, Scope())))
    stray, now = came(house, code(), STRAY), house.clock.now()
    with house.vault.units.write() as unit:
        unit.people.add_grant(Grant(new_id(), both.id, Role.CUSTODIAN, Scope(), "test", now, "test", now))
        unit.commit()
    mail = house.vault.mail_assigning.assign(both, stray.id, NUMBER, WHY, olga.otp())
    lease = house.lease(olga)
    with pytest.raises(Forbidden) as refused:
        house.vault.mails.open(both, lease.id, mail.id)
    assert refused.value.code == "policy.second_person"
    house.vault.checkouts.check_in(olga.actor, lease.id)
    lease = house.lease(oscar)
    assert CODE in house.vault.mails.open(oscar.actor, lease.id, mail.id).text.expose()
    check_replay(house)


@QUICK
def test_what_was_found_harmless_when_it_came_goes_to_a_ticket(house: World, carla: Human) -> None:
    mail = given(house, carla, came(house, invoice(), STRAY))
    assert (mail.kind, mail.rule, mail.state, mail.sha256) == (MailKind.ORDINARY, "billing", "passed_on", "")
    with house.vault.units.read() as unit:
        note = unit.mail.note_of(mail.id)
    assert note is not None
    assert (note.subject, note.account_id) == ("Amazon Web Services Invoice Available", NUMBER)
    assert "invoice for October" in note.text
    listed = house.vault.mails.of_account(carla.actor, NUMBER, Slice(5)).items
    assert [each.mail.id for each in listed] == [mail.id]
    assert house.vault.mails.unmatched(carla.actor, Slice(5)).items == ()
    check_replay(house)


@QUICK
@pytest.mark.parametrize("late", [False, True], ids=["before", "while it is sealed anew"])
def test_nothing_frozen_is_given_and_who_is_frozen_gives_nothing(
    house: World, carla: Human, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = came(house, invoice(), STRAY)

    def freeze() -> None:
        with house.vault.units.write() as unit:
            covered = Covered(FreezeKind.PERSON, carla.actor.id)
            put(unit, carla.actor, covered, "somebody called from the bank", house.clock.now())
            unit.commit()

    if late:
        resealed = MailAssigning._resealed

        def meanwhile(*args: Any) -> Any:
            freeze()
            return resealed(*args)

        monkeypatch.setattr(MailAssigning, "_resealed", meanwhile)
    else:
        freeze()
    with pytest.raises(Blocked):
        given(house, carla, mail)
    with house.vault.units.read() as unit:
        assert unit.mail.note_of(mail.id) is None
        assert unit.mail.get(mail.id) == mail


@QUICK
def test_who_may_not_and_what_cannot_be_is_refused_and_nothing_changes(house: World, carla: Human) -> None:
    stray, harmless = came(house, reset(), STRAY), came(house, invoice())
    assign = house.vault.mail_assigning.assign
    olga = house.human("olga", Role.OPERATOR)
    with pytest.raises(Forbidden):
        given(house, olga, stray)
    one = replace(
        carla.actor, powers=(replace(carla.actor.powers[0], scope=Scope(ScopeKind.ACCOUNT, NUMBER)),)
    )
    with pytest.raises(NotFound):
        assign(one, stray.id, NUMBER, WHY, carla.otp())
    with pytest.raises(Invalid):
        assign(carla.actor, stray.id, NUMBER, "", carla.otp())
    with pytest.raises(Invalid):
        assign(carla.actor, stray.id, "12", WHY, carla.otp())
    with pytest.raises(NotFound):
        given(house, carla, stray, "999999999999")
    with pytest.raises(Unauthenticated):
        assign(carla.actor, stray.id, NUMBER, WHY, "000000")
    with pytest.raises(Conflict) as known:
        given(house, carla, harmless)
    assert known.value.code == "mail.assigned"
    # the address came to be another account's: theirs alone
    early = came(house, reset(), "root+444455556666@msp.example")
    other = house.account("444455556666")
    with pytest.raises(Conflict, match=other.id):
        given(house, carla, early)
    gone = came(house, reset(), "root+gone@msp.example")
    house.clock.advance(days=30, seconds=1)
    house.vault.mails.empty_old()
    with pytest.raises(Conflict) as emptied:
        given(house, carla, gone)
    assert emptied.value.code == "mail.gone"
    assert newest(house, EventType.MAIL_ASSIGNING) == []
    check_replay(house)


@QUICK
def test_keys_that_are_down_leave_it_where_it_was_and_the_calls_are_told(
    house: World, carla: Human, broken_keys: KeyService
) -> None:
    stray = came(house, reset(), STRAY)
    dark = with_mailbox(with_keys(house, broken_keys))
    with pytest.raises(Unavailable):
        given(dark, carla, stray)
    (failed,) = newest(house, EventType.MAIL_ASSIGNED)
    assert (failed["outcome"], failed["kms"][0]["outcome"]) == ("failed", "keys.unavailable")
    with house.vault.units.read() as unit:
        assert unit.mail.get(stray.id) == stray
    house.clock.advance(seconds=60)
    assert given(house, carla, stray).account_id == NUMBER


def test_of_two_who_give_it_at_once_one_does(house: World, carla: Human) -> None:
    stray = came(house, reset(), STRAY)
    house.account("444455556666")
    assigning = house.vault.mail_assigning
    first = given(house, carla, stray)
    # the other looked before the first was committed
    other = replace(stray, account_id="444455556666")
    told = Event(EventType.MAIL_ASSIGNED, carla.actor, account_id=other.account_id, detail={"mail": stray.id})
    with house.vault.units.read() as unit:
        vault_id = unit.vault_id
    late, note, calls = assigning._resealed(vault_id, other, told)
    with pytest.raises(Conflict) as refused:
        assigning._keep(stray, late, note, calls, told)
    assert refused.value.code == "concurrent.change"
    told_of = [(each["outcome"], len(each["kms"])) for each in newest(house, EventType.MAIL_ASSIGNED)]
    assert sorted(told_of) == [("failed", 3), ("success", 3)]
    with house.vault.units.read() as unit:
        assert unit.mail.get(stray.id) == first
    check_replay(house)
    engine = house.vault.units.engine  # type: ignore[attr-defined]  # SqlUnits has it
    with engine.begin() as connection, pytest.raises(Exception, match=r"mail_assigned_once|stays as"):
        connection.execute(text("UPDATE mail SET account_id = '444455556666'"))
