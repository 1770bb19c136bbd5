"""The AWS console of the story: the root users as they really are, apart from what the vault believes.

Decided here: what AWS does when somebody sets a password, enrols a device or signs in, as far as the
story needs it. It lets nobody in with a wrong password or code, so the story proves that what the vault
gives out opens the account; and it records each act where CloudTrail would. No network is touched.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vault.crypto import totp
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from datetime import datetime

    from vault.cli.admin.demo.cloudtrail import CloudTrail

SEED_BYTES: Final = 40
"""AWS shows 64 base32 characters for a virtual MFA device of the root user."""


class SignInRefusedError(Exception):
    """The console did not let somebody in, or did not take what was set."""


@dataclass(slots=True, eq=False)
class Root:
    """One account's root user at AWS."""

    password: Secret[str] | None = None
    seed: Secret[str] | None = None
    offered: Secret[str] | None = None


@dataclass(slots=True, eq=False)
class Console:
    """All root users by account number."""

    trail: CloudTrail
    roots: dict[str, Root] = field(default_factory=dict)

    def opened_long_ago(self, account_id: str, password: str) -> Root:
        """Give an account a password and a device from before the vault's time."""
        root = Root(Secret(password), _new_seed())
        self.roots[account_id] = root
        return root

    def takes(self, account_id: str, password: Secret[str]) -> bool:
        """Say whether AWS would take this password."""
        known = self.roots[account_id].password
        return known is not None and _same(known, password)

    def sign_in(self, account_id: str, password: Secret[str], code: Secret[str], now: datetime) -> None:
        """Sign in as root with both parts, or raise."""
        root = self.roots[account_id]
        if root.password is None or not _same(root.password, password):
            raise SignInRefusedError(f"AWS does not know this password of {account_id}")
        if root.seed is None or totp.matching_step(totp.Seed(root.seed), code.expose(), now) is None:
            raise SignInRefusedError(f"AWS does not know this code of {account_id}")
        self.trail.signed_in(account_id, now)

    def set_password(self, account_id: str, password: Secret[str], now: datetime) -> None:
        """Take a new root password."""
        self.roots.setdefault(account_id, Root()).password = password
        self.trail.password_updated(account_id, now)

    def email_changes(self, account_id: str, now: datetime) -> None:
        """Let whoever is signed in as root change its e-mail address."""
        self.trail.email_updated(account_id, now)

    def customer_resets(self, account_id: str, now: datetime) -> None:
        """Let the customer set a password by their own mailbox, after our device was taken off."""
        root = self.roots.setdefault(account_id, Root())
        root.password, root.seed = Secret(secrets.token_urlsafe(30)), None
        self.trail.password_recovered(account_id, now)

    def show_seed(self, account_id: str) -> Secret[str]:
        """Offer a new MFA device: show its secret key, which counts only once two codes were entered."""
        root = self.roots.setdefault(account_id, Root())
        root.offered = _new_seed()
        return root.offered

    def enrol_device(self, account_id: str, codes: tuple[Secret[str], Secret[str]], now: datetime) -> None:
        """Take two consecutive codes of the offered device, or raise."""
        root = self.roots[account_id]
        if root.offered is None:
            raise SignInRefusedError("AWS offered no device")
        step = totp.step_of(now)
        expected = (
            totp.code_at(totp.Seed(root.offered), step),
            totp.code_at(totp.Seed(root.offered), step + 1),
        )
        if not all(_same(given, wanted) for given, wanted in zip(codes, expected, strict=True)):
            raise SignInRefusedError("AWS does not take these two codes")
        root.seed, root.offered = root.offered, None
        self.trail.device_enabled(account_id, now)


def _new_seed() -> Secret[str]:
    return Secret(base64.b32encode(secrets.token_bytes(SEED_BYTES)).decode("ascii"))


def _same(one: Secret[str], other: Secret[str]) -> bool:
    return secrets.compare_digest(one.expose(), other.expose())
