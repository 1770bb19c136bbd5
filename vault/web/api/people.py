"""People and their roles: what adds power takes two administrators, what removes it works at once (S19)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.errors import not_found
from vault.ports.store import Slice
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items, PageQuery
from vault.web.api.schemas.people import (
    Confirmation,
    GrantResource,
    InvitedResource,
    NewPerson,
    PersonResource,
    ProfileResource,
    WishBody,
)
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN
from vault.web.idempotency import renders


@operation("GET", "/people", SIGNED_IN, problems={403: ("policy.denied",), 422: ("cursor.invalid",)})
def list_people(sent: PageQuery) -> Items[PersonResource]:
    """List everyone, by e-mail; for administrators and auditors."""
    page = the_vault().people.page(actor(), Slice(sent.limit, sent.cursor))
    return Items[PersonResource](items=[PersonResource.of(each) for each in page.items], next=page.next)


@operation(
    "POST",
    "/people",
    Permission.PEOPLE_MANAGE,
    creates="/people/{id}",
    problems={409: ("person.exists", "person.state")},
)
def invite_person(sent: NewPerson) -> InvitedResource:
    """Invite someone, and propose their roles; the enrolment token is in this answer only."""
    wishes = tuple(each.wish for each in sent.roles)
    return InvitedResource.of_invited(the_vault().people.invite(actor(), sent.email, sent.name, wishes))


@operation("GET", "/people/<person_id>", SIGNED_IN)
def read_person(person_id: str) -> ProfileResource:
    """Read a person and their roles: yourself, or anyone as an administrator or auditor."""
    return ProfileResource.of_profile(the_vault().people.get(actor(), person_id))


@operation(
    "POST", "/people/<person_id>/enrolment", Permission.PEOPLE_MANAGE, problems={409: ("person.state",)}
)
def renew_enrolment(person_id: str) -> InvitedResource:
    """Make a fresh enrolment token for who did not enrol yet; an older one is dead."""
    return InvitedResource.of_invited(the_vault().people.new_enrolment(actor(), person_id))


@operation(
    "POST",
    "/people/<person_id>/roles",
    Permission.PEOPLE_MANAGE,
    creates="/people/{person_id}",
    problems={403: ("policy.second_person",), 409: ("person.state",)},
)
def propose_role(person_id: str, sent: WishBody) -> GrantResource:
    """Propose a role for someone else; it gives nothing before another administrator confirmed it."""
    return GrantResource.of(the_vault().people.propose_grant(actor(), person_id, sent.wish))


@operation(
    "POST",
    "/people/<person_id>/roles/<grant_id>/confirm",
    Permission.PEOPLE_MANAGE,
    problems={
        401: ("auth.refused",),
        403: ("policy.second_person",),
        409: ("person.state", "otp.used"),
        429: ("auth.delayed",),
    },
)
def confirm_role(person_id: str, grant_id: str, sent: Confirmation) -> GrantResource:
    """Agree to a proposed role, as another administrator and with a fresh second factor."""
    _check_theirs(person_id, grant_id)
    return GrantResource.of(the_vault().people.confirm_grant(actor(), grant_id, sent.otp.expose()))


@operation(
    "DELETE",
    "/people/<person_id>/roles/<grant_id>",
    Permission.PEOPLE_MANAGE,
    problems={409: ("person.state",)},
)
def remove_role(person_id: str, grant_id: str) -> GrantResource:
    """Take a role away at once; leases that needed it end with it."""
    _check_theirs(person_id, grant_id)
    return GrantResource.of(the_vault().people.remove_grant(actor(), grant_id))


@operation("POST", "/people/<person_id>/disable", Permission.PEOPLE_MANAGE, problems={409: ("person.state",)})
def disable_person(person_id: str) -> PersonResource:
    """Shut a person out: sessions, tokens and leases end with it."""
    return PersonResource.of(the_vault().people.disable(actor(), person_id))


@renders(blueprint, "person")
def show_again(person_id: str) -> ResponseReturnValue:
    """Draw a person for a repeated request."""
    return as_json(PersonResource.of(the_vault().people.get(actor(), person_id).person))


@renders(blueprint, "grant")
def show_grant_again(grant_id: str) -> ResponseReturnValue:
    """Draw a role for a repeated request, as it is now; only administrators made one."""
    with the_vault().units.read() as unit:
        found = unit.people.get_grant(grant_id)
    if found is None:
        raise not_found("grant", grant_id[:36])
    return as_json(GrantResource.of(found))


def _check_theirs(person_id: str, grant_id: str) -> None:
    """Return where the role is one of this person's."""
    with the_vault().units.read() as unit:
        found = unit.people.get_grant(grant_id)
    if found is None or found.person_id != person_id:
        raise not_found("grant", grant_id[:36])
