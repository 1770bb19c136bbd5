"""One word on a step of many accounts, under one fresh factor (H7, H9, S16, S19).

Decided here: the factor belongs to the request, and the request names every account: a passkey signs the list with it.
It is claimed with the first word that is written. Each account has a transaction and an entry of its own, as when it
is alone, and is looked at anew under its lock, by powers that are in force at that moment. A second word carries for
each account when its first one was said. What speaks against one account is told of it and stops no other; the same
against several in a row ends it. What is left is said with another factor; what is said already is the same again.
Never decided here: what makes one word count (`case_saying`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from vault.domain.actor import ActorKind
from vault.domain.event import Event, EventType
from vault.domain.person import powers
from vault.errors import (
    Blocked,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
    not_found,
)
from vault.services.case_evidence import fields_of, read
from vault.services.case_ground import CaseGround
from vault.services.case_looks import look
from vault.services.case_saying import Factor, Said, Saying, Spot
from vault.services.gate import refuse
from vault.services.proposals import check_why

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import Step
    from vault.domain.outlook import Item
    from vault.ports.store import Unit

MOST: Final = 100
"""So many accounts one request names: as many as a person looks through before they say a word."""
IN_A_ROW: Final = 3
"""So often in a row the same may speak against accounts, until the rest is left."""
LASTS: Final = timedelta(seconds=20)
"""So long one request works: its client waits for half a minute, and its factor was for now."""

One: TypeAlias = Callable[[Spot, Factor], Said]
"""Says the word on one account, in a transaction of its own."""


class Outcome(StrEnum):
    """What became of a word on one account."""

    SAID = "said"
    SAME = "same"
    """It had been said before."""
    REFUSED = "refused"
    LEFT = "left"
    """It was not tried: too much was refused, or the time was over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a word on one account: how its step stands, or what was said against it."""

    account_id: str
    outcome: Outcome
    item: Item | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Many:
    """The use case of one word on one step of many accounts."""

    ground: CaseGround

    def attest(
        self,
        actor: Actor,
        case_id: str,
        step: str,
        accounts: Sequence[str],
        given: Mapping[str, str],
        otp: str = "",
    ) -> tuple[Answer, ...]:
        """Say of each that the step is done, with the same evidence; where it takes two, this is the first word.

        Where the vault can look whether it is so, it looks at each first, as when it is alone (`case_looks`).

        Raises `Invalid` case.evidence or input.invalid, `NotFound`, and what is wrong with the factor.
        """
        words = Saying(self.ground)
        evidence = read(fields_of(self._begin(actor, case_id, step, accounts)), given)

        def one(at: Spot, factor: Factor) -> Said:
            seen = look(self.ground, actor, *at)
            with self._unit(actor) as (unit, who, now):
                return words.attest(unit, who, at, evidence, factor, now, seen)

        return self._each(case_id, step, accounts, otp, one)

    def agree(
        self, actor: Actor, case_id: str, step: str, looked_at: Mapping[str, datetime], otp: str
    ) -> tuple[Answer, ...]:
        """Say the second word on each, to what the first one said at the moment that this person looked at.

        Raises `Invalid` input.invalid, `NotFound`, and what is wrong with the factor.
        """
        words = Saying(self.ground)
        self._begin(actor, case_id, step, tuple(looked_at))

        def one(at: Spot, factor: Factor) -> Said:
            with self._unit(actor) as (unit, who, now):
                return words.agree(unit, who, at, looked_at[at.account_id], factor, now)

        return self._each(case_id, step, tuple(looked_at), otp, one)

    def waive(
        self, actor: Actor, case_id: str, step: str, accounts: Sequence[str], why: str, otp: str
    ) -> tuple[Answer, ...]:
        """Propose of each that the step be let go; another person has to agree.

        Raises `Invalid` input.invalid, `NotFound`, and what is wrong with the factor.
        """
        words = Saying(self.ground)
        check_why(why)
        self._begin(actor, case_id, step, accounts)

        def one(at: Spot, factor: Factor) -> Said:
            with self._unit(actor) as (unit, who, now):
                return words.waive(unit, who, at, why, factor, now)

        return self._each(case_id, step, accounts, otp, one)

    def disagree(
        self, actor: Actor, case_id: str, step: str, accounts: Sequence[str], why: str
    ) -> tuple[Answer, ...]:
        """Refuse the second word on each, or take one's own first one back; this takes no factor.

        Raises `Invalid` input.invalid and `NotFound`.
        """
        words = Saying(self.ground)
        check_why(why)
        self._begin(actor, case_id, step, accounts)

        def one(at: Spot, _: Factor) -> Said:
            with self._unit(actor) as (unit, who, now):
                return words.disagree(unit, who, at, why, now)

        return self._each(case_id, step, accounts, "", one)

    def _begin(self, actor: Actor, case_id: str, step: str, accounts: Sequence[str]) -> Step:
        """Find the step; refuse a list that cannot be meant before anything is said."""
        if not 1 <= len(accounts) <= MOST or len(set(accounts)) != len(accounts):
            words = f"Name 1 to {MOST} accounts, each once."
            raise Invalid("input.invalid", words, errors=(FieldError("/accounts", words),))
        with self.ground.units.write() as unit:
            _, kind = self.ground.scene(unit, actor, case_id, self.ground.clock.now())
        found = kind.plan.step(step)
        if found is None or not found.per_account:
            name = f"{step[:40]} of accounts"
            raise not_found("step", name)
        return found

    @contextmanager
    def _unit(self, actor: Actor) -> Iterator[tuple[Unit, Actor, datetime]]:
        """Lend a transaction for one account, with the actor as they are at this moment."""
        now = self.ground.clock.now()
        with self.ground.units.write() as unit:
            yield unit, _anew(unit, actor, now), now

    def _each(
        self, case_id: str, step: str, accounts: Sequence[str], otp: str, one: One
    ) -> tuple[Answer, ...]:
        began = self.ground.clock.now()
        factor = Factor(self.ground.factors, otp, of_many=len(accounts) > 1)
        found: list[Answer] = []
        row = [""]
        for number in accounts:
            if len(row) > IN_A_ROW or (found and self.ground.clock.now() - began >= LASTS):
                break
            try:
                said = one(Spot(case_id, step, number), factor)
            except (Blocked, Conflict, Forbidden, Invalid, NotFound) as error:
                if factor.refused:
                    raise
                row = [*row, error.code] if row[-1] == error.code else ["", error.code]
                found.append(Answer(number, Outcome.REFUSED, None, error.code, error.detail))
            else:
                row = [""]
                found.append(Answer(number, Outcome.SAID if said.anew else Outcome.SAME, said.item))
        left = (Answer(number, Outcome.LEFT) for number in accounts[len(found) :])
        return (*found, *left)


def _anew(unit: Unit, actor: Actor, now: datetime) -> Actor:
    """Give somebody with the powers that are in force at this moment, not when the request came in.

    Raises `Unauthenticated` auth.required where their session or token was ended since.
    """
    if _is_out(unit, actor, now):
        words = (
            "This session or token was ended meanwhile: nothing more is said. Sign in again for what is left."
        )
        refuse(unit, Event(EventType.ACCESS_DENIED, actor), Unauthenticated("auth.required", words), now)
    if actor.kind is not ActorKind.PERSON:
        return actor
    return replace(actor, powers=powers(unit.people.grants(actor.id), now, actor.withheld))


def _is_out(unit: Unit, actor: Actor, now: datetime) -> bool:
    if actor.origin.browser:
        return unit.sessions.has_ended(actor.origin.session)
    token = unit.tokens.get(actor.origin.session)
    return token is not None and not token.alive(now)
