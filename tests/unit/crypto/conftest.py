"""Values that the tests of `vault.crypto` share."""

from __future__ import annotations

import os

import pytest

from vault.crypto.context import Context
from vault.domain.secret import Secret
from vault.ports.keys import DataKey, Wrap

VAULT = "7b0c9c2e-7a34-4f0a-9f10-1c7a4a1e4c11"


@pytest.fixture
def context() -> Context:
    """Give the place of one account's seventh password."""
    return Context(VAULT, "111122223333", "password", 7)


@pytest.fixture
def data_key() -> DataKey:
    """Give a fresh data key with a wrap that nothing here opens."""
    return DataKey(Secret(os.urandom(32)), (Wrap("local", "test", b"wrapped"),), ())
