"""The repository as its readers get it: the tracked files, and those about to be."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """List every file that is tracked or would be by the next commit, relative to the top."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [Path(name) for name in listed.split("\0") if name]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def files_of(*suffixes: str) -> tuple[Path, ...]:
    """List those whose names end in one of `suffixes`."""
    return tuple(name for name in files() if name.suffix in suffixes)


def text(name: Path) -> str:
    """Read one of them."""
    return (ROOT / name).read_text(encoding="utf-8")
