"""The lines under a note: whose stays, in which order, and that none is added unproven."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.errors import NoteRefused
from audit.note import MOST_SIGNATURES, Cosigner, Line, Signer, Verifier, open_note, split
from audit.signatures import attach, merge
from tests.unit.audit.world import ORIGIN, SIGNER

TEXT = f"{ORIGIN}\n3\n{base64.b64encode(bytes(32)).decode()}\n"
NOTE = SIGNER.sign(TEXT)
NEW = Signer.from_seed(ORIGIN, bytes(32))
ONE = Cosigner.from_seed("witness.example/w1", bytes([1]) * 32)
TWO = Cosigner.from_seed("witness.example/w2", bytes([2]) * 32)
ELSEWHERE = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
KMS = Verifier("kms.example/key", 1, ELSEWHERE.public_key().public_bytes_raw())
EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors/worked_example.json").read_text(encoding="utf-8")
)


def who(note: str) -> list[tuple[str, int | None]]:
    return [(line.name, line.time) for line in split(note)[1]]


def test_the_cosigned_checkpoint_of_the_worked_example_is_merged_byte_for_byte() -> None:
    witness = Verifier.parse(EXAMPLE["witness_vkey"])
    both = EXAMPLE["checkpoint"] + EXAMPLE["witness_line"]
    assert merge(EXAMPLE["checkpoint"], EXAMPLE["witness_line"]) == both
    assert merge(both, EXAMPLE["witness_line"].removesuffix("\n")) == both
    opened = open_note(both, [SIGNER.verifier, witness])
    assert [each.time for each in opened.signatures] == [None, EXAMPLE["witness_time"]]


def test_the_logs_lines_come_first_and_of_a_witness_the_newest_stays() -> None:
    note = merge(f"{TEXT}\n{ONE.line(TEXT, 100)}", TWO.line(TEXT, 50), KMS_LINE, SIGNER.line(TEXT))
    assert who(note) == [(ORIGIN, None), (KMS.name, None), (ONE.name, 100), (TWO.name, 50)]
    note = merge(note, ONE.line(TEXT, 99), TWO.line(TEXT, 200), NEW.line(TEXT))
    assert who(note) == [(ORIGIN, None), (ORIGIN, None), (KMS.name, None), (ONE.name, 100), (TWO.name, 200)]
    everybody = [SIGNER.verifier, NEW.verifier, KMS, ONE.verifier, TWO.verifier]
    assert len(open_note(note, everybody).signatures) == 5
    assert merge(note, *(line.format() for line in split(note)[1])) == note


def test_the_first_line_of_a_signer_stays() -> None:
    other = Line(ORIGIN, SIGNER.verifier.key_id, bytes(64)).format()
    assert merge(NOTE, other) == NOTE


def test_a_note_bears_no_more_lines_than_readers_accept() -> None:
    lines = [
        Cosigner.from_seed(f"w{n}.example", bytes([n]) * 32).line(TEXT, 1) for n in range(MOST_SIGNATURES)
    ]
    full = merge(NOTE, *lines[1:])
    assert len(open_note(full, [SIGNER.verifier, ONE.verifier]).signatures) == 1
    assert len(split(full)[1]) == MOST_SIGNATURES
    with pytest.raises(NoteRefused, match=r"note\.form"):
        merge(full, lines[0])


@pytest.mark.parametrize("line", ["", "\n", "— ", NOTE, "hello\n", f"{ONE.line(TEXT, 1)}{TWO.line(TEXT, 1)}"])
def test_what_is_no_line_is_not_merged(line: str) -> None:
    with pytest.raises(NoteRefused):
        merge(NOTE, line)


KMS_LINE = Line(KMS.name, KMS.key_id, ELSEWHERE.sign(TEXT.encode())).format()


def test_a_signature_made_elsewhere_is_attached() -> None:
    attached = attach(NOTE, KMS, ELSEWHERE.sign(split(NOTE)[0].encode()))
    assert attached == NOTE + KMS_LINE
    assert [each.name for each in open_note(attached, [SIGNER.verifier, KMS]).signatures] == [
        ORIGIN,
        KMS.name,
    ]
    assert attach(attached, KMS, ELSEWHERE.sign(TEXT.encode())) == attached


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        ELSEWHERE.sign(b"another text\n"),
        ELSEWHERE.sign(TEXT.encode()) + b"\0",
        SIGNER._key.sign(b"x"),
    ],
)
def test_a_wrong_signature_is_not_attached(signature: bytes) -> None:
    with pytest.raises(NoteRefused, match=r"note\.signature"):
        attach(NOTE, KMS, signature)


def test_a_witness_is_not_attached_as_a_signer() -> None:
    with pytest.raises(NoteRefused, match=r"note\.key"):
        attach(NOTE, ONE.verifier, split(f"{TEXT}\n{ONE.line(TEXT, 1)}")[1][0].signature)


def test_a_key_is_read_as_key_services_give_it() -> None:
    der = ELSEWHERE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert Verifier.from_spki(KMS.name, der) == KMS
    curve = generate_private_key(SECP256R1()).public_key()
    for wrong in (
        b"",
        der[:-1],
        der + b"\0",
        curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        with pytest.raises(NoteRefused, match=r"note\.key"):
            Verifier.from_spki(KMS.name, wrong)
    with pytest.raises(NoteRefused, match=r"note\.name"):
        Verifier.from_spki("two words", der)
