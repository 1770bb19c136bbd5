"""The gate in front of every use case: permission, sight, and refusals that stay in the log.

Decided here: how a decision becomes an error, and that a refusal is recorded and committed before the
error is raised, so that no rollback takes the refusal's own entry with it. Never decided here: what
is allowed (`vault.domain.policy`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.event import Event, EventType, Result
from vault.domain.policy import Deny, Permission, Policy
from vault.errors import Blocked, Conflict, Forbidden, Invalid, VaultError, not_found

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.checkout import Checkout
    from vault.ports.store import Held, Unit
    from vault.services.policy_book import Book

_FAMILIES: Final[dict[str, type[VaultError]]] = {
    "approval.changed": Conflict,
    "approval.duplicate": Conflict,
    "approval.locked": Blocked,
    "custody.state": Conflict,
    "policy.reason_unknown": Invalid,
    "review.due": Blocked,
    "rotation.due": Blocked,
}


def error_of(denial: Deny) -> VaultError:
    """Turn a denial into the error of its family; what is not told apart is `Forbidden`."""
    return _FAMILIES.get(denial.code, Forbidden)(denial.code, denial.detail, rule=denial.rule)


def refuse(unit: Unit, event: Event, error: VaultError, now: datetime) -> NoReturn:
    """Record `event` as a refusal for `error`, commit, and only then raise."""
    detail = {**event.detail, "code": error.code}
    result = Result.DENIED if event.result is Result.SUCCESS else event.result
    unit.log.record(replace(event, result=result, detail=detail), now)
    unit.commit()
    raise error


def refuse_absent(unit: Unit, actor: Actor, noun: str, name: str, now: datetime) -> NoReturn:
    """Refuse an attempt on what is not there; another's is refused alike (S21). The entry says what was tried."""
    event = Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": f"{noun} {name[:36]}"})
    refuse(unit, event, not_found(noun, name[:36]), now)


@dataclass(frozen=True, slots=True)
class Gate:
    """The policy in force, as use cases ask it."""

    book: Book

    @property
    def policy(self) -> Policy:
        """The version that this request goes by."""
        return self.book.policy

    def require(
        self,
        unit: Unit,
        actor: Actor,
        permission: Permission,
        now: datetime,
        *,
        customer_id: str | None = None,
        account: Account | None = None,
        event: EventType = EventType.ACCESS_DENIED,
        checkout_id: str | None = None,
        asked_for: str | None = None,
    ) -> None:
        """Return if the policy permits; else record, with what was `asked_for`, commit and raise `Forbidden`."""
        owner = account.customer_id if account is not None else customer_id
        number = account.id if account is not None else None
        decision = self.policy.decide(actor, permission, owner, number)
        if isinstance(decision, Deny):
            denied = Event(
                event,
                actor,
                account_id=number,
                checkout_id=checkout_id,
                rule=decision.rule,
                detail={"permission": permission} | ({} if asked_for is None else {"asked_for": asked_for}),
            )
            refuse(unit, denied, error_of(decision), now)

    def sees(self, actor: Actor, account: Account) -> bool:
        """Say whether `actor` may know that `account` exists (S21)."""
        return self.policy.reach(actor, Permission.ACCOUNT_READ).covers(account.customer_id, account.id)

    def account(
        self, unit: Unit, actor: Actor, account_id: str, now: datetime, *, lock: bool = False
    ) -> Account:
        """Find an account in sight; another's is as absent as one that does not exist (S21).

        With `lock` the row is held and the attempt, which meant to change something, is recorded.
        """
        found = unit.accounts.lock(account_id) if lock else unit.accounts.get(account_id)
        if found is not None and self.sees(actor, found):
            return found
        error = not_found("account", account_id)
        if not lock:
            raise error
        event = Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": f"account {account_id[:12]}"})
        refuse(unit, event, error, now)

    def held(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> Held:
        """Find a checkout as `checkout` does, with what the actor's disclosures under it rest on."""
        found = unit.checkouts.hold(checkout_id, actor.id, actor.origin.session)
        if found is not None and self.sees(actor, found.account):
            return found
        refuse_absent(unit, actor, "checkout", checkout_id, now)

    def checkout(self, unit: Unit, actor: Actor, checkout_id: str, now: datetime) -> tuple[Checkout, Account]:
        """Find a checkout in sight and hold its account's row; attempts on others' are recorded."""
        found = unit.checkouts.claim(checkout_id)
        if found is not None and self.sees(actor, found[1]):
            return found
        refuse_absent(unit, actor, "checkout", checkout_id, now)
