"""Who could have known a credential at a time, and what one person may know now."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.web.api.routes import operation
from vault.web.api.schemas.knowledge import KnownQuery, KnownResource, KnownToPersonResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/accounts/<account_id>/known", Permission.TRAIL_READ)
def who_could_know(account_id: str, sent: KnownQuery) -> KnownResource:
    """Tell who could have known an account's credential at a time, from the log's leaves.

    Only a verified rotation ends knowing; a disclosure without an outcome counts as one. With `part` and `version`,
    everyone who ever could have known that version is told.
    """
    found = the_vault().knowledge.of_account(actor(), account_id, sent.at, sent.part, sent.version)
    return KnownResource.of(found)


@operation("GET", "/people/<person_id>/knows", SIGNED_IN)
def what_a_person_knows(person_id: str) -> KnownToPersonResource:
    """Tell which credentials a person may know now: you, or anyone as an administrator or auditor."""
    return KnownToPersonResource.of(the_vault().knowledge.of_person(actor(), person_id))
