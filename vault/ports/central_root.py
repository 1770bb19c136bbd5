"""Port of centralized root access, and the store of what is known of members without root credentials.

Decided here: a session is opened for one task of one member, and does what that task is; what it found, it tells by
names. Both cross the network: never within a transaction. What is not there any more is removed already, and
recovery that is allowed already is allowed, so that whoever was interrupted does the same again. Its keys stay inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.keyless import Keyless, RootFound, Task, TaskSession
from vault.ports.records import Page, Slice


class RootSession(Protocol):
    """A privileged session on a member's root, for one task; good for minutes."""

    @property
    def access_key(self) -> str:
        """The id of its access key, under which AWS records what it does; no secret."""
        ...

    @property
    def request_id(self) -> str:
        """AWS's id of the request that gave it out."""
        ...

    def look(self) -> RootFound:
        """List what the root has; raises `Unavailable` keyless.unavailable."""
        ...

    def remove(self, found: RootFound) -> None:
        """Delete these, devices last: keys, certificates, the password. Raises `Unavailable` keyless.unavailable."""
        ...

    def allow_recovery(self) -> None:
        """Let the mailbox's owner set a password again. Raises `Unavailable` keyless.unavailable."""
        ...


class CentralRoot(Protocol):
    """Centralized root access of the Organizations whose payers trust us."""

    def open(self, payer_id: str, member_id: str, task: Task, source: str) -> RootSession:
        """Open a session in the name of `source`; raises `Unavailable` keyless.unavailable with AWS's reason."""
        ...


@dataclass(frozen=True, slots=True)
class KeylessFilter:
    """Which members; None does not narrow. `is_gone` says whether they are without root credentials."""

    is_gone: bool | None = None
    customer_id: str | None = None


class KeylessStore(Protocol):
    """Members and their sessions. Works inside the unit's transaction."""

    def get(self, account_id: str) -> Keyless | None:
        """Find what is known of a member."""
        ...

    def put(self, keyless: Keyless) -> None:
        """Write what is known, for the first time or again; whoever calls holds the account's row."""
        ...

    def page(self, reach: Reach, wanted: KeylessFilter, part: Slice) -> Page[tuple[Account, Keyless | None]]:
        """List members whose root could be, or is, without credentials, by number, with what is known of each."""
        ...

    def payers(self, reach: Reach) -> tuple[Account, ...]:
        """List the payers within `reach`, by number."""
        ...

    def ask(self, session: TaskSession) -> None:
        """Keep that a session was asked for."""
        ...

    def opened(self, session: TaskSession) -> None:
        """Write its access key and the entry that tells of it."""
        ...

    def session(self, access_key: str) -> TaskSession | None:
        """Find by access key."""
        ...

    def last_asked(self, account_id: str, task: Task) -> datetime | None:
        """Give when a session for a task was last asked for on a member; None where none ever was."""
        ...

    def unanswered(self, account_id: str, since: datetime, until: datetime) -> tuple[TaskSession, ...]:
        """List sessions of a member asked for within a time of which AWS's answer was never written."""
        ...
