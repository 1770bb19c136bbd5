"""Who may call a route at all: each declares it, and a route without a declaration stops the program (S18).

Decided here: the declaration, and that it is enforced before any handler runs. OPTIONS runs no handler
anywhere and HEAD only where nothing is known about anyone (health, static files): flask-login's
decorator lets OPTIONS through, and Flask answers HEAD with the whole work of GET. What an actor may do
to *which* account is decided by the services; this is the coarse gate in front of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from flask import Blueprint, Flask, current_app, request

from vault.domain.policy import Permission
from vault.errors import Refused, Unauthenticated
from vault.web.auth import Visitor, the_vault

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from vault.bootstrap import Vault
    from vault.domain.actor import Actor
    from vault.ports.store import Unit

V = TypeVar("V", bound=Callable[..., object])

_DECLARATION: Final = "__declaration__"


class Need(Enum):
    """What a route asks for where it is not a permission."""

    PUBLIC = "public"
    """Anyone: signing in, enrolment, the error of not being signed in."""
    HEALTH = "health"
    """Anyone, and HEAD as well: nothing about anyone is told."""
    SIGNED_IN = "signed in"
    """Any person or machine that is known; the use case decides the rest."""


PUBLIC: Final = Need.PUBLIC
HEALTH: Final = Need.HEALTH
SIGNED_IN: Final = Need.SIGNED_IN


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one view declares; `creates` says that its success is answered with 201."""

    need: Need | Permission
    creates: bool = False


def needs(need: Need | Permission, *, creates: bool = False) -> Callable[[V], V]:
    """Declare what a view asks for. Put it right under the route, as the innermost decorator.

    ``@blueprint.post("/checkouts")`` then ``@needs(Permission.CHECKOUT_USE, creates=True)``.
    """

    def declare(view: V) -> V:
        setattr(view, _DECLARATION, Declaration(need, creates))
        return view

    return declare


def declaration_of(app: Flask, endpoint: str) -> Declaration | None:
    """Find what a route declared; files in a static folder are health's equals."""
    view = app.view_functions.get(endpoint)
    if getattr(view, "__func__", None) is Blueprint.send_static_file:
        return Declaration(HEALTH)
    found = getattr(view, _DECLARATION, None)
    return found if isinstance(found, Declaration) else None


def declared() -> Declaration:
    """Give the present request's declaration; a request that matched no route has been answered before."""
    found = declaration_of(current_app, request.endpoint or "")
    if found is None:
        raise Refused("operation.failed", f"The route {request.endpoint} declares no need.")
    return found


def is_public(declaration: Declaration) -> bool:
    """Say whether a route is open to whoever is not known."""
    return declaration.need in {PUBLIC, HEALTH}


def assert_all_guarded(app: Flask) -> None:
    """Stop the program where a route declares nothing, and take OPTIONS and HEAD off the others."""
    undeclared = sorted(
        {rule.endpoint for rule in app.url_map.iter_rules() if declaration_of(app, rule.endpoint) is None}
    )
    if undeclared:
        names = ", ".join(undeclared)
        raise Refused("operation.failed", f"These routes declare no need (vault.web.guard.needs): {names}.")
    for rule in app.url_map.iter_rules():
        _close_methods(app, rule)


def enforce(visitor: Visitor) -> None:
    """Return where the visitor may call this route; else `Unauthenticated`, or a recorded `Forbidden`."""
    declaration = declared()
    if is_public(declaration):
        return
    if visitor.actor is None:
        detail = "Sign in first, or send a valid token as Authorization: Bearer."
        raise Unauthenticated("auth.required", detail)
    the_vault().book.refresh(the_vault().units)
    if not isinstance(declaration.need, Permission):
        return
    vault = the_vault()
    if vault.policy.reach(visitor.actor, declaration.need).empty:
        with vault.units.write() as unit:
            _refuse(vault, unit, visitor.actor, declaration.need)


def _refuse(vault: Vault, unit: Unit, actor: Actor, need: Permission) -> None:
    """Record what was attempted, and on which account where the actor may know of it (S21, S26)."""
    values = request.view_args or {}
    checkout = unit.checkouts.get(str(values.get("checkout_id", "")))
    number = values.get("account_id") if checkout is None else checkout.account_id
    account = None if number is None else unit.accounts.get(str(number))
    seen = account if account is not None and vault.gate.sees(actor, account) else None
    vault.gate.require(
        unit,
        actor,
        need,
        vault.clock.now(),
        account=seen,
        checkout_id=None if seen is None or checkout is None else checkout.id,
        asked_for=f"{request.method} {quote(request.path)[:200]}",
    )


def _close_methods(app: Flask, rule: Rule) -> None:
    if rule.methods is None:
        raise Refused("operation.failed", f"The route {rule.endpoint} takes any method; name them.")
    declaration = declaration_of(app, rule.endpoint)
    rule.methods.discard("OPTIONS")
    if declaration is None or declaration.need is not HEALTH:
        rule.methods.discard("HEAD")
