"""Whether two credentials have the same value, found while values are open anyway, and kept nowhere.

Decided here: values are compared by HMAC-SHA-256 (RFC 2104) under a key that is drawn for one run and goes with it. So
nothing that could be tried against guesses outlives the run: no fingerprint is stored, logged or shown (adr/0019).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vault.domain.due import Place
    from vault.domain.secret import Secret

_KEY_BYTES: Final = 32
_KEPT_BYTES: Final = 16
"""128 bits: two of a million values meet by chance once in 10^26 runs."""


class Sameness:
    """The values of one run, each once; may be used by several threads."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._met: dict[bytes, list[Place]] = {}
        self._lock = Lock()

    def meet(self, place: Place, value: Secret[str]) -> tuple[Place, ...]:
        """Give the places that are now known to share a value with another account; none while it is the only one.

        The first two are given together, every later one alone; the same account's versions are not held together.
        """
        mac = hmac.new(self._key, f"{place[1]}\n{value.expose()}".encode(), hashlib.sha256).digest()
        with self._lock:
            met = self._met.setdefault(mac[:_KEPT_BYTES], [])
            if place in met:
                return ()
            others = [each for each in met if each[0] != place[0]]
            met.append(place)
            if not others:
                return ()
            return (place,) if len({each[0] for each in met}) > 2 else (*others, place)  # noqa: PLR2004 - the first two
