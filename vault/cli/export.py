"""`export`: a copy of the log as a file that is there whole or not at all.

Decided here: what arrives goes to FILE.part, beside it stands what was asked for, and FILE appears when the
copy's own end has arrived. A copy that was cut off goes on where it is with --resume, from the same state of
the log. Files are for their owner alone.
"""

from __future__ import annotations

import base64
import json
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vault.cli.client import connect
from vault.cli.exits import UNAVAILABLE, stop
from vault.cli.output import emit, json_option

if TYPE_CHECKING:
    import http.client
    from collections.abc import Callable
    from typing import BinaryIO

FORMATS: Final = ("bundle", "jsonl", "csv", "ocsf", "cef")
_CHUNK: Final = 1 << 16
_TAIL: Final = 1 << 20
"""Bytes at the end of a file in which its last whole line is: longer ones do not exist."""
_END_OF_TAR: Final = bytes(1024)
_LAST: Final = {
    "jsonl": re.compile(rb'"index":([0-9]+)'),
    "csv": re.compile(rb'\A(?:\xef\xbb\xbf)?"([0-9]+)"'),
    "ocsf": re.compile(rb'"leaf_index":([0-9]+)'),
    "cef": re.compile(rb" cn1Label=seq cn1=([0-9]+)"),
}
"""Where a line has its index. No text that somebody typed can look so: quotes and `=` are escaped in it."""
_END: Final = {
    "jsonl": re.compile(rb'\A\{[^\n]*"end":true'),
    "csv": re.compile(rb'\A"end"'),
    "ocsf": re.compile(rb'"event_code":"export\.end"'),
    "cef": re.compile(rb"\ACEF:0\|Rackspace\|root-vault\|1\|export\.end\|"),
}


@dataclass(frozen=True, slots=True)
class _Target:
    """The file that is made, and what stands beside it until it is whole."""

    out: Path

    @property
    def part(self) -> Path:
        """What has arrived."""
        return self.out.with_name(self.out.name + ".part")

    @property
    def asked(self) -> Path:
        """What was asked for, and of which state of the log the answer is."""
        return self.out.with_name(self.out.name + ".part.json")


