"""Members without root credentials: what AWS has of a member's root, and the way there and back (C2, C4).

Under centralized root access the Organization removes a member's root credentials by `sts:AssumeRoot`, fifteen
minutes and one task at a time (IAM User Guide, "Centralize root access for member accounts"); then nobody can sign in
as root, and nobody recovers a password, until recovery is allowed again. What is not there cannot be lost: for a
member it is better than a held password.

Decided here: the lifecycle *keyless*, what was found of a root's credentials, and for which accounts this way is
better. Never decided here: who may take it (`policy`), and how AWS is asked (`vault.ports.central_root`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.account import Account, Custody, Kind, Model
from vault.domain.lifecycle import Lifecycle

SESSION_SECONDS: Final = 900
"""STS: the most that `AssumeRoot` gives."""
LOOK_LASTS: Final = timedelta(hours=1)
"""How long a look is fresh enough to propose by."""


class Task(StrEnum):
    """What a session is for; each is one of AWS's task policies and can do nothing else."""

    AUDIT = "audit"
    DELETE = "delete"
    ALLOW = "allow"


class Act(StrEnum):
    """What takes two people: that a member's root credentials go, or that their recovery is allowed again."""

    REMOVE = "remove"
    ALLOW = "allow"


class KeylessState(StrEnum):
    """Where a member stands; what AWS has may be otherwise, until somebody looks."""

    SEEN = "seen"
    """It was looked at; it has credentials, or may."""
    REMOVING = "removing"
    """Two people agreed, and the deletion began; it is not proven to be over."""
    GONE = "gone"
    """AWS said that there is nothing left."""
    ALLOWING = "allowing"
    """Two people agreed that recovery be allowed; AWS did not confirm it yet."""


class KeylessEvent(StrEnum):
    """What moves it."""

    REMOVAL_BEGUN = "removal_begun"
    PROVEN_BARE = "proven_bare"
    GIVEN_UP = "given_up"
    ALLOWING_BEGUN = "allowing_begun"
    ALLOWED = "allowed"


KEYLESS = Lifecycle(
    "keyless",
    KeylessState.SEEN,
    {
        (KeylessState.SEEN, KeylessEvent.REMOVAL_BEGUN): KeylessState.REMOVING,
        # one that never had any: what AWS says is enough
        (KeylessState.SEEN, KeylessEvent.PROVEN_BARE): KeylessState.GONE,
        (KeylessState.REMOVING, KeylessEvent.PROVEN_BARE): KeylessState.GONE,
        (KeylessState.REMOVING, KeylessEvent.GIVEN_UP): KeylessState.SEEN,
        (KeylessState.GONE, KeylessEvent.ALLOWING_BEGUN): KeylessState.ALLOWING,
        (KeylessState.ALLOWING, KeylessEvent.ALLOWED): KeylessState.SEEN,
        (KeylessState.ALLOWING, KeylessEvent.GIVEN_UP): KeylessState.GONE,
    },
)


@dataclass(frozen=True, slots=True)
class RootFound:
    """A root's credentials as AWS listed them: names alone, never a value.

    `devices` are serial numbers, `keys` ids of access keys, `certificates` ids of signing certificates.
    """

    password: bool
    devices: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing at all."""
        return not (self.password or self.devices or self.keys or self.certificates)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {
            "password": int(self.password),
            "mfa_devices": len(self.devices),
            "access_keys": len(self.keys),
            "certificates": len(self.certificates),
        }

    @property
    def in_words(self) -> str:
        """How many there are of each, in a few words."""
        said = [f"{count} {name.replace('_', ' ')}" for name, count in self.counts.items() if count]
        return ", ".join(said) or "nothing"

    def beyond(self, agreed: RootFound) -> tuple[str, ...]:
        """Name what is here and was not agreed to."""
        return (
            *(("a password",) if self.password and not agreed.password else ()),
            *sorted(set(self.devices) - set(agreed.devices)),
            *sorted(set(self.keys) - set(agreed.keys)),
            *sorted(set(self.certificates) - set(agreed.certificates)),
        )

    def facts(self) -> dict[str, object]:
        """Give it as JSON values, each list in order."""
        return {
            "password": self.password,
            "mfa_devices": sorted(self.devices),
            "access_keys": sorted(self.keys),
            "certificates": sorted(self.certificates),
        }

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> RootFound:
        """Read it back."""

        def names(key: str) -> tuple[str, ...]:
            value = facts.get(key)
            return tuple(str(each) for each in value) if isinstance(value, list) else ()

        return cls(
            facts.get("password") is True, names("mfa_devices"), names("access_keys"), names("certificates")
        )


@dataclass(frozen=True, slots=True)
class Keyless:
    """What is known of one member: when it was looked at last through which payer, and where it stands.

    `found` is `RootFound.facts` as canonical JSON.
    `proposal_id` is what two people agreed to and is under way.
    """

    account_id: str
    payer_id: str
    state: KeylessState
    seen_at: datetime
    found: str
    changed_at: datetime
    proposal_id: str | None = None

    @property
    def root(self) -> RootFound:
        """What was found."""
        return RootFound.of(json.loads(self.found))


@dataclass(frozen=True, slots=True)
class TaskSession:
    """One session that was asked of AWS: an index of entries, for AWS's own records to be matched with.

    `entry` is the one that tells of it: that it was asked for, or once AWS gave it, that and its `access_key`.
    """

    id: str
    account_id: str
    payer_id: str
    task: Task
    asked_at: datetime
    entry: int
    access_key: str | None = None


def written(found: RootFound) -> str:
    """Write what was found as canonical JSON."""
    return json.dumps(found.facts(), sort_keys=True, separators=(",", ":"))


def why_not(account: Account) -> str:
    """Say why an account cannot be without root credentials; empty where it can."""
    if account.kind is not Kind.MEMBER:
        return (
            f"Account {account.id} is a {account.kind}: an Organization manages the root of its members only."
        )
    if account.model is not Model.SPAM:
        return f"Account {account.id} is an ECAM member: its root is its customer's (C2)."
    if account.custody not in {Custody.ONBOARDING, Custody.HELD, Custody.KEYLESS}:
        return f"Account {account.id} is {account.custody}; that is decided before."
    return ""
