"""Accounts: find them, and all that may be said of one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from flask import request

from vault.domain.account import Custody, Customer, Kind, Model
from vault.domain.credential import VersionOrigin
from vault.domain.health import DUE_WHY, STEPS, WORDS
from vault.domain.policy import Permission
from vault.domain.rotation import RotationState
from vault.errors import NotFound
from vault.ports.store import AccountFilter, CheckoutFilter, Slice
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import words_cases, words_findings
from vault.web.ui.findings import at_aws
from vault.web.ui.site import blueprint, next_page, page
from vault.web.ui.words import CUSTODY, KIND

if TYPE_CHECKING:
    from flask import Response

    from vault.domain.actor import Actor
    from vault.domain.credential import PartKind
    from vault.domain.rotation import Rotation
    from vault.services.accounts import AccountView, CredentialView
    from vault.services.case_board import BoardCase

E = TypeVar("E", bound=StrEnum)
PAGE = 50
CUSTOMERS = 200
LATELY = 10
UNSETTLED = frozenset(
    {RotationState.PLANNED, RotationState.DISPLAYED, RotationState.UNKNOWN, RotationState.ACCEPTED}
)


@blueprint.get("/accounts")
@needs(Permission.ACCOUNT_READ)
def account_list() -> Response:
    """List the accounts in scope, by number."""
    vault, who = the_vault(), actor()
    asked = {name: request.args.get(name, "") for name in ("q", "custody", "kind", "model", "customer")}
    # people type an account's number as they read it, in groups
    digits = asked["q"].replace(" ", "").replace("-", "")
    wanted = AccountFilter(
        text=(digits if digits.isdigit() else asked["q"].strip()) or None,
        customer_id=asked["customer"] or None,
        custody=_choice(Custody, asked["custody"]),
        model=_choice(Model, asked["model"]),
        kind=_choice(Kind, asked["kind"]),
    )
    views, after = vault.accounts.page(who, wanted, Slice(PAGE, request.args.get("cursor")))
    customers = vault.customers.page(who, None, Slice(CUSTOMERS)).items
    given = {name: value for name, value in asked.items() if value}
    return page(
        "ui/accounts.html",
        views=views,
        names=_names(who, views, customers),
        asked=asked,
        searched=bool(given),
        next_url=next_page("ui.account_list", after, given),
        custodies=[(each, CUSTODY[each].name) for each in Custody],
        kinds=[(each, KIND[each]) for each in Kind],
        models=[(each, each) for each in Model],
        customers=[(each.id, f"{each.name} ({each.ddi})") for each in customers],
    )


@blueprint.get("/accounts/<account_id>")
@needs(Permission.ACCOUNT_READ)
def account_page(account_id: str) -> Response:
    """Show one account: who has it, what is held, what is due, what happened."""
    vault, who = the_vault(), actor()
    credential = vault.accounts.credential(who, account_id)
    # not the trail: reading that is an entry in the log, which a look at an account is not
    health = vault.healths.get(who, account_id).health
    history = vault.views.checkouts(who, CheckoutFilter(account_id=account_id), Slice(LATELY)).items
    return page(
        "ui/account.html",
        view=credential.view,
        versions=credential.versions,
        open_rotations=[each for each in credential.rotations if each.state in UNSETTLED],
        history=history,
        seen=_seen(credential),
        proofs=_proofs(credential),
        health=health,
        case=_case(who, account_id),
        cases=words_cases,
        # what is due stands beside it already
        facts={
            part.kind: [fact for fact in part.facts if fact.why not in DUE_WHY.values()]
            for part in health.parts
        },
        why=WORDS,
        steps=STEPS,
        is_split=vault.split.is_split(credential.view.account),
        at_aws=at_aws(account_id),
        told=words_findings,
        may_break=vault.glass.may_break(who, credential.view.account),
        customer=customer_of(who, credential.view.account.customer_id),
        destroyed=vault.certificates.destroyed(who, account_id),
        closing=vault.cases.closures.of_account(who, account_id),
    )


def _case(who: Actor, account_id: str) -> BoardCase | None:
    """Give the open case that an account is in, with where it waits; None for whoever reads no cases."""
    if the_vault().policy.reach(who, Permission.CASE_READ).empty:
        return None
    return the_vault().cases.board.of_account(who, account_id)


def customer_of(who: Actor, customer_id: str) -> Customer | None:
    """Give a customer where the reader may see it."""
    try:
        return the_vault().customers.get(who, customer_id)
    except NotFound:
        return None


def _seen(credential: CredentialView) -> dict[str, str]:
    """Say who can know the current password, as far as the vault does."""
    found: dict[str, str] = {}
    for each in credential.view.parts:
        version = each.current
        if version is None:
            continue
        set_by_hand = any(
            rotation.kind is version.kind and rotation.version == version.number and rotation.displayed_at
            for rotation in credential.rotations
        )
        if version.disclosed_at is not None:
            found[version.kind] = "Shown under a checkout"
        elif version.origin is VersionOrigin.TAKEN_IN:
            found[version.kind] = "Not from the vault; others may know it"
        else:
            found[version.kind] = "Only while it was set at AWS" if set_by_hand else "By nobody"
    return found


def _proofs(credential: CredentialView) -> dict[PartKind, Rotation]:
    """Find the rotation that set each current value: what proved it, or that it waits."""
    current = {each.part.kind: each.current.number for each in credential.view.parts if each.current}
    return {each.kind: each for each in credential.rotations if current.get(each.kind) == each.version}


def _names(who: Actor, views: tuple[AccountView, ...], customers: tuple[Customer, ...]) -> dict[str, str]:
    names = {customer.id: customer.name for customer in customers}
    for customer_id in {view.account.customer_id for view in views} - names.keys():
        found = customer_of(who, customer_id)
        if found is not None:
            names[customer_id] = found.name
    return names


def _choice(kind: type[E], text: str) -> E | None:
    return kind(text) if text in set(kind) else None
