"""AWS's own records of one checkout, in words, for its evidence.

Decided here: how a record is told in one line, and that the newest record is named, because what AWS has not
delivered yet is not known not to be. These records come from AWS and not from the log: the evidence says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.cloudtrail import CloudKind
from vault.services.evidence import Matched, NoRecords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.ports.cloud import LoggedCall
    from vault.services.reconciliation import Reconciliation
    from vault.services.sightings import Sighting

_WORDS: Final[Mapping[CloudKind, str]] = {
    CloudKind.KEY_USE: "key used",
    CloudKind.SIGN_IN: "root signed in",
    CloudKind.RECOVERY: "root's way in was changed",
    CloudKind.ROOT_USE: "root acted",
    CloudKind.ASSUME_ROOT: "task session of root",
}


@dataclass(frozen=True, slots=True)
class RecordsOfAws:
    """Implements `CloudMatches` over what was read of CloudTrail."""

    reconciliation: Reconciliation

    def of_checkout(self, account_id: str, checkout_id: str) -> Matched:
        """Say what AWS recorded that belongs to this checkout, and which of our calls it did not record."""
        found = self.reconciliation.of_checkout(checkout_id)
        if not self.reconciliation.sources or found is None:
            return NoRecords().of_checkout(account_id, checkout_id)
        newest = self.reconciliation.newest()
        until = (
            "nothing was delivered yet" if newest is None else f"delivered up to {newest:%Y-%m-%d %H:%M} UTC"
        )
        unseen = [call for call in found.calls if call.event_id is None]
        calls = "its entries tell of no call of a key at AWS"
        if found.calls:
            calls = f"{len(found.calls) - len(unseen)} of {len(found.calls)} calls of a key that its entries tell of "
            calls += "were recorded by AWS"
        words = f"{len(found.records) or 'None'} of AWS's records {'belongs' if len(found.records) == 1 else 'belong'} "
        words += f"to this checkout, and {calls} ({until})."
        lines = (*(_of_record(each) for each in found.records), *(_of_call(each) for each in unseen))
        return Matched(words, lines, sum(1 for each in unseen if each.incident_id is not None))


def _of_record(each: Sighting) -> str:
    record = each.seen.record
    told = [f"{record.happened_at:%Y-%m-%d %H:%M:%S} UTC", _WORDS[record.kind], record.name]
    told += [f"from {record.ip}"] if record.ip else []
    told += [f"refused: {record.error}"] if record.error else []
    told += ["without MFA"] if record.mfa is False else []
    told += ["AFTER the lease had ended"] if each.after else []
    told += [f"belongs to {each.seen.matched}"] if each.seen.matched else []
    return ", ".join([*told, f"event {record.event_id}"])


def _of_call(call: LoggedCall) -> str:
    state = (
        "not recorded by AWS: an incident is open" if call.incident_id else "not seen among AWS's records yet"
    )
    return f"{call.made_at:%Y-%m-%d %H:%M:%S} UTC, {call.operation} told by entry {call.entry}, {state}"
