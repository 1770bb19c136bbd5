"""The identity provider: OpenID Connect by Authlib, over connections that end in time."""

from vault.adapters.identity.provider import OpenIdProvider
from vault.adapters.identity.secrets import Client, read_client

__all__ = ["Client", "OpenIdProvider", "read_client"]
