"""What the steps of a walk are called on its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vault.domain.walk import Act, Which

WALK: Final[Mapping[Which, str]] = {
    Which.PASSWORD: "Rotate the password",
    Which.MFA: "Replace the MFA device",
    Which.BOTH: "Rotate both",
}

ACT: Final[Mapping[Act, str]] = {
    Act.FIND_OUT: "Find out which AWS has",
    Act.SIGN_IN: "Sign in as root",
    Act.ADD: "Add the new device",
    Act.CODES: "Type two codes",
    Act.PROVE: "Sign in with the new device",
    Act.REMOVE: "Remove the old device",
    Act.SET: "Set the new password",
    Act.CHECK_IN: "Check in",
}
