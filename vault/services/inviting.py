"""What belongs to an invitation: its words, ends and first administrators, and what a new link takes back.

Never decided here: who may invite (`people`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Role
from vault.domain.ids import fold_email, is_email
from vault.errors import FieldError, Invalid, Refused
from vault.services.granting import removed

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.person import Grant
    from vault.ports.store import Unit
    from vault.services.people import Wish

NAME_MAX: Final = 100
FIRST_ADMINISTRATORS: Final = 2


def check_first_administrators(admins: tuple[tuple[str, str], ...]) -> None:
    """Return where these can found a vault; to be asked before anything of it is made."""
    if len({fold_email(email) for email, _ in admins}) != FIRST_ADMINISTRATORS:
        raise Refused("operation.failed", "Name two administrators with different e-mail addresses.")
    for email, name in admins:
        check_words(email, name, ())


def check_ends(wishes: tuple[Wish, ...], now: datetime) -> None:
    """Return where each end is to come and an auditor's: whoever else stops is taken away, with what they hold."""
    for wish in wishes:
        if wish.ends_at is not None and (wish.ends_at <= now or wish.role is not Role.AUDITOR):
            words = "Only an auditor comes for a time, and the end is to come. Leave it out for other roles."
            raise Invalid("input.invalid", words, errors=(FieldError("/ends_at", words),))


def check_words(email: str, name: str, wishes: tuple[Wish, ...]) -> None:
    """Return where e-mail and name can be somebody's, and each role is named once; else `Invalid`."""
    errors: list[FieldError] = []
    if not is_email(email.strip()):
        errors.append(FieldError("/email", "Give an e-mail address in ASCII."))
    if not 1 <= len(name.strip()) <= NAME_MAX or not name.isprintable():
        errors.append(FieldError("/name", f"Give the person's name, at most {NAME_MAX} characters."))
    if len(set(wishes)) != len(wishes) or len(wishes) > len(Role):
        errors.append(FieldError("/roles", "Name each role once."))
    if errors:
        raise Invalid("input.invalid", "Some of the input is not valid; see errors.", errors=tuple(errors))


def without_others(unit: Unit, actor: Actor, grants: tuple[Grant, ...], now: datetime) -> tuple[Grant, ...]:
    """Take back what others proposed and nobody confirmed; give what is left."""
    left: list[Grant] = []
    for grant in grants:
        if grant.confirmed_by is not None or grant.proposed_by == actor.id:
            left.append(grant)
            continue
        gone = replace(grant, removed_at=now)
        unit.people.update_grant(gone)
        unit.log.record(removed(actor, grant, gone), now)
    return tuple(left)
