"""The place of a sealed value: what binds a ciphertext to where it stands (SECURITY S10).

Decided here: which facts make a place and how they are written down, twice: as KMS encryption
context (`pairs`) and as associated data of the cipher (`associated_data`). Never in it: the log's
origin (it may change), the customer (accounts move, D1), a key's ARN (keys are re-wrapped). All of
it can be read in CloudTrail, so nothing in it is secret or names a person.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

APP: Final = "root-vault"
"""The pair that key policies ask for (``kms:EncryptionContext:app``)."""

FORMAT: Final = 1
"""The envelope format written today; see `vault.crypto.envelope`."""

VERSION_MAX: Final = 2**31 - 1

_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Context:
    """One place: this vault, this account, this kind of secret, this version, in this format.

    `vault` is the vault's immutable UUID, `kind` a part (``password``, ``mfa``) or another word of
    that shape, `version` counts from 1. Malformed places are a programming error: `ValueError`.
    """

    vault: str
    account: str
    kind: str
    version: int
    format: int = FORMAT

    def __post_init__(self) -> None:
        try:
            canonical = str(uuid.UUID(self.vault)) == self.vault
        except ValueError:
            canonical = False
        if not canonical:
            message = "vault is not a UUID in lower case with dashes"
            raise ValueError(message)
        if _ACCOUNT.fullmatch(self.account) is None:
            message = "account is not twelve digits"
            raise ValueError(message)
        if _KIND.fullmatch(self.kind) is None:
            message = "kind is not a short lower-case word"
            raise ValueError(message)
        if not 1 <= self.version <= VERSION_MAX or not 1 <= self.format <= 255:  # noqa: PLR2004 - one byte
            message = "version or format is out of range"
            raise ValueError(message)

    def pairs(self) -> dict[str, str]:
        """Give the KMS encryption context: six pairs, all text."""
        return {
            "account": self.account,
            "app": APP,
            "format": str(self.format),
            "kind": self.kind,
            "vault": self.vault,
            "version": str(self.version),
        }

    def associated_data(self) -> bytes:
        """Give the associated data: the pairs as canonical JSON (RFC 8785; all of it is ASCII)."""
        return canonical_pairs(self.pairs())


_MAIL: Final = "mail-"
_MAIL_NAME: Final = 26
"""Letters of 16 bytes in base32 without padding."""
NO_ACCOUNT: Final = "000000000000"
"""Stands in a place for the account of what belongs to none; AWS gives no such number."""


def mail_place(vault_id: str, account_id: str | None, mail_id: str) -> Context:
    """Give the place of a mail's sealed content: its account, and its id (a UUID) written into the kind.

    The kind is ``mail-`` and the id's 16 bytes in base32 without padding, lower case; the version is always 1.
    """
    name = base64.b32encode(uuid.UUID(mail_id).bytes).decode("ascii").rstrip("=").lower()
    return Context(vault=vault_id, account=account_id or NO_ACCOUNT, kind=f"{_MAIL}{name}", version=1)


def mail_in(kind: str) -> str | None:
    """Give the id of the mail whose place has this kind; None for the kind of anything else."""
    name = kind.removeprefix(_MAIL)
    if name == kind or len(name) != _MAIL_NAME:
        return None
    try:
        return str(uuid.UUID(bytes=base64.b32decode(f"{name.upper()}======")))
    except ValueError:
        return None


def canonical_pairs(pairs: Mapping[str, str]) -> bytes:
    """Write pairs of ASCII text as canonical JSON: sorted by name, no blanks (RFC 8785)."""
    return json.dumps(dict(pairs), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
