"""Task sessions on members' root users: told of before they are asked for, and again before they are used.

Decided here: the order, so that AWS's own records of a session are explained, also where its answer never came. Nothing
crosses the network with a transaction open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.event import Event, EventType, Result
from vault.domain.ids import new_id
from vault.domain.keyless import Task, TaskSession
from vault.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.ports.central_root import CentralRoot, RootSession
    from vault.ports.clock import Clock
    from vault.ports.store import Units


@dataclass(frozen=True, slots=True)
class RootSessions:
    """Opens sessions; `central` is None where the settings name no role."""

    units: Units
    clock: Clock
    central: CentralRoot | None

    def open(
        self, actor: Actor, account_id: str, payer_id: str, task: Task, proposal_id: str | None = None
    ) -> RootSession:
        """Open one in the name of who asks; raises `Conflict` keyless.state, `Unavailable` keyless.unavailable."""
        if self.central is None:
            words = "No role is named under [keyless] in the settings, so no Organization can be asked."
            raise Conflict("keyless.state", words)
        now = self.clock.now()
        detail = {"task": task.value, "payer": payer_id} | (
            {} if proposal_id is None else {"proposal": proposal_id}
        )
        with self.units.write() as unit:
            asked = Event(EventType.KEYLESS_ASKED, actor, account_id=account_id, detail=detail)
            entry = unit.log.record(asked, now).index
            session = TaskSession(new_id(), account_id, payer_id, task, now, entry)
            unit.keyless.ask(session)
            unit.commit()
        given = Event(EventType.KEYLESS_SESSION, actor, account_id=account_id, detail=detail)
        try:
            opened = self.central.open(payer_id, account_id, task, actor.id)
        except Unavailable as failure:
            cause = str(failure.facts.get("cause", ""))[:80]
            with self.units.write() as unit:
                failed = replace(given, result=Result.FAILED, detail={**detail, "cause": cause})
                unit.log.record(failed, self.clock.now())
                unit.commit()
            raise
        with self.units.write() as unit:
            told = {**detail, "access_key": opened.access_key, "request_id": opened.request_id}
            entry = unit.log.record(replace(given, detail=told), self.clock.now()).index
            unit.keyless.opened(replace(session, entry=entry, access_key=opened.access_key))
            unit.commit()
        return opened
