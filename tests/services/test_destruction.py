# ruff: noqa: S608 - the tests name the columns
"""Crypto-shredding: what is destroyed opens nowhere, is told of, and only of what was released (H9)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.desk import NUMBER, Desk
from tests.support.released import release
from tests.support.world import START
from vault.adapters.destroyed_list import DestroyedFile
from vault.crypto.envelope import decode_wraps
from vault.domain.account import Custody
from vault.domain.actor import Reach, Role, system_actor
from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartKind, PartState, VersionLabel, VersionOrigin
from vault.domain.destruction import EMPTIED, Destroyed, Ground, digest, list_versions
from vault.domain.event import Event, EventType
from vault.domain.mail import Mail, MailKind, MailWay, Verdict
from vault.domain.rotation import RotationState
from vault.domain.told import changes
from vault.errors import Conflict, NotFound, Refused, Tampered, Unavailable, VaultError
from vault.ports.store import EntryFilter, Slice
from vault.services.certificates import Certificates
from vault.services.destruction import CHANGES_AN_ENTRY, Destruction, Following, Order

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World
    from vault.domain.credential import Version
    from vault.ports.store import Unit

ACTOR = system_actor("test")
ORDER = Order(Ground.ACKNOWLEDGED, "the customer holds it")
KEPT_FOR = timedelta(days=35)


def listed_in(world: World, directory: Path) -> DestroyedFile:
    """Give a list in a directory, under the world's own key."""
    return DestroyedFile(
        directory / "destroyed.list", lambda data: world.vault.server_key.mac("test.list", data)
    )


def destroy(world: World, *numbers: str, by: Destruction | None = None) -> tuple[Destroyed, ...]:
    """Destroy in a unit of its own."""
    with world.vault.units.write() as unit:
        done = (by or Destruction()).destroy_all(unit, ACTOR, numbers, ORDER, world.clock.now())
        unit.commit()
    return done


def versions(world: World, number: str = NUMBER) -> tuple[Version, ...]:
    """Give every version of an account."""
    with world.vault.units.read() as unit:
        return tuple(each for kind in PartKind for each in unit.versions.of(number, kind))


def told(world: World, number: str = NUMBER) -> list[dict[str, object]]:
    """Give what the log tells of an account's destruction, oldest first."""
    with world.vault.units.read() as unit:
        wanted = EntryFilter(account_id=number, type="credential.destroyed")
        found = unit.log.page(wanted, Reach(everything=True), Slice(100)).items
    return [dict(each.content) for each in reversed(found)]


def test_every_value_and_every_wrap_is_emptied_and_told(desk: Desk) -> None:
    desk.held()
    world = desk.world
    lease = desk.lease(desk.alice)
    desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    before = versions(world)
    release(world, NUMBER)
    (done,) = destroy(world, NUMBER)
    assert [(each.label, each.body, each.wraps) for each in versions(world)] == [
        (VersionLabel.DESTROYED, EMPTIED, EMPTIED)
    ] * 3
    assert {desk.part(kind) for kind in PartKind} == {PartState.DESTROYED}
    assert done.versions == list_versions(before)
    assert sum(count for count, _, _ in done.keys) == sum(len(decode_wraps(each.wraps)) for each in before)
    (entry,) = told(world)
    assert entry["detail"]["versions_sha256"] == digest(done.versions)  # type: ignore[index]  # a mapping
    with world.vault.units.read() as unit:
        assert unit.destructions.get(NUMBER) == done
        assert all(unit.log.promotion(NUMBER, kind) is None for kind in PartKind)
    with pytest.raises(VaultError):
        desk.lease(desk.bob, "BILL_ROOT")
    assert destroy(world, NUMBER) == (done,)
    assert len(told(world)) == 1


@pytest.mark.parametrize("custody", ["held", "in_transfer"])
def test_only_what_was_released_is_destroyed(quick_world: World, custody: str) -> None:
    quick_world.held(NUMBER)
    if custody == "in_transfer":
        release(quick_world, NUMBER)
        with quick_world.vault.units.write() as unit:
            account = unit.accounts.lock(NUMBER)
            assert account is not None
            unit.accounts.update(replace(account, custody=Custody.IN_TRANSFER))
            with pytest.raises(Conflict):
                Destruction().destroy(unit, ACTOR, NUMBER, ORDER, quick_world.clock.now())
        return
    before = versions(quick_world)
    with pytest.raises(Conflict) as refused:
        destroy(quick_world, NUMBER)
    assert (refused.value.code, refused.value.facts["rule"]) == ("destruction.state", "H9")
    assert versions(quick_world) == before


