"""Settings as values: every setting with its type, its default and its place.

Decided here: names and defaults. Nothing here is a secret but perhaps the database's password, which is why
its address is kept out of every repr; keys are files, and settings name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from vault.domain.actor import Role
from vault.settings.values_cases import Handover, Moves, Onboarding
from vault.settings.values_mailbox import Mailbox


class Environment(StrEnum):
    """What this vault is for; production is the strictest, and the default."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    DEMO = "demo"


class KeyServiceName(StrEnum):
    """Where data keys are wrapped."""

    AWS_KMS = "aws-kms"
    LOCAL = "local"


DEFAULT_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-central-1", "eu-north-1",
    "eu-west-1", "eu-west-2", "eu-west-3", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-southeast-1", "ap-southeast-2",
)  # fmt: skip
"""The regions that every AWS account has without opting in (AWS Account Management, "Enable or disable Regions")."""


@dataclass(frozen=True, slots=True)
class General:
    """What stands at the top of the file, before any section."""

    environment: str = Environment.PRODUCTION
    data_directory: str = "/var/lib/rootvault"
    policy_file: str = "policy.toml"


@dataclass(frozen=True, slots=True)
class Server:
    """The web server: where it listens, and who it believes."""

    public_url: str = "http://127.0.0.1:8400"
    host: str = "127.0.0.1"
    port: int = 8400
    workers: int = 2
    threads: int = 8
    trusted_proxies: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    body_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Database:
    """Where everything but keys is kept."""

    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that wrap data keys, and the server's own."""

    service: str = KeyServiceName.AWS_KMS
    kms_keys: tuple[str, ...] = ()
    retiring: tuple[str, ...] = ()
    endpoint: str = ""
    local_file: str = "local-keys.json"
    accept_insecure_local_keys: bool = False
    server_file: str = "server.key"


@dataclass(frozen=True, slots=True)
class Log:
    """The audit log's name, its signing key, and the mark that shows a rolled back database."""

    origin: str = ""
    key_file: str = "log.key"
    mark_file: str = "log.mark"
    previous_key_file: str = ""
    kms_key: str = ""
    publish_seconds: int = 5
    heartbeat_seconds: int = 3_600
    unanchored_seconds: int = 900
    clock_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Anchors:
    """Places outside that keep our checkpoints: witnesses, a locked bucket, a file, people's mailboxes."""

    witnesses: tuple[str, ...] = ()
    file: str = ""
    bucket: str = ""
    bucket_prefix: str = ""
    bucket_days: int = 2_557
    bucket_endpoint: str = ""
    mail_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server that notes are sent by."""

    server: str = ""
    security: str = "starttls"
    sender: str = ""
    user: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class Feeds:
    """Live copies of the log's entries for others to watch."""

    webhook_url: str = ""
    webhook_secret_file: str = ""
    syslog: str = ""
    lost_seconds: int = 900
    cases_url: str = ""
    cases_secret_file: str = ""
    cases_kinds: tuple[str, ...] = ()
    cases_customers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notices:
    """What people are told: a team's room beside their mail, and how long it is kept."""

    webhook_url: str = ""
    webhook_secret_file: str = ""
    keep_days: int = 90


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where AWS's own records of keys and root users are read."""

    folders: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    lookup_regions: tuple[str, ...] = ()
    endpoint: str = ""
    interval_seconds: int = 900
    wait_seconds: int = 7_200


@dataclass(frozen=True, slots=True)
class Inspection:
    """How accounts are looked at: the role in each, and what is to be there. Without a role nothing is looked at."""

    role: str = ""
    external_id: str = ""
    regions: tuple[str, ...] = DEFAULT_REGIONS
    interval_seconds: int = 86_400
    endpoint: str = ""
    defaults_file: str = "defaults.toml"


@dataclass(frozen=True, slots=True)
class Keyless:
    """How payers are asked about the root users of their members. Without a role nothing is asked."""

    role: str = ""
    external_id: str = ""
    region: str = "us-east-1"
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Offboarding:
    """How accounts are given back: the role in each, and which contacts are ours. Without a role it is done by hand."""

    role: str = ""
    external_id: str = ""
    endpoint: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketSystem:
    """Where tickets are looked up, and where things stand in an answer (JSON pointers)."""

    url: str = ""
    token_file: str = ""
    number_at: str = ""
    state_at: str = "/status"
    open_states: tuple[str, ...] = ("open",)
    accounts_at: str = ""
    customers_at: str = ""
    assignees_at: str = ""
    since_at: str = ""
    until_at: str = ""
    notes_url: str = ""
    note_field: str = "text"
    create_url: str = ""
    subject_field: str = "subject"
    created_at: str = "/number"


