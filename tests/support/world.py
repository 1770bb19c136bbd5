"""A small world around a real vault: a clock that is set by hand, people with powers, their devices.

The vault is put together by the composition root's own `compose`, on a real database and real local keys.
Only people come in by the back door, so that tests of other things do not enrol nine of them each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from audit.log import Log
from audit.mark import MarkFile
from audit.note import Signer
from tests.support.tables import make_tables
from vault.adapters.db import SqlUnits, engine_for
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.adapters.passwords import Argon2
from vault.bootstrap.compose import Ground, Vault, compose
from vault.bootstrap.ground import read_policy_file
from vault.crypto import totp
from vault.crypto.local import ServerKey, new_key
from vault.domain.account import Account, Custodian, Kind, Model
from vault.domain.actor import Actor, ActorKind, Origin, Power, Role, Scope, system_actor
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.person import Grant, Person, PersonState
from vault.domain.policy_document import read_policy
from vault.domain.secret import Secret
from vault.services.accounts import AccountFacts
from vault.services.asking import Ask
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.services.factors import SEED_PURPOSE
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from vault.domain.checkout import Checkout
    from vault.domain.policy import Policy
    from vault.ports.keys import KeyService
    from vault.settings import Settings

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORIGIN = "vault.test.example/audit"


@dataclass(slots=True)
class HandClock:
    """A clock that stands still until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        """Give the time it was set to."""
        return self.at

    def advance(self, **delta: float) -> None:
        """Move forward by a timedelta's words."""
        self.at += timedelta(**delta)


@dataclass(slots=True)
class Human:
    """A person with a device: the actor they are, and codes that are never used twice."""

    actor: Actor
    seed: totp.Seed
    clock: HandClock
    used: int = -1

    def otp(self) -> str:
        """Give the device's present code, waiting for the next where this one was used."""
        step = totp.step_of(self.clock.now())
        if step <= self.used:
            self.clock.advance(seconds=(self.used + 1 - step) * totp.PERIOD)
            step = totp.step_of(self.clock.now())
        self.used = step
        return totp.code_at(self.seed, step).expose()


@dataclass(slots=True)
class World:
    """A vault with everything that a test may want to hold in its hands."""

    vault: Vault
    clock: HandClock
    people: dict[str, Human] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of the database."""
        self.vault.close()

    def human(self, name: str, role: Role, scope: Scope | None = None) -> Human:
        """Make an active person with one power, or give the one of that name."""
        if name in self.people:
            return self.people[name]
        now, person_id, seed = self.clock.now(), new_id(), totp.generate_seed()
        sealed = self.vault.server_key.seal(SEED_PURPOSE, person_id, seed.secret)
        reach = scope or Scope()
        with self.vault.units.write() as unit:
            unit.people.add(
                Person(person_id, f"{name}@msp.example", name, PersonState.ACTIVE, now, seed=sealed)
            )
            unit.people.add_grant(Grant(new_id(), person_id, role, reach, "test", now, "test", now))
            unit.commit()
        origin = Origin(request_id=new_id(), ip="192.0.2.7", session=new_id(), mfa="totp")
        actor = Actor(ActorKind.PERSON, person_id, name, powers=(Power(role, reach),), origin=origin)
        self.people[name] = Human(actor, seed, self.clock)
        return self.people[name]

    def account(
        self, number: str = "111122223333", kind: Kind = Kind.STANDALONE, model: Model = Model.SPAM
    ) -> Account:
        """Register an account of the one customer there is."""
        custodian = self.human("carla", Role.CUSTODIAN).actor
        with self.vault.units.read() as unit:
            customer = unit.customers.by_ddi("900001")
        if customer is None:
            customer = self.vault.customers.register(custodian, "900001", CustomerFacts(name="Example Ltd"))
        facts = AccountFacts(
            f"account {number}", f"root+{number}@msp.example", Custodian.OURS, Custodian.OURS
        )
        return self.vault.accounts.register(custodian, number, customer.id, model, kind, facts)

    def held(
        self, number: str = "111122223333", password: str = "Correct-Horse-7-Battery", seed: str = ""
    ) -> Account:
        """Register an account and take a password and a seed into custody."""
        account = self.account(number)
        carla = self.human("carla", Role.CUSTODIAN)
        existing = Existing(
            account.root_email,
            Secret(password),
            Secret(seed or totp.generate_seed().secret.expose()),
            attested=True,
        )
        return self.vault.custodies.take_in(carla.actor, number, existing, carla.otp())

    def ask(self, who: Human, number: str = "111122223333", reason: str = "BILL_ROOT") -> Checkout:
        """Ask for an account's root in proper words."""
        return self.vault.asking.ask(who.actor, Ask(number, reason, "T-1001", "a task for this test"))

    def lease(self, who: Human, number: str = "111122223333", reason: str = "BILL_ROOT") -> Checkout:
        """Ask and step up."""
        checkout = self.ask(who, number, reason)
        return self.vault.checkouts.step_up(who.actor, checkout.id, who.otp())[0]


