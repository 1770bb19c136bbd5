"""`python -m audit`: verify an exported log, or a receipt, with neither the vault nor its database.

    python -m audit verify BUNDLE --key VKEY [--since OLD]... [--json]
    python -m audit receipt RECEIPT --leaf LEAF --key VKEY

BUNDLE is a directory or a tar (`audit.bundle`). OLD is a checkpoint that was kept from before, or a whole older
bundle, which tells better what changed. VKEY is the log's public key as one line, or a file that holds it;
take it from where the log's owner published it, never from beside the bundle.

Exit status: 0 nothing is wrong; 1 something is, one finding a line; 2 the command was not understood, or the
key or an OLD cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from audit import merkle
from audit.bundle import open_bundle
from audit.errors import AuditError, BundleRefused, NoteRefused
from audit.note import LONGEST, Verifier
from audit.progress import bar
from audit.receipt import InclusionReceipt
from audit.verify import Older, Report, examine

SOUND: Final = 0
FOUND: Final = 1
USAGE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m audit",
        description=(__doc__ or "").partition("\n\n")[0],
        epilog="Exit status: 0 nothing is wrong, 1 something is, 2 the command or one of its files is no good.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="examine a whole exported log")
    verify.add_argument("bundle", type=Path, metavar="BUNDLE", help="a directory or a tar")
    verify.add_argument("--key", required=True, metavar="VKEY", help="the log's public key, or a file of it")
    verify.add_argument(
        "--since", action="append", default=[], type=Path, metavar="OLD", help="an older checkpoint or bundle"
    )
    verify.add_argument("--json", action="store_true", help="print the report as one JSON object")
    receipt = commands.add_parser("receipt", help="check that one entry is in the log")
    receipt.add_argument("receipt", type=Path, metavar="RECEIPT", help="a .tlog-proof file")
    receipt.add_argument(
        "--leaf", required=True, type=Path, metavar="LEAF", help="the exact bytes of the entry"
    )
    receipt.add_argument("--key", required=True, metavar="VKEY", help="the log's public key, or a file of it")
    chosen = parser.parse_args(arguments)
    try:
        verifier = _key(chosen.key)
        if chosen.command == "receipt":
            return _receipt(_read(chosen.receipt), _read(chosen.leaf), verifier)
        with ExitStack() as opened:
            since = [_older(path, opened) for path in chosen.since]
            return _verify(chosen.bundle, verifier, since, as_json=chosen.json)
    except (AuditError, OSError) as error:
        print(f"python -m audit: {_visible(str(error))}", file=sys.stderr)
        return USAGE


def _verify(path: Path, verifier: Verifier, since: Sequence[Older], *, as_json: bool) -> int:
    try:
        bundle = open_bundle(path)
    except BundleRefused as error:
        print(f"{error.code}: {error.words}")
        return FOUND
    with bundle:
        report = examine(bundle, verifier, since, bar("verifying"))
    if as_json:
        print(json.dumps(_as_json(report), indent=2))
    else:
        _print(report)
    return SOUND if report.is_sound else FOUND


def _print(report: Report) -> None:
    for finding in report.findings:
        where = "" if finding.index is None else f" at entry {finding.index}"
        print(f"{finding.code}{where}: {_visible(finding.words)}")
    if report.checkpoint is None:
        return
    name, size = _visible(report.checkpoint.origin), report.checkpoint.size
    if report.is_sound:
        older = "".join(f", and it continues the log of {size} that was kept" for size in report.agreed)
        print(f"sound: {name}, {size} entries, each in its place, under the signed root{older}")
    elif report.first_bad is None:
        print(f"NOT SOUND: {name}")
    else:
        print(f"NOT SOUND: {name}, the first bad entry is {report.first_bad} as far as can be told")


def _as_json(report: Report) -> dict[str, object]:
    checkpoint = report.checkpoint
    return {
        "sound": report.is_sound,
        "origin": checkpoint and checkpoint.origin,
        "size": checkpoint and checkpoint.size,
        "root": checkpoint and base64.b64encode(checkpoint.root).decode("ascii"),
        "examined": report.examined,
        "agreed": list(report.agreed),
        "first_bad": report.first_bad,
        "findings": [{"code": f.code, "index": f.index, "words": f.words} for f in report.findings],
    }


def _receipt(text: bytes, leaf: bytes, verifier: Verifier) -> int:
    try:
        receipt = InclusionReceipt.parse(text.decode("utf-8"))
        checkpoint = receipt.check(merkle.leaf_hash(leaf), verifier)
    except UnicodeDecodeError:
        print("receipt.form: the receipt is not UTF-8")
        return FOUND
    except AuditError as error:
        print(f"{error.code}: {error.words}")
        return FOUND
    print(
        f"sound: this is entry {receipt.index} of {checkpoint.origin}, in its first {checkpoint.size} entries"
    )
    return SOUND


def _key(given: str) -> Verifier:
    """Read a vkey from the command line or, if it is none, from the file that it names."""
    try:
        return Verifier.parse(given)
    except NoteRefused:
        path = Path(given)
        if not path.is_file():
            raise
    return Verifier.parse(_read(path).decode("ascii", "replace").strip())


def _older(path: Path, opened: ExitStack) -> Older:
    """Read a checkpoint, or the checkpoint of an older bundle."""
    if path.is_file():
        content = _read(path)
        if len(content) < LONGEST and b"\n\n" in content and b"\0" not in content:
            return Older(path.name, content.decode("utf-8", "replace"))
    bundle = opened.enter_context(open_bundle(path))
    return Older(path.name, bundle.note(), bundle)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LONGEST)


def _visible(words: str) -> str:
    """Keep what a hostile bundle says from steering the reader's terminal."""
    return "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in words)


if __name__ == "__main__":
    sys.exit(main())
