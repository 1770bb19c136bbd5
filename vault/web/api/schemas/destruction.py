"""Certificates of destruction, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from vault.domain.credential import PartKind
from vault.domain.destruction import Ground, digest
from vault.services.certificates import Certificate
from vault.web.api.schemas.base import Lax, Query, ReceiptResource, Resource


class CertificateQuery(Query):
    """In which form."""

    format: Literal["json", "text"] = Field(default="json", description="`text`: for a ticket or a letter.")


class DestroyedVersion(Resource):
    """One value that is gone."""

    part: Annotated[PartKind, Lax]
    version: int
    sha256: str = Field(description="Of its encrypted form without wrapped keys, as the log names it.")


class DestroyedWraps(Resource):
    """How many encrypted copies of data keys there were under one key."""

    service: str
    key: str
    count: int


class CertificateResource(Resource):
    """What was destroyed of an account, proven by the log, and who can open a backup from before until when (H9)."""

    account_id: str
    customer_id: str
    vault: str
    destroyed_at: datetime
    by: str
    by_name: str
    ground: Annotated[Ground, Lax]
    why: str
    case_id: str | None
    versions: list[DestroyedVersion]
    versions_sha256: str = Field(description="Of the list of versions as text, as the log's entry names it.")
    wraps: list[DestroyedWraps]
    wraps_sha256: str
    mails: int = Field(description="Sealed mail of the root mailbox that went with it.")
    backups_until: datetime = Field(description="From then on no backup from before is kept.")
    openable_by: list[str] = Field(description="Who can open a backup from before; empty once none is kept.")
    entries: list[int] = Field(description="Indexes of the entries that tell of it.")
    receipt: ReceiptResource
    proof: str = Field(description="The receipt as c2sp.org/tlog-proof text; it verifies without us.")
    applied_again: bool = Field(description="That a restore applied it again; the receipt is of that entry.")

    @classmethod
    def of(cls, found: Certificate) -> CertificateResource:
        """Show one."""
        done = found.destroyed
        return cls(
            account_id=found.account.id,
            customer_id=found.account.customer_id,
            vault=found.vault_id,
            destroyed_at=done.at,
            by=done.by,
            by_name=done.by_name,
            ground=done.ground,
            why=done.why,
            case_id=done.case_id or None,
            versions=[
                DestroyedVersion(part=part, version=number, sha256=sha256)
                for part, number, sha256 in done.listed
            ],
            versions_sha256=digest(done.versions),
            wraps=[
                DestroyedWraps(service=service, key=key, count=count) for count, service, key in done.keys
            ],
            wraps_sha256=digest(done.wraps),
            mails=done.mails,
            backups_until=done.backups_until,
            openable_by=list(found.openers),
            entries=list(found.entries),
            receipt=ReceiptResource.of(found.receipt),
            proof=found.proof,
            applied_again=found.is_again,
        )
