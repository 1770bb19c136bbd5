"""One sealed value and its wraps, key by key: which open it, and wraps made anew where one is missing or damaged.

Decided here: a value opens under a key where that key's own wrap, and no other, gives a data key that opens the body
in its place. A wrap for the recovery recipient is made and counted, and can be opened by nothing that runs here: one
that was found there is no proof that three shares would open anything. A new wrap counts once it was opened. Every call
of a key service is kept for the log, also where it fails (S26).
Never decided here: whether it may be done, and what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from vault.crypto import recovery
from vault.crypto.envelope import WRAPS_MAX, Envelope, check_wraps, decode_wraps, open_envelope
from vault.errors import KeysUnavailable, Refused, Tampered, VaultError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from vault.crypto.context import Context
    from vault.domain.secret import Secret
    from vault.ports.keys import KeyCall, NamedKey, NamedKeys, Wrap
    from vault.ports.recovery import RecoveryRecipient
    from vault.services.sealed_values import SealedValue

AT_ONCE: Final = 8
"""So many values are worked on at once, each of them with one call at a time."""
PIECE: Final = 32
"""So many values share one transaction: at most so many calls are without an entry if the program is killed."""
_TRIES: Final = 3

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")
Name = tuple[str, str]
"""Service and id of a key."""


def name_of(key: NamedKey | Wrap) -> Name:
    """Give the name by which a wrap and its key know each other."""
    return key.service, key.key_id


@dataclass(slots=True)
class Calls:
    """The calls made for one value, kept whatever comes of them."""

    made: list[KeyCall] = field(default_factory=list)

    def of(self, ask: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
        """Ask a key service, and keep the calls that it answers with, or fails with."""
        try:
            answer = ask(*given, **named)
        except (KeysUnavailable, Tampered) as error:
            self.made.extend(error.calls)
            raise
        self.made.extend(getattr(answer, "calls", ()))
        return answer


@dataclass(frozen=True, slots=True)
class Wrapping:
    """The keys that the settings name, one by one, and whom the recovery wrap is for in this run."""

    keys: NamedKeys
    recipient: RecoveryRecipient

    @property
    def wanted(self) -> frozenset[Name]:
        """The names of every wrap that a value shall have."""
        named = {name_of(key) for key in self.keys.sealing}
        recipient = self.recipient.recipient
        return frozenset(named | {(recovery.SERVICE, recipient)} if recipient else named)

    @property
    def openers(self) -> dict[Name, NamedKey]:
        """Every key that opens here, by name."""
        return {name_of(key): key for key in (*self.keys.sealing, *self.keys.retiring)}

    def open_under(self, key: NamedKey, value: SealedValue, calls: Calls) -> Secret[str]:
        """Open a value under one key alone; raises `Tampered` or `KeysUnavailable`."""
        wraps = tuple(wrap for wrap in decode_wraps(value.wraps) if name_of(wrap) == name_of(key))
        return self._opened(key, value.place, Envelope(value.body, wraps), calls)

    def renewed(self, value: SealedValue, calls: Calls, *, offline_too: bool = False) -> Renewed:
        """Give wraps under every wanted key, each opened alone; what is there and opens stays as it is.

        The recovery recipient's can be opened by nothing here, so one that is there proves nothing: `offline_too` makes
        it anew, of the data key that opens the body. Other wraps stay: who removes them looks at all values first.
        """
        wraps = decode_wraps(value.wraps)
        names = {name_of(wrap) for wrap in wraps}
        lacking = self.wanted - names
        unproven = (self.wanted & names) - {name_of(key) for key in self.keys.sealing}
        anew = unproven if offline_too else frozenset()
        mended: set[str] = set()
        sound: dict[Name, Secret[bytes]] = {}
        for _ in range(_TRIES):
            bad = self._damaged(value, wraps, sound, calls)
            missing = self.wanted - {name_of(wrap) for wrap in wraps} | bad | anew
            if not missing:
                return Renewed(wraps, tuple(sorted(mended)), is_changed=bool(lacking or mended))
            mended |= {key_id for _, key_id in bad}
            wraps = self._made(value, wraps, missing, next(iter(sound.values()), None), calls)
            anew = frozenset()
        raise Tampered(
            "envelope.tampered", "Wraps that were made a moment ago do not open; nothing was kept."
        )

    def _damaged(
        self,
        value: SealedValue,
        wraps: tuple[Wrap, ...],
        sound: dict[Name, Secret[bytes]],
        calls: Calls,
    ) -> frozenset[Name]:
        """Open under each wanted key that has a wrap, once; name those whose wrap is not this value's.

        The data key of each that opened is put among the `sound`, which are not asked again.
        """
        bad: set[Name] = set()
        there = {name_of(wrap): wrap for wrap in wraps}
        for key in self.keys.sealing:
            name = name_of(key)
            if name in there and name not in sound:
                envelope = Envelope(value.body, (there[name],))
                try:
                    found = calls.of(key.unwrap, envelope.wraps, value.place.pairs()).key
                    open_envelope(envelope, value.place, found)
                except Tampered:
                    bad.add(name)
                else:
                    sound[name] = found
        return frozenset(bad)

    def _made(
        self,
        value: SealedValue,
        wraps: tuple[Wrap, ...],
        missing: frozenset[Name],
        known: Secret[bytes] | None,
        calls: Calls,
    ) -> tuple[Wrap, ...]:
        """Make the missing, of the data key that is known, or else regained from a wrap that is not among them."""
        kept = tuple(wrap for wrap in wraps if name_of(wrap) not in missing)
        if len(kept) + len(missing) > WRAPS_MAX:
            words = f"A value has {WRAPS_MAX} wraps at most; remove old ones before more keys are added."
            raise Refused("keys.settings", words)
        key = self._data_key(value, kept, calls) if known is None else known
        pairs = value.place.pairs()
        made: list[Wrap] = []
        for target in self.keys.sealing:
            if name_of(target) in missing:
                made.extend(calls.of(target.wrap, key, pairs).wraps)
        if (recovery.SERVICE, self.recipient.recipient) in missing:
            made.extend(self.recipient.wrap(key, pairs))
        check_wraps((*kept, *made))
        return (*kept, *made)

    def _data_key(self, value: SealedValue, wraps: tuple[Wrap, ...], calls: Calls) -> Secret[bytes]:
        """Regain the data key from the first wrap that gives one which opens the body."""
        openers = self.openers
        failed: VaultError | None = None
        for wrap in wraps:
            key = openers.get(name_of(wrap))
            if key is None:
                continue
            try:
                found = calls.of(key.unwrap, (wrap,), value.place.pairs()).key
                open_envelope(Envelope(value.body, (wrap,)), value.place, found)
            except (KeysUnavailable, Tampered) as error:
                failed = error if failed is None or isinstance(error, KeysUnavailable) else failed
                continue
            return found
        if failed is not None:
            raise failed
        names = ", ".join(wrap.key_id for wrap in wraps) or "none"
        words = f"None of its wraps is under a key that the settings name (it has: {names})."
        raise KeysUnavailable("keys.unknown", words)

    def _opened(self, key: NamedKey, place: Context, envelope: Envelope, calls: Calls) -> Secret[str]:
        found = calls.of(key.unwrap, envelope.wraps, place.pairs())
        return open_envelope(envelope, place, found.key)


@dataclass(frozen=True, slots=True)
class Renewed:
    """All wraps of a value, and the keys whose wrap was damaged and was made anew.

    `is_changed` says that wraps were missing or damaged: not that the recipient's was made anew on principle.
    """

    wraps: tuple[Wrap, ...]
    mended: tuple[str, ...] = ()
    is_changed: bool = False


def is_outage(error: VaultError | None) -> bool:
    """Say whether a key service could not do its part, as it may for the next value too."""
    return isinstance(error, KeysUnavailable) and error.code != "keys.unknown"


def pieces(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """Part things into those that share a transaction."""
    return (things[start : start + PIECE] for start in range(0, len(things), PIECE))


def side_by_side(pool: ThreadPoolExecutor, work: Callable[[T], R], things: Sequence[T]) -> list[R]:
    """Do the same with each, some at once; give the results in their order."""
    return list(pool.map(work, things))
