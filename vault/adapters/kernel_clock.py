"""What Linux says of its own clock: adjtimex, asked and never set (adjtimex(2)).

Decided here: a kernel that cannot be asked, or answers what we do not know, is unknown, never synchronised. An
NTP or PTP service tells the kernel that it disciplines the clock; the kernel forgets it after half a day of silence.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from dataclasses import dataclass
from typing import Final

from vault.ports.daily import Synchronised

_ROOM: Final = 512
"""Larger than any `struct timex`."""
_STATUS_AT: Final = 5 * 8
"""After modes and its padding, offset, freq, maxerror and esterror, each of eight bytes on 64-bit systems."""
_UNSYNCHRONISED: Final = 0x0040
_ERROR: Final = 5


@dataclass(frozen=True, slots=True)
class KernelClock:
    """Implements `Kernel`."""

    def synchronised(self) -> Synchronised:
        """Say whether a time service disciplines the clock; never raises."""
        if sys.platform != "linux" or ctypes.sizeof(ctypes.c_long) != 8:  # noqa: PLR2004 - the layout that is read below
            return Synchronised.UNKNOWN
        room = ctypes.create_string_buffer(_ROOM)  # modes is 0: only look
        try:
            state = ctypes.CDLL(None, use_errno=True).adjtimex(room)
        except (OSError, AttributeError):
            return Synchronised.UNKNOWN
        if state < 0:
            return Synchronised.UNKNOWN
        (status,) = struct.unpack_from("i", room.raw, _STATUS_AT)
        return Synchronised.NO if state == _ERROR or status & _UNSYNCHRONISED else Synchronised.YES
