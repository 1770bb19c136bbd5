"""Our topics of SNS, taken away in every enabled region.

Decided here: a topic is ours where its whole name is one of ours and the account owns it; a queue-like one
(``name.fifo``), one with anything before or behind the name, and one that is shared with the account are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault.adapters.offboarding.regions import across, enabled
from vault.adapters.offboarding.work import NEXT, SETTLING, Hands, Means, Tally, do, having, names, words
from vault.domain.inspection import Fact, Known, Unknown
from vault.domain.offboarding import Left, Outcome, Preview, named

if TYPE_CHECKING:
    from vault.adapters.inspection.asking import Asker
    from vault.domain.offboarding import Target


@dataclass(frozen=True, slots=True)
class _Removed:
    """What was done in one region."""

    gone: tuple[str, ...] = ()
    left: tuple[tuple[str, Unknown | str], ...] = ()


@dataclass(frozen=True, slots=True)
class Topics:
    """Implements the act on topics."""

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say which topics would go, and which stay."""
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.account_id, hands),))
        regions, why = enabled(hands)
        goes: list[str] = []
        stays: list[str] = []
        unseen = _unknown_regions(why)
        for region, fact in across(hands, "sns", regions, lambda _, sns, asker: _listed(sns, asker)):
            if isinstance(fact, Unknown):
                unseen.append(Left(f"topics in {region}", words(fact)))
                continue
            ours = self._ours(hands, region, fact.value)
            goes += [f"topic {_name(arn)} in {region}" for arn in ours]
            stays += [f"{_name(arn)} in {region}" for arn in fact.value if arn not in ours]
        return Preview(tuple(goes), named(stays, "topic"), tuple(unseen))

    def carry_out(self, target: Target) -> Outcome:
        """Take them away; a region that does not answer leaves the others done."""
        hands = self.means.into(target.account_id, target)
        tally = Tally()
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.account_id, hands))
            return tally.outcome()
        regions, why = enabled(hands)
        tally.left += _unknown_regions(why)

        def one(region: str, sns: Any, asker: Asker) -> _Removed:
            return self._clear(hands, region, sns, asker)

        for region, removed in across(hands, "sns", regions, one):
            tally.did += [f"topic {name} in {region} removed" for name in removed.gone]
            for what, reason in removed.left:
                tally.leave(f"{what} in {region}", reason)
        return tally.outcome()

    def _clear(self, hands: Hands, region: str, sns: Any, asker: Asker) -> _Removed:
        """Clear one region: what is ours is asked for, taken away, and asked for again."""
        before = _listed(sns, asker)
        if isinstance(before, Unknown):
            return _Removed(left=(("topics", before),))
        ours = self._ours(hands, region, before.value)
        if not ours:
            return _Removed()
        failed = {arn: do(asker, having(sns.delete_topic, TopicArn=arn)) for arn in ours}
        after = _listed(sns, asker)
        if isinstance(after, Known) and any(arn in after.value and failed[arn] is None for arn in ours):
            asker.wait(SETTLING)
            after = _listed(sns, asker)
        gone: list[str] = []
        left: list[tuple[str, Unknown | str]] = []
        for arn in ours:
            why = failed[arn]
            if isinstance(after, Known) and arn not in after.value:
                gone.append(_name(arn))
            elif isinstance(why, Unknown):
                left.append((f"topic {_name(arn)}", why))
            elif isinstance(after, Unknown):
                left.append((f"topic {_name(arn)}", after))
            else:
                still = "AWS took the deletion and still lists it. Do it again in a minute."
                left.append((f"topic {_name(arn)}", still))
        return _Removed(tuple(gone), tuple(left))

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


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
