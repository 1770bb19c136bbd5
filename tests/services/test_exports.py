"""Copies of the log: complete, of one state, in short transactions, to be gone on with, and only one's own part."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipt import InclusionReceipt
from tests.support.events import entries
from vault.domain.actor import Actor, ActorKind, Origin, Role, Scope, ScopeKind, system_actor
from vault.domain.event import Event, EventType
from vault.domain.formats.visible import reveal
from vault.errors import Forbidden, Invalid, NotFound
from vault.ports.store import EntryFilter
from vault.services import copying
from vault.services.exports import Copy, Exports, Format, Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World
    from vault.ports.store import Unit, Units

ACCOUNT = "111122223333"
OTHER = "444455556666"


def grow(world: World, count: int, account: str | None = None) -> None:
    """Write so many entries, in transactions of a hundred."""
    for start in range(0, count, 100):
        with world.vault.units.write() as unit:
            for number in range(start, min(start + 100, count)):
                event = Event(
                    EventType.AUDIT_VIEWED, system_actor("test"), account_id=account, detail={"n": number}
                )
                unit.log.record(event, world.clock.now())
            unit.commit()


def auditor(world: World) -> Actor:
    """Give who may export everything."""
    return world.human("alma", Role.AUDITOR).actor


def take(world: World, wish: Wish, actor: Actor | None = None) -> tuple[Copy, bytes]:
    """Take a copy, all of it."""
    copy = world.vault.exports.begin(actor or auditor(world), wish)
    return copy, b"".join(copy.chunks)


def told(content: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Read JSON lines and their trailer."""
    *read, end = [json.loads(line) for line in content.splitlines()]
    return read, end


def check_lines(world: World, read: list[dict[str, Any]]) -> None:
    """Check each line by itself, as an outsider does."""
    verifier = Verifier.parse(world.vault.vkey)
    for each in read:
        assert leaf_hash(each["leaf"].encode()).hex() == each["leaf_hash"]
        receipt = InclusionReceipt.parse(each["proof"])
        assert receipt.index == each["index"] == json.loads(each["leaf"])["seq"]
        receipt.check(bytes.fromhex(each["leaf_hash"]), verifier)


def test_all_entries_come_oldest_first_each_proven_and_the_copy_is_in_itself(world: World) -> None:
    grow(world, 700)
    copy, content = take(world, Wish(Format.JSONL))
    read, end = told(content)
    assert [each["index"] for each in read] == list(range(copy.size))
    check_lines(world, read)
    assert json.loads(read[-1]["leaf"])["type"] == EventType.AUDIT_EXPORTED
    assert (end["end"], end["next"], end["size"], end["entries"]) == (True, None, copy.size, copy.size)
    assert end["checkpoint"] == copy.checkpoint


def test_the_first_byte_comes_before_the_rest_is_read_and_no_transaction_stays_open(
    world: World,
) -> None:
    grow(world, 1000)
    open_now, pages = [0], [0]

    @contextmanager
    def read() -> Iterator[Unit]:
        open_now[0] += 1
        pages[0] += 1
        with world.vault.units.read() as unit:
            yield unit
        open_now[0] -= 1

    watched = SimpleNamespace(read=read, write=world.vault.units.write)
    exports = Exports(cast("Units", watched), world.vault.gate, world.clock)
    for wish in (Wish(Format.JSONL), Wish(Format.BUNDLE)):
        pages[0] = 0
        copy = exports.begin(auditor(world), wish)
        assert pages[0] == 0
        first = next(copy.chunks)
        assert first
        assert (open_now[0], pages[0]) == (0, 1)
        grow(world, 3)  # nobody waits for who reads slowly
        for chunk in copy.chunks:
            assert len(chunk) < 3_000_000
            assert open_now[0] == 0
        assert pages[0] > 1


def test_a_copy_is_of_the_state_it_began_with(world: World) -> None:
    grow(world, 600)
    copy = world.vault.exports.begin(auditor(world), Wish(Format.JSONL))
    first = next(copy.chunks)
    grow(world, 300)
    read, end = told(first + b"".join(copy.chunks))
    assert [each["index"] for each in read] == list(range(copy.size))
    assert end["size"] == copy.size
    check_lines(world, read)


