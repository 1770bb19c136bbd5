"""Opening a case: whose accounts, which ticket, and what is known from the start (A1, H1, L4, D1).

Decided here: an account is in one open case at a time; what is given at the opening is held to the same fields and
rules as when it is said later, and all that is wrong of it is named at once; the same opener and cause again is the
case that there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import EVERYTHING, ActorKind
from vault.domain.case import PLACE, CaseFile, CaseKind, Done, Place, Scene, StepState, in_order
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, VaultError
from vault.ports.cases import CaseFilter
from vault.ports.records import Slice
from vault.services.case_evidence import fields_of, read, stray_payer
from vault.services.case_ground import CaseGround, about, in_words
from vault.services.case_kinds import Given, Kind
from vault.services.frozen import require_word
from vault.services.gate import refuse, refuse_absent

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Customer
    from vault.domain.actor import Actor
    from vault.domain.case import Step
    from vault.ports.store import Unit

MOST_ACCOUNTS: Final = 1_000
TOLD_AT_ONCE: Final = 40
"""So many accounts are named in one entry, with what was given of each: within the 64 kB that a leaf may have."""
CAUSE_MAX: Final = 100
WAITING_OF_A_MACHINE: Final = 100
"""So many cases of one machine are open at a time: whoever has its token cannot keep accounts from everybody else in
more cases than people can cancel.
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody opens. `given` is evidence by account (empty: of the whole case) and step, then by field."""

    kind: CaseKind
    customer_id: str
    account_ids: tuple[str, ...]
    ticket: str
    cause: str = ""
    given: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseOpening:
    """The use case of opening a case of any kind."""

    ground: CaseGround

    def open(self, actor: Actor, opening: Opening) -> CaseFile:
        """Open a case; the same opener and `cause` again is the case that there is.

        Raises `Conflict` case.account with the account and why, `Invalid` case.evidence, `Forbidden` policy.denied.
        """
        now = self.ground.clock.now()
        kind = self.ground.kinds[opening.kind]
        with self.ground.units.write() as unit:
            customer = unit.customers.lock(opening.customer_id)
            policy = self.ground.gate.policy
            seen = (policy.reach(actor, each) for each in (Permission.ACCOUNT_READ, kind.opens))
            if customer is None or not any(reach.covers(customer.id) for reach in seen):
                refuse_absent(unit, actor, "customer", opening.customer_id, now)
            denied = Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": f"a {opening.kind}"})
            require_word(unit, actor, denied, now)
            self.ground.gate.require(unit, actor, kind.opens, now, customer_id=customer.id)
            again = self._again(unit, actor, opening)
            if again is not None:
                return again
            _check_opening(opening)
            self._check_machine(unit, actor, denied, now)
            found = unit.accounts.many(opening.account_ids)
            wrong = tuple(_against(unit, actor, opening, kind, customer))
            if wrong:
                number = wrong[0][0]
                ours = number if number in found and found[number].customer_id == customer.id else None
                named = ((f"/accounts/{each}", error) for each, error in wrong)
                refuse(unit, replace(denied, account_id=ours), together(named), now)
            accounts = in_order(found.values())
            case = CaseFile(
                new_id(),
                opening.kind,
                customer.id,
                opening.ticket.strip(),
                kind.plan.states.start.value,
                actor.id,
                now,
                now,
                opening.cause.strip(),
            )
            places = tuple(
                Place(case.id, each.id, position, PLACE.start, now) for position, each in enumerate(accounts)
            )
            scene = Scene(case, customer, places, {each.id: each for each in accounts}, {})
            done = self._given(scene, kind, actor, opening, now)
            scene = replace(scene, done={(each.account_id, each.step): each for each in done})
            self._refuse_given(unit, actor, scene, kind, done, now)
            unit.cases.add(case, places)
            unit.cases.put(done)
            self._tell_opened(unit, actor, scene, kind, now)
            for each in done:
                self._follow(unit, actor, scene, kind, each, now)
            unit.commit()
        return case

    def _again(self, unit: Unit, actor: Actor, opening: Opening) -> CaseFile | None:
        """Find the case that the same opener opened for the same cause."""
        if not opening.cause.strip():
            return None
        wanted = CaseFilter(kind=opening.kind, cause=opening.cause.strip(), opened_by=actor.id)
        found = unit.cases.page(self.ground.reach(actor), wanted, Slice(limit=1)).items
        if not found:
            return None
        scene = unit.cases.scene(found[0])
        against = ""
        if scene.case.customer_id != opening.customer_id or set(scene.accounts) != set(opening.account_ids):
            against = "for other accounts"
        elif scene.case.ticket != opening.ticket.strip():
            against = f"under ticket {scene.case.ticket}"
        if against:
            words = f"{wanted.cause} opened case {scene.case.id} {against}; give this one another name."
            raise Conflict("case.account", words, case=scene.case.id)
        return scene.case

    def _check_machine(self, unit: Unit, actor: Actor, denied: Event, now: datetime) -> None:
        """Refuse a machine that has too many open cases."""
        if actor.kind is not ActorKind.MACHINE:
            return
        most = Slice(limit=WAITING_OF_A_MACHINE)
        waiting = unit.cases.page(EVERYTHING, CaseFilter(is_open=True, opened_by=actor.id), most).items
        if len(waiting) >= WAITING_OF_A_MACHINE:
            words = (
                f"{WAITING_OF_A_MACHINE} cases that this machine opened are open; finish or cancel some, or put more "
                "accounts into one."
            )
            refuse(unit, denied, Conflict("case.state", words), now)

    def _given(
        self, scene: Scene, kind: Kind, actor: Actor, opening: Opening, now: datetime
    ) -> tuple[Done, ...]:
        """Read what was given at the opening; every wrong field of every step is named."""
        errors: list[FieldError] = []
        done = []
        for (number, name), given in opening.given.items():
            at = _place(number, name)
            step = kind.plan.step(name)
            if step is None or step.per_account != bool(number) or (number and number not in scene.accounts):
                errors.append(FieldError(at, "No step of this case has this name."))
                continue
            try:
                evidence = read(fields_of(step), given, at)
            except Invalid as error:
                errors.extend(error.errors)
                continue
            if step.applies(scene.seen(number)):
                done.append(Done(scene.case.id, number, name, StepState.DONE, now, actor.id, evidence))
            else:
                errors.extend(stray_payer(scene, kind.plan, number, name, evidence, at))
        if errors:
            raise Invalid("case.evidence", errors[0].detail, errors=tuple(errors))
        return tuple(done)

    def _refuse_given(
        self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, done: tuple[Done, ...], now: datetime
    ) -> None:
        """Refuse what was given at the opening where the opener may not give it, or a rule is against it.

        Everything that a rule is against is named.
        """
        wrong: list[tuple[Done, Step, VaultError]] = []
        for each in done:
            step = kind.plan.step(each.step)
            assert step is not None  # noqa: S101 - `_given` looked it up
            if step.takes_two(each.evidence) or step.needs:
                words = f"{step.title}: this is for later, not for the opening."
                refuse(
                    unit,
                    self.ground.refusal(actor, scene, step, each.account_id),
                    Conflict("case.state", words),
                    now,
                )
            permission = kind.opens if step.informs else step.by
            self.ground.require(unit, actor, scene, step, each.account_id, now, permission)
            error = kind.check(unit, actor, scene, Given(step, each.account_id, each.evidence), now)
            if error is not None:
                error.errors = pointed(error.errors, each.account_id, each.step)
                wrong.append((each, step, error))
        if wrong:
            each, step, _ = wrong[0]
            named = ((_place(known.account_id, known.step), error) for known, _, error in wrong)
            refuse(unit, self.ground.refusal(actor, scene, step, each.account_id), together(named), now)

    def _tell_opened(self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, now: datetime) -> None:
        case = scene.case
        whole = tuple(each for each in scene.done.values() if not each.account_id)
        told = (*changes(None, case), *(change for each in whole for change in changes(None, each)))
        detail = about(scene) | {"ticket": case.ticket, "cause": case.cause, "accounts": len(scene.places)}
        detail |= {"next": kind.opens.value}
        given = {each.step: dict(each.evidence) for each in whole}
        event = Event(
            EventType.CASE_OPENED, actor, changes=told, detail=detail | {"evidence": in_words(given)}
        )
        unit.log.record(replace(event, subject=f"case:{case.id}"), now)
        for start in range(0, len(scene.places), TOLD_AT_ONCE):
            part = scene.places[start : start + TOLD_AT_ONCE]
            mine = {each.account_id for each in part}
            steps = tuple(each for each in scene.done.values() if each.account_id in mine)
            things: tuple[object, ...] = (*part, *steps)
            shown = {f"{each.account_id} {each.step}": dict(each.evidence) for each in steps}
            named = about(scene) | {"from": start + 1, "to": start + len(part), "of": len(scene.places)}
            joined = Event(EventType.CASE_JOINED, actor, detail=named | {"evidence": in_words(shown)})
            told = tuple(change for thing in things for change in changes(None, thing))
            alone = part[0].account_id if len(scene.places) == 1 else None
            unit.log.record(replace(joined, changes=told, account_id=alone), now)

    def _follow(self, unit: Unit, actor: Actor, scene: Scene, kind: Kind, done: Done, now: datetime) -> None:
        """Let what was given at the opening have its effect, told in an entry of its own where it has any."""
        case = unit.cases.get(scene.case.id) or scene.case
        told = kind.follows(unit, actor, replace(scene, case=case), done, now)
        if told:
            event = Event(EventType.CASE_CHANGED, actor, account_id=done.account_id or None, changes=told)
            unit.log.record(replace(event, detail=about(scene) | {"what": done.step}), now)


def _against(
    unit: Unit, actor: Actor, opening: Opening, kind: Kind, customer: Customer
) -> Iterator[tuple[str, VaultError]]:
    """Give each account that cannot be in the case, with why; another customer's is as absent as none (S21)."""
    found = unit.accounts.many(opening.account_ids)
    others = unit.cases.open_of(opening.account_ids)
    for number in opening.account_ids:
        account, other = found.get(number), others.get(number)
        if account is None or account.customer_id != customer.id:
            words = (
                f"Account {number[:12]} is not one of this customer's; leave it out, or name its customer."
            )
            yield number, Conflict("case.account", words, account=number[:12])
            continue
        error = kind.joins(unit, actor, customer, account)
        if error is None and other is not None:
            words = f"Account {number} is in a case already ({other.kind}), case {other.id}; finish or cancel that."
            error = Conflict("case.account", words, case=other.id)
        if error is not None:
            yield number, error