@dataclass(frozen=True, slots=True)
class Session:
    """How long a browser stays signed in (U3)."""

    idle_seconds: int = 900
    longest_seconds: int = 28_800


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID provider that may stand for people's passwords."""

    issuer: str = ""
    client_id: str = ""
    client_secret_file: str = ""
    client_key_file: str = ""
    hosts: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    groups_claim: str = "groups"
    role_groups: tuple[str, ...] = ()
    name: str = "your organisation"
    required: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """Invitations, new powers, tokens and password hashing."""

    hold_seconds: int = 86_400
    enrolment_seconds: int = 259_200
    token_days: int = 90
    hashes_at_once: int = 4


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How long work on credentials may wait."""

    grace_days: int = 14
    check_days: int = 100
    unverified_days: int = 7


@dataclass(frozen=True, slots=True)
class Backup:
    """How long backups are kept, and the list of what was destroyed, which no backup has (H9)."""

    keep_days: int = 35
    destroyed_file: str = "destroyed.list"


@dataclass(frozen=True, slots=True)
class Worker:
    """The sweep that writes down what time has already done (rule 10)."""

    interval_seconds: int = 15


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one vault; `directory` is where the file was found."""

    directory: Path
    general: General
    server: Server
    database: Database
    keys: Keys
    log: Log
    anchors: Anchors
    mail: Mail
    feeds: Feeds
    notices: Notices
    cloud: Cloud
    inspection: Inspection
    keyless: Keyless
    offboarding: Offboarding
    tickets: TicketSystem
    mailbox: Mailbox
    session: Session
    oidc: Oidc
    people: People
    upkeep: Upkeep
    onboarding: Onboarding
    handover: Handover
    moves: Moves
    backup: Backup
    worker: Worker

    @property
    def environment(self) -> Environment:
        """What this vault is for."""
        return Environment(self.general.environment)

    @property
    def key_service(self) -> KeyServiceName:
        """Where data keys are wrapped."""
        return KeyServiceName(self.keys.service)

    @property
    def data_directory(self) -> Path:
        """Where relative file names of keys, marks and the SQLite database begin."""
        return self.directory / self.general.data_directory

    @property
    def policy_file(self) -> Path:
        """The policy; a relative name begins beside the settings file."""
        return self.directory / self.general.policy_file

    @property
    def defaults_file(self) -> Path:
        """What accounts are to have; a relative name begins beside the settings file."""
        return self.directory / self.inspection.defaults_file

    @property
    def database_url(self) -> str:
        """The database's address for SQLAlchemy; unset, an SQLite file in the data directory."""
        return self.database.url or f"sqlite+pysqlite:///{self.data_directory / 'vault.db'}"

    @property
    def secure(self) -> bool:
        """Whether people reach the vault by TLS, so that cookies may insist on it."""
        return urlsplit(self.server.public_url).scheme == "https"

    @property
    def trusted_hosts(self) -> tuple[str, ...]:
        """The host names that requests may be for; unset, that of the public address."""
        return self.server.trusted_hosts or (urlsplit(self.server.public_url).hostname or "localhost",)

    @property
    def role_groups(self) -> Mapping[Role, frozenset[str]]:
        """The groups of the provider that let a role be used, for each role that is listed."""
        found: dict[Role, frozenset[str]] = {}
        for line in self.oidc.role_groups:
            role, _, group = line.partition("=")
            found[Role(role.strip())] = found.get(Role(role.strip()), frozenset()) | {group.strip()}
        return found

    def file(self, name: str) -> Path:
        """Give the path of a file in the data directory; an absolute name stays as it is."""
        return self.data_directory / name


SECTIONS: Final[Mapping[str, type]] = {
    "": General,
    "server": Server,
    "database": Database,
    "keys": Keys,
    "log": Log,
    "anchors": Anchors,
    "mail": Mail,
    "feeds": Feeds,
    "notices": Notices,
    "cloud": Cloud,
    "inspection": Inspection,
    "keyless": Keyless,
    "offboarding": Offboarding,
    "tickets": TicketSystem,
    "mailbox": Mailbox,
    "session": Session,
    "oidc": Oidc,
    "people": People,
    "upkeep": Upkeep,
    "onboarding": Onboarding,
    "handover": Handover,
    "moves": Moves,
    "backup": Backup,
    "worker": Worker,
}
