"""Reading settings: from ``vault.toml`` and the environment to values, or to a sentence that names the setting.

Decided here: bounds; where the file is looked for; that what is not known is refused rather than ignored.
The environment wins over the file: ``ROOTVAULT_SERVER_PORT`` is ``port`` in ``[server]``. Never done here:
opening anything but the settings file (the composition root does, and checks what it opens).
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, get_type_hints
from urllib.parse import urlsplit

from vault.domain.actor import Role
from vault.errors import Refused
from vault.settings.values import (
    SECTIONS,
    Anchors,
    Backup,
    Cloud,
    Database,
    Environment,
    Feeds,
    General,
    Inspection,
    Keyless,
    Keys,
    KeyServiceName,
    Log,
    Mail,
    Notices,
    Offboarding,
    Oidc,
    People,
    Server,
    Session,
    Settings,
    TicketSystem,
    Upkeep,
    Worker,
)
from vault.settings.values_cases import Handover, Moves, Onboarding
from vault.settings.values_mailbox import Mailbox

FILE: Final = "vault.toml"
PREFIX: Final = "ROOTVAULT_"
NOT_SETTINGS: Final = frozenset({"CONFIG", "URL", "TOKEN"})
"""Variables of this prefix that are no settings: where they are, and the people's command line's own."""
SYSTEM_DIRECTORY: Final = Path("/etc/rootvault")

Value: TypeAlias = str | int | bool | tuple[str, ...]
Table: TypeAlias = Mapping[str, object]
S = TypeVar(
    "S",
    General,
    Server,
    Database,
    Keys,
    Log,
    Anchors,
    Mail,
    Feeds,
    Notices,
    Cloud,
    Inspection,
    Keyless,
    Offboarding,
    TicketSystem,
    Mailbox,
    Session,
    Oidc,
    People,
    Upkeep,
    Onboarding,
    Handover,
    Moves,
    Backup,
    Worker,
)


_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "server.port": (0, 65_535),
    "server.workers": (1, 64),
    "server.threads": (1, 128),
    "server.body_bytes": (1_024, 1_048_576),
    "log.publish_seconds": (1, 300),
    "log.heartbeat_seconds": (60, 86_400),
    "log.unanchored_seconds": (0, 86_400),
    "log.clock_seconds": (1, 3_600),
    "anchors.bucket_days": (1, 36_500),
    "feeds.lost_seconds": (10, 86_400),
    "notices.keep_days": (7, 3_650),
    "cloud.interval_seconds": (10, 86_400),
    "cloud.wait_seconds": (60, 604_800),
    "inspection.interval_seconds": (3_600, 2_592_000),
    "mailbox.hops": (0, 20),
    "mailbox.message_bytes": (65_536, 41_943_040),
    "mailbox.recipients": (1, 100),
    "mailbox.connections": (1, 200),
    "mailbox.timeout_seconds": (5, 600),
    "mailbox.kept": (10, 1_000_000),
    "mailbox.kept_of_address": (10, 100_000),
    "mailbox.per_hour": (10, 100_000),
    "mailbox.keep_days": (1, 365),
    "session.idle_seconds": (60, 3_600),
    "session.longest_seconds": (300, 86_400),
    "people.hold_seconds": (0, 2_592_000),
    "people.enrolment_seconds": (300, 2_592_000),
    "people.token_days": (1, 90),
    "people.hashes_at_once": (1, 16),
    "upkeep.grace_days": (0, 365),
    "upkeep.check_days": (1, 3_650),
    "upkeep.unverified_days": (1, 365),
    "handover.accounts_a_day": (1, 10_000),
    "handover.link_days": (1, 30),
    "handover.grace_days": (1, 365),
    "moves.first_day": (1, 28),
    "moves.last_day": (1, 31),
    "backup.keep_days": (1, 36_500),
    "worker.interval_seconds": (1, 300),
}
_KINDS: Final[Mapping[object, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    tuple[str, ...]: "a list of texts",
}
_NAME_MOST: Final = 60
_HERE: Final = ("127.0.0.1", "::1", "localhost")
_DRIVERS: Final = ("sqlite+pysqlite:///", "postgresql+psycopg://")
_ORIGIN: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}(/[A-Za-z0-9._-]{1,64}){0,4}", re.ASCII)


def find_directory(given: str | None, environment: Mapping[str, str]) -> Path:
    """Find where ``vault.toml`` lies: named, else the system's, the source tree's, the installation's."""
    named = given or environment.get(f"{PREFIX}CONFIG", "")
    if named:
        directory = Path(named).absolute()
        if not (directory / FILE).is_file():
            raise Refused(
                "settings.invalid", f"There is no {FILE} in {directory}. Name its directory with --config."
            )
        return directory
    return _first_with_settings((SYSTEM_DIRECTORY, *_shipped()))


