"""Machines' tokens: what they may carry, from where they count, and which take two administrators (S19, S23).

Decided here: that a machine never discloses, approves, administers or mints, whatever anybody asks for; that a
token which can do more than read counts only after a second administrator agreed and the hold is over. Its text is
shown when it is made, as any token's, and opens nothing until then. Ending the one ends the other: a revoked token's
proposal, and the token of a proposal that was refused or taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.person import Token, TokenState
from vault.domain.policy import MACHINE_READS, NEVER_FOR_MACHINES, Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, VaultError
from vault.services.effects import Plain
from vault.services.factors import refusal
from vault.services.proposals import Draft, Proposals, check_why, in_json
from vault.services.tokens import Issued, Tokens, check_inputs, check_scope, named, require_reach

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from vault.domain.actor import Actor, Scope
    from vault.ports.store import Page, Slice, Unit

ADDRESSES_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A machine's token as somebody asks for it; `why` is for the second administrator, where one is needed."""

    name: str
    permissions: frozenset[str]
    scope: Scope
    addresses: tuple[str, ...] = ()
    lasts: timedelta | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Machines:
    """Use cases on machines' tokens; ending one is `Tokens.revoke`."""

    tokens: Tokens
    proposals: Proposals

    def issue(self, actor: Actor, wanted: Wanted, otp: str) -> Issued:
        """Make a machine's token; in a browser session, as an administrator, with a fresh factor."""
        tokens = self.tokens
        now = tokens.clock.now()
        addresses = self._check(wanted)
        with tokens.units.write() as unit:
            tokens.from_browser(unit, actor, Permission.PEOPLE_MANAGE, now)
            check_scope(unit, wanted.scope)
            require_reach(tokens.gate, unit, actor, wanted.scope, now)
            token = replace(
                tokens.drawn(actor, wanted.name, wanted.lasts, now),
                person_id=None,
                permissions=wanted.permissions,
                scope=wanted.scope,
                addresses=addresses,
                withheld=frozenset(),
            )
            if not takes_two(wanted.permissions):
                actor = tokens.factors.check(unit, actor, otp, now, refusal(actor))
                issued = tokens.put(unit, actor, token, now)
            else:
                token = replace(token, effective_at=None)
                draft = Draft(ProposalKind.TOKEN, token.id, content_of(token), wanted.why, token.scope)
                actor = self.proposals.may_propose(unit, actor, draft, otp, now)
                issued = tokens.put(unit, actor, token, now)
                self.proposals.put(unit, actor, draft, now)
            unit.commit()
        return issued

    def page(self, actor: Actor, part: Slice) -> Page[Token]:
        """List the machines' tokens within an administrator's reach, newest first."""
        tokens = self.tokens
        reach = tokens.gate.policy.reach(actor, Permission.PEOPLE_MANAGE)
        if reach.empty:
            with tokens.units.write() as unit:
                tokens.gate.require(unit, actor, Permission.PEOPLE_MANAGE, tokens.clock.now())
        with tokens.units.read() as unit:
            return unit.tokens.page(None, part, reach, machines=True)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What a machine's token may carry under the present policy."""
        return tuple(sorted(self.tokens.gate.policy.machine_scopes - NEVER_FOR_MACHINES))

    def _check(self, wanted: Wanted) -> frozenset[str]:
        errors = self.tokens.wrong(wanted.name, wanted.lasts)
        if not wanted.permissions or not wanted.permissions <= frozenset(self.scopes):
            errors += (FieldError("/scopes", f"Give one or more of {', '.join(self.scopes)}."),)
        addresses, wrong = networks(wanted.addresses)
        check_inputs((*errors, *wrong))
        if takes_two(wanted.permissions):
            check_why(wanted.why)
        return addresses


@dataclass(frozen=True)
class TokenEffect(Plain):
    """What a proposal of the kind `token` means: the token counts, from the end of the hold on."""

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say where there is no such token, or one that waits for nothing."""
        token = unit.tokens.get(proposal.subject)
        if token is None:
            # it is made together with its proposal, and looked at before
            return None if unit.proposals.get(proposal.id) is None else _over(proposal.subject)
        if token.state(now) is not TokenState.WAITING or content_of(token) != proposal.content:
            return _over(token.id)
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name whoever made the token, who is the one that proposed it."""
        token = unit.tokens.get(proposal.subject)
        return frozenset() if token is None else frozenset({token.created_by})

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Let the token count from the end of the hold."""
        token = unit.tokens.get(proposal.subject)
        if token is None:
            raise _over(proposal.subject)
        counts = replace(token, effective_at=proposal.effective_at)
        unit.tokens.update(counts)
        return changes(token, counts)

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Revoke the token."""
        token = unit.tokens.get(proposal.subject)
        if token is None or token.revoked_at is not None:
            return ()
        gone = replace(token, revoked_at=now)
        unit.tokens.update(gone)
        event = Event(
            EventType.TOKEN_REVOKED, actor, changes=changes(token, gone), detail=named(gone), subject=None
        )
        unit.log.record(event, now)
        return ()


def takes_two(permissions: frozenset[str]) -> bool:
    """Say whether a machine with these permissions can do more than read."""
    return not permissions <= MACHINE_READS


def content_of(token: Token) -> str:
    """Write what exactly is agreed to, as canonical JSON."""
    told = {
        "addresses": sorted(token.addresses),
        "made_by": token.created_by,
        "name": token.name,
        "scope": str(token.scope),
        "scopes": sorted(token.permissions),
        "until": stamp(token.expires_at),
    }
    return in_json(told)


def networks(texts: tuple[str, ...]) -> tuple[frozenset[str], tuple[FieldError, ...]]:
    """Read allowed addresses: single ones or networks, in canonical form; the second part is what is wrong."""
    errors = [FieldError("/addresses", f"Give at most {ADDRESSES_MOST} networks.")] * (
        len(texts) > ADDRESSES_MOST
    )
    found = set()
    for number, text in enumerate(texts[:ADDRESSES_MOST]):
        try:
            # a zone names a link of one machine (RFC 4007 section 11): an address with one is none that we see
            found.add(str(ip_network(text.strip().replace("%", "/no zone/"))))
        except ValueError:
            words = "Give an address or a network as 192.0.2.0/24 or 2001:db8::/48, with no bits beyond its length."
            errors.append(FieldError(f"/addresses/{number}", words))
    return frozenset(found), tuple(errors)


def _over(token_id: str) -> VaultError:
    return Conflict("proposal.state", f"The token {token_id} is over, or waits for nothing.")