@click.command()
@click.option("--format", "format_", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--out", "out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE")
@click.option("--account", "account_id", help="Only entries about this account.")
@click.option("--actor", help="Only entries of this actor (an id).")
@click.option("--checkout", "checkout_id", help="Only entries of this checkout.")
@click.option(
    "--type", "type", help="Only entries of these types, such as checkout.requested,checkout.granted."
)
@click.option("--without", help="Leave entries of these types out.")
@click.option(
    "--outcome", help="Only those that ended so: success, denied, failed, unknown; several with commas."
)
@click.option("--reason", help="Only entries for which this reason was stated.")
@click.option("--ticket", help="Only entries for which this ticket was stated.")
@click.option("--since", help="From this time on (RFC 3339).")
@click.option("--until", help="Before this time (RFC 3339).")
@click.option("--text", "q", help="Only entries that hold this text.")
@click.option("--proofs", is_flag=True, help="A tar with a proof for each entry (csv, ocsf, cef).")
@click.option("--resume", is_flag=True, help="Go on with a copy that was cut off.")
@json_option
def export(
    format_: str, out: Path, *, proofs: bool, resume: bool, as_json: bool, **filters: str | None
) -> None:
    """Take a copy of the log into FILE: the whole as a bundle, or entries over a filter."""
    target = _Target(out)
    wish: dict[str, Any] = {"format": format_, **{name: value for name, value in filters.items() if value}}
    if proofs:
        wish["proofs"] = True
    if out.exists():
        stop("usage", f"{out} is there already; name another file.", 2)
    if target.part.exists() and not resume:
        words = f"{target.part} is what arrived of a copy before. Go on with --resume, or remove it."
        stop("usage", words, 2)
    more = _progress_of(target, wish) if resume else {}
    with ExitStack() as open_:
        answer = open_.enter_context(connect().download("/audit/exports", {**wish, **more}))
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (0 if more else os.O_TRUNC)
        file = open_.enter_context(os.fdopen(os.open(target.part, flags, 0o600), "wb"))
        file.seek(0, os.SEEK_END)
        _remember(target, wish, answer)
        _receive(answer, file, format_, proofs=proofs, quiet=as_json)
        file.flush()
        os.fsync(file.fileno())
    if not _is_whole(target.part, format_, proofs=proofs):
        stop("unavailable", f"{_CUT} Go on with: --resume", UNAVAILABLE)
    target.part.replace(out)
    target.asked.unlink()
    size = int(answer.headers.get("Rootvault-Size", "0"))
    if as_json:
        emit({"file": str(out), "size": size, "bytes": out.stat().st_size})
        return
    click.echo(f"{out}: the log below entry {size}, {out.stat().st_size} bytes.")


_CUT: Final = "The copy was cut off before its end."


def _receive(
    answer: http.client.HTTPResponse, file: BinaryIO, format_: str, *, proofs: bool, quiet: bool
) -> None:
    """Write what arrives; whatever breaks off leaves what arrived, to be gone on with."""
    import http.client  # noqa: PLC0415 - as in the client

    size = int(answer.headers.get("Rootvault-Size", "0"))
    has_lines = format_ in _LAST and not proofs
    with _bar(size if has_lines else None, quiet=quiet) as told:
        rest = b""
        try:
            while chunk := answer.read1(_CHUNK):
                file.write(chunk)
                if has_lines:
                    whole, _, rest = (rest + chunk).rpartition(b"\n")
                    found = _LAST[format_].search(whole.rpartition(b"\n")[2])
                    told(int(found[1]) + 1 if found else None, len(chunk))
                else:
                    told(None, len(chunk))
        except (OSError, http.client.HTTPException):
            stop("unavailable", f"{_CUT} Go on with: --resume", UNAVAILABLE)


class _bar:  # noqa: N801 - used as a statement
    """A bar on a terminal: of entries where their number is known, else of bytes."""

    def __init__(self, size: int | None, *, quiet: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second, for exports alone
        from rich.progress import (  # noqa: PLC0415 - as above
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TimeRemainingColumn,
        )

        counted = (MofNCompleteColumn(), TimeRemainingColumn()) if size is not None else (DownloadColumn(),)
        console = Console(stderr=True)
        self._bar = Progress(
            "copying", BarColumn(), *counted, console=console, disable=quiet or not console.is_terminal
        )
        self._task = self._bar.add_task("copying", total=size)
        self._counts = size is not None

    def __enter__(self) -> Callable[[int | None, int], None]:
        self._bar.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _tell(self, reached: int | None, came: int) -> None:
        if not self._counts:
            self._bar.advance(self._task, came)
        elif reached is not None:
            self._bar.update(self._task, completed=reached)


def _remember(target: _Target, wish: dict[str, Any], answer: http.client.HTTPResponse) -> None:
    """Keep what was asked for and the checkpoint of the answer, beside what arrives."""
    note = base64.b64decode(answer.headers.get("Rootvault-Checkpoint", "")).decode()
    told = json.dumps({"wish": wish, "checkpoint": note}, sort_keys=True).encode()
    descriptor = os.open(target.asked, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(told)


def _progress_of(target: _Target, wish: dict[str, Any]) -> dict[str, Any]:
    """Say how a copy goes on: what to ask for beside the wish; half a line that arrived is dropped."""
    try:
        known = json.loads(target.asked.read_bytes())
        arrived = target.part.stat().st_size
    except (OSError, ValueError):
        stop("usage", f"There is no copy to go on with: {target.part} or {target.asked.name} is missing.", 2)
    if known.get("wish") != wish:
        stop("usage", f"{target.part} is of another request; give the same options, or remove it.", 2)
    if wish.get("proofs") or not arrived:
        return {}
    more: dict[str, Any] = {"checkpoint": known["checkpoint"]}
    if wish["format"] == "bundle":
        return {**more, "offset": arrived}
    with target.part.open("r+b") as file:
        lines = _tail(file, arrived)
        file.truncate(arrived - len(lines.rpartition(b"\n")[2]))
    last = lines.rpartition(b"\n")[0].rpartition(b"\n")[2]
    found = _LAST[wish["format"]].search(last)
    return {**more, "after": int(found[1])} if found else {}


def _is_whole(part: Path, format_: str, *, proofs: bool) -> bool:
    with part.open("rb") as file:
        end = _tail(file, part.stat().st_size)
    if format_ == "bundle" or proofs:
        return end.endswith(_END_OF_TAR)
    last = end.removesuffix(b"\n").rpartition(b"\n")[2]
    return end.endswith(b"\n") and _END[format_].search(last) is not None


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(0, size - _TAIL))
    return file.read()
