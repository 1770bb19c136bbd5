"""The list of destroyed credentials, in a file outside the database: what a backup from before does not know.

A line for each destruction: canonical JSON of texts by name (`vault.domain.destruction.write`), and under ``mac`` the
hex HMAC-SHA-256 under the server's own key over the MAC of the line before (nothing before the first) and the line
without it. So no line is changed, made up, put elsewhere or taken out of the middle; that the end was cut off is not
seen. The first line is ``{"format":"rootvault destroyed 1"}``.

Decided here: a line is synced before `add` returns. Half a line at the end is what a crash left of an addition whose
transaction never committed: it is passed over, and written over by the next.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit import durable
from vault.domain.destruction import Destroyed, read, write
from vault.errors import Refused, Unavailable

FORMAT: Final = "rootvault destroyed 1"
LONGEST: Final = 64 * 1024 * 1024
Mac = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class DestroyedFile:
    """Implements `DestroyedList` on a file; `mac` is the server key's for this purpose."""

    path: Path
    mac: Mac

    def add(self, destroyed: Iterable[Destroyed]) -> None:
        """Keep these, durably before this returns; what is on the list already is passed over."""
        try:
            with durable.locked(self.path.with_name(self.path.name + ".lock")):
                content = self._content() or b""
                whole, last, known = self._read(content)
                made = b"".join(
                    self._lines([each for each in destroyed if each.account_id not in known], last)
                )
                if not whole:
                    durable.replace(self.path, self._first() + made)
                elif made:
                    self._append(len(whole), made)
        except OSError as error:
            words = (
                f"The list of destroyed credentials {self.path} cannot be written ({error.strerror});"
                " nothing was destroyed."
            )
            raise Unavailable("log.unavailable", words) from None

    def begin(self) -> bool:
        """Make an empty list where there is none; say whether it was made."""
        if self.path.exists():
            return False
        self.add(())
        return True

    def read(self) -> tuple[Destroyed, ...] | None:
        """Give all, in the order in which they came; None where there is no list."""
        try:
            content = self._content()
        except OSError as error:
            raise _refused(self.path, f"cannot be read ({error.strerror})") from None
        return None if content is None else tuple(self._read(content)[2].values())

    def _content(self) -> bytes | None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read(LONGEST + 1)

    def _read(self, content: bytes) -> tuple[bytes, bytes, dict[str, Destroyed]]:
        """Give the part that is whole, the last line's MAC, and what is told by account."""
        whole = content[: content.rfind(b"\n") + 1]
        found: dict[str, Destroyed] = {}
        last = b""
        try:
            for number, line in enumerate(whole.splitlines()):
                told = json.loads(line)
                mac = bytes.fromhex(told.pop("mac"))
                if not hmac.compare_digest(mac, self._mac(last, told)):
                    raise _refused(self.path, f"has a line {number + 1} that this vault did not write there")
                if number:
                    found[told["account_id"]] = read(told)
                elif told != {"format": FORMAT}:
                    raise _refused(self.path, "is of another format")
                last = mac
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _refused(self.path, "is damaged") from None
        return whole, last, found

    def _mac(self, last: bytes, told: Mapping[str, str]) -> bytes:
        return self.mac(last + _encode(told))

    def _lines(self, destroyed: Iterable[Destroyed], last: bytes) -> Iterator[bytes]:
        last = last or self._mac(b"", {"format": FORMAT})
        for each in destroyed:
            told = write(each)
            last = self._mac(last, told)
            yield _encode(told | {"mac": last.hex()}) + b"\n"

    def _first(self) -> bytes:
        told = {"format": FORMAT}
        return _encode(told | {"mac": self._mac(b"", told).hex()}) + b"\n"

    def _append(self, at: int, made: bytes) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(at)
            file.write(made)
            file.truncate()
            file.flush()
            os.fsync(descriptor)


def _encode(told: Mapping[str, str]) -> bytes:
    return json.dumps(dict(told), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _refused(path: Path, words: str) -> Refused:
    detail = (
        f"The list of destroyed credentials {path} {words}. Put back the copy that is kept elsewhere; see"
        " docs/destruction.md."
    )
    return Refused("destruction.list", detail)
