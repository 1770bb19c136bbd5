"""What a witness remembers: one directory, in it the newest checkpoint that it cosigned of each log.

    witness             its own vkey, then the origin of each log that it ever cosigned, one a line
    <sha256(origin)>    the checkpoint, with the log's signatures and its own
    lock                held by the program that serves from this directory

A witness that forgot would cosign a second past, so nothing here is made up for: a directory that `create` did not
make, that another witness uses, or in which the checkpoint of a log is missing is refused. What is written is on
disk before the call returns, and a file is seen whole or not at all.

Decided here: the files. Never done here: judging what may be written.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from audit import durable
from audit.errors import WitnessRefused
from audit.note import LONGEST
from audit.witness.wire import place_of

_SELF: Final = "witness"
_PRIVATE: Final = 0o700


class Memory:
    """The memory of one witness; used by one process at a time, as a context manager."""

    def __init__(self, directory: Path, vkey: str) -> None:
        """Open the directory; raise `WitnessRefused` if it is not this witness's, or `OSError`."""
        self._directory = directory
        self._vkey = vkey
        self._held = ExitStack()
        if not (directory / _SELF).is_file():
            words = f"{directory} is no witness's memory: make one with 'init', or restore it from a backup"
            raise WitnessRefused("witness.memory", words)
        try:
            self._held.enter_context(durable.locked(directory / "lock", wait=False))
        except BlockingIOError:
            raise WitnessRefused("witness.memory", f"another program serves from {directory}") from None
        try:
            owner, *origins = self._text(_SELF).splitlines()
        except ValueError:
            owner, origins = "", []
        if owner != vkey:
            self._held.close()
            raise WitnessRefused(
                "witness.memory", f"{directory} is the memory of another witness than {vkey}"
            )
        self._origins = dict.fromkeys(origins)

    @staticmethod
    def create(directory: Path, vkey: str) -> None:
        """Make the memory of a new witness, who knows of no log; the directory must not exist or be empty."""
        directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise WitnessRefused("witness.memory", f"{directory} is not empty: name another directory")
        durable.replace(directory / _SELF, f"{vkey}\n".encode())
        durable.sync_directory(directory.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs of which it ever cosigned a checkpoint."""
        return tuple(self._origins)

    def read(self, origin: str) -> str | None:
        """Return the newest checkpoint, None of a log that was never cosigned.

        Raises `WitnessRefused` where there should be one and is not, or `OSError`.
        """
        words = (
            f"the checkpoint of {origin} is missing or damaged in {self._directory}: restore it from a backup"
        )
        try:
            return self._text(place_of(origin))
        except FileNotFoundError:
            if origin in self._origins:
                raise WitnessRefused("witness.memory", words) from None
            return None
        except UnicodeDecodeError:
            raise WitnessRefused("witness.memory", words) from None

    def write(self, origin: str, note: str) -> None:
        """Remember a checkpoint; durable when this returns. Whoever calls for one origin holds a lock of its own."""
        durable.replace(self._directory / place_of(origin), note.encode("utf-8"))

    def know(self, origin: str) -> None:
        """Remember that a log was cosigned; after its first `write`, and never by two at once."""
        if origin not in self._origins:
            known = [self._vkey, *self._origins, origin]
            durable.replace(self._directory / _SELF, "".join(f"{each}\n" for each in known).encode())
            self._origins[origin] = None

    def _text(self, name: str) -> str:
        with (self._directory / name).open("rb") as file:
            return file.read(LONGEST + 1).decode("utf-8")
