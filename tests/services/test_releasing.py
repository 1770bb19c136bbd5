"""Release: what proves our password dead, two people, and nothing that opens afterwards (H9, S30)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.attacker import owning
from tests.support.desk import Desk
from tests.support.handed import (
    CONFIRMATION,
    NUMBERS,
    at_release,
    confirm,
    people,
    release,
    released,
)
from tests.support.trails import found_at, root
from tests.support.world import START, World
from vault.domain.account import Custodian, Custody
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.case import CaseKind, Done, StepState
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType
from vault.domain.observation import Act, Observation, Source
from vault.domain.outlook import Standing
from vault.domain.plans.handover import EMAIL_ACCEPT, RECOVERY, ROOT_DELETED
from vault.domain.plans.release import CONFIRMED_BY, CONFIRMED_ON, RELEASE, RESET
from vault.domain.proof import Use, Window
from vault.domain.release import reset_by_owner
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable, VaultError
from vault.services.asking import Ask
from vault.services.case_opening import Opening
from vault.services.pack_writing import to_html, to_zip
from vault.services.recovering import TheLog

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = NUMBERS[0]
CHANGED = START.replace(microsecond=0)
LATER = CHANGED + timedelta(minutes=5)


def seen(act: Act = Act.PASSWORD_RECOVERED, **facts: object) -> Observation:
    """Make a record of root's own."""
    made = Observation(NUMBER, Source.CLOUDTRAIL, act, LATER, "e-1")
    return replace(made, **facts)  # type: ignore[arg-type]  # of its fields


def found(*some: Observation, windows: tuple[Window, ...] = (), uses: tuple[Use, ...] = ()) -> str:
    """Name the record that proves a reset, or nothing."""
    record = reset_by_owner(NUMBER, START, some, windows, uses)
    return "" if record is None else record.id


def test_the_owners_own_reset_proves_our_password_dead() -> None:
    assert found(seen()) == "e-1"
    assert found(seen(Act.PASSWORD_UPDATED)) == "e-1"
    assert found(seen(id="b", at=LATER + timedelta(minutes=1)), seen(id="a")) == "a"
    assert found(seen(at=CHANGED)) == "e-1"


@pytest.mark.parametrize(
    "record",
    [
        seen(at=CHANGED - timedelta(seconds=1)),
        seen(account_id="999999999999"),
        seen(Act.SIGN_IN),
        seen(Act.EMAIL_UPDATED),
        seen(failed=True),
        seen(by_root=False),
        seen(source=Source.CREDENTIAL_REPORT),
    ],
    ids=["before", "another account", "sign-in", "e-mail", "refused by AWS", "not root", "another source"],
)
def test_no_other_record_does(record: Observation) -> None:
    assert found(record) == ""


def test_what_a_rotation_or_a_lease_of_ours_explains_proves_nothing() -> None:
    window = Window(NUMBER, PartKind.PASSWORD, 2, START, LATER)
    assert found(seen(), windows=(window,)) == ""
    assert found(seen(), windows=(replace(window, until=None),)) == ""
    assert found(seen(), windows=(replace(window, kind=PartKind.MFA),)) == "e-1"
    lease = Use("c", PartKind.PASSWORD, 1, START, START, None)
    assert found(seen(Act.PASSWORD_UPDATED), uses=(lease,)) == ""
    assert (
        found(seen(Act.PASSWORD_UPDATED), uses=(replace(lease, ended=LATER - timedelta(minutes=2)),)) == "e-1"
    )
    assert found(seen(Act.PASSWORD_RECOVERED), uses=(lease,)) == "e-1"  # it takes their mailbox


def test_without_a_record_of_aws_the_vault_says_what_is_missing(quick_world: World) -> None:
    case_id = at_release(quick_world)
    olga, _, _ = people(quick_world)
    acts = quick_world.vault.cases.acts
    assert "AWS has no record yet" in acts.preview(olga.actor, case_id, RESET, NUMBER).words
    with pytest.raises(Unavailable) as refused:
        acts.run(olga.actor, case_id, RESET, NUMBER)
    assert refused.value.code == "case.unavailable"
    with pytest.raises(Invalid):
        quick_world.vault.cases.work.attest(olga.actor, case_id, RESET, NUMBER, {})
    with pytest.raises(Conflict):
        quick_world.vault.cases.work.attest(olga.actor, case_id, RELEASE, NUMBER, {}, olga.otp())


