"""A simulated AWS console for one root user: the oracle of what is really set at AWS.

It knows nothing of the vault. It keeps its state in a file, written durably before it answers, so that a
process which is killed right after an answer leaves the truth behind. It enforces what AWS enforces: the
present password to change it, two consecutive codes to enrol a device.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyotp

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class AwsConsole:
    """The root user's side of AWS, kept in `path`."""

    path: Path

    @property
    def password(self) -> str | None:
        """The password that opens the account now."""
        return self._read()["password"]

    @property
    def seed(self) -> str | None:
        """The seed of the MFA device that is enrolled now."""
        return self._read()["seed"]

    def begin(self, password: str, seed: str) -> None:
        """Let the account have these from the beginning."""
        self._write(password=password, seed=seed)

    def reset_password(self, new: str) -> bool:
        """Set a password by way of the mailbox, as in a takeover; that always works."""
        self._write(password=new)
        return True

    def change_password(self, old: str, new: str) -> bool:
        """Change the password as the signed-in root user; False where `old` is not the present one."""
        if old != self.password:
            return False
        self._write(password=new)
        return True

    def offer_seed(self) -> str:
        """Show a new device's seed, 64 base32 characters as AWS does; not enrolled yet."""
        seed = pyotp.random_base32(64)
        self._write(offered=seed)
        return seed

    def enrol(self, first: str, second: str, at: float) -> bool:
        """Enrol the offered device by two consecutive codes around `at` (seconds since the epoch)."""
        offered = self._read()["offered"]
        if offered is None:
            return False
        totp, step = pyotp.TOTP(offered), int(at) // 30
        for each in range(step - 1, step + 2):
            if (totp.at(each * 30), totp.at((each + 1) * 30)) == (first, second):
                self._write(seed=offered, offered=None)
                return True
        return False

    def opens(self, password: str, code: str, at: float) -> bool:
        """Say whether signing in works."""
        step = int(at) // 30
        seed = self.seed
        codes = {pyotp.TOTP(seed).at(each * 30) for each in range(step - 1, step + 2)} if seed else {code}
        return password == self.password and code in codes

    def _read(self) -> dict[str, str | None]:
        if not self.path.exists():
            return {"password": None, "seed": None, "offered": None}
        state: dict[str, str | None] = json.loads(self.path.read_text())
        return state

    def _write(self, **changes: str | None) -> None:
        state = {**self._read(), **changes}
        fresh = self.path.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump(state, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
