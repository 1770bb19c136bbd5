"""While the key service is down nothing is disclosed and everything else goes on (S5)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.world import make_world
from tests.web.api.samples import SAMPLES
from tests.web.api.service import Service, service_of
from tests.web.api.test_main_path import OLD_PASSWORD, held, leased
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.domain.actor import Role
from vault.errors import KeyCall, KeysUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vault.domain.secret import Secret
    from vault.ports.keys import DataKey, KeyHealth, Unwrapped, Wrap, Wrapped


@dataclass
class Switched:
    """Real keys that can be switched off."""

    real: InsecureLocalKeys
    on: bool = True

    def _check(self, operation: str) -> None:
        if not self.on:
            call = KeyCall(operation, "local", "", "keys.unavailable")
            raise KeysUnavailable(
                "keys.unavailable", "The key service does not answer. Try again.", calls=(call,)
            )

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Make a data key, or fail."""
        self._check("generate")
        return self.real.generate(context)

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap, or fail."""
        self._check("wrap")
        return self.real.wrap(key, context)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Unwrap, or fail."""
        self._check("unwrap")
        return self.real.unwrap(wraps, context)

    def check(self) -> tuple[KeyHealth, ...]:
        """Say how the real ones are."""
        return self.real.check()


@pytest.fixture
def keys(tmp_path: Path) -> Switched:
    """Make keys with a switch."""
    create_local_keys(tmp_path / "switched.json")
    return Switched(InsecureLocalKeys(tmp_path / "switched.json"))


@pytest.fixture
def switched(database_url: str, tmp_path: Path, keys: Switched) -> Iterator[Service]:
    """Serve a vault on them."""
    world = make_world(database_url, tmp_path, keys)
    yield service_of(world)
    world.vault.close()


def test_disclosures_close_quickly_and_the_rest_goes_on(switched: Service, keys: Switched) -> None:
    carla = held(switched)
    account = dict(SAMPLES["register_account"].body)
    carla.did("/accounts", account, status=201)
    checkout = leased(switched, "CRED_ROTATE")
    olga, alma = switched.callers["olga"], switched.caller("alma", Role.AUDITOR)
    path = f"/checkouts/{checkout}"
    plan = olga.did(f"{path}/rotations", {"part": "password"}, status=201)
    keys.on = False
    intake = dict(SAMPLES["take_into_custody"].body) | {"otp": switched.otp("carla")}
    closed = [
        ("POST", f"{path}/password", olga, None),
        ("POST", f"{path}/code", olga, None),
        ("POST", f"/rotations/{plan['id']}/display", olga, None),
        ("POST", f"{path}/rotations", olga, dict(SAMPLES["plan_rotation"].body)),
        ("PUT", f"/accounts/{account['account_id']}/credential", carla, intake),
    ]
    for method, where, caller, body in closed:
        began = time.monotonic()
        answer = caller.call(method, where, body)
        assert (answer.status, answer.code) == (503, "keys.unavailable"), where
        assert time.monotonic() - began < 2, where
    failed = alma.did("/audit/entries?type=secret.reveal.failed", method="GET")["items"]
    assert len(failed) == 3
    assert failed[0]["content"]["kms"][0]["outcome"] == "keys.unavailable"
    for where in ("/accounts", "/checkouts", "/audit/entries", "/audit/checkpoint", "/customers", "/me"):
        assert alma.get(where).status == 200, where
    assert olga.did(f"{path}/check-in")["state"] == "checked_in"
    keys.on = True
    # the password was authorised and never shown, but counts as disclosed: only a rotation opens it
    again = leased(switched, "CRED_ROTATE")
    shown = olga.did(f"/checkouts/{again}/password")
    assert shown["password"] == OLD_PASSWORD
