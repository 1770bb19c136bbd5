"""What follows in the vault once AWS said that nothing is left of a root, and once recovery is allowed again.

Decided here: every version of both parts that could still be opened for use is retired (it stays, and opens in a
drill), a staged one failed, rotations that nobody proved are given up, and the parts are absent. After recovery was
allowed custody begins anew: whoever takes over resets the password by the mailbox (C4).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vault.domain.account import CUSTODY, Account, CustodyEvent
from vault.domain.credential import VERSION, PartEvent, PartKind, VersionEvent, VersionLabel
from vault.domain.event import Change, Event, EventType
from vault.domain.keyless import KEYLESS, Keyless, KeylessEvent
from vault.domain.rotation import ROTATION, RotationEvent, RotationState
from vault.domain.told import changes
from vault.errors import Conflict
from vault.services.leases import move_part

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.store import Unit

_DEAD = {
    VersionLabel.CURRENT: VersionEvent.PROVEN_DEAD,
    VersionLabel.PREVIOUS: VersionEvent.PROVEN_DEAD,
    VersionLabel.STAGED: VersionEvent.FAILED,
}


def retire_all(unit: Unit, account: Account, now: datetime) -> tuple[Change, ...]:
    """Retire what was held of a root that has nothing any more; give what changed. No checkout is open."""
    told: list[Change] = []
    for part in unit.accounts.parts(account.id):
        moved = move_part(unit, part, PartEvent.REMOVED, now)
        told += () if moved is None else (moved,)
    for kind in PartKind:
        for version in unit.versions.of(account.id, kind):
            event = _DEAD.get(version.label)
            if event is not None:
                label = VERSION.transitions[version.label, event]
                unit.versions.relabel(version, label)
                told += changes(version, replace(version, label=label))
    open_ones = [*unit.rotations.unsettled(account.id)]
    open_ones += [each for kind in PartKind for each in unit.rotations.unverified(account.id, kind)]
    for rotation in open_ones:
        planned = rotation.state is RotationState.PLANNED
        state = ROTATION.after(rotation.state, RotationEvent.ABANDONED if planned else RotationEvent.REMOVED)
        if state is None:
            detail = (
                f"A rotation of account {account.id} is {rotation.state}; say first what AWS did with it."
            )
            raise Conflict("rotation.state", detail, state=rotation.state)
        given_up = replace(rotation, state=state)
        unit.rotations.update(given_up)
        told += changes(rotation, given_up)
    return tuple(told)


def leave(unit: Unit, actor: Actor, account: Account, known: Keyless, now: datetime) -> None:
    """Begin custody anew after recovery was allowed; the caller commits."""
    after = CUSTODY.transitions[account.custody, CustodyEvent.RECOVERY_ALLOWED]
    anew = replace(account, custody=after, held_since=None)
    unit.accounts.update(anew)
    seen = replace(
        known, state=KEYLESS.transitions[known.state, KeylessEvent.ALLOWED], proposal_id=None, changed_at=now
    )
    unit.keyless.put(seen)
    told = (*changes(account, anew), *changes(known, seen))
    event = Event(EventType.KEYLESS_LEFT, actor, account_id=account.id, changes=told)
    unit.log.record(replace(event, subject=f"keyless:{account.id}"), now)
