"""What the demonstration's AWS has: accounts with what lies in them, an Organization, sessions, and mail it sent."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

REGIONS: Final = ("eu-west-1", "us-east-1", "us-west-2")
"""The enabled regions of every account here; AWS has more."""
ROOT_TASKS: Final = "arn:aws:iam::aws:policy/root-task/"


class RefusalError(Exception):
    """AWS's no: its word for it, the status of HTTP, and of some errors a finer word."""

    def __init__(self, code: str, status: int = 400, reason: str = "", message: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.reason = code, status, reason
        self.message = message or code


@dataclass(slots=True)
class Role:
    """A role: who may take it on (an account's number, empty: nobody from outside), and by which external id."""

    name: str
    trusts: str = ""
    external_id: str = ""
    service: str = ""
    managed: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Rule:
    """A rule of EventBridge with the ids of its targets."""

    name: str
    targets: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Root:
    """An account's root user: whether there is a password, or the mailbox's owner may set one; devices by serial."""

    password: bool = True
    recoverable: bool = True
    devices: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """One account. `topics` and `rules` are by region, `contacts` alternate ones by kind.

    `standalone` says whether it has what leaving an Organization needs: contact, phone, payment method, support plan.
    """

    number: str
    name: str
    email: str
    payer: str = ""
    state: str = "ACTIVE"
    standalone: bool = False
    roles: dict[str, Role] = field(default_factory=dict)
    policies: dict[str, list[str]] = field(default_factory=dict)
    topics: dict[str, set[str]] = field(default_factory=dict)
    rules: dict[str, dict[str, Rule]] = field(default_factory=dict)
    recorders: dict[str, str] = field(default_factory=dict)
    buckets: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    contact: dict[str, str] = field(default_factory=dict)
    password_policy: dict[str, Any] = field(default_factory=dict)
    root: Root = field(default_factory=Root)

    def everything(self) -> list[str]:
        """Name all that lies in it, each with its kind and place."""
        return sorted(
            [f"role {name}" for name in self.roles]
            + [f"policy {name}" for name in self.policies]
            + [f"topic {name} in {region}" for region, names in self.topics.items() for name in names]
            + [f"rule {name} in {region}" for region, names in self.rules.items() for name in names]
            + [f"bucket {name}" for name in self.buckets]
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an account, as a user, a role or for one task as root; `region` is the one that was asked."""

    account: str
    arn: str
    region: str
    source: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials that STS gave."""

    account: str
    arn: str
    token: str
    until: datetime
    source: str = ""
    task: str = ""


@dataclass(slots=True)
class Cloud:
    """All of it. `vault` is the account that the vault's own access key is of; `mailed` holds address and code."""

    vault: str = "123456789012"
    accounts: dict[str, Account] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    mailed: list[tuple[str, str]] = field(default_factory=list)
    pending: dict[str, tuple[str, str]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    access_key: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(8).upper()}")
    secret_key: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def add(self, number: str, name: str, email: str, payer: str = "") -> Account:
        """Make an account: in the Organization of a payer, which may be itself, or in none."""
        self.accounts[number] = Account(number, name, email, payer)
        return self.accounts[number]

    def environment(self) -> dict[str, str]:
        """Give the variables by which boto3 is the vault's own user here."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def caller(self, access_key: str, token: str, region: str) -> Caller:
        """Find who asks; refuse who is not known, or whose time is over."""
        if access_key == self.access_key:
            return Caller(self.vault, f"arn:aws:iam::{self.vault}:user/rootvault", region)
        session = self.sessions.get(access_key)
        if session is None or not secrets.compare_digest(session.token, token):
            raise RefusalError("InvalidClientTokenId", 403)
        if datetime.now(UTC) >= session.until:
            raise RefusalError("ExpiredToken", 403)
        return Caller(session.account, session.arn, region, session.source, session.task)

    def open(self, account: str, arn: str, seconds: int, source: str, task: str = "") -> dict[str, Any]:
        """Give out credentials for some seconds, as STS's answers have them."""
        key, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(48)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self.sessions[key] = Session(account, arn, token, until, source, task)
        return {
            "AccessKeyId": key,
            "SecretAccessKey": secrets.token_hex(20),
            "SessionToken": token,
            "Expiration": until,
        }

    def account(self, number: str) -> Account:
        """Find an account; refuse one that there is not."""
        if number not in self.accounts:
            raise RefusalError("AccountNotFoundException")
        return self.accounts[number]

    def members(self, payer: str) -> list[Account]:
        """List the accounts of an Organization, its payer among them."""
        return sorted(
            (each for each in self.accounts.values() if each.payer == payer), key=lambda each: each.number
        )

    def member(self, caller: Caller, number: str) -> Account:
        """Find a member that who asks is the payer of."""
        found = self.accounts.get(number)
        if found is None or found.payer != caller.account or number == caller.account:
            raise RefusalError("AccessDeniedException")
        return found


def request_id() -> str:
    """Make an id of a request, as AWS does."""
    return str(uuid.uuid4())
