"""Scenery: a real vault with as many accounts, leases and log entries as a measurement wants.

The vault is founded and opened as `rootvault` does it. Only the rows that are there before come in by the back
door, because ten thousand accounts by the front door would take longer than what is measured: accounts with
sealed credentials, the promotion entries that a reveal believes, running leases without end, people with tokens.
The policy's quotas are out of the way, since a measurement reveals more often than a person may.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert

from audit.entry import Draft
from audit.mark import MarkFile
from audit.note import read_key
from tests.bench.counting import CountingKeys
from tests.bench.grower import grow
from vault.adapters.db import SqlUnits, mapping, tables, upgrade
from vault.bootstrap import make_data_directory, open_log, open_vault
from vault.bootstrap.open import units_for
from vault.crypto import totp
from vault.domain.account import Account, Custodian, Custody, Customer, Kind, Model
from vault.domain.actor import Actor, ActorKind, Origin, Power, Role, Scope, ScopeKind
from vault.domain.checkout import Checkout, CheckoutState, content_of
from vault.domain.credential import Part, PartKind, PartState, Version, VersionLabel, VersionOrigin
from vault.domain.ids import fold_email, new_id
from vault.domain.person import Grant, Person, PersonState, Token
from vault.domain.secret import Secret
from vault.services.factors import SEED_PURPOSE
from vault.services.gate import Gate
from vault.services.policy_book import FixedPolicy
from vault.services.sealing import Sealer
from vault.services.tokens import PURPOSE, new_text
from vault.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from vault.bootstrap import Vault
    from vault.ports.clock import Clock

ORIGIN: Final = "bench.example/audit"
ENDLESS: Final = timedelta(days=3650)
PASSWORD: Final = "Correct-Horse-7-Battery"
_MANY: Final = 1_000_000_000
_BATCH: Final = 1_000


@dataclass(slots=True)
class HandClock:
    """A clock that stands still until it is moved."""

    at: datetime

    def now(self) -> datetime:
        """Give the time it was set to."""
        return self.at


@dataclass(frozen=True, slots=True)
class Operator:
    """Someone with a lease on one account, and a token to use it by REST."""

    actor: Actor
    account_id: str
    checkout_id: str
    token: str
    seed: totp.Seed


@dataclass(slots=True)
class Stage:
    """A vault and what is in it."""

    settings: Settings
    vault: Vault
    engine: Engine
    keys: CountingKeys
    clock: HandClock
    customer_id: str
    operators: tuple[Operator, ...]
    accounts: int
    steps: Iterator[int]

    def actor(self, role: Role, *, customer: bool = False) -> Actor:
        """Make someone with one role, over everything or over the one customer."""
        scope = Scope(ScopeKind.CUSTOMER, self.customer_id) if customer else Scope()
        powers = (Power(role, scope),)
        return Actor(ActorKind.PERSON, self.operators[0].actor.id, "bench", powers, origin=Origin(new_id()))

    def reveal(self) -> None:
        """Reveal the first operator's password."""
        one = self.operators[0]
        self.vault.reveals.password(one.actor, one.checkout_id)

    def code(self) -> None:
        """Give a code of the first operator's account; each is of the next time step."""
        self.clock.at += timedelta(seconds=totp.PERIOD)
        one = self.operators[0]
        self.vault.reveals.code(one.actor, one.checkout_id)

    def log_size(self) -> int:
        """Count the log's entries."""
        return int(self.vault.trail.checkpoint().split("\n")[1])

    def grow_to(self, entries: int) -> None:
        """Let the log grow to a size, by entries about the accounts as a vault in use writes them."""
        size = self.log_size()
        grow(self.engine, *self._log(), _everyday(entries - size, self.accounts))

    def add_accounts(self, first: int, count: int) -> None:
        """Put more accounts into custody."""
        self.accounts += count
        with self.vault.units.read() as unit:
            vault_id = unit.vault_id
        for start in range(first, first + count, _BATCH):
            drafts = _accounts(
                self.engine,
                Sealer(self.keys),
                vault_id,
                self.customer_id,
                start,
                min(_BATCH, first + count - start),
            )
            grow(self.engine, *self._log(), drafts)

    def _log(self) -> tuple[Any, MarkFile]:
        units = self.vault.units
        assert isinstance(units, SqlUnits)
        assert units.mark is not None
        return units.log, units.mark


def settings_for(url: str, directory: Path) -> Settings:
    """Make the settings of a vault of our own."""
    return load_settings(
        environment={
            "ROOTVAULT_ENVIRONMENT": "demo",
            "ROOTVAULT_DATA_DIRECTORY": str(directory / "data"),
            "ROOTVAULT_DATABASE_URL": url,
            "ROOTVAULT_KEYS_SERVICE": "local",
            "ROOTVAULT_LOG_ORIGIN": ORIGIN,
            "ROOTVAULT_SERVER_PUBLIC_URL": "http://127.0.0.1:8400",
        }
    )


