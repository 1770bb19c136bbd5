"""The log by REST, checked with the audit package's own programs as an outsider would."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit import merkle
from audit.note import Verifier
from audit.receipt import open_checkpoint
from audit.tile import decode_entries, decode_hashes, tiles
from tests.web.api.test_main_path import held
from vault.domain.actor import Role, Scope, ScopeKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.api.service import Service


def test_tiles_and_bundles_give_the_tree_that_the_checkpoint_signs(service: Service) -> None:
    held(service)
    alma = service.caller("alma", Role.AUDITOR)
    verifier = Verifier.parse(service.world.vault.vkey)
    checkpoint = open_checkpoint(alma.get("/audit/checkpoint").data.decode(), verifier.name, verifier)
    hashes: list[bytes] = []
    leaves: list[bytes] = []
    for tile in tiles(checkpoint.size):
        answer = alma.get(f"/audit/{tile.path}")
        assert answer.status == 200, tile.path
        assert answer.headers["Content-Type"] == "application/octet-stream"
        if tile.level is None:
            leaves += decode_entries(answer.data)
        elif tile.level == 0:
            hashes += decode_hashes(answer.data)
    assert [merkle.leaf_hash(leaf) for leaf in leaves] == hashes
    frontier: list[bytes] = []
    for index, leaf in enumerate(hashes):
        _, frontier = merkle.complete(index, leaf, frontier)
    assert merkle.fold(frontier) == checkpoint.root


def test_an_entry_is_proven_by_its_proof_text(service: Service) -> None:
    held(service)
    alma = service.caller("alma", Role.AUDITOR)
    entry = alma.did("/audit/entries?type=custody.held", method="GET")["items"][0]
    answer = alma.get(f"/audit/entries/{entry['index']}/proof")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.data.decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", f"index {entry['index']}"]
    head, _, note = answer.data.decode().partition("\n\n")
    verifier = Verifier.parse(service.world.vault.vkey)
    checkpoint = open_checkpoint(note, verifier.name, verifier)
    hashes = [base64.b64decode(line) for line in head.split("\n")[2:]]
    leaf = merkle.leaf_hash(entry["leaf"].encode())
    merkle.check_inclusion(entry["index"], checkpoint.size, leaf, hashes, checkpoint.root)


def test_a_bundle_verifies_with_neither_vault_nor_database(service: Service, tmp_path: Path) -> None:
    held(service)
    alma = service.caller("alma", Role.AUDITOR)
    before = service.size()
    answer = alma.post("/audit/exports", {"format": "bundle"})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-tar")
    file = tmp_path / "log.tar"
    file.write_bytes(answer.data)
    run = subprocess.run(
        [sys.executable, "-m", "audit", "verify", str(file), "--key", service.world.vault.vkey],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert service.last()[0]["type"] == "audit.exported"
    assert service.size() == before + 1
    damaged = bytearray(answer.data)
    at = damaged.index(b"custody.held")
    damaged[at : at + 4] = b"CUST"
    file.write_bytes(bytes(damaged))
    run = subprocess.run(
        [sys.executable, "-m", "audit", "verify", str(file), "--key", service.world.vault.vkey],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0


def test_lines_come_with_their_proofs_over_a_filter(service: Service) -> None:
    held(service)
    alma = service.caller("alma", Role.AUDITOR)
    answer = alma.post("/audit/exports", {"format": "jsonl", "type": "credential.taken_in"})
    assert answer.status == 200
    verifier = Verifier.parse(service.world.vault.vkey)
    *found, end = [json.loads(line) for line in io.BytesIO(answer.data)]
    assert end["end"]
    assert [json.loads(each["leaf"])["secret"]["kind"] for each in found] == ["password", "mfa"]
    for each in found:
        assert merkle.leaf_hash(each["leaf"].encode()).hex() == each["leaf_hash"]
        _, _, note = each["proof"].partition("\n\n")
        assert open_checkpoint(note, verifier.name, verifier).size > each["index"]


def test_whoever_reaches_a_part_takes_no_copy_of_the_whole(quick: Service) -> None:
    held(quick)
    part = Scope(ScopeKind.ACCOUNT, "111122223333")
    anton = quick.caller("anton", Role.AUDITOR, part)
    machine = quick.bearer(None, "log.export", reach=part)
    asked: list[tuple[str, str, object]] = [
        ("POST", "/audit/exports", {"format": "bundle"}),
        ("GET", "/audit/tile/entries/000.p/1", None),
    ]
    for caller in (anton, machine):
        for method, path, body in asked:
            answer = caller.call(method, path, body)
            assert (answer.status, answer.code) == (403, "policy.denied")
            assert quick.last()[0]["outcome"] == "denied"


def test_reading_the_whole_log_is_an_entry_and_a_scoped_reader_sees_their_own(quick: Service) -> None:
    held(quick)
    held(quick, "444455556666")
    alma = quick.caller("alma", Role.AUDITOR)
    olga = quick.caller("olga", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, "111122223333"))
    before = quick.size()
    everything = alma.did("/audit/entries?limit=200", method="GET")["items"]
    assert quick.size() == before + 1
    assert quick.last()[0]["type"] == "audit.viewed"
    assert [each["index"] for each in everything] == sorted(
        (each["index"] for each in everything), reverse=True
    )
    mine = olga.did("/audit/entries?limit=200", method="GET")["items"]
    assert {each["content"]["account"]["id"] for each in mine} == {"111122223333"}
    foreign = next(
        each for each in everything if each["content"].get("account", {}).get("id") == "444455556666"
    )
    for path in (f"/audit/entries/{foreign['index']}", f"/audit/entries/{foreign['index']}/proof"):
        hidden, absent = olga.get(path), olga.get(path.replace(str(foreign["index"]), "999999"))
        assert (hidden.status, absent.status) == (404, 404)
        assert hidden.json["detail"].replace(str(foreign["index"]), "N") == absent.json["detail"].replace(
            "999999", "N"
        )


def test_pages_join_into_the_whole(quick: Service) -> None:
    held(quick)
    alma = quick.caller("alma", Role.AUDITOR)
    found: list[int] = []
    page = alma.did("/audit/entries?limit=3&until=2030-01-01T00:00:00Z", method="GET")
    while True:
        found += [each["index"] for each in page["items"]]
        if page["next"] is None:
            break
        page = alma.did(
            f"/audit/entries?limit=3&until=2030-01-01T00:00:00Z&cursor={page['next']}", method="GET"
        )
    assert found == list(range(max(found), -1, -1))


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000.p/200",
        "tile/0/999",
        "tile/00/000",
        "tile/x/000",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/63/000",
        "tile/entries/000",
        "tile/entries/../0/000",
        "tile/0/..%2f..%2fetc",
        "tile/0/\u0660\u0660\u0660",
        "tile/",
        "entries/-1",
        "entries/\u0663",
        "entries/99999999999999999999999999",
        "entries/007",
        "entries/1e3",
        "entries/123456/proof",
    ],
)
def test_what_the_log_has_not_is_not_there(quick: Service, path: str) -> None:
    answer = quick.caller("alma", Role.AUDITOR).get(f"/audit/{path}")
    assert answer.status == 404


@pytest.mark.parametrize(
    "sizes", ["old=0", "old=2&new=1", "old=1&new=100000", "old=x", "", "old=1&old=2", "old=1.0"]
)
def test_a_consistency_proof_of_impossible_sizes_is_refused(quick: Service, sizes: str) -> None:
    answer = quick.caller("alma", Role.AUDITOR).get(f"/audit/consistency?{sizes}")
    assert (answer.status, answer.code) == (422, "input.invalid")
