"""The identity provider that the settings name, with its client's secret opened and checked.

Decided here: a provider that cannot be right (no file, one that others may read) ends the start with words; one that
only does not answer does not: passwords go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.adapters.identity import OpenIdProvider, read_client
from vault.adapters.identity.asking import Asking, origin_of

if TYPE_CHECKING:
    from vault.ports.identities import IdentityProvider
    from vault.settings import Settings

ANSWER: Final = "/sign-in/answer"
"""Where the provider sends browsers back to."""


def open_provider(settings: Settings) -> IdentityProvider | None:
    """Make the provider; nothing is asked of it yet."""
    told = settings.oidc
    if not told.issuer:
        return None
    secret = settings.file(told.client_secret_file) if told.client_secret_file else None
    key = settings.file(told.client_key_file) if told.client_key_file else None
    origins = {origin_of(told.issuer), *(origin_of(f"https://{host}") for host in told.hosts)}
    return OpenIdProvider(
        issuer=told.issuer,
        client=read_client(told.client_id, secret, key),
        redirect=settings.server.public_url.rstrip("/") + ANSWER,
        asking=Asking(frozenset(origins)),
        groups_claim=told.groups_claim,
        scopes=told.scopes,
    )