def test_the_vault_finds_awss_record_and_names_it(quick_world: World, tmp_path: Path) -> None:
    case_id = at_release(quick_world)
    olga, _, _ = people(quick_world)
    quick_world.clock.advance(minutes=5)
    record = root(NUMBER, quick_world.clock.now(), "PasswordRecoveryCompleted")
    found_at(quick_world.vault, tmp_path / "trail", [record], quick_world.clock.now())
    acts = quick_world.vault.cases.acts
    alone = acts.preview(olga.actor, case_id, RESET, NUMBER).words
    assert "one person alone says it" in alone  # who recovers by our own mailbox could have said so
    changed = root(NUMBER, quick_world.clock.now(), "EmailUpdated")
    found_at(quick_world.vault, tmp_path / "mail", [changed], quick_world.clock.now())
    assert "PasswordRecoveryCompleted" in acts.preview(olga.actor, case_id, RESET, NUMBER).words
    done = acts.run(olga.actor, case_id, RESET, NUMBER)
    assert done.standing is Standing.DONE
    assert done.done is not None
    assert record["eventID"] in done.done.words
    assert done.done.evidence["aws_event"] == record["eventID"]
    assert done.done.by_vault
    release(quick_world, case_id, NUMBER)
    packs = quick_world.vault.releases.packs
    (kept,) = packs.get(olga.actor, case_id).records
    assert (kept.account_id, kept.step, kept.event) == (NUMBER, RESET, record["eventID"])
    assert json.loads(kept.text)["eventName"] == "PasswordRecoveryCompleted"
    assert hashlib.sha256(kept.text.encode()).hexdigest() == kept.sha256 == done.done.evidence["aws_sha256"]
    pack = packs.get(olga.actor, case_id)
    assert zipfile.ZipFile(io.BytesIO(to_zip(pack))).read(f"records/{kept.event}.json") == kept.text.encode()
    assert kept.event in to_html(pack)
    with owning(quick_world) as connection:
        connection.exec_driver_sql("UPDATE cloud_event SET record = '{}'")
    with pytest.raises(Unavailable, match="not here as it was read"):
        packs.get(olga.actor, case_id)


def test_a_password_set_after_the_e_mail_changed_once_more_is_nobodys_we_know(
    quick_world: World, tmp_path: Path
) -> None:
    case_id = at_release(quick_world)
    olga, _, _ = people(quick_world)
    acts, now = quick_world.vault.cases.acts, quick_world.clock.now
    told = []
    # what was said is so; then, in the lease that goes on, the address is made one of ours, and the password recovered
    for name in ("EmailUpdated", "EmailUpdated", "PasswordRecoveryCompleted"):
        told.append(root(NUMBER, now(), name))
        found_at(quick_world.vault, tmp_path / str(len(told)), told[-1:], now())
        quick_world.clock.advance(minutes=5)
    assert "changed once more" in acts.preview(olga.actor, case_id, RESET, NUMBER).words
    with pytest.raises(Unavailable):
        acts.run(olga.actor, case_id, RESET, NUMBER)


@pytest.mark.parametrize("by_vault", [True, False])
def test_a_members_deleted_root_is_evidence_if_the_vault_deleted_it(
    quick_world: World, *, by_vault: bool
) -> None:
    case_id = at_release(quick_world)
    olga, _, _ = people(quick_world)
    now = quick_world.clock.now()
    done = [
        Done(case_id, NUMBER, name, StepState.DONE, now, "test", by_vault=by_vault)
        for name in (EMAIL_ACCEPT, ROOT_DELETED, RECOVERY)
    ]
    with quick_world.vault.units.write() as unit:
        unit.cases.put(done)
        told = tuple(change for each in done for change in changes(None, each))
        unit.log.record(Event(EventType.CASE_CHANGED, olga.actor, changes=told), now)
        unit.log.record(Event(EventType.KEYLESS_SESSION, olga.actor, account_id=NUMBER), now)
        unit.commit()
    pack = quick_world.vault.releases.packs.get(olga.actor, case_id)
    assert ("keyless.session.opened" in {each.type for each in pack.receipts}) is by_vault
    words = quick_world.vault.cases.acts.preview(olga.actor, case_id, RESET, NUMBER).words
    assert ("deleted this member's root credentials" in words) is by_vault


@pytest.mark.parametrize(
    "change",
    [
        {CONFIRMED_BY: "Somebody Else"},
        {CONFIRMED_ON: "2026-11-20"},
        {CONFIRMED_ON: "2026-11-25"},
        {CONFIRMED_ON: ""},
        {"password": "Correct-Horse-7-Battery"},
    ],
    ids=["another name", "before the e-mail changed", "still to come", "half of it", "a credential"],
)
def test_a_confirmation_is_whole_and_the_signatorys(quick_world: World, change: dict[str, str]) -> None:
    case_id = at_release(quick_world)
    olga, _, _ = people(quick_world)
    with pytest.raises(Invalid) as refused:
        quick_world.vault.cases.work.attest(
            olga.actor, case_id, RESET, NUMBER, CONFIRMATION | change, olga.otp()
        )
    assert refused.value.code == "case.evidence"


