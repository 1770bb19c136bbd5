"""What a lease gives its visitor: which half of the credential, and which versions open under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartKind, Version, offers
from vault.errors import NotFound
from vault.web.auth import actor, the_vault

if TYPE_CHECKING:
    from vault.services.views import CheckoutView


def half_of(view: CheckoutView) -> str:
    """Say which half of the credential is the visitor's under this checkout: both, one, or (empty) none (C8)."""
    checkout, who = view.checkout, actor().id
    if who not in {checkout.requester_id, checkout.second_id}:
        return ""
    if not the_vault().split.is_split(view.account):
        return "both" if who == checkout.requester_id else ""
    return "password" if who == checkout.requester_id else "mfa"


def openable_under(view: CheckoutView) -> list[Version]:
    """Give the versions that open under this checkout, of each part in the order to try them."""
    if view.checkout.state is not CheckoutState.ACTIVE:
        return []
    try:
        credential = the_vault().accounts.credential(actor(), view.account.id)
    except NotFound:
        return []
    found = [
        version
        for each in credential.view.parts
        for version in offers(each.part, credential.versions, unverified=each.unverified)
    ]
    return sorted(found, key=lambda version: version.kind is PartKind.MFA)
