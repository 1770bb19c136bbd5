"""People as they really come in: invited, enrolled by link, signed in, each with a device of their own.

`QuickPasswords` keeps the port's promise without its cost, and counts; the slow hash has tests of its own.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vault.crypto import totp
from vault.domain.actor import Actor, Origin, Reach, Role, Scope
from vault.domain.ids import new_id
from vault.domain.secret import Secret
from vault.ports.store import EntryFilter, Slice
from vault.services.people import Invited, Wish

if TYPE_CHECKING:
    from tests.support.world import HandClock, World
    from vault.bootstrap.compose import Vault
    from vault.services.signin import SignedIn

PASSWORD = "several unrelated words 7"


@dataclass(slots=True)
class QuickPasswords:
    """Hashes at once, and remembers how often a password was checked, and against what."""

    checked: list[bool] = field(default_factory=list)

    def hash(self, password: Secret[str]) -> str:
        """Give a plain hash."""
        return hashlib.sha256(password.expose().encode()).hexdigest()

    def matches(self, stored: str | None, password: Secret[str]) -> bool:
        """Compare, and count whether there was something to compare with."""
        self.checked.append(stored is not None)
        return hmac.compare_digest(stored or "", self.hash(password))


@dataclass(slots=True)
class Member:
    """An enrolled person: what they know and have."""

    id: str
    email: str
    seed: totp.Seed
    clock: HandClock
    password: str = PASSWORD
    used: int = -1

    def code(self) -> str:
        """Give the device's present code, waiting for the next where this one was used."""
        step = max(totp.step_of(self.clock.now()), self.used + 1)
        self.clock.advance(seconds=max(0, (step - totp.step_of(self.clock.now())) * totp.PERIOD))
        self.used = step
        return totp.code_at(self.seed, step).expose()

    def wrong_code(self) -> str:
        """Give six digits that no step near now has."""
        now = totp.step_of(self.clock.now())
        near = {totp.code_at(self.seed, step).expose() for step in range(now - 2, now + 3)}
        return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


@dataclass(slots=True)
class House:
    """A vault with its people, whose passwords are hashed quickly."""

    world: World
    vault: Vault
    passwords: QuickPasswords

    def enrol(self, invited: Invited) -> Member:
        """Complete an enrolment by the link of an invitation."""
        return self.take(invited.link)

    def take(self, link: Secret[str]) -> Member:
        """Complete an enrolment by its link."""
        enrolling = self.vault.enrolment.begin(link, came())
        person = enrolling.person
        member = Member(person.id, person.email, totp.parse_seed(enrolling.seed), self.world.clock)
        self.vault.enrolment.complete(link, Secret(member.password), member.code(), came())
        return member

    def admins(self) -> tuple[Member, Member]:
        """Make the first two administrators, as ``rootvault init`` does."""
        first, second = self.vault.people.bootstrap_admins(
            (("ada@msp.example", "Ada Lovelace"), ("bob@msp.example", "Bob Noyce"))
        )
        return self.enrol(first), self.enrol(second)

    def sign_in(self, member: Member, *, ip: str = "192.0.2.7", device: str | None = None) -> SignedIn:
        """Sign in as a browser does."""
        secret = Secret(member.password)
        return self.vault.signin.begin(member.email, secret, member.code(), came(ip), device=device)

    def actor(self, member: Member) -> Actor:
        """Sign in and give the actor."""
        return self.sign_in(member).actor(came())

    def appoint(
        self, admins: tuple[Member, Member], email: str, role: Role, scope: Scope | None = None
    ) -> Member:
        """Let one administrator invite and propose, the person enrol, and the other administrator confirm."""
        proposer, confirmer = (self.actor(admin) for admin in admins)
        wish = Wish(role, scope or Scope())
        invited = self.vault.people.invite(proposer, email, email.partition("@")[0], (wish,))
        member = self.enrol(invited)
        self.vault.people.confirm_grant(confirmer, invited.grants[0].id, admins[1].code())
        return member

    def events(self, event: str) -> list[dict[str, object]]:
        """Give the log's entries of one type, newest first."""
        with self.vault.units.read() as unit:
            page = unit.log.page(EntryFilter(type=event), Reach(everything=True), Slice(limit=100))
        return [dict(entry.content) for entry in page.items]


def came(ip: str = "192.0.2.7") -> Origin:
    """Make the origin of a request."""
    return Origin(request_id=new_id(), ip=ip)


def move_in(world: World) -> House:
    """Give a world's vault quick passwords."""
    quick = QuickPasswords()
    vault = world.vault
    return House(
        world,
        replace(
            vault,
            signin=replace(vault.signin, passwords=quick),
            enrolment=replace(vault.enrolment, passwords=quick),
        ),
        quick,
    )