def test_one_that_is_not_released_keeps_all_of_them(quick_world: World) -> None:
    quick_world.held(NUMBER)
    quick_world.held("111122223334", "Another-Horse-7-Battery")
    release(quick_world, NUMBER)
    before = versions(quick_world)
    with pytest.raises(Conflict):
        destroy(quick_world, NUMBER, "111122223334")
    with pytest.raises(NotFound):
        destroy(quick_world, NUMBER, "999999999999")
    assert versions(quick_world) == before


def test_what_claims_the_account_ends_first(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    shown = desk.plan(desk.alice, lease)
    desk.show(desk.alice, shown)
    release(desk.world, NUMBER)
    destroy(desk.world, NUMBER)
    with desk.vault.units.read() as unit:
        assert unit.checkouts.get(lease.id).state is CheckoutState.REVOKED  # type: ignore[union-attr]  # it is there
        assert unit.rotations.get(shown.id).state is RotationState.ABANDONED  # type: ignore[union-attr]  # it is there
        assert unit.checkouts.open_of(NUMBER) is None
    with pytest.raises(VaultError):
        desk.reveal(desk.alice, lease)


def test_entries_stay_bounded_and_the_last_is_whole(quick_world: World) -> None:
    quick_world.held(NUMBER)
    first = versions(quick_world)[-1]
    many = [
        replace(first, number=number, label=VersionLabel.RETIRED, origin=VersionOrigin.GENERATED)
        for number in range(2, CHANGES_AN_ENTRY + 2)
    ]
    with quick_world.vault.units.write() as unit:
        for each in many:
            unit.versions.add(each)
        tell_of(unit, many)
        unit.commit()
    release(quick_world, NUMBER)
    (done,) = destroy(quick_world, NUMBER)
    entries = told(quick_world)
    assert [len(each["changes"]) <= CHANGES_AN_ENTRY for each in entries] == [True, True]  # type: ignore[arg-type]  # both are lists
    assert [each["detail"]["complete"] for each in entries] == [False, True]  # type: ignore[index]  # both are mappings
    assert len(done.listed) == CHANGES_AN_ENTRY + 2


def tell_of(unit: Unit, many: list[Version]) -> None:
    """Tell of versions that came in by the back door."""
    changed = [change for each in many for change in changes(None, each)]
    for at in range(0, len(changed), CHANGES_AN_ENTRY):
        piece = tuple(changed[at : at + CHANGES_AN_ENTRY])
        unit.log.record(Event(EventType.ACCOUNT_CHANGED, ACTOR, account_id=NUMBER, changes=piece), START)


def test_sealed_mail_goes_with_it(quick_world: World) -> None:
    account = quick_world.held(NUMBER)
    body, wraps = b"sealed mail", versions(quick_world)[0].wraps
    mail = Mail(
        id="m-1", account_id=NUMBER, recipient=account.root_email, kind=MailKind.SECURITY, rule="reset",
        half=PartKind.PASSWORD, sender="no-reply@verify.signin.aws", verdict=Verdict.PASSED, forged=False,
        way=MailWay.SMTP, source="", fingerprint="f" * 64, size=len(body), received_at=START,
        sha256=hashlib.sha256(body).hexdigest(), body=body, wraps=wraps,
    )  # fmt: skip
    with quick_world.vault.units.write() as unit:
        for number in range(2):
            each = replace(mail, id=f"m-{number}", fingerprint=f"{number:064}")
            unit.mail.add(each)
            event = Event(EventType.ACCOUNT_CHANGED, ACTOR, account_id=NUMBER, changes=changes(None, each))
            unit.log.record(event, START)
        unit.commit()
    release(quick_world, NUMBER)
    (done,) = destroy(quick_world, NUMBER)
    assert done.mails == 2
    assert sum(count for count, _, _ in done.keys) == 2 * len(decode_wraps(wraps))
    with quick_world.vault.units.read() as unit:
        assert unit.mail.sealed_of(NUMBER) == ()


class Full:
    """A list on a disk that is full."""

    def add(self, destroyed: object) -> None:
        """Fail."""
        raise Unavailable("log.unavailable", "no space left")

    def read(self) -> tuple[Destroyed, ...] | None:
        """Give nothing."""
        return ()


def test_nothing_is_destroyed_that_cannot_be_listed_outside(quick_world: World) -> None:
    quick_world.held(NUMBER)
    release(quick_world, NUMBER)
    before = versions(quick_world)
    with pytest.raises(Unavailable):
        destroy(quick_world, NUMBER, by=Destruction(outside=Full()))
    assert versions(quick_world) == before


def test_it_is_on_the_list_before_it_is_committed(quick_world: World, tmp_path: Path) -> None:
    quick_world.held(NUMBER)
    release(quick_world, NUMBER)
    outside = listed_in(quick_world, tmp_path)
    by = Destruction(outside=outside)
    with quick_world.vault.units.write() as unit:
        by.destroy(unit, ACTOR, NUMBER, ORDER, quick_world.clock.now())
    listed = outside.read()
    assert [each.account_id for each in listed or ()] == [NUMBER]
    assert {each.label for each in versions(quick_world)} == {VersionLabel.CURRENT}
    following = Following(quick_world.vault.units, quick_world.clock, by)
    assert following.once() == 1
    assert {each.label for each in versions(quick_world)} == {VersionLabel.DESTROYED}
    assert following.once() == 0


def test_a_database_older_than_the_list_is_not_served(quick_world: World, tmp_path: Path) -> None:
    quick_world.held(NUMBER)
    outside = listed_in(quick_world, tmp_path)
    gone = Destroyed(
        NUMBER,
        START,
        "x",
        "x",
        Ground.GRACE,
        "why",
        "",
        "password 1 " + "0" * 64 + "\n",
        "",
        0,
        START + KEPT_FOR,
    )
    outside.add([gone])
    following = Following(quick_world.vault.units, quick_world.clock, Destruction(outside=outside))
    for act in (following.check, following.once):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "log.rolled_back"


def test_a_list_that_was_lost_is_written_again(quick_world: World, tmp_path: Path) -> None:
    quick_world.held(NUMBER)
    release(quick_world, NUMBER)
    outside = listed_in(quick_world, tmp_path)
    done = destroy(quick_world, NUMBER, by=Destruction(outside=outside))
    outside.path.unlink()
    Following(quick_world.vault.units, quick_world.clock, Destruction(outside=outside)).once()
    assert outside.read() == done


def test_old_pages_of_the_database_hold_no_wrap(quick_world: World, tmp_path: Path) -> None:
    quick_world.held(NUMBER)
    secrets = [each.wraps for each in versions(quick_world)] + [each.body for each in versions(quick_world)]
    release(quick_world, NUMBER)
    units = quick_world.vault.units
    tidy = units.tidy  # type: ignore[attr-defined]  # the SQL units
    by = Destruction(outside=listed_in(quick_world, tmp_path))
    following = Following(units, quick_world.clock, by, tidy)
    files = sorted((tmp_path / "vault").glob("vault.db*"))
    assert any(each in file.read_bytes() for file in files for each in secrets)
    destroy(quick_world, NUMBER)
    following.once()
    files = sorted((tmp_path / "vault").glob("vault.db*"))
    assert not any(each in file.read_bytes() for file in files for each in secrets)


def test_a_value_put_back_by_the_owner_of_the_tables_does_not_open(world: World) -> None:
    world.held(NUMBER)
    before = versions(world)
    release(world, NUMBER)
    destroy(world, NUMBER)
    with world.vault.units.write() as unit:
        put_back(unit, before)
        unit.commit()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, NUMBER)
    with pytest.raises(Tampered) as refused:
        world.vault.reveals.password(alice.actor, lease.id)
    assert refused.value.code == "envelope.not_current"


