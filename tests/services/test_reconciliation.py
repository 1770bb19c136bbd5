"""AWS's records against the log: what was logged matches one to one, what went around it or is not there is found."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from sqlalchemy import text

from tests.support.desk import SEED
from tests.support.mailbox import came, code, reset, with_mailbox
from tests.support.moto_kms import (
    StrictKms,
    kms_client,
)
from tests.support.replay import check_replay
from tests.support.trails import root
from tests.support.watch import NUMBER, Watch
from vault.crypto.context import mail_place
from vault.crypto.envelope import decode_wraps
from vault.domain.actor import Power, Role, Scope
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import EventType
from vault.domain.incident import IncidentKind
from vault.domain.secret import Secret
from vault.errors import Forbidden, KeyCall, KeysUnavailable, Unauthenticated
from vault.ports.store import RevealState
from vault.services.custody import Existing
from vault.services.key_calls import CALLING
from vault.services.sealing import logged

Record = dict[str, Any]
_PASSWORD = PartKind.PASSWORD
_CURRENT = VersionLabel.CURRENT


def test_every_call_matches_the_entry_that_tells_of_it_and_is_judged_once(watch: Watch) -> None:
    watch.reveal()
    records = list(watch.recorder.records)
    watch.deliver()
    counts = watch.run()
    assert (counts.new, counts.matched, counts.unmatched, counts.opened) == (len(records),) * 2 + (0, 0)
    for record in records:
        assert str(watch.matched(record["eventID"])).startswith("entry:")
    # two keys, so each sealing is two calls, and the second key's are recorded in two accounts
    assert len({record["requestID"] for record in records}) == 5
    assert len(records) == 7
    assert watch.run().new == 0
    told = watch.entries("cloud.reconciled")
    assert len(told) == 1
    assert told[0]["detail"] == counts.told()


def test_a_pass_that_read_nothing_is_no_entry(watch: Watch) -> None:
    watch.run()
    assert watch.entries("cloud.reconciled") == []


def steal(watch: Watch, url: str, context: dict[str, str] | None = None, place: int = 0) -> Record:
    """Open the stored password with the vault's own credentials, around the vault."""
    with watch.vault.units.read() as unit:
        version = unit.versions.current(NUMBER, _PASSWORD)
        vault_id = unit.vault_id
    assert version is not None
    wrap = decode_wraps(version.wraps)[place]
    own = {
        "account": NUMBER,
        "app": "root-vault",
        "format": "1",
        "kind": "password",
        "vault": vault_id,
        "version": "1",
    }
    thief = boto3.client("kms", region_name=wrap.key_id.split(":")[3], endpoint_url=url)
    watch.recorder.take()
    opened = thief.decrypt(
        CiphertextBlob=wrap.blob, KeyId=wrap.key_id, EncryptionContext=own if context is None else context
    )
    assert len(opened["Plaintext"]) == 32
    return watch.recorder.records[0]


def test_a_decrypt_around_the_vault_is_found(watch: Watch, kms: tuple[str, tuple[str, ...]]) -> None:
    lease = watch.reveal()
    watch.deliver()
    record = steal(watch, kms[0])
    watch.deliver()
    counts = watch.run()
    assert (counts.unmatched, counts.opened) == (1, 1)
    (incident,) = watch.incidents()
    assert incident.kind is IncidentKind.UNLOGGED_DECRYPT
    assert (incident.account_id, incident.checkout_id) == (NUMBER, lease.id)
    assert watch.matched(record["eventID"]) == f"incident:{incident.id}"
    assert "no entry tells of it" in incident.summary
    opened = watch.entries("incident.opened")
    assert [entry["detail"]["incident"] for entry in opened] == [incident.id]  # type: ignore[index]  # a mapping
    assert watch.run().opened == 0


