"""The clipboard, where there is one: a secret goes in by standard input and is taken out again in time.

Decided here: which programs are tried. The one that empties it later is a process of its own that
knows the program and the seconds, never the secret.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import Final

PROGRAMS: Final[tuple[tuple[str, ...], ...]] = (
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("pbcopy",),
)


def find() -> tuple[str, ...] | None:
    """Give the first of the programs that this machine has."""
    return next((program for program in PROGRAMS if shutil.which(program[0])), None)


def copy(text: str, clear_after: int) -> bool:
    """Put a text into the clipboard for some seconds; False where there is none that works."""
    program = find()
    if program is None or not _put(program, text):
        return False
    subprocess.Popen(  # noqa: S603 - one of PROGRAMS
        [sys.executable, "-m", "vault.cli.clipboard", str(clear_after), *program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return True


def _put(program: tuple[str, ...], text: str) -> bool:
    try:
        # xclip stays behind to serve the text, so its output is not waited for
        done = subprocess.run(  # noqa: S603 - one of PROGRAMS
            program,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _clear() -> None:
    time.sleep(float(sys.argv[1]))
    _put(tuple(sys.argv[2:]), "")


if __name__ == "__main__":
    _clear()
