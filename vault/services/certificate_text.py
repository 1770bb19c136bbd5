"""A certificate of destruction as plain text, for a ticket or a letter: what a person reads, and how it is checked.

Decided here: the words. What customers and people typed goes through `shown`, so that it cannot look like our words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.domain.destruction import OFFLINE, Ground, digest
from vault.domain.formats.visible import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vault.services.certificates import Certificate

GROUNDS: Final = {
    Ground.ACKNOWLEDGED: "the customer said that they hold the root user",
    Ground.GRACE: "the customer said nothing until the grace after the release was over",
    Ground.AGREED: "two people agreed to it",
}
SAID: Final = (
    "Each value listed here was overwritten in the vault's database, with every encrypted copy of the key that"
    " opened it. The live vault cannot open any of them again, and neither can one restored from a backup: a restore"
    " destroys them again before it serves."
)
"""What is certified, in words."""


def write_text(certificate: Certificate, origin: str, vkey: str) -> str:
    """Write it, in lines that end with a newline."""
    return "\n".join(_lines(certificate, origin, vkey)) + "\n"


def until(certificate: Certificate) -> str:
    """Say until when a backup from before may still be opened, and by whom."""
    done = certificate.destroyed
    day = _day(done.backups_until)
    if not certificate.openers:
        return f"Backups from before are kept no longer than until {day}, which is over."
    return f"Backups from before are kept until {day}. Until then these can open them:"


def _lines(certificate: Certificate, origin: str, vkey: str) -> Iterator[str]:
    done, account = certificate.destroyed, certificate.account
    yield "CERTIFICATE OF DESTRUCTION"
    yield ""
    yield f"Account       {account.id}  {shown(account.name)}"
    if certificate.customer is not None:
        yield f"Customer      {shown(certificate.customer.name)} ({shown(certificate.customer.ddi)})"
    yield f"Destroyed     {_moment(done.at)}"
    yield f"By            {shown(done.by_name)}"
    yield f"Because       {GROUNDS[done.ground]}: {shown(done.why)}"
    if done.case_id:
        yield f"In case       {done.case_id}"
    yield f"Vault         {certificate.vault_id}"
    yield ""
    yield SAID
    yield ""
    yield "Values, each with the SHA-256 of its encrypted form:"
    for part, number, sha256 in done.listed:
        yield f"  {part:<8}  version {number:<4}  {sha256}"
    if not done.listed:
        yield "  none"
    if done.mails:
        yield f"  sealed mail of the root mailbox: {done.mails}"
    yield f"  (this list, as the log names it: SHA-256 {digest(done.versions)})"
    yield ""
    yield "Encrypted copies of their keys:"
    for count, service, key in done.keys:
        yield f"  {count} under {key} ({'offline recovery recipient' if service == OFFLINE else service})"
    yield f"  (this list, as the log names it: SHA-256 {digest(done.wraps)})"
    yield ""
    yield until(certificate)
    for each in certificate.openers:
        yield f"  - {each}"
    yield "The log of what was done with the account stays."
    yield ""
    yield f"Proof: entry {certificate.receipt.index} of the log {origin}, leaf hash {certificate.receipt.leaf_hash}."
    yield f"Key of the log: {vkey}"
    yield "Check it without us: python -m audit receipt PROOF --leaf LEAF --key KEY, with the proof below as a file."
    yield ""
    yield certificate.proof.rstrip("\n")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
