"""AWS's service descriptions are read once a process, not once a client: the vault makes a session for each client.

The descriptions are large files that botocore's loader parses and remembers; a new session has a new loader. Tests
make hundreds of clients.
"""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore.loaders import create_loader


def share_models() -> None:
    """Let every botocore session of this process use one loader for each search path."""
    if botocore.session.create_loader is create_loader:
        botocore.session.create_loader = cache(create_loader)