def open_generous(settings: Settings, clock: Clock | None = None) -> Vault:
    """Open a vault as the program does, and take the quotas of its policy away."""
    vault = open_vault(settings, clock)
    limits = replace(vault.policy.limits, reveals_per_checkout=_MANY, codes_per_checkout=_MANY)
    checkouts = replace(vault.checkouts, gate=Gate(FixedPolicy(replace(vault.policy, limits=limits))))
    return replace(vault, checkouts=checkouts, reveals=replace(vault.reveals, checkouts=checkouts))


def build(
    url: str, directory: Path, *, accounts: int = 10, operators: int = 1, retiring: tuple[str, ...] = ()
) -> Stage:
    """Found a vault with accounts in custody, the first few of them leased to operators.

    Keys that are `retiring` lie in its key file already, and seal nothing.
    """
    settings = settings_for(url, directory)
    settings = replace(settings, keys=replace(settings.keys, retiring=retiring))
    make_data_directory(settings)
    upgrade(settings.database_url)
    open_log(settings)
    clock = HandClock(datetime.now(UTC))
    vault = open_generous(settings, clock)
    units = vault.units
    assert isinstance(units, SqlUnits)
    keys = CountingKeys(vault.keys)
    vault = _counting(vault, keys)
    customer = Customer(new_id(), "900001", "Example Ltd", False, False, None, None, clock.at)
    with units.write() as unit:
        unit.customers.add(customer)
        unit.commit()
    stage = Stage(
        settings,
        vault,
        units.engine,
        keys,
        clock,
        customer.id,
        (),
        0,
        itertools.count(totp.step_of(clock.at)),
    )
    stage.add_accounts(0, accounts)
    stage.operators = tuple(_operator(vault, clock.at, number) for number in range(operators))
    return stage


def _counting(vault: Vault, keys: CountingKeys) -> Vault:
    """Put the counting keys wherever something is opened or sealed."""
    sealer = Sealer(keys)
    reveals = replace(vault.reveals, sealer=sealer)
    rotations = replace(vault.rotations, checkouts=vault.checkouts, reveals=reveals, sealer=sealer)
    return replace(
        vault,
        reveals=reveals,
        rotations=rotations,
        attestations=replace(vault.attestations, rotations=rotations),
        custodies=replace(vault.custodies, sealer=sealer),
    )


def account_id(number: int) -> str:
    """Give the number-th account's AWS number."""
    return f"{100_000_000_000 + number}"


def _operator(vault: Vault, now: datetime, number: int) -> Operator:
    person_id, token_id, seed = new_id(), new_id(), totp.generate_seed()
    sealed = vault.server_key.seal(SEED_PURPOSE, person_id, seed.secret)
    text = new_text(person=True)
    token = Token(
        id=token_id,
        token_hash=vault.server_key.mac(PURPOSE, text.expose().encode()).hex(),
        name="bench",
        person_id=person_id,
        permissions=frozenset(),
        scope=Scope(),
        created_by=person_id,
        created_at=now,
        expires_at=now + timedelta(days=30),
        used_at=now + ENDLESS,
        effective_at=now,
        used_from="127.0.0.1",
    )
    checkout = Checkout(
        id=new_id(),
        account_id=account_id(number),
        requester_id=person_id,
        requester_name=f"operator {number}",
        reason="BILL_ROOT",
        ticket="T-1001",
        justification="a task for this measurement",
        requested_seconds=3600,
        granted_seconds=3600,
        approvals_needed=0,
        state=CheckoutState.ACTIVE,
        requested_at=now,
        decide_by=now + ENDLESS,
        policy_hash=vault.policy.digest,
        content_hash="0" * 64,
        use_by=now + ENDLESS,
        activated_at=now,
        expires_at=now + ENDLESS,
    )
    checkout = replace(checkout, content_hash=content_of(checkout))
    with vault.units.write() as unit:
        name = f"operator{number}"
        unit.people.add(Person(person_id, f"{name}@msp.example", name, PersonState.ACTIVE, now, seed=sealed))
        unit.people.add_grant(Grant(new_id(), person_id, Role.OPERATOR, Scope(), "bench", now, "bench", now))
        unit.tokens.add(token)
        unit.checkouts.add(checkout)
        unit.checkouts.put_step_up(checkout.id, person_id, token_id, now + ENDLESS)
        unit.commit()
    powers = (Power(Role.OPERATOR, Scope()),)
    origin = Origin(new_id(), "192.0.2.7", session=token_id)
    actor = Actor(ActorKind.PERSON, person_id, f"operator {number}", powers, origin=origin)
    return Operator(actor, checkout.account_id, checkout.id, text.expose(), seed)


