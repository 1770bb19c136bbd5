"""Serve a made vault in four worker processes: ``python -m tests.web.api.serving DATABASE-URL DIRECTORY``.

Prints the port once it listens. Each worker opens its own vault on the same database and the same keys.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vault.web.server import Listening, serve

if TYPE_CHECKING:
    from vault.bootstrap import Vault

WORKERS = 4


def main(url: str, directory: Path) -> None:
    """Serve until told to stop."""

    def open_vault() -> Vault:
        from tests.web.api.shared_world import open_shared  # noqa: PLC0415 - after the fork

        return open_shared(url, directory).vault

    def ready(_: str, port: int) -> None:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()

    serve(open_vault, Listening("127.0.0.1", 0, workers=WORKERS, threads=8), ready)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
