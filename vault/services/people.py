"""People and their power: what adds power takes two administrators and a hold, what removes it works at once.

Decided here: the steps (S19, ARCHITECTURE rule 9). An administrator proposes, another confirms with a fresh
code, nobody for themselves, nobody wider than their own reach (C1), and never two roles that exclude each
other. Before the first account is held there is no hold, so that a new vault can be set up in an hour.
Whoever is disabled is out with sessions, tokens and leases in the same transaction. The last administrator
over everything stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.actor import Actor, Role, Scope, ScopeKind, incompatible, reach_of, system_actor
from vault.domain.event import Event, EventType, stamp
from vault.domain.ids import new_id
from vault.domain.person import Grant, Person, PersonState, powers
from vault.domain.policy import Permission
from vault.errors import Conflict, Forbidden, Refused, VaultError, not_found
from vault.ports.store import Slice
from vault.services.deciding import meanwhile
from vault.services.departures import end_leases
from vault.services.factors import Factors, refusal
from vault.services.gate import Gate, refuse, refuse_absent
from vault.services.granting import granted, invited, proposed, removed
from vault.services.inviting import check_ends, check_first_administrators, check_words, without_others
from vault.services.leaving import shut_out
from vault.services.links import new_link
from vault.services.proposals import gone
from vault.services.sight import in_sight, lies_within, reach_over_people, standing, word_counts
from vault.services.tokens import check_scope, require_reach

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.store import Page, Unit, Units

WAITING_SHOWN: Final = 50
_INIT: Final = system_actor("init")


@dataclass(frozen=True, slots=True)
class Wish:
    """A role within a scope that someone shall get; `ends_at` is for an auditor who comes for a time."""

    role: Role
    scope: Scope = field(default=Scope())
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Invited:
    """A person with a fresh enrolment link's token, shown once, and the grants that wait or are in force."""

    person: Person
    link: Secret[str]
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A person with all grants that are not removed."""

    person: Person
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Use cases of administrators."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    hold: timedelta
    link_lasts: timedelta

    def invite(self, actor: Actor, email: str, name: str, wishes: tuple[Wish, ...]) -> Invited:
        """Make a person with an enrolment link, and propose their roles; `Conflict` person.exists."""
        now = self.clock.now()
        check_words(email, name, wishes)
        check_ends(wishes, now)
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            # all refusals come before the first write: their commit must not carry half of the invitation
            for wish in wishes:
                self._check_wish(unit, actor, wish, now)
            self._check_together(unit, actor, frozenset(wish.role for wish in wishes), now)
            person, link = self._new_person(unit, actor, email, name, now)
            grants = tuple(self._add(unit, actor, person, wish, now) for wish in wishes)
            unit.commit()
        return Invited(person, link, grants)

    def new_enrolment(self, actor: Actor, person_id: str) -> Invited:
        """Make a fresh link for who did not enrol yet; an older link and its seed are dead.

        Whoever holds a link can become that person: who made it never agrees to their roles, and what gives
        power without a second word, as `init` does, gets no new link once any account was held (S19). Roles that
        others proposed, for whom another administrator invited, are taken back: they were for who held that link.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            person = _there(unit, person_id, lock=True)
            grants = self._reached(unit, actor, person, now)
            if person.state is not PersonState.INVITED:
                words = f"This person is {person.state}; only who did not enrol yet gets a new link."
                self._deny(unit, actor, Conflict("person.state", words, state=person.state), now)
            if unit.accounts.ever_held() and any(grant.confirmed_by is not None for grant in grants):
                words = (
                    "Who would have power at once gets no new link any more: disable them, invite another."
                )
                self._deny(unit, actor, Conflict("person.state", words, rule="S19"), now)
            link = new_link(now, self.link_lasts)
            before = person
            person = replace(
                person,
                seed=None,
                enrolment_hash=link.hash,
                enrolment_until=link.until,
                link_by=actor.id,
            )
            unit.people.update(person)
            detail = {"person": person.id, "link": "new", "until": stamp(link.until)}
            unit.log.record(invited(actor, before, person, detail), now)
            if before.link_by != actor.id:
                grants = without_others(unit, actor, grants, now)
            unit.commit()
        return Invited(person, link.token, grants)

    def propose_grant(self, actor: Actor, person_id: str, wish: Wish) -> Grant:
        """Propose a role for someone else; it gives nothing before another administrator confirmed it."""
        now = self.clock.now()
        check_ends((wish,), now)
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            person = _there(unit, person_id)
            if in_sight(unit, self.gate.policy, actor, person, standing(unit, person.id)) is None:
                refuse_absent(unit, actor, "person", person_id, now)
            if person.id == actor.id:
                detail = "Nobody proposes power for themselves; ask another administrator."
                self._deny(unit, actor, Forbidden("policy.second_person", detail, rule="S19"), now)
            self._check_wish(unit, actor, wish, now)
            self._check_grantable(unit, actor, person, wish.role, now)
            grant = self._add(unit, actor, person, wish, now)
            unit.commit()
        return grant

    def confirm_grant(self, actor: Actor, grant_id: str, otp: str) -> Grant:
        """Agree to a proposed role, as another administrator than who proposed it, who gets it or made their link.

        Only for who has enrolled: `Conflict` person.state before.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            grant = _held_grant(unit, grant_id)
            if actor.id in {grant.proposed_by, grant.person_id}:
                detail = "Another administrator has to confirm this: neither who proposed it nor who gets it."
                self._deny(unit, actor, Forbidden("policy.second_person", detail, rule="S19"), now)
            if grant.removed_at is not None or grant.confirmed_by is not None:
                word = "removed" if grant.removed_at is not None else "confirmed"
                self._deny(unit, actor, Conflict("person.state", f"This grant was {word} already."), now)
            require_reach(self.gate, unit, actor, grant.scope, now)
            first = (grant.proposed_by, Permission.PEOPLE_MANAGE, grant.scope)
            if not word_counts(unit, self.gate.policy, *first, now):
                self._deny(unit, actor, gone("person.state"), now)
            person = _there(unit, grant.person_id)
            self._check_grantable(unit, actor, person, grant.role, now)
            self._check_enrolled(unit, actor, person, now)
            hold = self.hold if unit.accounts.ever_held() else timedelta(0)
            if grant.ended(now + hold):
                words = "It would end before it begins; propose it anew with a later end."
                self._deny(unit, actor, Conflict("person.state", words), now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            before, grant = grant, replace(grant, confirmed_by=actor.id, effective_at=now + hold)
            unit.people.update_grant(grant)
            unit.log.record(granted(actor, before, grant), now)
            second = (actor.id, *first[1:])
            # the log's head is held by now: whoever took a power away before this entry has committed, and is seen
            if not all(word_counts(unit, self.gate.policy, *word, now) for word in (first, second)):
                raise meanwhile()
            unit.commit()
        return grant

    def remove_grant(self, actor: Actor, grant_id: str) -> Grant:
        """Take a role away, proposed or in force, at once; leases that needed it end with it."""
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            grant = _held_grant(unit, grant_id)
            require_reach(self.gate, unit, actor, grant.scope, now)
            if grant.removed_at is None:
                self._keep_an_administrator(unit, actor, grant.person_id, now, (grant,))
                gone = replace(grant, removed_at=now)
                unit.people.update_grant(gone)
                left = tuple(each for each in unit.people.grants(grant.person_id) if each.id != grant.id)
                roles = self.gate.policy.permissions[Permission.CHECKOUT_USE]
                reach = reach_of(tuple(power.scope for power in powers(left, now) if power.role in roles))
                end_leases(unit, actor, grant.person_id, reach, now)
                unit.log.record(removed(actor, grant, gone), now)
                self._still_an_administrator(unit, (grant,), now)
                unit.commit()
                grant = gone
        return grant

    def disable(self, actor: Actor, person_id: str) -> Person:
        """Shut a person out: sessions, tokens and leases end, and what they may know is due, at once (S17)."""
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            person = _there(unit, person_id)
            held = self._reached(unit, actor, person, now)
            if person.state is PersonState.DISABLED:
                return person
            self._keep_an_administrator(unit, actor, person.id, now, held)
            disabled = shut_out(unit, actor, person, now)
            self._still_an_administrator(unit, held, now)
            unit.commit()
        return disabled

    def bootstrap_admins(self, admins: tuple[tuple[str, str], ...]) -> tuple[Invited, ...]:
        """Make the first two administrators (e-mail and name each), on the host; refused once anyone exists."""
        now = self.clock.now()
        check_first_administrators(admins)
        actor = _INIT
        made: list[Invited] = []
        with self.units.write() as unit:
            if unit.people.page(Slice(limit=1)).items:
                raise Refused(
                    "operation.failed", "There are people already; an administrator invites the next."
                )
            for email, name in admins:
                person, link = self._new_person(unit, actor, email, name, now)
                grant = replace(
                    _new_grant(actor, person, Wish(Role.ADMIN), now), confirmed_by=actor.id, effective_at=now
                )
                unit.people.add_grant(grant)
                unit.log.record(granted(actor, None, grant), now)
                made.append(Invited(person, link, (grant,)))
            unit.commit()
        return tuple(made)

    def get(self, actor: Actor, person_id: str) -> Profile:
        """Read a person and their grants: oneself, or as an administrator or auditor whoever is in sight."""
        with self.units.read() as unit:
            person = unit.people.get(person_id)
            held = () if person is None else standing(unit, person.id)
            seen = None if person is None else in_sight(unit, self.gate.policy, actor, person, held)
            if person is None or seen is None:
                raise not_found("person", person_id[:36])
            return Profile(person, seen)

    def waiting(self, actor: Actor) -> tuple[tuple[Person, Grant], ...]:
        """List roles in sight that wait for a second administrator, the newest first."""
        reach = reach_over_people(self.gate.policy, actor)
        if reach.empty:
            return ()
        with self.units.read() as unit:
            found = unit.people.waiting(WAITING_SHOWN)
            return tuple(each for each in found if lies_within(unit, reach, each[1].scope))

    def page(self, actor: Actor, part: Slice) -> Page[Person]:
        """List everyone in sight, for administrators and auditors; for others, a refusal in the log."""
        reach = reach_over_people(self.gate.policy, actor)
        if reach.empty:
            now = self.clock.now()
            with self.units.write() as unit:
                self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
        with self.units.read() as unit:
            return unit.people.page(part, reach, actor.id)

    def _new_person(
        self, unit: Unit, actor: Actor, email: str, name: str, now: datetime
    ) -> tuple[Person, Secret[str]]:
        link = new_link(now, self.link_lasts)
        person = Person(
            id=new_id(),
            email=email.strip(),
            name=name.strip(),
            state=PersonState.INVITED,
            created_at=now,
            enrolment_hash=link.hash,
            enrolment_until=link.until,
            link_by=actor.id,
        )
        unit.people.add(person)
        detail = {
            "person": person.id,
            "email": person.email,
            "name": person.name,
            "until": stamp(link.until),
        }
        # the link is shown once: a repeated request is not answered with it again (S8)
        unit.log.record(invited(actor, None, person, detail), now)
        return person, link.token

    def _add(self, unit: Unit, actor: Actor, person: Person, wish: Wish, now: datetime) -> Grant:
        grant = _new_grant(actor, person, wish, now)
        unit.people.add_grant(grant)
        unit.log.record(proposed(actor, grant), now)
        return grant

    def _reached(self, unit: Unit, actor: Actor, person: Person, now: datetime) -> tuple[Grant, ...]:
        """Give a person's standing grants where all of them, or with none the person, are within the actor's reach."""
        grants = standing(unit, person.id)
        for grant in grants:
            require_reach(self.gate, unit, actor, grant.scope, now)
        if in_sight(unit, self.gate.policy, actor, person, grants) is None:
            refuse_absent(unit, actor, "person", person.id, now)
        return grants

    def _check_wish(self, unit: Unit, actor: Actor, wish: Wish, now: datetime) -> None:
        check_scope(unit, wish.scope)
        require_reach(self.gate, unit, actor, wish.scope, now)

    def _check_grantable(self, unit: Unit, actor: Actor, person: Person, role: Role, now: datetime) -> None:
        if person.state is PersonState.DISABLED:
            self._deny(
                unit, actor, Conflict("person.state", "This person is disabled.", state=person.state), now
            )
        held = (grant.role for grant in standing(unit, person.id))
        self._check_together(unit, actor, frozenset({role, *held}), now)

    def _check_enrolled(self, unit: Unit, actor: Actor, person: Person, now: datetime) -> None:
        """Return where a person is who they are by now, and another than the actor gave them their link (S19)."""
        if person.state is not PersonState.ACTIVE:
            words = "They did not enrol yet: whoever holds their link could be them. Confirm it afterwards."
            self._deny(unit, actor, Conflict("person.state", words, state=person.state), now)
        if person.link_by == actor.id:
            words = "You made the link by which they enrolled; another administrator has to confirm this."
            self._deny(unit, actor, Forbidden("policy.second_person", words, rule="S19"), now)

    def _check_together(self, unit: Unit, actor: Actor, roles: frozenset[Role], now: datetime) -> None:
        pair = incompatible(roles)
        if pair is not None:
            detail = f"Nobody holds {pair[0]} together with {pair[1]}; remove the other first."
            self._deny(unit, actor, Conflict("person.state", detail, rule="rule 9"), now)

    def _keep_an_administrator(
        self, unit: Unit, actor: Actor, person_id: str, now: datetime, lost: tuple[Grant, ...]
    ) -> None:
        if not any(_is_chief(grant) for grant in lost):
            return
        gone = {grant.id for grant in lost}
        left = (
            grant
            for person, grant in unit.people.holders(frozenset({Role.ADMIN}), now)
            if _is_chief(grant) and grant.id not in gone and person.id != person_id
        )
        if next(left, None) is None:
            detail = "This is the last active administrator over everything; appoint another first."
            self._deny(unit, actor, Conflict("person.state", detail), now)

    def _still_an_administrator(self, unit: Unit, lost: tuple[Grant, ...], now: datetime) -> None:
        """Return where one is left beside whoever else went at this moment; else nothing is done.

        The log's head is held by now: who took a power away before this entry has committed, and is seen.
        """
        holders = unit.people.holders(frozenset({Role.ADMIN}), now)
        if any(map(_is_chief, lost)) and not any(_is_chief(grant) for _, grant in holders):
            raise meanwhile()

    def _deny(self, unit: Unit, actor: Actor, error: VaultError, now: datetime) -> NoReturn:
        event = Event(EventType.ACCESS_DENIED, actor, detail={"permission": Permission.PEOPLE_MANAGE})
        refuse(unit, event, error, now)


def _there(unit: Unit, person_id: str, *, lock: bool = False) -> Person:
    person = unit.people.lock(person_id) if lock else unit.people.get(person_id)
    if person is None:
        raise not_found("person", person_id[:36])
    return person


def _held_grant(unit: Unit, grant_id: str) -> Grant:
    """Find a grant and hold its row: of a word for it and its removal at once, the removal stays."""
    grant = unit.people.lock_grant(grant_id)
    if grant is None:
        raise not_found("grant", grant_id[:36])
    return grant


def _is_chief(grant: Grant) -> bool:
    return grant.role is Role.ADMIN and grant.scope.kind is ScopeKind.ALL and grant.confirmed_by is not None


def _new_grant(actor: Actor, person: Person, wish: Wish, now: datetime) -> Grant:
    return Grant(new_id(), person.id, wish.role, wish.scope, actor.id, now, ends_at=wish.ends_at)