def shipped_directory() -> Path:
    """Find the settings and the policy that came with the program, whatever this machine's own are."""
    return _first_with_settings(_shipped())


def _shipped() -> tuple[Path, Path]:
    source_tree = Path(__file__).resolve().parents[2] / "config"
    return source_tree, Path(sys.prefix) / "share" / "rootvault" / "config"


def _first_with_settings(places: tuple[Path, ...]) -> Path:
    for place in places:
        if (place / FILE).is_file():
            return place
    looked = ", ".join(str(place) for place in places)
    raise Refused("settings.invalid", f"No {FILE} was found in {looked}. Name its directory with --config.")


def load_settings(given: str | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of one vault; raise `Refused` ``settings.invalid`` naming the first wrong one."""
    environment = os.environ if environment is None else environment
    directory = find_directory(given, environment)
    path = directory / FILE
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        raise Refused("settings.invalid", f"{path} cannot be read: {failure}") from None
    return parse_settings(document, directory, environment)


def parse_settings(document: Table, directory: Path, environment: Mapping[str, str]) -> Settings:
    """Make settings of a parsed file and the environment, checked one by one and against each other."""
    _only_known(document, environment)
    settings = Settings(
        directory,
        _section("", General, document, environment),
        _section("server", Server, document, environment),
        _section("database", Database, document, environment),
        _section("keys", Keys, document, environment),
        _section("log", Log, document, environment),
        _section("anchors", Anchors, document, environment),
        _section("mail", Mail, document, environment),
        _section("feeds", Feeds, document, environment),
        _section("notices", Notices, document, environment),
        _section("cloud", Cloud, document, environment),
        _section("inspection", Inspection, document, environment),
        _section("keyless", Keyless, document, environment),
        _section("offboarding", Offboarding, document, environment),
        _section("tickets", TicketSystem, document, environment),
        _section("mailbox", Mailbox, document, environment),
        _section("session", Session, document, environment),
        _section("oidc", Oidc, document, environment),
        _section("people", People, document, environment),
        _section("upkeep", Upkeep, document, environment),
        _section("onboarding", Onboarding, document, environment),
        _section("handover", Handover, document, environment),
        _section("moves", Moves, document, environment),
        _section("backup", Backup, document, environment),
        _section("worker", Worker, document, environment),
    )
    _check(settings)
    return settings


def setting_names() -> tuple[str, ...]:
    """Name every setting as the messages do, such as ``environment`` and ``server.port``."""
    return tuple(_name(section, each.name) for section, kind in SECTIONS.items() for each in fields(kind))


def variable(name: str) -> str:
    """Give the environment variable of a setting."""
    return PREFIX + name.replace(".", "_").upper()


def _only_known(document: Table, environment: Mapping[str, str]) -> None:
    known = {section: {each.name for each in fields(kind)} for section, kind in SECTIONS.items()}
    for name, value in document.items():
        if name in known and name:
            table = value if isinstance(value, Mapping) else _wrong(name, "must be a section")
            for unknown in table.keys() - known[name]:
                _wrong(_name(name, unknown), "is not known here; check the spelling")
        elif name not in known[""]:
            _wrong(name, "is not known here; check the spelling")
    variables = {variable(name) for name in setting_names()} | {PREFIX + name for name in NOT_SETTINGS}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in variables:
            _wrong(name, "is not known here; check the spelling of the environment variable")


def _section(section: str, kind: type[S], document: Table, environment: Mapping[str, str]) -> S:
    table = document if not section else document.get(section, {})
    if not isinstance(table, Mapping):
        _wrong(section, "must be a section")
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for each in fields(SECTIONS[section]):
        name = _name(section, each.name)
        written = environment.get(variable(name))
        if written is not None:
            given[each.name] = _from_text(name, hints[each.name], written)
        elif each.name in table:
            given[each.name] = _from_toml(name, hints[each.name], table[each.name])
    return kind(**given)


def _from_toml(name: str, kind: object, value: object) -> Value:
    if kind is str and isinstance(value, str):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return _bounded(name, value)
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    _wrong(name, f"must be {_KINDS[kind]}")


def _from_text(name: str, kind: object, text: str) -> Value:
    if kind is str:
        return text
    if kind is bool:
        return _from_toml(name, kind, {"true": True, "false": False}.get(text.lower(), text))
    if kind is int:
        return _from_toml(name, kind, int(text) if re.fullmatch(r"-?[0-9]{1,12}", text, re.ASCII) else text)
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _bounded(name: str, value: int) -> int:
    low, high = _BOUNDS[name]
    if not low <= value <= high:
        _wrong(name, f"must be from {low} to {high}")
    return value


def _check(settings: Settings) -> None:
    if settings.general.environment not in set(Environment):
        _wrong("environment", f"must be one of {', '.join(Environment)}")
    if settings.keys.service not in set(KeyServiceName):
        _wrong("keys.service", f"must be one of {', '.join(KeyServiceName)}")
    if not settings.general.data_directory.strip():
        _wrong("data_directory", "must name a directory")
    _check_server(settings)
    if settings.database.url and not settings.database.url.startswith(_DRIVERS):
        _wrong("database.url", f"must begin with {' or '.join(_DRIVERS)}")
    if _ORIGIN.fullmatch(settings.log.origin) is None:
        _wrong(
            "log.origin", "must name the log for ever, as in vault.example.com/audit (no scheme, no blanks)"
        )
    if settings.session.idle_seconds > settings.session.longest_seconds:
        _wrong("session.idle_seconds", "must not be longer than session.longest_seconds")
    _check_keys(settings)
    _check_oidc(settings.oidc)


def _check_server(settings: Settings) -> None:
    address = urlsplit(settings.server.public_url)
    if address.scheme not in {"http", "https"} or not address.hostname or address.path not in {"", "/"}:
        _wrong("server.public_url", "must be an address such as https://vault.example.com")
    if settings.environment is Environment.PRODUCTION and address.scheme != "https":
        _wrong("server.public_url", "must begin with https:// in production: passwords travel on it")
    for network in settings.server.trusted_proxies:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            _wrong(
                "server.trusted_proxies", f"holds {network!r}, which is no address or network (10.0.0.0/8)"
            )


def _check_keys(settings: Settings) -> None:
    if settings.key_service is KeyServiceName.AWS_KMS:
        if not settings.keys.kms_keys:
            _wrong(
                "keys.kms_keys", "must name the ARNs of the KMS keys, two of them in different AWS accounts"
            )
        return
    insecure = settings.environment is Environment.PRODUCTION and not settings.keys.accept_insecure_local_keys
    if insecure:
        _wrong(
            "keys.service",
            "is local, which is refused in production: whoever reads the key file opens every envelope. Use "
            "aws-kms, or set keys.accept_insecure_local_keys = true and answer for it",
        )


def _check_oidc(oidc: Oidc) -> None:
    if not oidc.issuer:
        for name in ("client_id", "client_secret_file", "client_key_file", "role_groups", "required"):
            if getattr(oidc, name):
                _wrong(f"oidc.{name}", "is without effect: oidc.issuer names no provider")
        return
    if not is_provider_address(oidc.issuer):
        _wrong("oidc.issuer", "must be the provider's address as it calls itself, with https://, no query")
    if not oidc.client_id:
        _wrong("oidc.client_id", "must be the name under which the provider knows this vault")
    if bool(oidc.client_secret_file) == bool(oidc.client_key_file):
        _wrong("oidc.client_secret_file", "or oidc.client_key_file must name a file, and only one of them")
    for host in oidc.hosts:
        if not is_provider_address(f"https://{host}") or "/" in host:
            _wrong("oidc.hosts", f"holds {host!r}, which is no host such as keys.example.com, or with a port")
    for line in oidc.role_groups:
        role, equals, group = line.partition("=")
        if role.strip() not in set(Role) or not equals or not group.strip():
            _wrong("oidc.role_groups", f"holds {line!r}; write a role, = and a group of the provider")
    if not 1 <= len(oidc.name) <= _NAME_MOST or not oidc.name.isprintable():
        _wrong("oidc.name", f"must say in 1 to {_NAME_MOST} characters who the provider is, for the button")


def is_provider_address(url: str) -> bool:
    """Say whether an address can be a provider's: by TLS, or on this machine; no user, query or fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or "?" in url or "#" in url or not url.isascii():
        return False
    if parts.scheme == "http":
        return host in _HERE
    return parts.scheme == "https"


def _name(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name


def _wrong(name: str, words: str) -> NoReturn:
    raise Refused("settings.invalid", f"The setting {name} {words}.", setting=name)
