"""Hardening of the process: what it holds in memory must not end up in a file (SECURITY S13)."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

_PR_GET_DUMPABLE: Final = 3
_PR_SET_DUMPABLE: Final = 4


def harden() -> tuple[str, ...]:
    """Forbid core files and, on Linux, tracing and dumping by other processes of our user.

    Gives words on what was done and what could not be; never raises, because a development machine
    may not allow it. ``prctl(2)``, PR_SET_DUMPABLE; ``setrlimit(2)``, RLIMIT_CORE.
    """
    return (_forbid_core_files(), _forbid_dumps())


def _forbid_core_files() -> str:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as failure:
        return f"core files could not be forbidden: {failure}"
    return "core files are forbidden"


def _forbid_dumps() -> str:
    if sys.platform != "linux":
        return f"the process cannot be made undumpable on {sys.platform}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 or libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0:
        return f"the process could not be made undumpable: errno {ctypes.get_errno()}"
    return "the process is not dumpable"
