"""Our topics of SNS, taken away in every enabled region.

Decided here: a topic is ours where its whole name is one of ours and the account owns it; a queue-like one
(``name.fifo``), one with anything before or behind the name, and one that is shared with the account are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from vault.adapters.offboarding.regions import across, enabled
from vault.adapters.offboarding.work import (
    NEXT,
    SETTLING,
    Act,
    Hands,
    Seen,
    Tally,
    do,
    having,
    names,
    told,
    words,
)
from vault.domain.inspection import Fact, Known, Unknown
from vault.domain.offboarding import Left, named

if TYPE_CHECKING:
    from vault.adapters.inspection.asking import Asker
    from vault.domain.offboarding import Target


@dataclass(frozen=True, slots=True)
class Topics(Act):
    """Implements the act on topics."""

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say which topics would go, and which stay."""
        regions, why = enabled(hands)
        seen.unseen += _unknown_regions(why)
        stays: list[str] = []
        for region, fact in across(hands, "sns", regions, lambda _, sns, asker: _listed(sns, asker)):
            if isinstance(fact, Unknown):
                seen.miss(f"topics in {region}", fact)
                continue
            ours = self._ours(hands, region, fact.value)
            seen.goes += [f"topic {_name(arn)} in {region}" for arn in ours]
            stays += [f"{_name(arn)} in {region}" for arn in fact.value if arn not in ours]
        seen.stays += named(stays, "topic")

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Take them away; a region that does not answer leaves the others done."""
        regions, why = enabled(hands)
        tally.left += _unknown_regions(why)

        def one(region: str, sns: Any, asker: Asker) -> Tally:
            return self._clear(hands, region, sns, asker)

        for _, cleared in across(hands, "sns", regions, one):
            tally.add(cleared)

    def _clear(self, hands: Hands, region: str, sns: Any, asker: Asker) -> Tally:
        """Clear one region: what is ours is asked for, taken away, and asked for again."""
        tally = Tally()
        before = _listed(sns, asker)
        if isinstance(before, Unknown):
            tally.leave(f"topics in {region}", before)
            return tally
        ours = self._ours(hands, region, before.value)
        if not ours:
            return tally
        failed = {arn: do(asker, having(sns.delete_topic, TopicArn=arn)) for arn in ours}
        after = _listed(sns, asker)
        if isinstance(after, Known) and any(arn in after.value and failed[arn] is None for arn in ours):
            asker.wait(SETTLING)
            after = _listed(sns, asker)
        for arn in ours:
            is_gone = told(after, partial(_lacks, arn))
            tally.judge(f"topic {_name(arn)} in {region}", is_gone, failed[arn])
        return tally

    def _ours(self, hands: Hands, region: str, arns: list[str]) -> list[str]:
        wanted = {f"arn:aws:sns:{region}:{hands.account_id}:{name}" for name in self.means.ours.topics}
        return [arn for arn in arns if arn in wanted]


def _unknown_regions(why: Unknown | None) -> list[Left]:
    if why is None:
        return []
    words_ = f"AWS did not say which regions are enabled: {words(why)} Those of the settings were asked."
    return [Left("topics in other regions", words_)]


def _listed(sns: Any, asker: Asker) -> Fact[list[str]]:
    return names(asker, sns.list_topics, "Topics", "TopicArn", place=NEXT)


def _lacks(arn: str, listed: list[str]) -> bool:
    return arn not in listed


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