@pytest.mark.parametrize("format_", [Format.JSONL, Format.CSV, Format.OCSF, Format.CEF])
@pytest.mark.parametrize("by", ["checkpoint", "until_size"])
def test_a_copy_that_was_cut_off_goes_on_exactly(world: World, format_: Format, by: str) -> None:
    grow(world, 600)
    wanted = EntryFilter(type=EventType.AUDIT_VIEWED)
    copy, whole = take(world, Wish(format_, wanted))
    grow(world, 50)
    rows = whole.splitlines(keepends=True)
    head = 1 if format_ is Format.CSV else 0
    cut = head + 300
    last = [
        json.loads(line)["index"] for line in take(world, Wish(Format.JSONL, wanted))[1].splitlines()[:300]
    ][-1]
    wish = Wish(format_, wanted, after=last)
    given: dict[str, Any] = {"checkpoint": copy.checkpoint, "until_size": copy.size}
    wish = replace(wish, **{by: given[by]})
    again, rest = take(world, wish)
    assert again.size == copy.size
    if by == "checkpoint" and format_ is not Format.JSONL:
        assert rest.splitlines(keepends=True)[:-1] == rows[cut:-1]
    if format_ is Format.JSONL:
        mine, theirs = told(rest)[0], [json.loads(line) for line in rows[cut:-1]]
        assert [(each["index"], each["leaf"]) for each in mine] == [
            (each["index"], each["leaf"]) for each in theirs
        ]
        check_lines(world, mine)
        if by == "checkpoint":
            assert mine == theirs
    entry = entries(world, type=EventType.AUDIT_EXPORTED)[-1]
    assert entry["detail"]["after"] == last


def test_a_bundle_that_was_cut_off_goes_on_at_any_byte_to_the_same_file(world: World) -> None:
    grow(world, 520)
    copy, whole = take(world, Wish(Format.BUNDLE))
    grow(world, 10)
    for offset in (0, 1, 511, 512, 9000, len(whole) // 2, len(whole) - 10241, len(whole) - 3, len(whole)):
        wish = Wish(Format.BUNDLE, offset=offset, checkpoint=copy.checkpoint)
        assert take(world, wish)[1] == whole[offset:], offset
    assert entries(world, type=EventType.AUDIT_EXPORTED)[-1]["detail"]["offset"] == len(whole)


def test_a_limit_ends_a_copy_and_says_where_to_go_on(world: World) -> None:
    grow(world, 30)
    wanted = EntryFilter(type=EventType.AUDIT_VIEWED)
    found: list[int] = []
    after, size = -1, None
    for _ in range(10):
        copy, content = take(world, Wish(Format.JSONL, wanted, after=after, until_size=size, limit=7))
        read, end = told(content)
        found += [each["index"] for each in read]
        size = copy.size
        if end["end"]:
            break
        after = end["next"]
    assert len(found) == len(set(found)) == 30
    assert found == sorted(found)


def test_proofs_go_beside_what_cannot_hold_them(world: World) -> None:
    grow(world, 300)
    copy, content = take(world, Wish(Format.CSV, proofs=True))
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]  # all are files
    parts = b"".join(content for name, content in sorted(files.items()) if name.startswith("entries/"))
    rows = list(csv.DictReader(io.StringIO(parts.decode("utf-8-sig"), newline="")))
    assert rows[-1]["index"] == "end"
    assert len(rows) == copy.size + 1
    verifier = Verifier.parse(world.vault.vkey)
    for row in rows[:-1]:
        proof = files[f"proofs/{int(row['index']):020}.tlog-proof"].decode()
        InclusionReceipt.parse(proof).check(leaf_hash(reveal(row["leaf"]).encode()), verifier)
    assert files["checkpoint"].decode() == copy.checkpoint


def scoped(world: World, name: str, kind: ScopeKind, target: str) -> Actor:
    """Make an auditor of a part."""
    return world.human(name, Role.AUDITOR, Scope(kind, target)).actor


def test_an_extract_is_the_accounts_own_sequence_without_a_gap(world: World) -> None:
    world.held(ACCOUNT)
    world.held(OTHER)
    grow(world, 20, ACCOUNT)
    grow(world, 20, OTHER)
    anton = scoped(world, "anton", ScopeKind.ACCOUNT, ACCOUNT)
    leaves: list[dict[str, Any]] = []
    for wish in (Wish(Format.JSONL), Wish(Format.JSONL, EntryFilter(account_id=ACCOUNT))):
        read, end = told(take(world, wish, anton)[1])
        check_lines(world, read)
        leaves = [json.loads(each["leaf"]) for each in read]
        assert {leaf["account"]["id"] for leaf in leaves} == {ACCOUNT}
        assert [leaf["account"]["seq"] for leaf in leaves] == list(range(len(leaves)))
        before = [each["leaf_hash"] for each in read[:-1]]
        assert [leaf["account"].get("prev") for leaf in leaves] == [None, *before]
        assert end["accounts"] == {ACCOUNT: {"entries": len(read), "last": read[-1]["leaf_hash"]}}
    assert leaves[-1]["type"] == EventType.AUDIT_EXPORTED  # the account's own log tells who copied it


