"""A story in which something of every kind comes to be, told by the use cases alone: nobody in it came by a back door.

Two accounts are in custody. The first was rotated, proven and given back after an approval; of the second a value
is displayed and a lease runs. Somebody waits for a link, a proposal for a second word, a code for its outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support.passkeys import authenticator, pressed, sending
from tests.support.people import House, Member, came, move_in
from vault.crypto import totp
from vault.domain.account import Custodian, Kind, Model
from vault.domain.actor import Role, Scope
from vault.domain.checkout import Checkout, Decision
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome, Rotation
from vault.domain.secret import Secret
from vault.services.accounts import AccountFacts
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.services.machines import Wanted
from vault.services.people import Invited, Wish

if TYPE_CHECKING:
    from tests.support.world import World
    from vault.domain.actor import Actor
    from vault.domain.person import Session
    from vault.services.signin import SignedIn
    from vault.services.tokens import Issued

FIRST: Final = "111122223333"
SECOND: Final = "444455556666"
BARE: Final = "777788889999"
PASSWORD: Final = "Correct-Horse-7-Battery"
SEED: Final = "JBSWY3DPEHPK3PXP" * 4


@dataclass(slots=True)
class Whole:
    """What the story left in our hands."""

    house: House
    admins: tuple[Member, Member]
    operator: Member
    approver: Member
    acting: Actor
    session: SignedIn
    token: Issued
    machine: Issued
    waiting: Invited
    lease: Checkout
    shown: Rotation
    password: str
    """The first account's password as it is now."""


def tell(world: World) -> Whole:
    """Tell it."""
    house = move_in(world)
    vault, clock = house.vault, world.clock
    admins = house.admins()
    custodian = house.appoint(admins, "carla@msp.example", Role.CUSTODIAN)
    operator = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    approver = house.appoint(admins, "pia@msp.example", Role.APPROVER)
    gone = house.appoint(admins, "gone@msp.example", Role.AUDITOR)
    ada = house.actor(admins[0])
    token = vault.tokens.issue_own(ada, "scripts", admins[0].code())
    machine = vault.machines.issue(
        ada, Wanted("inventory", frozenset({"account.read"}), Scope()), admins[0].code()
    )
    vault.tokens.revoke(ada, vault.tokens.issue_own(ada, "old", admins[0].code()).token.id)
    waiting = vault.people.invite(ada, "later@msp.example", "Later", (Wish(Role.AUDITOR),))
    vault.people.remove_grant(ada, vault.people.propose_grant(ada, gone.id, Wish(Role.CSM)).id)
    _passkeys(house, gone)
    vault.people.disable(ada, gone.id)
    _accounts(house, house.actor(custodian), custodian)
    acting, approving = house.actor(operator), house.actor(approver)
    password = _first(house, acting, operator, approving, approver)
    lease = _lease(house, acting, operator, SECOND)
    shown = vault.rotations.plan(acting, lease.id, PartKind.PASSWORD)
    shown = vault.rotations.display(acting, shown.id).rotation
    vault.asking.ask(acting, Ask(FIRST, "INCIDENT", "T-9", "what nobody decided on yet"))
    session = house.sign_in(approver)
    clock.advance(seconds=30)
    return Whole(
        house, admins, operator, approver, acting, session, token, machine, waiting, lease, shown, password
    )


def _passkeys(house: House, member: Member) -> None:
    """Add two, and remove the first by the second."""
    actor, keys = house.actor(member), house.vault.passkeys
    adding = sending(actor, "add")
    ticket = keys.to_enrol(adding).ticket
    first, second = (authenticator(house.vault, member.id) for _ in range(2))
    phone = keys.add(adding, "phone", ticket, first.make(ticket), member.code())
    keys.add(adding, "laptop", ticket, second.make(ticket), pressed(house.vault, first, adding))
    removing = sending(actor, "remove")
    keys.remove(removing, phone.id, pressed(house.vault, second, removing))


def _accounts(house: House, carla: Actor, member: Member) -> None:
    vault = house.vault
    customer = vault.customers.register(carla, "900001", CustomerFacts(name="Example Ltd"))
    vault.customers.change(carla, customer.id, CustomerFacts(session_max_seconds=7_200, aws_india=True))
    for number in (FIRST, SECOND, BARE):
        facts = AccountFacts(
            f"account {number}", f"root+{number}@msp.example", Custodian.OURS, Custodian.OURS
        )
        vault.accounts.register(carla, number, customer.id, Model.SPAM, Kind.STANDALONE, facts)
    for number in (FIRST, SECOND):
        existing = Existing(f"Root+{number}@msp.example", Secret(PASSWORD), Secret(SEED), attested=True)
        vault.custodies.take_in(carla, number, existing, member.code())
    vault.accounts.change(carla, FIRST, AccountFacts(name="the first", mailbox=Custodian.UNKNOWN))


def _lease(house: House, acting: Actor, member: Member, number: str, reason: str = "CRED_ROTATE") -> Checkout:
    house.world.clock.advance(seconds=60)
    asked = house.vault.asking.ask(acting, Ask(number, reason, "T-1001", "a task for this story"))
    return house.vault.checkouts.step_up(acting, asked.id, member.code())[0]


def _first(house: House, acting: Actor, operator: Member, approving: Actor, approver: Member) -> str:
    """Rotate both parts of the first account; prove one; open it once more under an approval."""
    vault = house.vault
    lease = _lease(house, acting, operator, FIRST)
    vault.reveals.password(acting, lease.id)
    dropped = vault.rotations.plan(acting, lease.id, PartKind.PASSWORD)
    vault.rotations.abandon(acting, dropped.id)
    planned = vault.rotations.plan(acting, lease.id, PartKind.PASSWORD)
    shown = vault.rotations.display(acting, planned.id).password
    assert shown is not None
    vault.attestations.attest(acting, planned.id, Outcome.ACCEPTED)
    vault.attestations.verify(approving, planned.id, "signed in with it")
    seed = vault.rotations.plan(acting, lease.id, PartKind.MFA, totp.generate_seed().secret)
    vault.rotations.display(acting, seed.id)
    vault.attestations.attest(acting, seed.id, Outcome.REFUSED)
    house.world.clock.advance(seconds=90)
    vault.checkouts.step_up(acting, lease.id, operator.code())
    vault.reveals.code(acting, lease.id)
    vault.checkouts.check_in(acting, lease.id)
    asked = vault.asking.ask(acting, Ask(FIRST, "INCIDENT", "T-2", "somebody else signed in"))
    vault.approvals.decide(approving, asked.id, Word(Decision.APPROVE, "seen it", 600), approver.code())
    vault.checkouts.step_up(acting, asked.id, operator.code())
    vault.checkouts.check_in(acting, asked.id)
    vault.signin.end(*_signed_in(house, approver))
    return shown.expose()


def _signed_in(house: House, member: Member) -> tuple[Actor, Session]:
    signed = house.sign_in(member)
    return signed.actor(came()), signed.session
