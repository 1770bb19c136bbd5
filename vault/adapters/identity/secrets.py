"""What proves this vault to the provider: a secret that both know, or our private key, each in a private file.

Decided here: that a key signs with the algorithm of its kind (RFC 7523). Never done here: choosing between the two
(the settings name one file).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from vault.adapters.private_file import read_private
from vault.errors import Refused

Key: TypeAlias = RSAKey | ECKey
_SHORTEST: Final = 16
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


@dataclass(frozen=True, slots=True)
class Client:
    """This vault as the provider knows it: by a secret, or by a key and the algorithm it signs with."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    key: Key | None = field(default=None, repr=False)
    algorithm: str = ""


def read_client(client_id: str, secret_file: Path | None, key_file: Path | None) -> Client:
    """Read the secret or the key; raise `Refused` naming what is wrong with the file, never what is in it."""
    if key_file is not None:
        key, algorithm = _key(key_file)
        return Client(client_id, key=key, algorithm=algorithm)
    if secret_file is None:
        raise Refused("settings.invalid", "oidc.client_secret_file or oidc.client_key_file must name a file")
    try:
        secret = read_private(secret_file).decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < _SHORTEST or not secret.isprintable() or " " in secret:
        detail = (
            f"{secret_file} holds no client secret: one line of at least {_SHORTEST} printable characters"
        )
        raise Refused("settings.invalid", detail)
    return Client(client_id, secret)


def _key(path: Path) -> tuple[Key, str]:
    text = read_private(path)
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
        if key.is_private:
            return key, _algorithm(key)
    detail = f"{path} holds no private key: PEM of RSA, or of P-256, P-384 or P-521, without a passphrase"
    raise Refused("settings.invalid", detail)


def _algorithm(key: Key) -> str:
    return "RS256" if isinstance(key, RSAKey) else _CURVES.get(key.curve_name, "ES256")
