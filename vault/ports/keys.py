"""Port: keys that make, wrap and unwrap data keys, wherever they live (AWS KMS, a local file).

Decided here: the words between the core and a key service. A service never keeps a plaintext data
key, never sees what is sealed, and tells of every attempt, so that each use of a key that its owner
can see (CloudTrail) has an entry of ours beside it (SECURITY S6, S11, S26).

The `context` of a call is `vault.crypto.context.Context.pairs()`: not secret, matched exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vault.errors import KeyCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.secret import Secret

__all__ = [
    "DataKey",
    "KeyCall",
    "KeyHealth",
    "KeyService",
    "Keys",
    "NamedKey",
    "NamedKeys",
    "Unwrapped",
    "Wrap",
    "Wrapped",
]


@dataclass(frozen=True, slots=True)
class Wrap:
    """A data key encrypted under one key: who made it (`service`), with which key, the bytes."""

    service: str
    key_id: str
    blob: bytes


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """A fresh 256-bit key for exactly one version, with a wrap under each configured key."""

    key: Secret[bytes]
    wraps: tuple[Wrap, ...]
    calls: tuple[KeyCall, ...]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The wraps made of one data key, and the attempts that made them."""

    wraps: tuple[Wrap, ...]
    calls: tuple[KeyCall, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Unwrapped:
    """A data key regained. `tampered` names keys whose wrap did not open in its place: raise an alarm."""

    key: Secret[bytes]
    calls: tuple[KeyCall, ...]
    tampered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyHealth:
    """Whether one key can be used now, in words that may be shown to an operator."""

    key_id: str
    ok: bool
    words: str


class KeyService(Protocol):
    """One key, or a ring of them. Each method ends in bounded time; each failure carries `calls`."""

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Make a data key wrapped under every key of the service.

        Raises `KeysUnavailable` if any of them cannot: half-wrapped would be half-lost (S6).
        """
        ...

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap an existing data key under every key of the service; all or `KeysUnavailable`."""
        ...

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Regain the data key from any one wrap that opens in `context`.

        Raises `Tampered` if none opens and at least one was answered with a refusal of its bytes,
        else `KeysUnavailable`.
        """
        ...

    def check(self) -> tuple[KeyHealth, ...]:
        """Look at each key without using it; never raises for a key that is down."""
        ...


class NamedKey(Protocol):
    """One key by its name: what re-wrapping and drills need, which treat each key apart from the others."""

    @property
    def service(self) -> str:
        """The word of its key service, as wraps have it."""
        ...

    @property
    def key_id(self) -> str:
        """Its name, as wraps have it."""
        ...

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap an existing data key under this key."""
        ...

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Regain the data key from this key's own wrap, and from no other."""
        ...


class NamedKeys(Protocol):
    """The keys that the settings name, one by one."""

    @property
    def sealing(self) -> tuple[NamedKey, ...]:
        """Those under which every data key is wrapped."""
        ...

    @property
    def retiring(self) -> tuple[NamedKey, ...]:
        """Those that open what they wrapped before, and wrap nothing any more."""
        ...


class Keys(KeyService, NamedKeys, Protocol):
    """The keys of the settings, as a ring and one by one."""
