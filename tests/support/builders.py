"""Domain values with sensible facts, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audit.log import Log
from audit.mark import MarkFile
from audit.note import Signer
from vault.adapters.db import SqlUnits, engine_for
from vault.domain.account import Account, Custodian, Custody, Customer, Kind, Model
from vault.domain.actor import Actor, ActorKind, Origin, Role, Scope, system_actor
from vault.domain.checkout import Approval, Checkout, CheckoutState, Decision
from vault.domain.credential import PartKind, Version, VersionLabel, VersionOrigin
from vault.domain.event import Event, EventType, SecretRef
from vault.domain.ids import new_id
from vault.domain.person import Grant, Person, PersonState, Session, Token
from vault.domain.rotation import Rotation, RotationState
from vault.ports.records import Reveal, RevealPurpose, RevealState

if TYPE_CHECKING:
    from vault.ports.store import Unit

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
ORIGIN: Final = "vault.test.example/audit"
SIGNER: Final = Signer.from_seed(ORIGIN, bytes(range(32)))
NUMBER: Final = "111122223333"


@dataclass(frozen=True, slots=True)
class Stand:
    """A customer with one account, and a person."""

    customer: Customer
    account: Account
    person: Person


def units_for(url: str, directory: Path, *, marked: bool = True) -> SqlUnits:
    """Open units on a database that has its tables; the mark lies in `directory`."""
    mark = MarkFile(directory / "log.mark") if marked else None
    app = {"version": "0.1.0", "host": "test"}
    return SqlUnits(engine_for(url), Log(ORIGIN, SIGNER), mark, app, lambda: "p" * 64)


def open_log(units: SqlUnits) -> None:
    """Write the log's first entry."""
    with units.write() as unit:
        unit.log.record(Event(EventType.LOG_OPENED, system_actor("test")), NOW)
        unit.commit()


def stand(unit: Unit, number: str = NUMBER) -> Stand:
    """Keep a customer, an account and a person."""
    made = Stand(customer(), account(number=number), person())
    made = replace(made, account=replace(made.account, customer_id=made.customer.id))
    unit.customers.add(made.customer)
    unit.accounts.add(made.account)
    unit.people.add(made.person)
    return made


def customer(**facts: Any) -> Customer:
    """Make a customer with a DDI of its own."""
    name = new_id()
    ddi = str(int(name[:8], 16) % 9_000_000_000 + 1)
    return replace(Customer(name, ddi, "Example Ltd", False, False, None, None, NOW), **facts)


def account(customer_id: str = "", number: str = NUMBER, **facts: Any) -> Account:
    """Make a standalone account under the provider's own model."""
    made = Account(
        id=number,
        customer_id=customer_id,
        name=f"account {number}",
        model=Model.SPAM,
        kind=Kind.STANDALONE,
        custody=Custody.ONBOARDING,
        root_email=f"root+{number}@msp.example",
        mailbox=Custodian.OURS,
        phone=Custodian.UNKNOWN,
        created_at=NOW,
    )
    return replace(made, **facts)


def version(
    account_id: str = NUMBER, kind: PartKind = PartKind.PASSWORD, number: int = 1, **facts: Any
) -> Version:
    """Make a staged version with bytes that are nobody's secret."""
    made = Version(
        account_id=account_id,
        kind=kind,
        number=number,
        label=VersionLabel.STAGED,
        origin=VersionOrigin.GENERATED,
        body=f"body {kind} {number}".encode(),
        wraps=b"wraps",
        sha256=f"{number:064x}",
        created_at=NOW,
        created_by="test",
    )
    return replace(made, **facts)


def person(**facts: Any) -> Person:
    """Make an active person."""
    name = new_id()
    return replace(Person(name, f"{name[:8]}@MSP.example", "Olga", PersonState.ACTIVE, NOW), **facts)


def grant(person_id: str, role: Role = Role.OPERATOR, **facts: Any) -> Grant:
    """Make a grant in force since now."""
    return replace(Grant(new_id(), person_id, role, Scope(), "amy", NOW, "ann", NOW), **facts)


def session(person_id: str, **facts: Any) -> Session:
    """Make a session."""
    return replace(Session(new_id(), new_id(), person_id, NOW, NOW, "192.0.2.7", "curl", "totp"), **facts)


def token(person_id: str | None, **facts: Any) -> Token:
    """Make a token that lasts an hour."""
    made = Token(
        id=new_id(),
        token_hash=new_id(),
        name="ci",
        person_id=person_id,
        permissions=frozenset({"trail.read", "account.read"}),
        scope=Scope(),
        created_by="amy",
        created_at=NOW,
        expires_at=NOW + HOUR,
        effective_at=NOW,
    )
    return replace(made, **facts)


def checkout(person_id: str, account_id: str = NUMBER, **facts: Any) -> Checkout:
    """Make a checkout that waits for approval."""
    made = Checkout(
        id=new_id(),
        account_id=account_id,
        requester_id=person_id,
        requester_name="Olga",
        reason="BILL_ROOT",
        ticket="T-1001",
        justification="a task for this test",
        requested_seconds=3600,
        granted_seconds=3600,
        approvals_needed=1,
        state=CheckoutState.PENDING_APPROVAL,
        requested_at=NOW,
        decide_by=NOW + HOUR,
        policy_hash="p" * 64,
        content_hash="c" * 64,
    )
    return replace(made, **facts)


def approval(checkout_id: str, approver_id: str, **facts: Any) -> Approval:
    """Make an agreement."""
    made = Approval(new_id(), checkout_id, approver_id, "Pat", Decision.APPROVE, "fine", None, "c" * 64, NOW)
    return replace(made, **facts)


def reveal(of: Checkout, shown: Version, **facts: Any) -> Reveal:
    """Make an authorised disclosure."""
    made = Reveal(
        id=new_id(),
        checkout_id=of.id,
        account_id=shown.account_id,
        kind=shown.kind,
        version=shown.number,
        person_id=of.requester_id,
        purpose=RevealPurpose.USE,
        state=RevealState.AUTHORIZED,
        authorized_at=NOW,
    )
    return replace(made, **facts)


def rotation(of: Checkout, planned: Version, **facts: Any) -> Rotation:
    """Make a planned rotation."""
    made = Rotation(
        id=new_id(),
        account_id=planned.account_id,
        kind=planned.kind,
        version=planned.number,
        state=RotationState.PLANNED,
        checkout_id=of.id,
        planned_by=of.requester_id,
        planned_at=NOW,
    )
    return replace(made, **facts)


def actor(name: str = "olga", **origin: Any) -> Actor:
    """Make a person who acts."""
    where = replace(Origin(new_id(), ip="192.0.2.7", session="s1", mfa="totp"), **origin)
    return Actor(ActorKind.PERSON, name, name.title(), origin=where)


def promoted(of: Version) -> Event:
    """Make the event that a version is current now."""
    return Event(
        EventType.SECRET_PROMOTED, system_actor("test"), account_id=of.account_id, secret=SecretRef.of(of)
    )
