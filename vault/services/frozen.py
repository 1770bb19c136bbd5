"""What a freeze does to whoever meets it: the refusal that says who froze what, and how one is set.

Decided here: that a freeze is looked for in the database in the unit that would go on, and that a frozen person's word
counts nowhere. Never decided here: who may freeze, and how it ends (`freezes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.event import Event, EventType
from vault.domain.freeze import Covered, Freeze, FreezeKind
from vault.domain.ids import new_id
from vault.domain.told import changes
from vault.errors import Blocked
from vault.services.gate import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.ports.store import Unit


def frozen(freeze: Freeze) -> Blocked:
    """Say that nothing is disclosed: who froze what, since when, and what to do."""
    since = f"{freeze.set_at:%Y-%m-%dT%H:%M:%SZ}"
    what = {
        FreezeKind.VAULT: "The whole vault",
        FreezeKind.CUSTOMER: "This customer",
        FreezeKind.ACCOUNT: f"Account {freeze.target}",
        FreezeKind.PERSON: "This person",
    }[freeze.kind]
    detail = (
        f"{what} was frozen by {freeze.set_by_name} at {since}; nothing is disclosed. Two people who may lift it "
        "have to agree; ask an approver or an administrator."
    )
    return Blocked(
        "frozen",
        detail,
        freeze=freeze.id,
        scope=str(freeze.covered),
        frozen_by=freeze.set_by_name,
        since=since,
    )


def require_thawed(unit: Unit, account: Account, actor: Actor, refused: Event, now: datetime) -> None:
    """Return if nothing stops the actor's disclosures of an account; else record `refused` and raise."""
    found = unit.freezes.over(account, actor.id)
    if found is not None:
        refuse(unit, refused, frozen(found), now)


def require_word(unit: Unit, actor: Actor, refused: Event, now: datetime) -> None:
    """Return if the actor themselves is not frozen: a frozen person's word counts nowhere."""
    found = unit.freezes.on(Covered(FreezeKind.PERSON, actor.id))
    if found is not None:
        refuse(unit, refused, frozen(found), now)


def put(unit: Unit, actor: Actor, covered: Covered, why: str, now: datetime) -> Freeze:
    """Freeze and tell of it; the same again is the freeze that there is. The caller held the freezes, and commits."""
    found = unit.freezes.on(covered)
    if found is not None:
        return found
    made = Freeze(new_id(), covered.kind, covered.target, why, actor.id, actor.name, now)
    unit.freezes.add(made)
    unit.freezes.end_step_ups(covered, now)
    event = Event(
        EventType.FREEZE_SET,
        actor,
        account_id=covered.target if covered.kind is FreezeKind.ACCOUNT else None,
        changes=changes(None, made),
        detail={"freeze": made.id, "scope": str(covered), "why": why},
        subject=f"freeze:{made.id}",
    )
    unit.log.record(event, now)
    return made
