"""A house with an identity provider that vouches for whomever a test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.people import Member, came, move_in
from tests.support.provider import Trusting, join
from tests.support.world import make_world
from vault.domain.actor import Actor, Role
from vault.domain.identity import Identity, Visit
from vault.domain.secret import Secret
from vault.errors import VaultError
from vault.services.federation import Back
from vault.services.people import Wish
from vault.services.signin import SignedIn

GROUPS = {Role.OPERATOR: frozenset({"operators"}), Role.APPROVER: frozenset({"approvers", "seniors"})}


class Stage:
    """A house with a provider, its administrators, and one person who is operator and approver."""

    def __init__(self, directory: Path) -> None:
        self.house = move_in(make_world(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory))
        self.provider = Trusting()
        self.admins = self.house.admins()
        self.join()
        self.olga = self.house.appoint(self.admins, "olga@msp.example", Role.OPERATOR)
        ada, bob = (self.house.actor(each) for each in self.admins)
        people = self.house.vault.people
        grant = people.propose_grant(ada, self.olga.id, Wish(Role.APPROVER))
        people.confirm_grant(bob, grant.id, self.admins[1].code())

    def join(self, *, required: bool = False, listed: bool = True) -> None:
        """Set what the settings say of the provider."""
        join(self.house, self.provider, GROUPS if listed else {}, required=required)

    def actor(self, member: Member) -> Actor:
        """Sign in by password, in a browser."""
        return self.house.actor(member)

    def link(self, member: Member, subject: str) -> Identity:
        """Link a subject to a person, as they do it."""
        actor = self.actor(member)
        begun = self.house.vault.federation.begin_link(actor)
        self.come_back(begun.browser, subject)
        return self.house.vault.federation.link(actor, begun.browser.expose(), member.code())

    def come_back(self, browser: Secret[str], subject: str, *groups: str) -> Visit:
        """Come back as whoever the provider vouches for."""
        state, code = self.provider.vouch(subject, *groups)
        return self.house.vault.federation.answer(browser.expose(), Back(state, code), came())

    def by_provider(self, subject: str, *groups: str, otp: str) -> SignedIn:
        """Sign in by the provider."""
        federation = self.house.vault.federation
        begun = federation.begin("/accounts")
        self.come_back(begun.browser, subject, *groups)
        visit, vouched = federation.vouched(begun.browser.expose())
        assert visit.asked_for == "/accounts"
        return self.house.vault.signin.begin_vouched(vouched, otp, came(), agent="a browser")

    def refused(self, subject: str, otp: str) -> str:
        """Sign in by the provider, and give how that was refused."""
        with pytest.raises(VaultError) as caught:
            self.by_provider(subject, otp=otp)
        return f"{type(caught.value).__name__} {caught.value.code} {caught.value.detail}"

    def unlink_all(self) -> None:
        """Unlink everybody, as an administrator."""
        ada = self.actor(self.admins[0])
        for member in (self.olga, *self.admins):
            for identity in self.house.vault.federation.of(ada, member.id):
                self.house.vault.federation.unlink(ada, identity.id)

    def refusals(self) -> list[str]:
        """Give why the latest sign-ins were refused, newest first."""
        entries = self.house.events("session.refused")
        return [str(entry["detail"].get("why", "")) for entry in entries]  # type: ignore[attr-defined] # an entry's JSON
