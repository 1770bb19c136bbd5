"""Our rules of EventBridge and our IAM policies, taken away.

Decided here: the order AWS wants (targets, then the rule; attachments and old versions, then the policy). A policy of
ours that somebody attached to what is not ours is left for a person to decide, because taking it away would change
what the customer's own may do (H8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.adapters.offboarding.work import (
    NEXT,
    NO_SUCH,
    Act,
    Hands,
    Refusal,
    Seen,
    Tally,
    do,
    gone,
    having,
    names,
    pages,
)
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import named
from vault.domain.trail_text import object_in

if TYPE_CHECKING:
    from vault.domain.offboarding import Target

NO_RULE: Final = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Dispatcher(Act):
    """Implements the act on rules and policies."""

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say which rules and policies would go."""
        ours, region = self.means.ours, self.means.ours.rule_region
        events = hands.assumed.client("events", region)
        for name in ours.rules:
            there = hands.asker.is_there(having(events.describe_rule, Name=name), NO_RULE)
            if isinstance(there, Unknown):
                seen.miss(f"rule {name} in {region}", there)
            elif there.value:
                seen.goes.append(f"rule {name} in {region}")
        listed = names(hands.asker, events.list_rules, "Rules", "Name", place=NEXT)
        if isinstance(listed, Unknown):
            seen.miss(f"the other rules in {region}", listed)
        else:
            others = [each for each in listed.value if each not in ours.rules]
            seen.stays += [f"{each} in {region}" for each in named(others, "rule")]
        for name in ours.policies:
            held = self._held(hands, name)
            if isinstance(held, Unknown):
                seen.miss(f"policy {name}", held)
            elif held.value:
                seen.stays.append(f"policy {name}, attached to {', '.join(held.value)}")
            elif held.value is not None:
                seen.goes.append(f"policy {name}")

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Take them away."""
        for name in self.means.ours.rules:
            self._remove_rule(hands, name, tally)
        for name in self.means.ours.policies:
            self._remove_policy(hands, name, tally)

    def _remove_rule(self, hands: Hands, name: str, tally: Tally) -> None:
        region = self.means.ours.rule_region
        events, asker, what = hands.assumed.client("events", region), hands.asker, f"rule {name} in {region}"
        there = asker.is_there(having(events.describe_rule, Name=name), NO_RULE)
        if isinstance(there, Unknown):
            tally.leave(what, there)
            return
        if not there.value:
            return
        targets = names(asker, events.list_targets_by_rule, "Targets", "Id", place=NEXT, Rule=name)
        failed: Unknown | Refusal | None
        if isinstance(targets, Unknown):
            tally.leave(what, targets)
            return
        ids = targets.value
        failed = do(asker, having(events.remove_targets, Rule=name, Ids=ids), NO_RULE) if ids else None
        if failed is None or isinstance(failed, Refusal):
            failed = do(asker, having(events.delete_rule, Name=name), NO_RULE)
        after = gone(asker, having(events.describe_rule, Name=name), NO_RULE)
        tally.judge(what, after, failed)

    def _remove_policy(self, hands: Hands, name: str, tally: Tally) -> None:
        iam, asker, what = hands.assumed.client("iam"), hands.asker, f"policy {name}"
        held = self._held(hands, name)
        if isinstance(held, Unknown):
            tally.leave(what, held)
            return
        if held.value is None:
            return
        if held.value:
            listed = ", ".join(held.value)
            tally.leave(
                what, f"It is attached to {listed}, not ours to change. Detach it there, or let it stay."
            )
            return
        arn = _arn(hands, name)
        failed = self._detach(hands, arn)
        if failed is None:
            failed = do(asker, having(iam.delete_policy, PolicyArn=arn), NO_SUCH, "DeleteConflict")
        after = gone(asker, having(iam.get_policy, PolicyArn=arn), NO_SUCH)
        tally.judge(what, after, failed)

    def _detach(self, hands: Hands, arn: str) -> Unknown | Refusal | None:
        """Take a policy from our roles, and its old versions away; None where nothing failed."""
        iam, asker = hands.assumed.client("iam"), hands.asker
        roles = names(
            asker, iam.list_entities_for_policy, "PolicyRoles", "RoleName", PolicyArn=arn, EntityFilter="Role"
        )
        versions = pages(asker, iam.list_policy_versions, "Versions", PolicyArn=arn)
        if isinstance(roles, Unknown):
            return roles
        if isinstance(versions, Unknown):
            return versions
        if not all(isinstance(each, Mapping) for each in versions.value):
            return Unknown(Reason.UNREADABLE)
        old = [each.get("VersionId") for each in versions.value if not each.get("IsDefaultVersion")]
        calls = [
            *(
                having(iam.detach_role_policy, RoleName=each, PolicyArn=arn)
                for each in roles.value
                if each in self._mine
            ),
            *(having(iam.delete_policy_version, PolicyArn=arn, VersionId=each) for each in old),
        ]
        for call in calls:
            failed = do(asker, call, NO_SUCH)
            if isinstance(failed, Unknown):
                return failed
        return None

    @property
    def _mine(self) -> frozenset[str]:
        """Our roles, but for those that we work and look through."""
        return frozenset(self.means.ours.roles) - {self.means.own_role, *self.means.ours.eyes}

    def _held(self, hands: Hands, name: str) -> Fact[list[str] | None]:
        """Name what our policy is attached to that is not ours, or that we work through; None without a policy."""
        found: list[str] = []
        iam, arn = hands.assumed.client("iam"), _arn(hands, name)
        there = hands.asker.ask(having(iam.get_policy, PolicyArn=arn), NO_SUCH)
        if isinstance(there, Unknown):
            return there
        known = None if there.value is None else object_in(there.value, "Policy").get("Arn")
        if there.value is not None and not isinstance(known, str):
            return Unknown(Reason.UNREADABLE)
        if known != arn:  # as for roles: whatever their case, names are one, and only exactly ours is ours
            return Known(None)
        for usage in ("PermissionsPolicy", "PermissionsBoundary"):
            for key, member in (
                ("PolicyUsers", "UserName"),
                ("PolicyGroups", "GroupName"),
                ("PolicyRoles", "RoleName"),
            ):
                told = names(
                    hands.asker,
                    iam.list_entities_for_policy,
                    key,
                    member,
                    PolicyArn=arn,
                    PolicyUsageFilter=usage,
                    EntityFilter=member.removesuffix("Name"),
                )
                if isinstance(told, Unknown):
                    return told
                kind = member.removesuffix("Name").lower()
                bound = usage == "PermissionsBoundary"
                found += [
                    f"{kind} {each}"
                    for each in told.value
                    if bound or kind != "role" or each not in self._mine
                ]
        return Known(list(dict.fromkeys(found)))


def _arn(hands: Hands, name: str) -> str:
    return f"arn:aws:iam::{hands.account_id}:policy/{name}"
