"""Opening credentials offline, with the joined identity and nothing of the service: no key service, no settings (S6).

Decided here: what of a backup is believed. What counts is what its log tells: the version that was promoted last is the
current one, whatever the rows say, and a body is opened only where the log names its hash, so that an older value put
back, or one that somebody sealed for the public recipient, is not taken for the right one. Values that may be set at
AWS too (newer than the current one, or the one before it) are given beside it. Sealed mail is opened as well, where the
log names its hash and whose it is: a reset that came last may be the only way in. What does not open is told and passed
by, and so is an account of which the log knows a value and the rows none. What the log calls released or destroyed is
not opened (H9). Never decided here: whether the log is sound (`vault.bootstrap.recovering` examines it first); what is
read of it here is held against the root that was signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vault.crypto.envelope import Envelope, decode_wraps, open_envelope
from vault.crypto.recovery import open_wrap
from vault.domain.account import Custody
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import EventType
from vault.domain.replay import Replayed
from vault.errors import Tampered, VaultError, not_found
from vault.services.sealed_values import MAIL, MAIL_PAGE, of_mail, of_version
from vault.services.signed_leaves import signed_leaves

if TYPE_CHECKING:
    from datetime import datetime

    from audit.checkpoint import Checkpoint
    from vault.domain.account import Account
    from vault.domain.credential import Version
    from vault.domain.mail import Mail
    from vault.domain.secret import Secret
    from vault.ports.store import Unit
    from vault.services.sealed_values import SealedValue

_USEFUL: Final = frozenset(
    {VersionLabel.CURRENT, VersionLabel.STAGED, VersionLabel.PREVIOUS, VersionLabel.FAILED}
)
_OF_ROWS: Final = frozenset(
    {
        EventType.KEYS_REWRAPPED,
        EventType.DRILL_OPENED,
        EventType.CREDENTIAL_RECOVERED,
        EventType.CREDENTIAL_REUSED,
    }
)
"""Entries of work on whatever rows there are: that one names a hash says nothing about who sealed it."""
PROGRESS_EVERY: Final = 500


@dataclass(frozen=True, slots=True)
class Value:
    """One version that opened. `standing` is what it is by the log: current, or a label that may be set at AWS."""

    kind: PartKind
    number: int
    standing: str
    created_at: datetime
    sha256: str
    plaintext: Secret[str]


@dataclass(frozen=True, slots=True)
class RegainedMail:
    """One sealed mail that opened; `plaintext` is what `vault.services.mailbox.written` wrote of it."""

    mail: Mail
    plaintext: Secret[str]


@dataclass(frozen=True, slots=True)
class Failed:
    """One version or mail that did not open, and why.

    `kind` is empty where the account has no version at all; of a mail `mail` is its id, and `account_id` may be empty.
    """

    account_id: str
    kind: str
    number: int
    code: str
    words: str
    mail: str = ""

    @property
    def name(self) -> str:
        """Name it for people."""
        if self.mail:
            return f"{self.account_id or 'to no account'} mail {self.mail}"
        return f"{self.account_id} {self.kind} version {self.number}"


@dataclass(frozen=True, slots=True)
class Regained:
    """What opened of one account: the current version of each part first, and its mail, oldest first."""

    account: Account
    values: tuple[Value, ...]
    mails: tuple[RegainedMail, ...] = ()


@dataclass(slots=True)
class TheLog:
    """What the log in a backup tells of versions."""

    promoted: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    hashes: dict[tuple[str, str, int], str] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)
    """Accounts whose credential was destroyed: nothing of them is opened, whatever the rows hold."""
    vault_id: str = ""
    last: str = ""
    """The time of its last entry."""
    _state: Replayed = field(default_factory=lambda: Replayed(_unsaid))

    def take(self, content: Mapping[str, Any], leaf: bytes) -> None:
        """Take one entry in."""
        self._state.take(content, leaf)
        self.last = str(content.get("time", ""))
        if content.get("type") == EventType.LOG_OPENED:
            self.vault_id = str(content["detail"]["vault"])
        secret, account = content.get("secret"), content.get("account")
        if content.get("type") == EventType.CREDENTIAL_DESTROYED and isinstance(account, dict):
            for kind in PartKind:
                self.promoted.pop((str(account["id"]), kind.value), None)
            self.destroyed.add(str(account["id"]))
        is_told = content.get("outcome") == "success" and content.get("type") not in _OF_ROWS
        if is_told and isinstance(secret, dict) and isinstance(account, dict):
            place = (str(account["id"]), str(secret["kind"]), int(secret["version"]))
            self.hashes.setdefault(place, str(secret["ciphertext_sha256"]))
            if content["type"] == EventType.SECRET_PROMOTED:
                self.promoted[place[:2]] = (place[2], str(secret["ciphertext_sha256"]))

    def is_released(self, account_id: str) -> bool:
        """Say whether the account is its customer's by the log: nothing of it is opened, though it is still sealed."""
        return self._state.value("account", account_id) == Custody.RELEASED

    def names(self, mail: Mail) -> bool:
        """Say whether the log tells of exactly this sealed mail, to exactly this account or to none."""
        of = f"{mail.account_id or ''} {mail.recipient}"
        told = (self._state.value(fact, mail.id) for fact in ("mail", "mail.of", "mail.sha256"))
        return tuple(told) == ("sealed", of, mail.sha256)

    def is_given_back(self, account_id: str) -> bool:
        """Say whether nothing of an account is opened any more: it is its customer's, or was destroyed (H9)."""
        return account_id in self.destroyed or self.is_released(account_id)

    def standing(self, version: Version) -> str:
        """Say what a version is by the log; empty where the log names another body for it, or none."""
        if version.account_id in self.destroyed:
            return VersionLabel.DESTROYED.value
        if self.is_released(version.account_id):
            return Custody.RELEASED.value
        place = (version.account_id, version.kind.value)
        if self.promoted.get(place) == (version.number, version.sha256):
            return VersionLabel.CURRENT.value
        named = f"{version.account_id}/{version.kind}/{version.number}"
        told = self.hashes.get((*place, version.number)) or self._state.value("version.sha256", named)
        if told != version.sha256:
            return ""
        label = self._state.value("version", named)
        # a restored log tells nothing of what was before it, and a current one by the rows alone is the one before
        label = label or version.label.value
        return VersionLabel.PREVIOUS.value if label == VersionLabel.CURRENT else label


