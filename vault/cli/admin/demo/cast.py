"""The people of the story: invited, confirmed, enrolled and signed in through the same doors as anybody.

Decided here: that nobody comes in by a back door. Each has a password, a second factor and an API token of
their own, made by the vault's own use cases.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vault.cli.admin.demo.world import GUEST, LEAVER, MACHINE, PEOPLE, SCOPES, Part
from vault.crypto import totp
from vault.domain.actor import Actor, Origin, Role, Scope
from vault.domain.ids import new_id
from vault.domain.proposal import ProposalKind
from vault.domain.secret import Secret
from vault.ports.store import Slice
from vault.services.machines import Wanted
from vault.services.people import Invited, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault.bootstrap import Vault
    from vault.cli.admin.demo.clock import StoryClock
    from vault.cli.admin.demo.stage import Stage

HERE: Final = "127.0.0.1"
_WORDS: Final = (
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "granite", "harbor", "indigo", "juniper", "kelp",
    "lantern", "meadow", "nectar", "onyx", "pepper", "quartz", "ripple", "saffron", "tundra", "umber", "velvet",
    "willow", "yonder",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Player:
    """One person with their device; `token` is empty until they signed in."""

    part: Part
    password: Secret[str]
    seed: Secret[str]
    clock: StoryClock
    token: Secret[str] = field(default_factory=lambda: Secret(""))
    last_step: int = -1

    def code(self) -> str:
        """Read the device; where its present code was used, the story moves on to the next one (S15)."""
        while totp.step_of(self.clock.now()) <= self.last_step:
            self.clock.advance(totp.PERIOD)
        self.last_step = totp.step_of(self.clock.now())
        return totp.code_at(totp.Seed(self.seed), self.last_step).expose()

    def actor(self, vault: Vault) -> Actor:
        """Come with the token, as to the API."""
        bearer = vault.tokens.resolve(self.token)
        if bearer is None:
            raise AssertionError(f"the token of {self.part.name} does not count")
        return bearer.actor(_origin())


@dataclass(slots=True, eq=False)
class Cast:
    """Everyone by name, and the machine's token."""

    players: dict[str, Player] = field(default_factory=dict)
    machine: Secret[str] = field(default_factory=lambda: Secret(""))

    def of(self, role: Role, number: int = 0) -> Player:
        """Give the first, or second, of a role."""
        return [player for player in self.players.values() if player.part.role is role][number]


def enrol_administrators(vault: Vault, clock: StoryClock, stage: Stage, invited: tuple[Invited, ...]) -> Cast:
    """Let the two administrators that `init` made enrol and sign in."""
    cast = Cast()
    for part, invitation in zip(PEOPLE[:2], invited, strict=True):
        with stage.step(f"{part.name} ({part.role}) enrols by a link that works once") as told:
            cast.players[part.name] = _enrol(vault, clock, part, invitation.link)
            told("password and one-time code")
    return cast


def assemble(vault: Vault, clock: StoryClock, stage: Stage, cast: Cast) -> None:
    """Invite everyone else, let them enrol, have the second administrator confirm, and sign in who has work."""
    first, second = cast.of(Role.ADMIN), cast.of(Role.ADMIN, 1)
    with stage.step("Both administrators sign in; each takes an API token") as told:
        for player in (first, second):
            _sign_in(vault, player)
        told("by password and code")
    for part in (*PEOPLE[2:], LEAVER):
        with stage.step(f"{part.name} joins as {part.role}") as told:
            cast.players[part.name] = _join(vault, clock, cast, part, Wish(part.role))
            told(f"invited by {first.part.name}, confirmed by {second.part.name}")
    there = [cast.of(each) for each in (Role.OPERATOR, Role.APPROVER, Role.CUSTODIAN)]
    sign_in(vault, stage, (*there, cast.of(Role.APPROVER, 1)), "Whoever has work now signs in")


def invite_guest(vault: Vault, clock: StoryClock, stage: Stage, cast: Cast, wish: Wish) -> Player:
    """Let somebody come for a time and for one customer, who is none of the story's people."""
    with stage.step(f"{GUEST.name} joins as auditor of one customer, for a time") as told:
        player = _join(vault, clock, cast, GUEST, wish)
        told("" if wish.ends_at is None else f"until {wish.ends_at:%d %B}")
    return player


def sign_in(vault: Vault, stage: Stage, players: Sequence[Player], words: str) -> None:
    """Give people a fresh token; it ends after ninety days."""
    with stage.step(words) as told:
        for player in players:
            _sign_in(vault, player)
        told(f"{len(players)}, by password and code")


def enable_machine(vault: Vault, stage: Stage, cast: Cast) -> None:
    """Give the workflow a token, which two administrators agree to."""
    first, second = cast.of(Role.ADMIN), cast.of(Role.ADMIN, 1)
    with stage.step(f"A machine, {MACHINE}, gets a token of its own") as told:
        signed = vault.signin.begin(first.part.email, first.password, first.code(), _origin())
        actor = signed.actor(_origin())
        why = "The workflow of customers who leave opens handovers and follows them."
        wanted = Wanted(MACHINE, frozenset(SCOPES), Scope(), why=why)
        issued = vault.machines.issue(actor, wanted, first.code())
        vault.signin.end(actor, signed.session)
        other = second.actor(vault)
        (waiting,) = vault.proposals.page(other, Slice(5), kind=ProposalKind.TOKEN, is_waiting=True).items
        vault.proposals.confirm(other, waiting.id, second.code())
        cast.machine = issued.text
        told(f"{', '.join(SCOPES)}, agreed to by {second.part.name}; it can never disclose or approve")


def _join(vault: Vault, clock: StoryClock, cast: Cast, part: Part, wish: Wish) -> Player:
    first, second = cast.of(Role.ADMIN), cast.of(Role.ADMIN, 1)
    invited = vault.people.invite(first.actor(vault), part.email, part.name, (wish,))
    player = _enrol(vault, clock, part, invited.link)
    vault.people.confirm_grant(second.actor(vault), invited.grants[0].id, second.code())
    return player


def _enrol(vault: Vault, clock: StoryClock, part: Part, link: Secret[str]) -> Player:
    enrolling = vault.enrolment.begin(link, _origin())
    player = Player(part, _passphrase(), enrolling.seed, clock)
    vault.enrolment.complete(link, player.password, player.code(), _origin())
    return player


def _sign_in(vault: Vault, player: Player) -> None:
    signed = vault.signin.begin(
        player.part.email, player.password, player.code(), _origin(), agent="rootvault demo"
    )
    player.token = vault.tokens.issue_at_sign_in(signed, _origin(), "demonstration").text


def _passphrase() -> Secret[str]:
    return Secret(" ".join(secrets.choice(_WORDS) for _ in range(6)))


def machine(vault: Vault, cast: Cast) -> Actor:
    """Come as the machine, with its token."""
    bearer = vault.tokens.resolve(cast.machine)
    if bearer is None:
        raise AssertionError("the machine's token does not count")
    return bearer.actor(_origin())


def _origin() -> Origin:
    return Origin(request_id=new_id(), ip=HERE)
