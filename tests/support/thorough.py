"""How much is tried: what finds planted faults each time by default, much more with ``THOROUGH=true``."""

from __future__ import annotations

import os
from typing import Final

THOROUGH: Final = os.environ.get("THOROUGH") == "true"


def times(usual: int, thorough: int) -> int:
    """Give the one number or the other."""
    return thorough if THOROUGH else usual
