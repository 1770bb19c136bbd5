"""What `rootvault login` remembers between commands: an address and a token, in a file of mode 0600.

Decided here: the file is ours alone or it is not used. Never kept: a password, a code, a secret of an
account.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from vault.cli.exits import stop

MODE: Final = 0o600


def place() -> Path:
    """Give the file's path (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "rootvault" / "session.json"


def recall() -> tuple[str, str]:
    """Give the address and the token, empty where nothing is remembered."""
    path = place()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return "", ""
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & ~MODE:
            stop("usage", f"{path} is not yours alone. Remove it and run: rootvault login", 2)
        data = file.read(65_536)
    try:
        kept = json.loads(data)
        return str(kept["url"]), str(kept["token"])
    except (ValueError, KeyError, TypeError):
        stop("usage", f"{path} cannot be read. Run: rootvault login", 2)


def remember(url: str, token: str) -> Path:
    """Write both, replacing what was there in one step."""
    path = place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token}, file)
    fresh.replace(path)
    return path


def forget() -> None:
    """Remove the file."""
    with suppress(FileNotFoundError):
        place().unlink()
