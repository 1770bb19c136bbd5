"""Evidence packs: what is in them and what is not, and that their proofs verify without us (H7, H9, S25)."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from audit.__main__ import main
from audit.errors import AuditError
from audit.note import Verifier
from audit.pack import check_pack
from tests.support.handed import NUMBERS, SIGNED, link, people, post_of, released
from vault.domain.actor import Origin
from vault.services.pack_writing import to_html, to_json, to_zip

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World
    from vault.domain.evidence_pack import Pack

ORIGIN = Origin(request_id="r", ip="198.51.100.7")


@pytest.fixture
def pack(quick_world: World) -> Pack:
    """Make the pack of a handover of two accounts that came to its end."""
    post = post_of(quick_world)
    case_id = released(quick_world, *NUMBERS)
    rooms = quick_world.vault.releases
    token, code = link(quick_world, case_id, post)
    visit = rooms.links.enter(token, code, ORIGIN)
    rooms.acknowledging.acknowledge(token, visit, SIGNED, ORIGIN)
    rooms.handed_over.once()
    visited = rooms.packs.visited(token, visit)
    assert visited is not None
    assert rooms.packs.visited(token, None) is None
    found = rooms.packs.get(people(quick_world)[2].actor, case_id)
    assert replace(found, checkpoint="") == replace(visited, checkpoint="")
    return found


def test_it_says_who_did_what_by_their_part_alone(pack: Pack, quick_world: World) -> None:
    by = {each.name: (each.by, each.second) for each in pack.steps if each.account_id in {"", NUMBERS[0]}}
    assert by["release"] == ("operator B", "approver C")
    assert by["reset"] == ("operator B", "approver C")
    assert by["acknowledge"] == ("the signatory", "")
    assert (pack.acknowledged_by, pack.acknowledged_way) == (SIGNED, "page")
    for each in (to_html(pack), to_json(pack).decode(), pack.apn_case):
        for human in quick_world.people.values():
            assert human.actor.id not in each
            assert f"{human.actor.name}@" not in each
        assert "192.0.2.7" not in each
        assert ORIGIN.ip not in each
    told = {(each.name, each.account_id): each.entry for each in pack.steps}
    assert told["release", NUMBERS[0]] is not None
    assert told["acknowledge", ""] is not None


def test_it_holds_no_leaf_of_the_log(pack: Pack, quick_world: World) -> None:
    whole = to_json(pack)
    with quick_world.vault.units.read() as unit:
        leaves = [leaf for _, leaf in unit.census.leaves()]
    assert not any(leaf in whole for leaf in leaves)
    assert {each.index for each in pack.receipts} <= set(range(len(leaves)))
    kinds = {each.type for each in pack.receipts}
    assert {
        "handover.acknowledged",
        "credential.destroyed",
        "case.step.done",
        "handover.link.opened",
    } <= kinds


def test_every_receipt_verifies_without_us(
    pack: Pack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pack.json"
    file.write_bytes(to_json(pack))
    assert main(["pack", str(file), "--key", pack.vkey]) == 0
    assert f"sound: its {len(pack.receipts)} entries" in capsys.readouterr().out
    archive = zipfile.ZipFile(io.BytesIO(to_zip(pack)))
    assert archive.testzip() is None
    assert archive.read("pack.json") == to_json(pack)
    one = pack.receipts[0]
    text = archive.read(f"receipts/{one.index}.tlog-proof").decode()
    assert text.startswith(f"c2sp.org/tlog-proof@v1\nindex {one.index}\n")
    assert to_zip(pack) == to_zip(pack)


def test_a_receipt_of_the_archive_verifies_the_entry_itself(
    pack: Pack, quick_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = zipfile.ZipFile(io.BytesIO(to_zip(pack)))
    index = pack.receipts[-1].index
    with quick_world.vault.units.read() as unit:
        entry = unit.log.entry(index)
    assert entry is not None
    receipt, leaf = tmp_path / "receipt", tmp_path / "leaf"
    receipt.write_bytes(archive.read(f"receipts/{index}.tlog-proof"))
    leaf.write_bytes(entry.leaf)
    assert main(["receipt", str(receipt), "--leaf", str(leaf), "--key", pack.vkey]) == 0
    leaf.write_bytes(entry.leaf.replace(b"handover", b"handovex"))
    assert main(["receipt", str(receipt), "--leaf", str(leaf), "--key", pack.vkey]) == 1
    assert "sound" in capsys.readouterr().out


def changed(whole: dict[str, Any], what: str) -> bytes:
    """Give a pack with one thing wrong."""
    first = whole["receipts"][0]
    if what == "hash":
        first["leaf_hash"] = "0" * 64
    elif what == "index":
        first["index"] += 1
    elif what == "proof":
        first["hashes"] = first["hashes"][:-1]
    elif what == "line":
        first["hashes"] = [*first["hashes"][:-1], "A\n\nB"]
    elif what == "empty":
        whole["receipts"] = []
    elif what == "checkpoint":
        whole["checkpoint"] = whole["checkpoint"].replace("\n", "\n1", 1)
    elif what == "list":
        whole["receipts"] = {"0": first}
    elif what == "boolean":
        first["index"] = True
    return json.dumps(whole).encode()


@pytest.mark.parametrize("what", ["hash", "index", "proof", "line", "empty", "checkpoint", "list", "boolean"])
def test_a_changed_pack_is_refused(pack: Pack, what: str) -> None:
    verifier = Verifier.parse(pack.vkey)
    whole = json.loads(to_json(pack))
    assert check_pack(to_json(pack), verifier).entries == len(pack.receipts)
    with pytest.raises(AuditError):
        check_pack(changed(whole, what), verifier)
    for junk in (b"", b"\xff", b"[]", b"[" * 100_000):
        with pytest.raises(AuditError):
            check_pack(junk, verifier)


def test_hostile_words_are_only_words_on_the_page(pack: Pack) -> None:
    hostile = "<script>alert(1)</script>\u202egnp.exe"
    step = replace(pack.steps[0], evidence=(("note", hostile),), words=hostile)
    page = to_html(replace(pack, customer=hostile, ticket=hostile, steps=(step,)))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "http" not in page.replace("https://", "")  # nothing is fetched


def test_the_text_for_aws_names_accounts_and_no_person_of_ours(pack: Pack) -> None:
    for number in NUMBERS:
        assert number in pack.apn_case
    assert SIGNED in pack.apn_case
