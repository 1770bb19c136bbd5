"""A whole log as files, for people who have neither the database nor the vault.

    checkpoint                 the signed checkpoint; everything below is of its size
    tile/<L>/<N>[.p/<W>]       the hashes of the tree
    tile/entries/<N>[.p/<W>]   the leaves

in a directory, or in one uncompressed tar (USTAR) with the same names. This is the layout of C2SP tlog-tiles:
served by any web server, it can be read by any client of such logs. The same log of the same size always gives
the same bytes: a tar has its members in a fixed order, the checkpoint last, and none of the machine's times,
owners or modes.

Decided here: names, order and bounds. A reader believes nothing: it opens only names that it made itself,
only regular files and no links, and never reads more than the format allows; of a tar it keeps one number for
each tile, of so many at most. A writer gives files their names when they are whole, and writes the checkpoint
last. Never done here: judging what is read, which is `audit.verify`.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

from audit.checkpoint import Checkpoint
from audit.errors import BundleRefused, LogRefused, NoteRefused, TileRefused
from audit.log import read_tile
from audit.note import LONGEST
from audit.progress import Progress, silent
from audit.storage import Storage
from audit.tile import (
    LARGEST_ENTRIES,
    LARGEST_HASHES,
    WIDTH,
    Tile,
    decode_entries,
    decode_hashes,
    tiles,
)

CHECKPOINT: Final = "checkpoint"
_BLOCK: Final = 512
_FIELDS: Final = ((0, 100), (124, 136), (148, 156), (156, 157), (257, 263), (345, 500))
_USTAR: Final = (
    b"ustar\0"  # then what is in front of the name is in a field of its own; GNU's magic is another
)
_SIZE_BITS: Final = 26
_SIZE_MOST: Final = (1 << _SIZE_BITS) - 1
MOST_MEMBERS: Final = 500_000
MOST_OTHERS: Final = 50_000
# Not blocking: a named pipe in the place of a file would wait for a writer for ever.
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_BLANK_CHECKSUM: Final = 8 * ord(" ")
_OCTAL: Final = re.compile(rb"[0-7]{1,12}")
_DIRECTORY: Final = b"5"
_KINDS: Final = {b"0", b"\0", _DIRECTORY}


class Files(Protocol):
    """Somewhere that files of a bundle can be read from."""

    def read(self, name: str, longest: int) -> bytes | None:
        """Return a file's content, None if it is not there; `BundleRefused` if it is no file, or longer."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Bundle:
    """An exported log, as `audit.verify` reads it."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def has(self, index: int) -> bool:
        """Tell nothing of entries beyond the checkpoint: what it does not name is not part of a bundle."""
        del index
        return False

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return nothing: a bundle has no search columns."""
        del start, stop
        return []

    def note(self) -> str:
        """Return the checkpoint, unverified."""
        content = self._files.read(CHECKPOINT, LONGEST)
        if content is None:
            raise BundleRefused(
                "bundle.checkpoint", "there is no file named checkpoint: this is not a bundle"
            )
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise BundleRefused("bundle.checkpoint", "the checkpoint is not UTF-8") from None

    def leaves(self, start: int, stop: int) -> dict[int, bytes]:
        """Return the leaves of one tile by index: `start` is its first, `stop` the one after its last."""
        tile = Tile(None, start // WIDTH, stop - start)
        content = self._files.read(tile.path, LARGEST_ENTRIES)
        if content is None:
            raise BundleRefused("bundle.missing", f"{tile.path} is not in the bundle")
        leaves = decode_entries(content)
        if len(leaves) != tile.width:
            raise BundleRefused("bundle.short", f"{tile.path} holds {len(leaves)} leaves, not {tile.width}")
        return dict(enumerate(leaves, start))

    def hashes(self, tile: Tile) -> list[bytes]:
        """Return the hashes of one tile."""
        content = self._files.read(tile.path, LARGEST_HASHES)
        if content is None:
            raise BundleRefused("bundle.missing", f"{tile.path} is not in the bundle")
        hashes = decode_hashes(content)
        if len(hashes) != tile.width:
            raise BundleRefused("bundle.short", f"{tile.path} holds {len(hashes)} hashes, not {tile.width}")
        return hashes


class _Directory:
    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str, longest: int) -> bytes | None:
        """Read a regular file below the directory."""
        try:
            descriptor = os.open(self._root / name, _READ)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BundleRefused("bundle.file", f"{name} cannot be read: {error.strerror}") from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BundleRefused("bundle.file", f"{name} is not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(longest + 1)
        except OSError as error:
            raise BundleRefused("bundle.file", f"{name} cannot be read: {error.strerror}") from None
        finally:
            os.close(descriptor)
        if len(content) > longest:
            raise BundleRefused("bundle.too_long", f"{name} is longer than {longest} bytes")
        return content

    def close(self) -> None:
        """Nothing stays open."""


class _Tar:
    """Reads by offset: the index of names is made once, contents stay in the file.

    Not `tarfile`, because it understands far more than a bundle needs and reads extended headers of any
    length into memory. Here a member is a regular file or a directory with a short name (POSIX ustar).
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: dict[str, int] = {}  # where the content begins, and how long it is, in one number
        others, at, end = 0, 0, file.seek(0, os.SEEK_END)
        while at < end:
            header = self._read(at, _BLOCK)
            if not header.strip(b"\0"):  # two such blocks end a tar; its end does as well
                break
            name, size = _member(header)
            at += _BLOCK
            if at + size > end:
                raise BundleRefused("bundle.tar", f"the tar ends within its member at byte {at}")
            if name is None:
                others += 1
            elif name in self._members:
                raise BundleRefused("bundle.tar", f"the tar holds {name} twice")
            else:
                self._members[name] = at << _SIZE_BITS | min(size, _SIZE_MOST)
            if others > MOST_OTHERS or len(self._members) > MOST_MEMBERS:
                words = f"the tar holds more than {MOST_MEMBERS} tiles, or {MOST_OTHERS} files that are none"
                raise BundleRefused("bundle.tar", f"{words}; unpack it into a directory")
            at += -(-size // _BLOCK) * _BLOCK

    def read(self, name: str, longest: int) -> bytes | None:
        """Read a member."""
        if name not in self._members:
            return None
        offset, size = divmod(self._members[name], 1 << _SIZE_BITS)
        if size > longest:
            raise BundleRefused("bundle.too_long", f"{name} is longer than {longest} bytes")
        content = self._read(offset, size)
        if len(content) != size:
            raise BundleRefused("bundle.tar", f"the tar ends within {name}")
        return content

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, at: int, size: int) -> bytes:
        """Read from a place, without moving the file's own: two processes may read one tar."""
        try:
            return os.pread(self._file.fileno(), size, at)
        except OSError as error:
            raise BundleRefused("bundle.tar", f"the tar cannot be read: {error.strerror}") from None


def _member(header: bytes) -> tuple[str | None, int]:
    """Read a header of a tar: the name, None for what no bundle holds, and the size of what follows."""
    name, size, checksum, kind, magic, prefix = (header[start:stop] for start, stop in _FIELDS)
    size_digits, checksum_digits = size.strip(b" \0"), checksum.strip(b" \0")
    summed = sum(header) - sum(checksum) + _BLANK_CHECKSUM
    if (
        len(header) != _BLOCK
        or not _OCTAL.fullmatch(size_digits)
        or not _OCTAL.fullmatch(checksum_digits)
        or int(checksum_digits, 8) != summed
    ):
        raise BundleRefused("bundle.tar", "the file is neither a directory nor a whole tar")
    if kind not in _KINDS:
        raise BundleRefused("bundle.tar", "the tar holds something other than files and directories")
    text = name.partition(b"\0")[0].decode("ascii", "replace").removeprefix("./")
    is_ours = kind != _DIRECTORY and not (magic == _USTAR and prefix.strip(b"\0")) and _is_ours(text)
    return text if is_ours else None, int(size_digits, 8)


def _is_ours(name: str) -> bool:
    """Tell whether a bundle may have a file of this name."""
    if name == CHECKPOINT:
        return True
    try:
        Tile.parse(name)
    except TileRefused:
        return False
    return True


def open_bundle(path: Path) -> Bundle:
    """Open an exported log, a directory or a tar; raise `BundleRefused` if it is neither."""
    if path.is_dir():
        return Bundle(_Directory(path))
    if not path.is_file():
        raise BundleRefused("bundle.absent", f"{path} is neither a directory nor a file")
    try:
        file = path.open("rb")
    except OSError as error:
        raise BundleRefused("bundle.file", f"{path} cannot be read: {error.strerror}") from None
    try:
        return Bundle(_Tar(file))
    except BundleRefused:
        file.close()
        raise


def write_bundle(
    storage: Storage, directory: Path, progress: Progress = silent, *, resume: bool = False
) -> Checkpoint:
    """Write the log into a new or empty directory and return the checkpoint that it is of.

    The checkpoint is written last: an export that was interrupted is not a bundle. With `resume` the directory
    may hold one, or an older bundle of the log: full tiles that are there and whole are left as they are, because
    a full tile never changes. Whether they are this log's is for `audit.verify` to say, as of all the rest.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if not resume and any(directory.iterdir()):
        raise BundleRefused("bundle.exists", f"{directory} is not empty")
    checkpoint, note = _head(storage)
    (directory / CHECKPOINT).unlink(missing_ok=True)
    if resume:
        _clear(directory / "tile")
    for tile, content in _contents(storage, checkpoint.size, progress, directory if resume else None):
        _write(directory / tile.path, content)
    _write(directory / CHECKPOINT, note.encode("utf-8"))
    return checkpoint


def _clear(directory: Path) -> None:
    """Remove what an interrupted or smaller export leaves: partial tiles, and files that were not whole."""
    for partial in [path for path in directory.rglob("*.p") if path.is_dir()]:
        shutil.rmtree(partial)
    for unfinished in list(directory.rglob("*.new")):
        unfinished.unlink()


def _write(path: Path, content: bytes) -> None:
    """Write a file that has its name only when it is whole."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(content)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)
    new.replace(path)


def _is_there(path: Path, tile: Tile) -> bool:
    """Tell whether a full tile was written before: all its hashes, or as many whole leaves."""
    if tile.width != WIDTH or path.is_symlink() or not path.is_file():
        return False
    if tile.level is not None:
        return path.stat().st_size == LARGEST_HASHES
    try:
        return path.stat().st_size <= LARGEST_ENTRIES and len(decode_entries(path.read_bytes())) == WIDTH
    except TileRefused:
        return False


def write_tar(storage: Storage, path: Path, progress: Progress = silent) -> Checkpoint:
    """Write the log into one new tar and return the checkpoint that it is of."""
    checkpoint, note = _head(storage)
    with (
        path.open("xb") as file,
        tarfile.open(fileobj=file, mode="w:", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for tile, content in _contents(storage, checkpoint.size, progress):
            _add(archive, tile.path, content)
        _add(archive, CHECKPOINT, note.encode("utf-8"))
    return checkpoint


def _head(storage: Storage) -> tuple[Checkpoint, str]:
    note = storage.head().note
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n"), note
    except NoteRefused:
        raise LogRefused("log.empty", "the log has no checkpoint yet") from None


def _contents(
    storage: Storage, size: int, progress: Progress, there: Path | None = None
) -> Iterator[tuple[Tile, bytes]]:
    """Return all tiles with their contents, one in memory at a time; not those that are `there` already."""
    written = 0
    for tile in tiles(size):
        if there is None or not _is_there(there / tile.path, tile):
            yield tile, read_tile(storage, tile)
        if tile.level is None:
            written += tile.width
            progress(written, size)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o644
    archive.addfile(member, io.BytesIO(content))
