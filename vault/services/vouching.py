"""Where the word of an identity provider is needed, and that it counts once, for the person it is about.

Decided here: it is needed of everybody who linked an identity at the provider that the settings insist on. Whoever
linked none signs in by password: nobody is shut out by a setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.event import Event, EventType, Result
from vault.errors import Unauthenticated
from vault.services.gate import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.identity import Vouched
    from vault.domain.person import Person
    from vault.ports.store import Unit


def check_vouched(
    unit: Unit, insists_on: str, person: Person, vouched: Vouched | None, actor: Actor, now: datetime
) -> None:
    """Return where the provider's word is not needed, or is there and not used up; this uses it up.

    Else record the refusal as `actor`'s and raise `Unauthenticated` auth.provider_required or auth.provider_refused.
    """
    linked = {each.issuer for each in unit.identities.of(person.id)}
    if vouched is None:
        if insists_on not in linked:
            return
        detail = "You linked your identity at the provider: sign in there, not by password."
        error = Unauthenticated("auth.provider_required", detail)
    else:
        fits = vouched.issuer in linked and vouched.person_id == person.id
        if fits and unit.visits.use(vouched.visit_id, now):
            return
        detail = "What came back from the provider was used before, or is not yours. Begin again."
        error = Unauthenticated("auth.provider_refused", detail)
    by = {"person": person.id, "by": "password or passkey" if vouched is None else "provider"}
    refuse(unit, Event(EventType.SIGN_IN_REFUSED, actor, Result.FAILED, detail=by), error, now)
