"""What a use case refuses, caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable


def refused(act: Callable[..., object], *given: object) -> VaultError:
    """Give the error of an act that has to be refused."""
    with pytest.raises(VaultError) as caught:
        act(*given)
    return caught.value