def make_world(url: str, directory: Path, keys: KeyService | None = None, public_url: str = "") -> World:
    """Put a vault together on an empty database at `url`, with fresh keys."""
    if keys is None:
        path = directory / "local-keys.json"
        create_local_keys(path)
        keys = InsecureLocalKeys(path)
    signer, server_key = Signer.generate(ORIGIN), ServerKey(new_key())
    return create_world(url, directory, keys, signer, server_key, public_url)


def create_world(
    url: str,
    directory: Path,
    keys: KeyService,
    signer: Signer,
    server_key: ServerKey,
    public_url: str = "",
) -> World:
    """Make the tables and the log's first entry, and open the vault on them."""
    make_tables(url)
    world = open_world(url, directory, keys, signer, server_key, public_url=public_url)
    with world.vault.units.write() as unit:
        detail = {"vkey": signer.vkey, "vault": unit.vault_id}
        unit.log.record(Event(EventType.LOG_OPENED, system_actor("test"), detail=detail), world.clock.now())
        unit.commit()
    return world


@cache
def rules() -> tuple[Settings, Policy]:
    """Read the settings of a demonstration and the shipped policy once a process."""
    settings = load_settings(environment={"ROOTVAULT_ENVIRONMENT": "demo", "ROOTVAULT_KEYS_SERVICE": "local"})
    return settings, read_policy(read_policy_file(settings))


@cache
def hasher() -> Argon2:
    """Make one hasher a process, a light one: what a slow hash is for has tests of its own."""
    made, light = Argon2(), PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    object.__setattr__(made, "_hasher", light)
    object.__setattr__(made, "_nobodys", light.hash("the password of nobody"))
    return made


def with_keys(world: World, keys: KeyService) -> World:
    """Give the same vault, people and clock with another key service."""
    vault = world.vault
    ground = Ground(
        vault.settings,
        vault.policy,
        vault.clock,
        vault.units,
        keys,
        vault.server_key,
        vault.origin,
        vault.vkey,
        hasher(),
        close=vault.close,
    )
    return World(compose(ground), world.clock, world.people)


def open_world(
    url: str,
    directory: Path,
    keys: KeyService,
    signer: Signer,
    server_key: ServerKey,
    clock: HandClock | None = None,
    public_url: str = "",
) -> World:
    """Open the vault on a database that was made before."""
    settings, policy = rules()
    if public_url:
        settings = replace(settings, server=replace(settings.server, public_url=public_url))
    engine = engine_for(url)
    mark = MarkFile(directory / "log.mark")
    units = SqlUnits(
        engine, Log(ORIGIN, signer), mark, {"version": "test", "host": "test"}, lambda: policy.digest
    )
    clock = clock or HandClock()
    ground = Ground(
        settings, policy, clock, units, keys, server_key, ORIGIN, signer.vkey, hasher(), engine.dispose
    )
    return World(compose(ground), clock)