def test_a_confirmation_and_the_release_take_two_each(quick_world: World) -> None:
    case_id = at_release(quick_world)
    olga, _, cora = people(quick_world)
    work = quick_world.vault.cases.work
    asked = work.attest(olga.actor, case_id, RESET, NUMBER, CONFIRMATION, olga.otp())
    assert asked.standing is Standing.ASKED
    with pytest.raises(Forbidden):
        work.agree(olga.actor, case_id, RESET, NUMBER, olga.otp())
    with pytest.raises(Forbidden):
        work.agree(cora.actor, case_id, RESET, NUMBER, cora.otp())
    confirm(quick_world, case_id, NUMBER)
    asked = work.attest(olga.actor, case_id, RELEASE, NUMBER, {}, olga.otp())
    assert asked.standing is Standing.ASKED
    with quick_world.vault.units.read() as unit:
        assert unit.accounts.get(NUMBER).custody is Custody.IN_TRANSFER  # type: ignore[union-attr]  # it is there
    release(quick_world, case_id, NUMBER)
    with quick_world.vault.units.read() as unit:
        account = unit.accounts.get(NUMBER)
        assert account is not None
        assert (account.custody, account.mailbox, account.phone) == (
            Custody.RELEASED,
            Custodian.CUSTOMER,
            Custodian.CUSTOMER,
        )


def test_the_handover_is_released_with_its_last_account(quick_world: World) -> None:
    case_id = at_release(quick_world, *NUMBERS)
    confirm(quick_world, case_id, NUMBERS[0])
    release(quick_world, case_id, NUMBERS[0])
    with quick_world.vault.units.read() as unit:
        assert unit.cases.get(case_id).state == "in_progress"  # type: ignore[union-attr]  # it is there
        assert unit.releases.get(case_id) is None
    confirm(quick_world, case_id, NUMBERS[1])
    release(quick_world, case_id, NUMBERS[1])
    with quick_world.vault.units.read() as unit:
        handed = unit.releases.get(case_id)
        assert unit.cases.get(case_id).state == "released"  # type: ignore[union-attr]  # it is there
        assert handed is not None
        assert handed.destroy_after == handed.released_at + timedelta(days=30)


def test_nothing_opens_what_was_released(desk: Desk) -> None:
    world = desk.world
    desk.held()
    lease = desk.lease(desk.alice)
    rotation = desk.plan(desk.alice, lease)
    case_id = at_release(world)
    confirm(world, case_id, NUMBER)
    with desk.refused("checkout.conflict"):
        release(world, case_id, NUMBER)  # while somebody has it
    desk.check_in(desk.alice, lease)
    release(world, case_id, NUMBER)
    doors = (
        lambda: desk.reveal(desk.alice, lease),
        lambda: desk.vault.reveals.code(desk.alice.actor, lease.id),
        lambda: desk.show(desk.alice, rotation),
    )
    for door in doors:
        with pytest.raises(VaultError):
            door()
    for glass in (False, True):
        for reason in ("HANDOVER", "INCIDENT", "CRED_ROTATE"):
            with pytest.raises(VaultError):
                desk.vault.asking.ask(desk.alice.actor, ask_of(reason, glass=glass))
    with desk.refused("custody.state"):
        cora = world.human("cora", Role.CSM)
        desk.vault.cases.opening.open(cora.actor, again(world))
    with desk.vault.units.read() as unit:
        assert unit.rotations.unsettled(NUMBER) == ()
        log = TheLog()
        for _, leaf in unit.census.leaves():
            log.take(json.loads(leaf), leaf)
        kept = [each for kind in PartKind for each in unit.versions.of(NUMBER, kind)]
        assert {log.standing(each) for each in kept} == {
            "released"
        }  # `rootvault recover` opens none of these
        assert unit.checkouts.open_of(NUMBER) is None


def ask_of(reason: str, *, glass: bool) -> Ask:
    """Ask for the account's root."""
    words = "a sentence that is long enough for anybody to read it"
    return Ask(NUMBER, reason, "INC-1", words, 600, break_glass=glass)


def again(world: World) -> Opening:
    """Ask to hand the same account over again."""
    with world.vault.units.read() as unit:
        account = unit.accounts.get(NUMBER)
    assert account is not None
    return Opening(CaseKind.HANDOVER, account.customer_id, (NUMBER,), "T-2")


def test_another_customers_handover_is_as_absent_as_none(quick_world: World) -> None:
    case_id = released(quick_world)
    far = quick_world.human("far", Role.CSM, Scope(ScopeKind.CUSTOMER, "0" * 36))
    for number in (case_id, "0" * 36):
        with pytest.raises(NotFound):
            quick_world.vault.releases.acknowledging.end(far.actor, number)
        with pytest.raises(NotFound):
            quick_world.vault.releases.packs.get(far.actor, number)