def put_back(unit: Unit, before: tuple[Version, ...]) -> None:
    """Undo a destruction in the rows, as the owner of the tables can, who has a backup."""
    db = unit.destructions.db  # type: ignore[attr-defined]  # the SQL store
    on = "" if db.is_sqlite else " ON version"
    for trigger in ("version_fixed", "version_destroyed_stays"):
        db.change(text(f"DROP TRIGGER {trigger}{on}"))
    for each in before:
        db.change(
            text(
                "UPDATE version SET body = :body, wraps = :wraps, label = :label WHERE kind = :kind"
            ).bindparams(body=each.body, wraps=each.wraps, label=each.label, kind=each.kind)
        )
    db.change(text("UPDATE part SET state = 'held'"))
    db.change(text("UPDATE account SET custody = 'held'"))


def test_a_certificate_tells_what_the_log_proves_and_who_can_open_until_when(quick_world: World) -> None:
    quick_world.held(NUMBER)
    auditor = quick_world.human("ann", Role.AUDITOR).actor
    certificates = Certificates(quick_world.vault.units, quick_world.vault.gate, quick_world.clock)
    with pytest.raises(Conflict) as refused:
        certificates.get(auditor, NUMBER)
    assert refused.value.code == "destruction.state"
    release(quick_world, NUMBER)
    (done,) = destroy(quick_world, NUMBER)
    found = certificates.get(auditor, NUMBER)
    assert found.destroyed == done
    assert found.entries == (found.receipt.index,)
    assert found.proof.startswith("c2sp.org/tlog-proof@v1")
    assert done.backups_until == done.at + KEPT_FOR
    assert len(found.openers) == 1
    quick_world.clock.at = done.backups_until
    assert certificates.get(auditor, NUMBER).openers == ()


