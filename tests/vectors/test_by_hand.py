"""The page of shell in docs/verify-by-hand.md, run as it stands there: on true papers, and on forged ones."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from audit.note import Signer
from tests.support.repository import ROOT
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from pathlib import Path

    from audit.storage.memory import MemoryStorage

VKEY = SIGNER.vkey
OTHER_SIGNER = Signer.from_seed(ORIGIN, bytes(32))
OTHER = OTHER_SIGNER.vkey
STRANGER = Signer.from_seed("other.example/log", bytes(32)).vkey


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take the page out of the document."""
    document = (ROOT / "docs/verify-by-hand.md").read_text("utf-8")
    (block,) = re.findall(r"^```bash\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    path = tmp_path_factory.mktemp("page") / "by-hand.sh"
    path.write_text(block, encoding="utf-8")
    return path


def run(page: Path, *arguments: str | Path) -> tuple[int, str]:
    # nothing of Python and nothing of ours is on its way: bash, coreutils, openssl
    done = subprocess.run(
        ["/bin/bash", page, *arguments],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TMPDIR": str(page.parent)},
        check=False,
        timeout=60,
    )
    assert ("PROVEN" in done.stdout) == (done.returncode == 0), done
    assert [path for path in page.parent.iterdir() if path != page] == [], "it cleans up"
    return done.returncode, done.stdout + done.stderr


class Papers:
    """A receipt and a leaf in files."""

    def __init__(self, page: Path, directory: Path, log: MemoryStorage, index: int) -> None:
        self.page = page
        self.receipt, self.leaf = directory / "receipt", directory / "leaf"
        self.text, self.content = LOG.tlog_proof(log, index), next(log.leaves(index, index + 1)).leaf

    def check(
        self, text: str | None = None, content: bytes | None = None, vkey: str = VKEY
    ) -> tuple[int, str]:
        self.receipt.write_text(self.text if text is None else text)
        self.leaf.write_bytes(self.content if content is None else content)
        return run(self.page, "receipt", self.receipt, self.leaf, vkey)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 70])
def test_every_receipt_is_proven(page: Path, tmp_path: Path, size: int) -> None:
    log = filled(size)
    for index in sorted({0, 1, size // 2, size - 2, size - 1} & set(range(size))):
        status, said = Papers(page, tmp_path, log, index).check()
        assert (status, said) == (
            0,
            f"PROVEN: this is entry {index} of {ORIGIN}, in its first {size} entries\n",
        )


def test_forged_papers_are_not_proven(page: Path, tmp_path: Path) -> None:
    log = filled(70)
    papers = Papers(page, tmp_path, log, 37)
    assert papers.check()[0] == 0
    lines = papers.text.split("\n")
    last = lines.index("") - 1
    for name, text in {
        "an index beside": papers.text.replace("index 37", "index 36"),
        "an index beyond": papers.text.replace("index 37", "index 70"),
        "an index of another form": papers.text.replace("index 37", "index 037"),
        "a sum for an index": papers.text.replace("index 37", "index 36+1"),
        "a hash less": "\n".join([*lines[:last], *lines[last + 1 :]]),
        "a hash more": "\n".join([*lines[:last], lines[last], *lines[last:]]),
        "hashes exchanged": "\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]),
        "a size beside": papers.text.replace(f"{ORIGIN}\n70\n", f"{ORIGIN}\n71\n"),
        "another log": papers.text.replace(ORIGIN, "other.example/log"),
        "no signature": "\n".join(lines[: lines.index("") + 5]),
        "nothing": "",
        "another signer": papers.text.rpartition("\n\n")[0] + "\n\n" + _signed(papers.text, OTHER_SIGNER),
    }.items():
        assert papers.check(text)[0] != 0, name
    chance = random.Random(3)
    for at in range(2, last + 1):
        raw = bytearray(base64.b64decode(lines[at]))
        raw[chance.randrange(32)] ^= 1 << chance.randrange(8)
        changed = [*lines[:at], base64.b64encode(raw).decode(), *lines[at + 1 :]]
        status, said = papers.check("\n".join(changed))
        assert (status, "does not lead" in said) == (1, True)
    for content in (papers.content + b"\n", papers.content.replace(b"Ada", b"Eve"), b"", papers.content[1:]):
        assert papers.check(content=content)[0] == 1
    for vkey in (OTHER, STRANGER, "", "x", VKEY[:-4]):
        assert papers.check(vkey=vkey)[0] != 0
    status, said = papers.check(papers.text.replace(lines[-2][-12:], "A" * 10 + "A="))
    assert (status, "signature is wrong" in said) == (1, True)


def _signed(receipt: str, signer: Signer) -> str:
    text = receipt.partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
    return signer.sign(text).rpartition("\n\n")[2]


def test_a_signature_of_a_witness_beside_is_passed_over(page: Path, tmp_path: Path) -> None:
    papers = Papers(page, tmp_path, filled(5), 3)
    foreign = _signed(papers.text, OTHER_SIGNER) + "— witness.example/w AAAAAAAAAAAA\n"
    assert papers.check(papers.text + foreign)[0] == 0
    head, _, own = papers.text.rpartition("\n\n")
    assert papers.check(f"{head}\n\n{foreign}{own}")[0] == 0


def test_two_checkpoints_are_compared(page: Path, tmp_path: Path) -> None:
    log = filled(0)
    notes: dict[int, Path] = {}
    for size in (1, 2, 3, 4, 6, 7, 8, 31, 32, 70):
        fill(log, size)
        notes[size] = tmp_path / str(size)
        notes[size].write_text(LOG.checkpoint(log))
    answer = tmp_path / "answer"

    def compare(old: int, new: int, hashes: list[bytes], vkey: str = VKEY) -> tuple[int, str]:
        encoded = [base64.b64encode(each).decode() for each in hashes]
        answer.write_text(json.dumps({"old": old, "new": new, "hashes": encoded}))
        return run(page, "continues", notes[old], notes[new], answer, vkey)

    for old, new in (
        (1, 2),
        (1, 70),
        (2, 3),
        (3, 7),
        (4, 7),
        (6, 8),
        (7, 8),
        (31, 32),
        (32, 70),
        (31, 70),
        (70, 70),
    ):
        proof = LOG.prove_consistency(log, old, new)
        status, said = compare(old, new, proof)
        assert (status, said) == (
            0,
            f"PROVEN: the log of {new} entries begins with the log of {old} entries\n",
        )
        assert compare(old, new, proof, OTHER)[0] == 1
        if proof:
            assert compare(old, new, proof[:-1])[0] == 1
            assert compare(old, new, [*proof, proof[0]])[0] == 1
            assert compare(old, new, [bytes(32), *proof[1:]])[0] == 1
    assert "cut off" in compare(70, 32, [])[1]
    notes[7].write_text(LOG.checkpoint(filled(7)))
    assert compare(7, 70, LOG.prove_consistency(log, 7, 70))[0] == 1
    other = tmp_path / "other"
    other.write_text(LOG.checkpoint(filled(8)))
    status, said = run(page, "continues", notes[8], other, answer, VKEY)
    assert (status, "two different logs" in said) == (1, True)