def test_a_use_of_our_key_without_our_context_is_found(
    watch: Watch, kms: tuple[str, tuple[str, ...]]
) -> None:
    url, keys = kms
    watch.recorder.take()
    other = boto3.client("kms", region_name="eu-central-1", endpoint_url=url)
    other.generate_data_key(KeyId=keys[0], KeySpec="AES_256")
    watch.deliver()
    watch.run()
    (incident,) = watch.incidents()
    assert incident.account_id is None
    assert "outside of any place of this vault" in incident.summary


def test_an_entry_that_was_taken_out_is_found_by_its_call(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault itself is made to forget: the disclosure happens, its entry does not tell of the call."""
    monkeypatch.setattr("vault.services.reveals.logged", lambda *_: ())
    watch.recorder.take()
    watch.reveal()
    watch.deliver()
    watch.run()
    (incident,) = watch.incidents()
    assert incident.kind is IncidentKind.UNLOGGED_DECRYPT


def test_a_row_in_the_index_that_no_entry_tells_of_explains_nothing(
    watch: Watch, kms: tuple[str, tuple[str, ...]]
) -> None:
    watch.deliver()
    watch.run()
    record = steal(watch, kms[0])
    watch.deliver()
    forged = (
        "INSERT INTO key_call (entry, place, request_id, key, operation, purpose, outcome, account_id, made_at)"
        " SELECT 1, 9, :request, key, 'Decrypt', 'use', 'ok', account_id, made_at FROM key_call"
        " WHERE key = :key LIMIT 1"
    )
    with watch.vault.units.engine.begin() as connection:  # type: ignore[attr-defined]  # the thief has the database
        connection.execute(text(forged), {"request": record["requestID"], "key": kms[1][0]})
    watch.run()
    (incident,) = watch.incidents()
    assert "does not" in incident.summary


def test_a_request_that_aws_recorded_twice_is_found(watch: Watch) -> None:
    watch.recorder.take()
    watch.reveal()
    (record,) = watch.recorder.take()
    again = record | {"eventID": "a-second-one"}
    watch.deliver(record)
    watch.run()
    watch.deliver(again)
    watch.run()
    (incident,) = watch.incidents()
    assert "twice" in incident.summary


def test_two_entries_that_claim_one_request_are_found(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.recorder.take()
    kept: list[Any] = []

    def same(purpose: str, calls: Any) -> Any:
        if not calls:
            return ()
        kept.append(logged(purpose, calls))
        return kept[0]

    monkeypatch.setattr("vault.services.reveals.logged", same)
    watch.reveal()
    watch.world.clock.advance(minutes=1)
    watch.deliver(watch.recorder.take()[0])
    lease = watch.world.lease(watch.alice, NUMBER, "CRED_ROTATE")
    watch.vault.reveals.password(watch.alice.actor, lease.id)
    watch.recorder.take()
    watch.run()
    (incident,) = watch.incidents()
    assert "both claim request" in incident.summary


def test_a_call_that_aws_did_not_record_is_found_only_where_records_reach(watch: Watch) -> None:
    watch.deliver()
    watch.reveal()
    (suppressed,) = watch.recorder.take()
    assert watch.run().missing == 0
    watch.world.clock.advance(hours=3)
    assert watch.run().missing == 0, "nothing later was delivered, so it may still come"
    watch.reveal()
    watch.deliver()
    counts = watch.run()
    assert (counts.missing, counts.opened) == (1, 1)
    (incident,) = watch.incidents()
    assert incident.kind is IncidentKind.MISSING_DECRYPT
    assert suppressed["requestID"] in incident.summary
    assert watch.run().missing == 0
    # it comes after all: the call is explained, the incident stays for whoever looks into it
    watch.deliver(suppressed | {"addendum": {"reason": "DELIVERY_DELAY"}})
    counts = watch.run()
    assert (counts.late, counts.matched, counts.opened) == (1, 1, 0)
    assert str(watch.matched(suppressed["eventID"])).startswith("entry:")


def test_a_disclosure_that_was_cut_off_explains_one_decrypt(
    watch: Watch, kms: tuple[str, tuple[str, ...]]
) -> None:
    lease = watch.world.lease(watch.alice, NUMBER, "CRED_ROTATE")
    authorized = watch.vault.reveals._authorize(watch.alice.actor, lease.id, _PASSWORD, _CURRENT)
    record = steal(watch, kms[0])
    watch.world.clock.advance(minutes=10)
    watch.vault.sweep.once()
    with watch.vault.units.read() as unit:
        assert unit.reveals.of_checkout(lease.id)[0].state is RevealState.UNKNOWN
    watch.deliver()
    watch.run()
    assert watch.matched(record["eventID"]) == f"reveal:{authorized.reveal.id}"
    assert watch.incidents() == ()
    second = record | {"eventID": "another-one", "requestID": "another"}
    watch.deliver(second)
    watch.run()
    assert [each.kind for each in watch.incidents()] == [IncidentKind.UNLOGGED_DECRYPT]


def test_an_opening_of_mail_that_was_cut_off_explains_its_decrypt(watch: Watch) -> None:
    house = with_mailbox(watch.world)
    mail = came(house, reset())
    lease = watch.world.lease(watch.alice, NUMBER, "CRED_ROTATE")
    authorized = house.vault.mails._authorize(watch.alice.actor, lease.id, mail.id)
    watch.recorder.take()
    place = mail_place(authorized.vault_id, NUMBER, mail.id)
    house.vault.reveals.sealer.open_in(place, mail.body or b"", mail.wraps or b"")  # and here it ends
    (record,) = watch.recorder.take()
    watch.world.clock.advance(minutes=10)
    assert house.vault.mails.close_abandoned() == 1
    watch.deliver(record)
    watch.run()
    assert watch.matched(record["eventID"]) == f"opening:{authorized.opening.id}"
    assert watch.incidents() == ()


def test_a_call_that_was_never_answered_is_matched_by_key_place_and_time(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.recorder.take()
    monkeypatch.setattr(
        "vault.adapters.kms.KeyCall",
        lambda operation, key, _, outcome: KeyCall(operation, key, "", outcome),
    )
    watch.reveal()
    record = watch.recorder.records[0]
    watch.deliver()
    watch.run()
    assert str(watch.matched(record["eventID"])).startswith("entry:")
    watch.deliver(record | {"eventID": "another-one", "requestID": "another"})
    watch.run()
    assert len(watch.incidents()) == 1


def test_each_attempt_matches_failed_ones_too(watch: Watch, strict: StrictKms) -> None:
    watch.recorder.take()
    strict.fail_next("ThrottlingException")
    watch.reveal()
    records = list(watch.recorder.records)
    assert [record.get("errorCode") for record in records] == ["ThrottlingException", None]
    watch.deliver()
    counts = watch.run()
    assert (counts.matched, counts.opened) == (2, 0)


def test_every_type_of_entry_that_tells_of_calls_is_known(watch: Watch) -> None:
    lease = watch.world.lease(watch.alice, NUMBER, "CRED_ROTATE")
    watch.vault.reveals.password(watch.alice.actor, lease.id)
    rotation = watch.vault.rotations.plan(watch.alice.actor, lease.id, _PASSWORD)
    watch.vault.rotations.display(watch.alice.actor, rotation.id)
    house = with_mailbox(watch.world)
    unasked, held = came(house, reset(), house.account("444455556666").root_email), came(house, code())
    came(house, reset(), "nobody@msp.example")
    house.vault.mails.open(watch.alice.actor, lease.id, held.id)
    assert unasked.is_sealed
    telling = {str(entry["type"]) for kind in EventType for entry in watch.entries(kind) if entry.get("kms")}
    assert telling <= set(CALLING)
    assert len(telling) == 7
    made = tuple(watch.recorder.take())
    watch.deliver(*made)
    counts = watch.run()
    assert (counts.matched, counts.opened) == (len(made), 0)


# --- two at once, and the parts


def test_two_workers_at_once_find_each_thing_once(watch: Watch, kms: tuple[str, tuple[str, ...]]) -> None:
    watch.reveal()
    at = watch.world.clock.now()
    watch.deliver()
    steal(watch, kms[0])
    watch.deliver()
    watch.deliver(*(root(NUMBER, at + timedelta(hours=n)) for n in range(20, 40)))
    watch.world.clock.advance(days=3)
    totals, failures = [], []

    def work() -> None:
        try:
            totals.append(watch.reconciliation().once())
        except Exception as failure:  # noqa: BLE001 - told below
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    watch.run()
    assert len(watch.incidents()) == 21
    assert len(watch.entries("incident.opened")) == 21
    assert sum(each.opened for each in totals) == 21


def test_files_that_are_broken_are_told_of_and_what_came_before_counts(watch: Watch) -> None:
    at = watch.world.clock.now()
    path = watch.deliver(*(root(NUMBER, at + timedelta(hours=n)) for n in range(200)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    counts = watch.run()
    assert counts.broken == 1
    assert 0 <= counts.new < 200
    (broken,) = watch.reconciliation().status().broken
    assert (broken.fault, path.name in broken.place) == ("cut off", True)
    assert watch.run().parts == 0
    path.write_bytes(whole)
    watch.run()
    watch.run()
    assert watch.reconciliation().status().broken == ()
    with watch.vault.units.read() as unit:
        assert [(each.kind, each.count) for each in unit.incidents.open_counts()] == [("root_sign_in", 200)]


def test_an_approver_cannot_close_what_concerns_their_own_checkout(watch: Watch) -> None:
    lease = watch.reveal()
    watch.deliver(root(NUMBER, watch.world.clock.now() + timedelta(hours=13)))
    watch.world.clock.advance(days=1)
    watch.run()
    (incident,) = watch.incidents()
    assert incident.checkout_id == lease.id
    both = replace(watch.alice.actor, powers=(*watch.alice.actor.powers, Power(Role.APPROVER, Scope())))
    watch.vault.incidents.take(both, incident.id)
    with pytest.raises(Forbidden):
        watch.vault.incidents.close(both, incident.id, "Nothing to see here, really.")
    assert watch.entries("access.denied")[0]["account"]
    watch.vault.incidents.hand_on(watch.auditor, incident.id, watch.auditor.id)
    watch.vault.incidents.close(watch.auditor, incident.id, "A mistake of the customer's own.")
    check_replay(watch.world)


# --- what was tried and came to nothing


def test_a_sealing_that_fails_half_way_is_told_of_and_matches(
    watch: Watch, kms: tuple[str, tuple[str, ...]]
) -> None:
    """One key made a data key, the other was off: AWS recorded all of it, and so did the log."""
    lease = watch.world.lease(watch.alice, NUMBER, "CRED_ROTATE")
    watch.recorder.take()
    url, (_, second) = kms
    owner = kms_client(second, url)
    owner.disable_key(KeyId=second)
    with pytest.raises(KeysUnavailable):
        watch.vault.rotations.plan(watch.alice.actor, lease.id, _PASSWORD)
    owner.enable_key(KeyId=second)
    assert [record["eventName"] for record in watch.recorder.records] == [
        "GenerateDataKey",
        "Encrypt",
        "Encrypt",
    ]
    watch.deliver()
    counts = watch.run()
    assert (counts.matched, counts.opened) == (3, 0)


def test_an_intake_that_is_refused_after_its_sealing_is_told_of_and_matches(watch: Watch) -> None:
    watch.deliver()
    watch.world.account("444455556666")
    carla = watch.world.human("carla", Role.CUSTODIAN)
    existing = Existing(
        "root+444455556666@msp.example", Secret("Correct-Horse-7-Battery"), Secret(SEED), attested=True
    )
    with pytest.raises(Unauthenticated):
        watch.vault.custodies.take_in(carla.actor, "444455556666", existing, "000000")
    assert len(watch.recorder.records) == 6
    watch.deliver()
    assert watch.run().opened == 0
    told = watch.entries("credential.taken_in")[0]
    assert (told["outcome"], len(told["kms"])) == ("failed", 4)  # type: ignore[arg-type]  # a list
