"""The entries about people and their power: what each tells, and how a row changed with it.

Decided here: the words and changes of an entry. Never decided here: who may do it (`people`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.event import Event, EventType, stamp
from vault.domain.told import changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.actor import Actor
    from vault.domain.person import Grant, Person


def invited(actor: Actor, before: Person | None, now: Person, detail: Mapping[str, str]) -> Event:
    """Tell of an enrolment link: it is shown once, and a repeated request is not answered with it again (S8)."""
    told = changes(before, now)
    return Event(EventType.PERSON_INVITED, actor, changes=told, detail=detail, subject="disclosure")


def proposed(actor: Actor, grant: Grant) -> Event:
    """Tell that a role was proposed."""
    return _event(EventType.ROLE_PROPOSED, actor, None, grant, _words(grant))


def granted(actor: Actor, before: Grant | None, now: Grant) -> Event:
    """Tell that a role was confirmed, and from when it is in force."""
    effective = "" if now.effective_at is None else stamp(now.effective_at)
    detail = {**_words(now), "proposed_by": now.proposed_by, "effective_at": effective}
    return _event(EventType.ROLE_GRANTED, actor, before, now, detail)


def removed(actor: Actor, before: Grant, now: Grant) -> Event:
    """Tell that a role was taken away."""
    return _event(EventType.ROLE_REMOVED, actor, before, now, _words(now))


def _event(
    kind: EventType, actor: Actor, before: Grant | None, now: Grant, detail: Mapping[str, str]
) -> Event:
    return Event(kind, actor, changes=changes(before, now), detail=detail, subject=f"grant:{now.id}")


def _words(grant: Grant) -> dict[str, str]:
    told = {"grant": grant.id, "person": grant.person_id, "role": grant.role, "scope": str(grant.scope)}
    return told if grant.ends_at is None else told | {"ends_at": stamp(grant.ends_at)}