@dataclass(slots=True)
class Recovering:
    """Opens what a unit on a copy of the database holds, with an identity."""

    unit: Unit
    identity: Secret[str]
    log: TheLog = field(default_factory=TheLog)
    failed: list[Failed] = field(default_factory=list)
    opened: int = 0

    def read(self, checkpoint: Checkpoint, progress: Callable[[int, int], None]) -> None:
        """Read the log.

        Raises `Refused` log.unavailable where it is not the one of this checkpoint, and `Tampered` where it is of
        another vault than the rows.
        """
        size = checkpoint.size
        for seq, leaf in signed_leaves(self.unit.census.leaves(), checkpoint):
            self.log.take(json.loads(leaf), leaf)
            if seq % PROGRESS_EVERY == 0:
                progress(seq, size)
        progress(size, size)
        if self.log.vault_id != self.unit.vault_id:
            words = "The rows are of another vault than the log in this backup. Take another backup."
            raise Tampered("envelope.tampered", words)

    def account(self, account_id: str) -> Regained:
        """Open what is known of one account; raises `NotFound` for one that is not there."""
        account = self.unit.accounts.get(account_id)
        if account is None:
            raise not_found("account", account_id)
        values: list[Value] = []
        for kind in PartKind:
            found = tuple(self._open_all(self.unit.versions.of(account_id, kind)))
            values.extend(sorted(found, key=lambda value: value.standing != VersionLabel.CURRENT))
            self._look_for_promoted(account_id, kind, found)
        return Regained(account, tuple(values), self.mails(account_id))

    def mails(self, account_id: str | None) -> tuple[RegainedMail, ...]:
        """Open the sealed mail of one account, or that to none."""
        if account_id is not None and self.log.is_given_back(account_id):
            return ()
        found = []
        for mail in self._sealed(account_id):
            words = (
                "The log names another content for this mail, or none: it was put there. It was not opened."
            )
            try:
                if not self.log.names(mail):
                    raise Tampered("envelope.not_current", words)
                plaintext = self._open(of_mail(self.log.vault_id, mail))
            except VaultError as error:
                failed = Failed(account_id or "", MAIL, 0, error.code, error.detail, mail.id)
                self.failed.append(failed)
            else:
                self.opened += 1
                found.append(RegainedMail(mail, plaintext))
        return tuple(found)

    def _sealed(self, account_id: str | None) -> Iterator[Mail]:
        """Go through sealed mail with its content; each account's is few, so that all of it is looked at once."""
        if account_id is not None:
            for listed in self.unit.mail.sealed_of(account_id):
                mail = self.unit.mail.get(listed.id)
                if mail is not None:
                    yield mail
            return
        after = ""
        while page := self.unit.mail.sealed_piece(after, MAIL_PAGE):
            yield from (mail for mail in page if mail.account_id is None)
            after = page[-1].id

    def all(self) -> Iterable[str]:
        """Name every account that has a version, in order; tell of those that have one by the log alone."""
        found: set[str] = set()
        for version in self.unit.versions.each():
            if version.account_id not in found and self.unit.accounts.get(version.account_id) is not None:
                found.add(version.account_id)
                yield version.account_id
        for account_id, mails in sorted(self._with_mail_alone(found).items()):
            if self.unit.accounts.get(account_id) is not None:
                found.add(account_id)
                yield account_id
            elif not self.log.is_given_back(account_id):
                words = "Its account is not in the backup, so nothing says whose it is. It was not opened."
                self.failed += [
                    Failed(account_id, MAIL, 0, "envelope.not_current", words, each) for each in mails
                ]
        for account_id, kind in sorted(self.log.promoted):
            if account_id not in found:
                self._not_there(account_id, kind)

    def _with_mail_alone(self, found: set[str]) -> dict[str, list[str]]:
        """Give the ids of sealed mail by account, of accounts that have no version."""
        alone: dict[str, list[str]] = {}
        after = ""
        while page := self.unit.mail.sealed_piece(after, MAIL_PAGE):
            for mail in page:
                if mail.account_id is not None and mail.account_id not in found:
                    alone.setdefault(mail.account_id, []).append(mail.id)
            after = page[-1].id
        return alone

    def _open_all(self, versions: Iterable[Version]) -> Iterable[Value]:
        for version in versions:
            standing = self.log.standing(version)
            if not standing:
                words = (
                    "The log names another sealed value for it, or none: it was put there. It was not opened."
                )
                self._fail(version, "envelope.not_current", words)
            elif standing in _USEFUL:
                try:
                    plaintext = self._open(of_version(self.log.vault_id, version))
                except VaultError as error:
                    self._fail(version, error.code, error.detail)
                else:
                    self.opened += 1
                    yield Value(
                        version.kind, version.number, standing, version.created_at, version.sha256, plaintext
                    )

    def _open(self, value: SealedValue) -> Secret[str]:
        wraps = decode_wraps(value.wraps)
        envelope = Envelope(value.body, wraps)
        if envelope.body_sha256.hex() != value.sha256:
            raise Tampered("envelope.tampered", "The sealed value is not the one whose hash the log names.")
        return open_envelope(envelope, value.place, open_wrap(self.identity, wraps, value.place.pairs()))

    def _look_for_promoted(self, account_id: str, kind: PartKind, found: tuple[Value, ...]) -> None:
        """Say so where the version that the log calls current is not there, or is another's body."""
        promoted = self.log.promoted.get((account_id, kind.value))
        if promoted is None or self.log.is_released(account_id):
            return
        if any(value.standing == VersionLabel.CURRENT for value in found):
            return
        if not any(
            (each.account_id, each.kind, each.number) == (account_id, kind, promoted[0])
            for each in self.failed
        ):
            self._not_there(account_id, kind.value)

    def _not_there(self, account_id: str, kind: str) -> None:
        number, _ = self.log.promoted[account_id, kind]
        words = "The log calls it current, and it is not in the backup."
        self.failed.append(Failed(account_id, kind, number, "envelope.not_current", words))

    def _fail(self, version: Version, code: str, words: str) -> None:
        self.failed.append(Failed(version.account_id, version.kind.value, version.number, code, words))


def _unsaid(_: object) -> None:
    """Replay's own complaints are the service's to look at; here only hashes count."""
