"""The sources of proof that the vault keeps: CloudTrail's records as reconciliation read them, and inspections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.inspection import Known
from vault.domain.observation import Act, Observation, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from vault.domain.inspection import Inspection
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class TrailRecords:
    """CloudTrail, from files, buckets and event history alike; implements `RootRecords`."""

    def of(self, unit: Unit, since: Mapping[str, datetime]) -> Mapping[str, tuple[Observation, ...]]:
        """Give, by account, what root did from its time on."""
        return unit.proofs.observed(since)


@dataclass(frozen=True, slots=True)
class InspectionRecords:
    """What was seen through the role: IAM's account summary and credential report; implements `RootRecords`.

    What was not known is observed of nothing. A summary that said the same again is observed when it first and when it
    last did.
    """

    def of(self, unit: Unit, since: Mapping[str, datetime]) -> Mapping[str, tuple[Observation, ...]]:
        """Give, by account, what was seen of its root from its time on, and the last state before."""
        return {
            account_id: tuple(seen for each in some for seen in _observed(each))
            for account_id, some in unit.proofs.inspected(since).items()
        }


def _observed(inspection: Inspection) -> Iterator[Observation]:
    account_id, number = inspection.account_id, inspection.id
    if isinstance(inspection.root_mfa, Known):
        for at in dict.fromkeys((inspection.at, inspection.again_at or inspection.at)):
            has = inspection.root_mfa.value
            yield Observation(account_id, Source.ACCOUNT_SUMMARY, Act.MFA_STATED, at, number, mfa=has)
    report = inspection.report
    if isinstance(report, Known) and report.value.password_last_used is not None:
        used = report.value.password_last_used
        yield Observation(account_id, Source.CREDENTIAL_REPORT, Act.PASSWORD_USED, used, number)
