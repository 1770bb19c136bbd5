"""One CloudTrail file as a stream of records: unpacked, decoded and parted in bounded memory.

Decided here: a file is gzip (one member or several) of ``{"Records":[{…},{…}]}``, as CloudTrail writes it. At
most `UNPACKED_MAX` bytes are unpacked and no record is longer than `RECORD_MAX` characters, so that a bomb
ends as a fault of its file. A record that no parser takes (too deep, a number of a million digits) is passed
over by counting brackets, and told of; those behind it are read. What is cut off is a fault: the records
before the cut count.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from typing import IO, Final

from vault.ports.cloud import PartBroken, Unreadable

CHUNK: Final = 1 << 16
UNPACKED_MAX: Final = 512 << 20
RECORD_MAX: Final = 1 << 20
"""CloudTrail's own limit is 256 KB."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_HEAD: Final = re.compile(r'\s*\{\s*"Records"\s*:\s*\[')
_HEAD_MAX: Final = 256
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_MARK: Final = re.compile(r'["{}\[\]]')
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_file(file: IO[bytes], unpacked_max: int = UNPACKED_MAX) -> Iterator[object]:
    """Give the records of an open file, one after the other; close the file at the end."""
    with file:
        yield from split(_decoded(_unpacked(file, unpacked_max)))


def split(texts: Iterator[str]) -> Iterator[object]:
    """Part ``{"Records":[…]}`` into its items; `Unreadable` stands for each that no parser takes."""
    window = _Window(texts)
    window.expect(_HEAD)
    window.blank()
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    if window.take("]"):
        window.end()
        return
    while True:
        yield window.item(decoder)
        window.blank()
        if window.take("]"):
            window.end()
            return
        if not window.take(","):
            raise PartBroken("not JSON")
        window.blank()


class _Window:
    """The stretch of text between what was read and what has come."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._text = ""
        self._at = 0
        self._over = False

    def expect(self, pattern: re.Pattern[str]) -> None:
        """Pass what a file begins with."""
        while (found := pattern.match(self._text)) is None:
            if len(self._text) > _HEAD_MAX:
                raise PartBroken("not CloudTrail")
            if not self._more():
                raise PartBroken("not CloudTrail" if self._text else "empty")
        self._at = found.end()

    def blank(self) -> None:
        """Pass blanks."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = self._at if found is None else found.end()
            if self._at < len(self._text) or not self._more():
                return

    def take(self, mark: str) -> bool:
        """Pass one character if it is the next."""
        if not self._text.startswith(mark, self._at):
            return False
        self._at += 1
        return True

    def end(self) -> None:
        """Read what closes a file, so that a file which lacks its end is known as cut off."""
        self.blank()
        if not self.take("}"):
            raise PartBroken("not JSON")
        self.blank()
        if self._at < len(self._text):
            raise PartBroken("not JSON")

    def item(self, decoder: json.JSONDecoder) -> object:
        """Give the value that begins here."""
        tried = 0
        while True:
            # a value is tried again only when as much again has come: tries stay linear in its length
            if len(self._text) - self._at > tried:
                tried = 2 * (len(self._text) - self._at)
                try:
                    value, self._at = decoder.raw_decode(self._text, self._at)
                except json.JSONDecodeError:
                    if self._over:
                        raise PartBroken("not JSON") from None
                except (ValueError, RecursionError):
                    self._pass_over()
                    return Unreadable("json")
                else:
                    return value
            if len(self._text) - self._at > RECORD_MAX:
                raise PartBroken("record too long")
            if not self._more():
                tried = 0
                if self._at >= len(self._text):
                    raise PartBroken("not JSON")

    def _pass_over(self) -> None:
        """Pass a value by its brackets alone."""
        depth, at = 0, self._at
        while True:
            found = _MARK.search(self._text, at)
            if found is not None and found[0] == '"':
                string = _STRING.match(self._text, found.start())
                if string is not None:
                    at = string.end()
                    continue
            elif found is not None:
                depth += 1 if found[0] in "{[" else -1
                at = found.end()
                if depth <= 0:
                    self._at = at
                    return
                continue
            else:
                at = len(self._text)
            if at - self._at > RECORD_MAX:
                raise PartBroken("record too long")
            passed = at - self._at
            if not self._more():
                raise PartBroken("cut off")
            at = self._at + passed

    def _more(self) -> bool:
        """Take in more text; False where there is none."""
        if self._over:
            return False
        text = next(self._texts, None)
        if text is None:
            self._over = True
            return False
        self._text = self._text[self._at :] + text
        self._at = 0
        return True


def _decoded(chunks: Iterator[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise PartBroken("not UTF-8") from None


def _unpacked(file: IO[bytes], most: int) -> Iterator[bytes]:
    """Unpack gzip piece by piece; a member that does not end is cut off."""
    unpacker = zlib.decompressobj(_GZIP)
    total, begun = 0, False
    try:
        while packed := file.read(CHUNK):
            begun, piece = True, b""
            # a full piece may have more behind it although all input was taken
            while packed or len(piece) == CHUNK:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(_GZIP)
                piece = unpacker.decompress(packed, CHUNK)
                total += len(piece)
                if total > most:
                    raise PartBroken("unpacks to too much")
                yield piece
                packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if unpacker.eof and not packed:
                    break
    except zlib.error:
        raise PartBroken("damaged" if total else "not gzip") from None
    if begun and not unpacker.eof:
        raise PartBroken("cut off")
