"""`python -m audit`: verify an exported log, or a receipt, with neither the vault nor its database.

    python -m audit verify LOG --key VKEY... [--since OLD]... [--account NUMBER] [--json]
                               [--token-file FILE] [--insecure] [--proxy HOST:PORT]
    python -m audit receipt RECEIPT --leaf LEAF --key VKEY...
    python -m audit pack PACK --key VKEY...                       (`audit.pack`)
    python -m audit witness init | serve                          (`audit.witness.command`)

LOG is a directory or a tar (`audit.bundle`), or the address of a served log (`audit.served`). OLD is a checkpoint
or a receipt that was kept from before, or a whole older log, which tells better what changed. VKEY is the log's
public key as one line, or a file that holds it; take it from where the log's owner published it, never from
beside the bundle. A log that changed its key has several: one signature by any of them is enough.

Exit status: 0 nothing is wrong; 1 something is, one finding a line; 2 the command was not understood, or the
key or an OLD cannot be read, none of the keys signed an OLD, or a package is missing: `cryptography` and `orjson`
are all that is needed.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

if _MISSING := [name for name in ("cryptography", "orjson") if find_spec(name) is None]:
    print(
        f"python -m audit: install {' and '.join(_MISSING)}: pip install {' '.join(_MISSING)}",
        file=sys.stderr,
    )
    sys.exit(2)

from audit import merkle
from audit.bundle import Bundle, open_bundle
from audit.errors import AuditError, BundleRefused, NoteRefused, ProofRefused
from audit.helper import processes
from audit.note import LONGEST, Verifier
from audit.older import check_signers
from audit.pack import LARGEST, check_pack
from audit.progress import bar
from audit.receipt import HEADER, InclusionReceipt
from audit.served import Address, Served
from audit.verify import Older, examine
from audit.witness.command import add_witness
from audit.witness.command import run as serve_as_witness
from audit.wording import NO_LOG, as_text, to_json, visible

SOUND: Final = 0
FOUND: Final = 1
USAGE: Final = 2
_TOKEN_LONGEST: Final = 4_096


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m audit",
        description=(__doc__ or "").partition("\n\n")[0],
        epilog="Exit status: 0 nothing is wrong, 1 something is, 2 the command or one of its files is no good.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_verify(commands.add_parser("verify", help="examine a whole log"))
    receipt = commands.add_parser("receipt", help="check that one entry is in the log")
    receipt.add_argument("receipt", type=Path, metavar="RECEIPT", help="a .tlog-proof file")
    receipt.add_argument(
        "--leaf", required=True, type=Path, metavar="LEAF", help="the exact bytes of the entry"
    )
    _add_key(receipt)
    pack = commands.add_parser("pack", help="check every receipt of an evidence pack")
    pack.add_argument("pack", type=Path, metavar="PACK", help="the pack's JSON file")
    _add_key(pack)
    add_witness(commands)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "witness":
            return serve_as_witness(chosen)
        if chosen.command == "receipt":
            return _receipt(_read(chosen.receipt), _read(chosen.leaf), _keys(chosen.key))
        if chosen.command == "pack":
            return _pack(chosen.pack, _keys(chosen.key))
        return _verify(chosen)
    except (AuditError, OSError) as error:
        print(f"python -m audit: {visible(str(error))}", file=sys.stderr)
        return USAGE


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "log", metavar="LOG", help="a directory, a tar, or an address such as https://…/api/v1/audit"
    )
    _add_key(parser)
    parser.add_argument(
        "--since",
        action="append",
        default=[],
        metavar="OLD",
        help="an older checkpoint, receipt or log; repeat it",
    )
    parser.add_argument("--account", metavar="NUMBER", help="say how many entries this account has")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="a file with the token that LOG asks for"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="allow http:// to other machines (without a token)"
    )
    parser.add_argument(
        "--proxy", metavar="HOST:PORT", help="reach addresses through this proxy; else through none"
    )


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="VKEY",
        help="the log's public key, or a file of it; repeat it for a log that changed its key",
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """How addresses are reached; the token is for one place only."""

    token: str | None
    place: object
    insecure: bool
    proxy: tuple[str, int] | None

    def open(self, given: str) -> Bundle:
        """Open a log by path or address."""
        if not _is_address(given):
            return open_bundle(Path(given))
        address = Address.parse(given, insecure=self.insecure)
        token = self.token if address.place == self.place else None
        return Bundle(Served(address, token, self.proxy))


def _verify(chosen: argparse.Namespace) -> int:
    verifiers = _keys(chosen.key)
    with ExitStack() as opened:
        way = _way(chosen)
        since = [_older(each, way, opened) for each in chosen.since]
        check_signers(since, verifiers)
        try:
            bundle = opened.enter_context(way.open(chosen.log))
        except BundleRefused as error:
            if _is_address(chosen.log):
                raise
            print(f"{error.code}: {visible(error.words)}\n{NO_LOG}")
            return FOUND
        is_alone = _is_address(chosen.log) or processes() == 1
        report = examine(bundle, verifiers, since, bar("verifying"), chosen.account, with_helper=not is_alone)
    print(to_json(report, verifiers) if chosen.json else as_text(report))
    return SOUND if report.is_sound else FOUND


def _way(chosen: argparse.Namespace) -> _Way:
    token = None if chosen.token_file is None else _token(chosen.token_file)
    if token is not None and not _is_address(chosen.log):
        raise BundleRefused("served.token", "a token is for an address, and LOG is none")
    place = Address.parse(chosen.log, insecure=chosen.insecure).place if token is not None else None
    proxy = None
    if chosen.proxy is not None:
        host, _, port = chosen.proxy.rpartition(":")
        if not host or not port.isdecimal() or not port.isascii():
            raise BundleRefused("served.proxy", "a proxy is given as HOST:PORT")
        proxy = host, int(port)
    return _Way(token, place, chosen.insecure, proxy)


def _receipt(text: bytes, leaf: bytes, verifiers: Sequence[Verifier]) -> int:
    try:
        receipt = InclusionReceipt.parse(text.decode("utf-8"))
        checkpoint = receipt.check(merkle.leaf_hash(leaf), *verifiers)
    except UnicodeDecodeError:
        print("receipt.form: the receipt is not UTF-8")
        return FOUND
    except AuditError as error:
        print(f"{error.code}: {visible(error.words)}")
        return FOUND
    name = visible(checkpoint.origin)
    print(f"sound: this is entry {receipt.index} of {name}, in its first {checkpoint.size} entries")
    return SOUND


def _pack(path: Path, verifiers: Sequence[Verifier]) -> int:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    try:
        if len(data) > LARGEST:
            raise ProofRefused("pack.form", f"a pack has at most {LARGEST} bytes")
        proven = check_pack(data, *verifiers)
    except AuditError as error:
        print(f"{error.code}: {visible(error.words)}")
        return FOUND
    name = visible(proven.checkpoint.origin)
    print(f"sound: its {proven.entries} entries are in {name}, in its first {proven.checkpoint.size} entries")
    return SOUND


def _keys(given: Sequence[str]) -> tuple[Verifier, ...]:
    """Read the keys of one log; the name of a log's key is the log's own."""
    verifiers = tuple(_key(each) for each in given)
    if len({verifier.name for verifier in verifiers}) > 1:
        raise NoteRefused("note.vkey", "the keys are not of one log: their names differ")
    return verifiers


def _key(given: str) -> Verifier:
    """Read a vkey from the command line or, if it is none, from the file that it names."""
    try:
        return Verifier.parse(given)
    except NoteRefused:
        path = Path(given)
        if not path.is_file():
            raise
    return Verifier.parse(_read(path).decode("ascii", "replace").strip())


def _older(given: str, way: _Way, opened: ExitStack) -> Older:
    """Read a checkpoint, that of a receipt, or that of an older log."""
    path = Path(given)
    if not _is_address(given) and path.is_file():
        content = _read(path)
        if len(content) < LONGEST and b"\n\n" in content and b"\0" not in content:
            text = content.decode("utf-8", "replace")
            is_receipt = text.startswith(f"{HEADER}\n")
            return Older(path.name, InclusionReceipt.parse(text).checkpoint if is_receipt else text)
    bundle = opened.enter_context(way.open(given))
    return Older(given if _is_address(given) else path.name, bundle.note(), bundle)


def _token(path: Path) -> str:
    """Read a token from a file that its owner alone may read; never say what the file holds."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        token = file.read(_TOKEN_LONGEST + 1).strip()
    if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
        raise BundleRefused("served.token", f"{path}: a token must be in a regular file of mode 0600")
    if not 0 < len(token) <= _TOKEN_LONGEST or not all(0x21 <= byte <= 0x7E for byte in token):  # noqa: PLR2004 - printable ASCII
        raise BundleRefused("served.token", f"{path}: the file does not hold one token")
    return token.decode("ascii")


def _is_address(given: str) -> bool:
    return given.startswith(("https://", "http://"))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LONGEST)


if __name__ == "__main__":
    sys.exit(main())