@pytest.mark.parametrize("column", ["versions", "wraps", "backups_until"])
def test_what_the_log_does_not_prove_is_not_certified(quick_world: World, column: str) -> None:
    quick_world.held(NUMBER)
    auditor = quick_world.human("ann", Role.AUDITOR).actor
    release(quick_world, NUMBER)
    destroy(quick_world, NUMBER)
    certificates = Certificates(quick_world.vault.units, quick_world.vault.gate, quick_world.clock)
    with quick_world.vault.units.write() as unit:
        db = unit.destructions.db  # type: ignore[attr-defined]  # the SQL store
        (trigger,) = db.all(text("SELECT sql FROM sqlite_master WHERE name = 'destruction_fixed'"))
        was = db.all(text(f"SELECT {column} FROM destruction"))[0][0]
        db.change(text("DROP TRIGGER destruction_fixed"))
        db.change(text(f"UPDATE destruction SET {column} = '2031-01-01T00:00:00.000000Z'"))
        unit.commit()
    with pytest.raises(Unavailable) as refused:
        certificates.get(auditor, NUMBER)
    assert refused.value.code == "log.unavailable"
    with quick_world.vault.units.write() as unit:
        db = unit.destructions.db  # type: ignore[attr-defined]  # the SQL store
        db.change(text(f"UPDATE destruction SET {column} = :was").bindparams(was=was))
        db.change(text(trigger[0]))
        unit.commit()


def test_the_list_is_read_only_as_it_was_written(quick_world: World, tmp_path: Path) -> None:
    outside = listed_in(quick_world, tmp_path)
    assert outside.read() is None
    assert outside.begin()
    assert not outside.begin()
    assert outside.read() == ()
    made = [
        Destroyed(
            str(number) * 12, START, "p", "Péter", Ground.AGREED, "so", "c", "", "", 0, START + KEPT_FOR
        )
        for number in range(1, 4)
    ]
    outside.add(made[:1])
    outside.add(made)
    assert outside.read() == tuple(made)
    whole = outside.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    outside.path.write_bytes(whole + lines[-1][:20])  # a crash left half a line
    assert outside.read() == tuple(made)
    outside.add([replace(made[0], account_id="4" * 12)])
    assert len(outside.read() or ()) == 4
    for damaged in (
        b"".join([lines[0], *lines[2:]]),
        whole.replace(b'"why":"so"', b'"why":"no"', 1),
        b"".join(lines[1:]),
        b"{}\n",
        b"\xff\n",
    ):
        outside.path.write_bytes(damaged)
        with pytest.raises(Refused) as refused:
            outside.read()
        assert refused.value.code == "destruction.list"