def _accounts(
    engine: Engine, sealer: Sealer, vault_id: str, customer_id: str, first: int, count: int
) -> Iterator[Draft]:
    """Insert accounts with their versions; give the drafts of their promotions."""
    now = datetime.now(UTC)
    accounts: list[dict[str, Any]] = []
    emails: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    drafts: list[Draft] = []
    for number in range(first, first + count):
        name = account_id(number)
        folded = fold_email(f"root+{name}@msp.example")
        account = Account(
            id=name,
            customer_id=customer_id,
            name=f"account {name}",
            model=Model.SPAM,
            kind=Kind.STANDALONE,
            custody=Custody.HELD,
            root_email=folded,
            mailbox=Custodian.OURS,
            phone=Custodian.OURS,
            created_at=now,
            held_since=now,
        )
        emails.append({"folded": folded, "account_id": name})
        accounts.append(
            mapping.account.row(account) | {"root_email_folded": folded, "folded": f"{name}\n{folded}"}
        )
        # no value twice: what is used twice is due for that
        values = (Secret(f"{PASSWORD}-{name}"), totp.generate_seed().secret)
        for kind, value in zip((PartKind.PASSWORD, PartKind.MFA), values, strict=True):
            parts.append(mapping.part.row(Part(name, kind, PartState.IN_USE, now)))
            sealed = sealer.seal(vault_id, (name, kind, 1), value, VersionOrigin.TAKEN_IN, "bench", now)
            version = replace(sealed.version, label=VersionLabel.CURRENT, current_since=now)
            versions.append(mapping.version.row(version))
            drafts.append(_promotion(version, now))
    with engine.begin() as connection:
        connection.execute(insert(tables.root_email), emails)
        connection.execute(insert(tables.account), accounts)
        connection.execute(insert(tables.part), parts)
        connection.execute(insert(tables.version), versions)
    yield from drafts


def _promotion(version: Version, now: datetime) -> Draft:
    return Draft(
        id=new_id(),
        time=now,
        type="secret.promoted",
        outcome="success",
        actor={"id": "system:bench", "kind": "system", "name": "bench", "role": "system", "mfa": "none"},
        account=version.account_id,
        secret={
            "id": f"{version.account_id}/{version.kind}",
            "kind": version.kind.value,
            "version": version.number,
            "ciphertext_sha256": version.sha256,
        },
        req="-",
        app={"version": "bench", "host": "bench"},
    )


_TYPES: Final = (
    "checkout.requested",
    "checkout.granted",
    "stepup.passed",
    "secret.reveal.authorized",
    "secret.reveal.released",
    "secret.reveal.authorized",
    "secret.reveal.released",
    "checkout.returned",
)


def _everyday(count: int, accounts: int) -> Iterator[Draft]:
    """Draft what a vault in use writes: visits of 500 people to the accounts, eight entries each."""
    began = datetime.now(UTC) - timedelta(days=365)
    for number in range(count):
        visit, at = divmod(number, len(_TYPES))
        person = visit * 7 % 500
        name = account_id(visit * 13 % accounts)
        event = _TYPES[at]
        is_reveal = event.startswith("secret.reveal")
        yield Draft(
            id=new_id(),
            time=began + timedelta(seconds=number * 31_000_000 / max(count, 1)),
            type=event,
            outcome="success",
            actor={
                "id": f"00000000-0000-4000-8000-{person:012}",
                "ip": "192.0.2.7",
                "kind": "person",
                "mfa": "totp",
                "name": f"operator {person}",
                "role": "operator",
                "session": f"10000000-0000-4000-8000-{person:012}",
            },
            account=name,
            checkout=f"20000000-0000-4000-8000-{visit:012}",
            reason={"code": "BILL_ROOT", "text": f"closing invoice {visit}", "ticket": f"T-{visit}"}
            if at == 0
            else None,
            secret={
                "id": f"{name}/password",
                "kind": "password",
                "version": 1,
                "ciphertext_sha256": f"{visit:064x}",
            }
            if is_reveal
            else None,
            req=new_id(),
            app={"version": "0.1.0", "host": "vault-1"},
        )


def log_of(stage: Stage) -> tuple[Any, Any]:
    """Give the log's signer and verifier, from its key file as the program reads it."""
    signer = read_key(stage.settings.file(stage.settings.log.key_file), ORIGIN)
    return signer, signer.verifier


__all__ = ["Operator", "Stage", "account_id", "build", "open_generous", "settings_for", "units_for"]