def together(wrong: Iterable[tuple[str, VaultError]]) -> VaultError:
    """Make one error of several, each with the JSON pointer of what it is about: the first one, naming every place."""
    places = tuple(wrong)
    first = places[0][1]
    errors = tuple(each for at, error in places for each in (error.errors or (FieldError(at, error.detail),)))
    more = len(places) - 1
    detail = f"{first.detail} Beside it, {more} more cannot count; each is named." if more else first.detail
    return type(first)(first.code, detail, retry_after=first.retry_after, errors=errors, **first.facts)


def pointed(errors: Iterable[FieldError], account_id: str, step: str) -> tuple[FieldError, ...]:
    """Let errors in a step's evidence say of which step of which account they are."""
    at = _place(account_id, step)
    return tuple(replace(each, pointer=each.pointer.replace("/evidence", at, 1)) for each in errors)


def _place(account_id: str, step: str) -> str:
    return f"/accounts/{account_id}/{step}" if account_id else f"/{step}"


def _check_opening(opening: Opening) -> None:
    errors = []
    if not opening.account_ids or len(opening.account_ids) > MOST_ACCOUNTS:
        errors.append(FieldError("/accounts", f"Name 1 to {MOST_ACCOUNTS} accounts."))
    elif len(set(opening.account_ids)) != len(opening.account_ids):
        errors.append(FieldError("/accounts", "An account is named twice."))
    if not opening.ticket.strip():
        errors.append(FieldError("/ticket", "Name the ticket that holds all communication (H1)."))
    if len(opening.cause) > CAUSE_MAX:
        errors.append(FieldError("/cause", f"At most {CAUSE_MAX} characters."))
    if errors:
        words = " ".join(f"{error.pointer}: {error.detail}" for error in errors)
        raise Invalid("input.invalid", words, errors=tuple(errors))
