"""What is disclosed, on the wire: one value, its version, and the receipt of its entry."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from vault.domain.credential import VersionLabel
from vault.services.reveals import Revealed, RevealedCode, Wanted
from vault.web.api.schemas.base import Body, ReceiptResource, Resource, SecretText


class Which(Body):
    """Which version; the current one where absent."""

    version: Literal["current", "previous", "staged"] | Annotated[int, Field(ge=1, le=1_000_000)] = "current"

    @property
    def wanted(self) -> Wanted:
        """Give what the service takes."""
        return self.version if isinstance(self.version, int) else VersionLabel(self.version)


class PasswordResource(Resource):
    """A password, disclosed to the lease's holder. Keep the receipt, not the password."""

    password: SecretText
    version: int
    receipt: ReceiptResource

    @classmethod
    def of(cls, revealed: Revealed) -> PasswordResource:
        """Show one."""
        return cls(
            password=revealed.value, version=revealed.version, receipt=ReceiptResource.of(revealed.receipt)
        )


class CodeResource(Resource):
    """One MFA code of the present time step."""

    code: SecretText
    version: int
    valid_until: datetime
    receipt: ReceiptResource

    @classmethod
    def of(cls, revealed: RevealedCode) -> CodeResource:
        """Show one."""
        return cls(
            code=revealed.code,
            version=revealed.version,
            valid_until=revealed.valid_until,
            receipt=ReceiptResource.of(revealed.receipt),
        )