def test_an_extract_over_a_customer_names_each_account_and_a_filter_makes_it_none(world: World) -> None:
    account = world.held(ACCOUNT)
    world.held(OTHER)
    cleo = scoped(world, "cleo", ScopeKind.CUSTOMER, account.customer_id)
    read, end = told(take(world, Wish(Format.JSONL), cleo)[1])
    assert set(end["accounts"]) == {ACCOUNT, OTHER}
    assert sum(each["entries"] for each in end["accounts"].values()) == len(read)
    narrowed = Wish(Format.JSONL, EntryFilter(type="custody.held"))
    read, end = told(take(world, narrowed, cleo)[1])
    assert len(read) == 2
    assert "accounts" not in end


def test_a_machine_within_its_scope_takes_an_extract(world: World) -> None:
    world.held(ACCOUNT)
    world.held(OTHER)
    machine = Actor(
        ActorKind.MACHINE,
        "m1",
        "siem",
        permissions=frozenset({"log.export"}),
        scope=Scope(ScopeKind.ACCOUNT, ACCOUNT),
        origin=Origin("r1"),
    )
    read, _ = told(take(world, Wish(Format.JSONL), machine)[1])
    assert {json.loads(each["leaf"])["account"]["id"] for each in read} == {ACCOUNT}


def test_what_is_not_in_scope_is_refused_and_the_refusal_recorded(world: World) -> None:
    world.held(ACCOUNT)
    world.held(OTHER)
    anton = scoped(world, "anton", ScopeKind.ACCOUNT, ACCOUNT)
    with pytest.raises(Forbidden):
        take(world, Wish(Format.BUNDLE), anton)
    last = entries(world)[-1]
    assert (last["type"], last["outcome"], "account" in last) == ("audit.exported", "denied", False)
    for number in (OTHER, "999999999999"):
        with pytest.raises(NotFound, match=number):
            take(world, Wish(Format.CSV, EntryFilter(account_id=number)), anton)
        last = entries(world)[-1]
        assert (last["outcome"], last["detail"]["code"], "account" in last) == ("denied", "not_found", False)
    with pytest.raises(Forbidden):
        take(world, Wish(Format.JSONL), world.human("olga", Role.OPERATOR).actor)
    assert entries(world)[-1]["type"] == "access.denied"


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        (Wish(Format.BUNDLE, EntryFilter(type="x")), "/format"),
        (Wish(Format.BUNDLE, after=3), "/format"),
        (Wish(Format.BUNDLE, offset=3), "/checkpoint"),
        (Wish(Format.BUNDLE, proofs=True), "/proofs"),
        (Wish(Format.JSONL, proofs=True), "/proofs"),
        (Wish(Format.CEF, offset=3), "/offset"),
        (Wish(Format.CEF, until_size=10_000), "/until_size"),
        (Wish(Format.CEF, checkpoint="vault.test.example/audit\n1\nAAAA\n\n— x y\n"), "/checkpoint"),
    ],
)
def test_a_wish_that_cannot_be_met_names_its_place_and_leaves_no_entry(
    world: World, wish: Wish, place: str
) -> None:
    before = len(entries(world))
    with pytest.raises(Invalid) as refused:
        take(world, wish)
    assert [each.pointer for each in refused.value.errors] == [place]
    assert len(entries(world)) == before


def test_a_filter_by_text_goes_through_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.adapters.db.stores.copies.WINDOW", 64)
    grow(world, 300)
    world.account(ACCOUNT)
    read, end = told(take(world, Wish(Format.JSONL, EntryFilter(text="account 1111")))[1])
    assert [json.loads(each["leaf"])["type"] for each in read] == ["account.registered", "audit.exported"]
    assert end["end"]


def test_tars_are_as_the_library_writes_them() -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("a/b")
        member.size, member.mode = 700, 0o644
        tar.addfile(member, io.BytesIO(b"x" * 700))
    ours = copying.member("a/b", b"x" * 700)
    assert made.getvalue() == ours + bytes(tarfile.RECORDSIZE - len(ours))
