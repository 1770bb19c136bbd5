"""Sealing and opening of versions: a data key each, bound to its place, every key call told.

Decided here: the order. Sealing calls the key service before any lock is held; opening calls it when
the authorisation is already durable. Never decided here: whether a value may be opened.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vault.crypto.context import Context
from vault.crypto.envelope import Envelope, decode_wraps, encode_wraps, open_envelope, seal
from vault.domain.credential import PartKind, Version, VersionLabel, VersionOrigin
from vault.domain.event import Result
from vault.errors import KeysUnavailable, Tampered, VaultError
from vault.services.recipient_book import FixedRecipient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from vault.domain.event import Event
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.keys import KeyCall, KeyService
    from vault.ports.recovery import RecoveryRecipient
    from vault.ports.store import Units


@dataclass(frozen=True, slots=True)
class Sealed:
    """A staged version that is not kept yet, with the key calls that made it."""

    version: Version
    calls: tuple[KeyCall, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A plaintext, to live for one request; `tampered` names keys whose wrap was refused."""

    plaintext: Secret[str]
    calls: tuple[KeyCall, ...]
    tampered: tuple[str, ...]


def logged(purpose: str, calls: tuple[KeyCall, ...]) -> tuple[Mapping[str, str], ...]:
    """Write key calls as the log keeps them (S26): each with its purpose and the service's RequestId."""
    return tuple(
        {
            "purpose": purpose,
            "operation": call.operation,
            "key": call.key_id,
            "request_id": call.request_id,
            "outcome": call.outcome,
        }
        for call in calls
    )


@contextmanager
def told_anyway(units: Units, clock: Clock, event: Event) -> Iterator[list[KeyCall]]:
    """Lend a list for the calls that were made; if what they were for fails, `event` tells of them as failed (S26).

    Otherwise AWS would know of uses of our keys that the log does not.
    """
    calls: list[KeyCall] = []
    try:
        yield calls
    except VaultError as error:
        if isinstance(error, KeysUnavailable):
            calls.extend(error.calls)
        # where the log itself cannot go on, the entry may be there and nothing more can be written
        if calls and not error.code.startswith("log."):
            detail = {**event.detail, "code": error.code}
            told = replace(event, result=Result.FAILED, kms=logged("seal", tuple(calls)), detail=detail)
            with units.write() as unit:
                unit.log.record(told, clock.now())
                unit.commit()
        raise


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens under one key service (which may be a ring of several).

    What it seals is wrapped for the recovery recipient as well, where one is in force; it opens nothing by that.
    """

    keys: KeyService
    recovery: RecoveryRecipient = field(default=FixedRecipient())

    def seal(
        self,
        vault_id: str,
        place: tuple[str, PartKind, int],
        plaintext: Secret[str],
        origin: VersionOrigin,
        by: str,
        now: datetime,
    ) -> Sealed:
        """Seal a value as a staged version of (account, kind, number) under a fresh data key (S11).

        Call it in no transaction: keys are asked, and which recipient is in force.
        """
        account_id, kind, number = place
        context = Context(vault=vault_id, account=account_id, kind=kind, version=number)
        envelope, calls = self.seal_in(context, plaintext)
        version = Version(
            account_id=account_id,
            kind=kind,
            number=number,
            label=VersionLabel.STAGED,
            origin=origin,
            body=envelope.body,
            wraps=encode_wraps(envelope.wraps),
            sha256=envelope.body_sha256.hex(),
            created_at=now,
            created_by=by,
        )
        return Sealed(version, calls)

    def open(self, vault_id: str, version: Version) -> Opened:
        """Open a version in its place; raises `KeysUnavailable` or `Tampered`, both with their calls."""
        context = Context(
            vault=vault_id, account=version.account_id, kind=version.kind, version=version.number
        )
        return self.open_in(context, version.body, version.wraps)

    def seal_in(self, context: Context, plaintext: Secret[str]) -> tuple[Envelope, tuple[KeyCall, ...]]:
        """Seal a text in its place under a fresh data key (S11); give the calls that made it. In no transaction."""
        data_key = self.keys.generate(context.pairs())
        data_key = replace(
            data_key, wraps=(*data_key.wraps, *self.recovery.wrap(data_key.key, context.pairs()))
        )
        return seal(plaintext, context, data_key), data_key.calls

    def open_in(self, context: Context, body: bytes, written: bytes) -> Opened:
        """Open a body in its place by its `written` wraps; raises as `open`."""
        wraps = decode_wraps(written)
        unwrapped = self.keys.unwrap(wraps, context.pairs())
        try:
            plaintext = open_envelope(Envelope(body, wraps), context, unwrapped.key)
        except Tampered as error:
            # the key was unwrapped all the same: its calls belong in the entry (S26)
            raise Tampered(error.code, error.detail, calls=unwrapped.calls) from None
        return Opened(plaintext, unwrapped.calls, unwrapped.tampered)
