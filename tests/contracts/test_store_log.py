"""The store's contract: the log in the unit's own transaction, its claims, proofs and mark, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as events

from audit.receipt import InclusionReceipt
from tests.contracts.log_lines import ALL, MAC, found, noted, write
from tests.support.builders import (
    HOUR,
    NOW,
    NUMBER,
    SIGNER,
    actor,
    customer,
    promoted,
    stand,
    units_for,
    version,
)
from vault.domain.actor import ActorKind, IdempotencyKey, Power, Reach, Role, Scope, system_actor
from vault.domain.credential import PartKind
from vault.domain.event import Change, Event, EventType, Result, SecretRef, Stated
from vault.errors import Conflict, Invalid, Unavailable
from vault.ports.records import EntryFilter, Repeat, Slice

if TYPE_CHECKING:
    from pathlib import Path

    from vault.adapters.db import SqlUnits
    from vault.ports.records import Entry


def content(units: SqlUnits, index: int) -> dict[str, object]:
    with units.read() as unit:
        entry = unit.log.entry(index)
    assert entry is not None
    assert json.loads(entry.leaf) == entry.content
    return dict(entry.content)


def test_an_event_becomes_an_entry_with_all_it_says(units: SqlUnits) -> None:
    who = replace(actor(), powers=(Power(Role.APPROVER, Scope()), Power(Role.OPERATOR, Scope())))
    event = Event(
        EventType.REVEAL_AUTHORIZED,
        who,
        account_id=NUMBER,
        checkout_id="c-1",
        stated=Stated("BILL_ROOT", "because", "T-1"),
        approval={"by": "pat"},
        secret=SecretRef(NUMBER, PartKind.MFA, 3, "a" * 64),
        rule="U1",
        changes=(Change("checkout", "c-1", "approved", "active"),),
        kms=({"purpose": "use", "operation": "Decrypt", "key": "k", "request_id": "r", "outcome": "ok"},),
        detail={"codes": 2, "late": False, "note": None},
    )
    (receipt,) = write(units, event)
    told = content(units, 1)
    assert told.pop("id")
    assert told == {
        "v": 1,
        "log": SIGNER.name,
        "seq": 1,
        "time": "2026-11-23T09:00:00.000000Z",
        "type": "secret.reveal.authorized",
        "outcome": "success",
        "actor": {
            "id": "olga",
            "kind": "person",
            "name": "Olga",
            "role": "operator,approver",
            "ip": "192.0.2.7",
            "mfa": "totp",
            "session": "s1",
        },
        "account": {"id": NUMBER, "seq": 0},
        "checkout": "c-1",
        "reason": {"code": "BILL_ROOT", "text": "because", "ticket": "T-1"},
        "approval": {"by": "pat"},
        "secret": {"id": f"{NUMBER}/mfa", "kind": "mfa", "version": 3, "ciphertext_sha256": "a" * 64},
        "policy": {"id": "p" * 64, "rule": "U1", "decision": "permit"},
        "req": who.origin.request_id,
        "app": {"version": "0.1.0", "host": "test"},
        "detail": {"codes": 2, "late": False, "note": None},
        "changes": [{"entity": "checkout", "id": "c-1", "from": "approved", "to": "active"}],
        "kms": [{"purpose": "use", "operation": "Decrypt", "key": "k", "request_id": "r", "outcome": "ok"}],
    }
    assert receipt.index == 1
    assert receipt.checkpoint.split("\n")[1] == "2"


def test_the_system_and_denials_are_told_as_such(units: SqlUnits) -> None:
    write(units, Event(EventType.ACCESS_DENIED, system_actor("clock"), Result.DENIED))
    told = content(units, 1)
    assert told["actor"] == {
        "id": "system:clock",
        "kind": ActorKind.SYSTEM,
        "name": "clock",
        "role": "system",
        "mfa": "none",
    }
    assert told["policy"] == {"id": "p" * 64, "decision": "deny"}
    assert told["outcome"] == "denied"


def test_a_rolled_back_unit_leaves_no_entry_and_no_claim(units: SqlUnits) -> None:
    keyed = noted(actor=actor(idempotency=IdempotencyKey("k1", MAC)))
    with units.write() as unit:
        unit.customers.add(customer())
        unit.log.record(keyed, NOW)
    with units.read() as unit:
        assert unit.log.checkpoint().split("\n")[1] == "1"
        assert unit.log.repeated("olga", "k1") is None
    (receipt,) = write(units, keyed)
    assert receipt.index == 1


def test_the_first_entry_opens_the_log_and_no_other(store_url: str, tmp_path: Path) -> None:
    units = units_for(store_url, tmp_path)
    with units.write() as unit, pytest.raises(Unavailable) as refused:
        unit.log.record(noted(), NOW)
    assert (refused.value.code, refused.value.facts["cause"]) == ("log.unavailable", "log.opened")
    write(units, noted(type=EventType.LOG_OPENED))
    with units.write() as unit, pytest.raises(Unavailable):
        unit.log.record(noted(type=EventType.LOG_OPENED), NOW)
    units.engine.dispose()


@pytest.mark.parametrize("text_", ["\0", "\ud800", "x" * 70_000])
def test_what_cannot_be_an_entry_is_refused_as_input(units: SqlUnits, text_: str) -> None:
    with units.write() as unit, pytest.raises(Invalid) as refused:
        unit.log.record(noted(detail={"note": text_}), NOW)
    assert refused.value.code == "input.invalid"
    assert found(units, EntryFilter()) == [0]


def test_a_key_is_claimed_by_the_first_success_with_a_subject(units: SqlUnits) -> None:
    who = actor(idempotency=IdempotencyKey("k1", MAC))
    write(
        units,
        noted(actor=who, result=Result.DENIED, subject="checkout:no"),
        noted(actor=who),
        noted(actor=who, subject="checkout:c1"),
        noted(actor=who, subject="checkout:c2"),
        noted(actor=who),
    )
    with units.read() as unit:
        assert unit.log.repeated("olga", "k1") == Repeat(MAC, "checkout:c1", 3)
        assert unit.log.repeated("pat", "k1") is None
        assert unit.log.repeated("olga", "k2") is None


def test_one_request_may_record_in_several_units_under_its_key(units: SqlUnits) -> None:
    who = actor(idempotency=IdempotencyKey("k1", MAC))
    write(units, noted(actor=who, subject="disclosure"))
    write(units, noted(actor=who))
    write(units, noted(actor=who, subject="checkout:c1"))
    with units.read() as unit:
        assert unit.log.repeated("olga", "k1") == Repeat(MAC, "disclosure", 1)


def test_another_request_under_the_same_key_is_ended(units: SqlUnits) -> None:
    write(units, noted(actor=actor(idempotency=IdempotencyKey("k1", MAC)), subject="checkout:c1"))
    again = noted(actor=actor(idempotency=IdempotencyKey("k1", MAC)), subject="checkout:c2")
    with units.write() as unit:
        unit.customers.add(customer(ddi="77"))
        with pytest.raises(Conflict) as refused:
            unit.log.record(again, NOW)
    assert refused.value.code == "concurrent.change"
    with units.read() as unit:
        assert unit.customers.by_ddi("77") is None
        assert unit.log.repeated("olga", "k1") == Repeat(MAC, "checkout:c1", 1)
    write(units, replace(again, actor=replace(again.actor, id="pat")))


def test_a_key_without_subject_is_claimed_against_others_too(units: SqlUnits) -> None:
    write(units, noted(actor=actor(idempotency=IdempotencyKey("k1", MAC))))
    again = noted(actor=actor(idempotency=IdempotencyKey("k1", MAC)), subject="checkout:c2")
    with units.write() as unit, pytest.raises(Conflict) as refused:
        unit.log.record(again, NOW)
    assert refused.value.code == "concurrent.change"
    with units.read() as unit:
        assert unit.log.repeated("olga", "k1") == Repeat(MAC, None, 1)


def test_entries_are_found_by_every_filter(units: SqlUnits) -> None:
    write(
        units,
        noted(account_id=NUMBER, checkout_id="c1"),
        noted(actor=system_actor("clock"), result=Result.UNKNOWN),
        noted(
            type=EventType.SIGNED_OUT, stated=Stated("X", 'with “Ünïcode” and 100% "quotes"\n', "CHG_0001")
        ),
    )
    with units.write() as unit:
        unit.log.record(noted(), NOW + HOUR)
        unit.commit()
    later = timedelta(microseconds=1)
    for wanted, expected in (
        (EntryFilter(), [4, 3, 2, 1, 0]),
        (EntryFilter(account_id=NUMBER), [1]),
        (EntryFilter(checkout_id="c1"), [1]),
        (EntryFilter(of_accounts=True), [1]),
        (EntryFilter(actor_id="system:clock"), [2]),
        (EntryFilter(type="session.closed"), [3]),
        (EntryFilter(outcome="unknown"), [2]),
        (EntryFilter(since=NOW + later), [4]),
        (EntryFilter(until=NOW), []),
        (EntryFilter(until=NOW + later), [3, 2, 1, 0]),
        (EntryFilter(text="ünïCODE"), [3]),
        (EntryFilter(text='100% "QUOTES"'), [3]),
        (EntryFilter(text="100% “"), []),
        (EntryFilter(text="chg_0001"), [3]),
        (EntryFilter(text="chgX0001"), []),
        (EntryFilter(text="outcome"), []),
        (EntryFilter(text='","'), []),
        (EntryFilter(text="clock", actor_id="olga"), []),
    ):
        assert found(units, wanted) == expected, wanted


def test_a_limited_reach_sees_the_entries_of_its_accounts(units: SqlUnits) -> None:
    with units.write() as unit:
        mine = stand(unit)
        stand(unit, "222233334444")
        unit.commit()
    write(units, noted(account_id=NUMBER), noted(account_id="222233334444"), noted())
    assert found(units, EntryFilter(), Reach()) == []
    assert found(units, EntryFilter(), Reach(accounts=frozenset({"222233334444"}))) == [2]
    assert found(units, EntryFilter(), Reach(customers=frozenset({mine.customer.id}))) == [1]
    assert found(units, EntryFilter(account_id="222233334444"), Reach(accounts=frozenset({NUMBER}))) == []


def test_pages_go_on_where_they_stopped_also_when_text_was_looked_for(units: SqlUnits) -> None:
    write(units, *(noted(detail={"n": f"word {n % 2}"}) for n in range(9)))
    for wanted, expected in (
        (EntryFilter(), list(range(9, -1, -1))),
        (EntryFilter(text="WORD 1"), [8, 6, 4, 2]),
        (EntryFilter(text="word"), list(range(9, 0, -1))),
    ):
        seen: list[Entry] = []
        cursor = None
        with units.read() as unit:
            while True:
                page = unit.log.page(wanted, ALL, Slice(2, cursor))
                seen += page.items
                if (cursor := page.next) is None:
                    break
        assert [entry.index for entry in seen] == expected
    with units.read() as unit, pytest.raises(Invalid, match="cursor"):
        unit.log.page(EntryFilter(), ALL, Slice(2, "WyIxIl0"))


def test_proofs_verify_without_us(units: SqlUnits) -> None:
    receipts = write(units, *(noted(detail={"n": n}) for n in range(5)))
    with units.read() as unit:
        proof = unit.log.proof(3)
        assert proof is not None
        leaf = bytes.fromhex(receipts[2].leaf_hash)
        assert InclusionReceipt.parse(proof).check(leaf, SIGNER.verifier).size == 6
        receipt = unit.log.receipt(3)
        assert receipt is not None
        assert (receipt.index, receipt.leaf_hash) == (3, receipts[2].leaf_hash)
        assert receipt.checkpoint == unit.log.checkpoint() == receipts[-1].checkpoint
        assert unit.log.consistency(6, 6) == ()
        assert unit.log.consistency(2, 6)
        assert unit.log.tile("tile/0/000.p/6")[96:128] == leaf  # type: ignore[index]  # it is there


def test_what_is_not_in_the_log_is_not_there(units: SqlUnits) -> None:
    with units.read() as unit:
        for index in (-1, 1, 2**62, 10**30):
            assert unit.log.entry(index) is None
            assert unit.log.receipt(index) is None
            assert unit.log.proof(index) is None
        assert unit.log.tile("tile/0/001") is None
        assert unit.log.tile("../../etc/passwd") is None
        assert unit.log.consistency(2, 3) is None
        assert unit.log.consistency(0, 1) is None


def test_the_latest_promotion_is_proven_in_two_statements(units: SqlUnits) -> None:
    write(
        units, promoted(version()), promoted(version(kind=PartKind.MFA)), promoted(version(number=2)), noted()
    )
    with units.read() as unit:
        seen: list[str] = []
        events.listen(units.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
        promotion = unit.log.promotion(NUMBER, PartKind.PASSWORD)
        assert promotion is not None
        assert (promotion.index, promotion.version, promotion.sha256) == (3, 2, f"{2:064x}")
        assert len(seen) == 2
        assert unit.log.promotion("999999999999", PartKind.PASSWORD) is None
