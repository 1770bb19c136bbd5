"""Values that others published, and our own worked example, byte for byte.

The large collection of proofs (transparency-dev/merkle, Apache-2.0) is read where a copy of it lies beside the
repository; without it the list of cases is empty, and the properties in `tests/properties/test_merkle.py` cover
the same ground.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.errors import ProofRefused
from audit.note import Cosigner, Signer, Verifier, open_note
from audit.tile import WIDTH, Tile, tiles

VECTORS = Path(__file__).resolve().parent
PROOFS = VECTORS.parents[2] / "shared/vectors/transparency-dev-merkle/testdata"


def load(name: str) -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return vectors


def cases(kind: str) -> list[Path]:
    return sorted((PROOFS / kind).rglob("*.json"))


def decode(encoded: str) -> bytes:
    return base64.b64decode(encoded, validate=True)


def test_hashes_are_those_of_certificate_transparency() -> None:
    vectors = load("rfc6962.json")
    assert merkle.leaf_hash(b"L123456").hex() == vectors["leaf_hash_of_text_L123456"]
    assert merkle.node_hash(b"N123", b"N456").hex() == vectors["node_hash_of_texts_N123_N456"]


def test_roots_are_those_of_certificate_transparency() -> None:
    vectors = load("rfc6962.json")
    frontier: list[bytes] = []
    roots = [merkle.fold(frontier).hex()]
    for index, leaf in enumerate(vectors["leaf_inputs"]):
        _, frontier = merkle.complete(index, merkle.leaf_hash(bytes.fromhex(leaf)), frontier)
        roots.append(merkle.fold(frontier).hex())
    assert vectors["roots_by_size"] == roots


def test_the_signed_note_of_the_specification_opens() -> None:
    vectors = load("c2sp.json")
    opened = open_note(vectors["note"], [Verifier.parse(vectors["vkey"])])
    assert opened.text == "This is an example message.\n"
    assert [signature.name for signature in opened.signatures] == ["example.com/foo"]


def test_tile_paths_are_those_of_the_specification() -> None:
    vectors = load("c2sp.json")
    assert Tile(0, 1234067).path == "tile/0/" + vectors["path_of_1234067"]


@pytest.mark.parametrize("size", [256, 70000])
def test_tile_inventories_are_those_of_the_specification(size: int) -> None:
    found: dict[str, list[int]] = {}
    for tile in tiles(size):
        if tile.level is not None:
            full, partial = found.setdefault(str(tile.level), [0, 0])
            found[str(tile.level)] = [full + 1, 0] if tile.width == WIDTH else [full, partial + tile.width]
    assert load("c2sp.json")[f"tiles_of_{size}"] == found


def test_the_worked_example_matches_byte_for_byte() -> None:
    vectors = load("worked_example.json")
    signer = Signer.from_seed(vectors["log"], sha256(vectors["seed_is_sha256_of"].encode()).digest())
    frontier: list[bytes] = []
    for index, leaf in enumerate(vectors["leaves"]):
        _, frontier = merkle.complete(index, merkle.leaf_hash(leaf.encode()), frontier)
    checkpoint = Checkpoint(vectors["log"], len(vectors["leaves"]), merkle.fold(frontier))
    assert signer.vkey == vectors["vkey"]
    assert signer.sign(checkpoint.format()) == vectors["checkpoint"]


def test_the_document_shows_the_worked_example_as_it_is() -> None:
    vectors = load("worked_example.json")
    document = (VECTORS.parents[1] / "docs/formats-log.md").read_text(encoding="utf-8")
    shown = "\n".join(line.removeprefix("    ") for line in document.splitlines())
    assert vectors["checkpoint"] in shown
    assert vectors["vkey"] in shown
    assert all(f"`{leaf}`" in document for leaf in vectors["leaves"])
    assert vectors["witness_line"] in shown
    assert vectors["witness_vkey"] in shown
    assert f"`{vectors['witness_seed_is_sha256_of']}`" in document


def test_the_worked_example_opens_with_the_witness_too() -> None:
    vectors = load("worked_example.json")
    verifiers = [Verifier.parse(vectors["vkey"]), Verifier.parse(vectors["witness_vkey"])]
    opened = open_note(vectors["checkpoint"] + vectors["witness_line"], verifiers)
    assert [signature.time for signature in opened.signatures] == [None, vectors["witness_time"]]
    assert [verifier.vkey for verifier in verifiers] == [vectors["vkey"], vectors["witness_vkey"]]


def test_the_witness_of_the_worked_example_signs_byte_for_byte() -> None:
    vectors = load("worked_example.json")
    seed = sha256(vectors["witness_seed_is_sha256_of"].encode()).digest()
    witness = Cosigner.from_seed(Verifier.parse(vectors["witness_vkey"]).name, seed)
    text = vectors["checkpoint"].partition("\n\n")[0] + "\n"
    assert witness.vkey == vectors["witness_vkey"]
    assert witness.line(text, vectors["witness_time"]) == vectors["witness_line"]


def test_published_inclusion_proofs_are_judged_as_published() -> None:
    wrong = []
    for path in cases("inclusion"):
        case = json.loads(path.read_text(encoding="utf-8"))
        proof = [decode(each) for each in case["proof"] or []]
        try:
            merkle.check_inclusion(
                case["leafIdx"], case["treeSize"], decode(case["leafHash"]), proof, decode(case["root"])
            )
            refused = False
        except ProofRefused:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(path)
    assert wrong == []
    assert len(cases("inclusion")) == (98 if PROOFS.is_dir() else 0)


def test_published_consistency_proofs_are_judged_as_published() -> None:
    wrong = []
    for path in cases("consistency"):
        case = json.loads(path.read_text(encoding="utf-8"))
        proof = [decode(each) for each in case["proof"] or []]
        try:
            merkle.check_consistency(
                case["size1"], case["size2"], proof, decode(case["root1"]), decode(case["root2"])
            )
            refused = False
        except ProofRefused:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(path)
    assert wrong == []
    assert len(cases("consistency")) == (98 if PROOFS.is_dir() else 0)
