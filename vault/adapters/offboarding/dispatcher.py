"""Our rules of EventBridge and our IAM policies, taken away.

Decided here: the order AWS wants (targets, then the rule; attachments and old versions, then the policy). A policy of
ours that somebody attached to what is not ours is left for a person to decide, because taking it away would change
what the customer's own may do (H8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.adapters.offboarding.work import (
    NEXT,
    NO_SUCH,
    Hands,
    Means,
    Refusal,
    Tally,
    do,
    gone,
    having,
    names,
    pages,
    words,
)
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import Left, Outcome, Preview, named
from vault.domain.trail_text import object_in

if TYPE_CHECKING:
    from vault.domain.offboarding import Target

NO_RULE: Final = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Implements the act on rules and policies."""

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say which rules and policies would go."""
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.account_id, hands),))
        goes: list[str] = []
        stays: list[str] = []
        unseen: list[Left] = []
        ours, region = self.means.ours, self.means.ours.rule_region
        events = hands.assumed.client("events", region)
        for name in ours.rules:
            there = hands.asker.is_there(having(events.describe_rule, Name=name), NO_RULE)
            if isinstance(there, Unknown):
                unseen.append(Left(f"rule {name} in {region}", words(there)))
            elif there.value:
                goes.append(f"rule {name} in {region}")
        listed = names(hands.asker, events.list_rules, "Rules", "Name", place=NEXT)
        if isinstance(listed, Unknown):
            unseen.append(Left(f"the other rules in {region}", words(listed)))
        else:
            others = [each for each in listed.value if each not in ours.rules]
            stays += [f"{each} in {region}" for each in named(others, "rule")]
        for name in ours.policies:
            held = self._held(hands, name)
            if isinstance(held, Unknown):
                unseen.append(Left(f"policy {name}", words(held)))
            elif held.value:
                stays.append(f"policy {name}, attached to {', '.join(held.value)}")
            elif held.value is not None:
                goes.append(f"policy {name}")
        return Preview(tuple(goes), tuple(stays), tuple(unseen))

    def carry_out(self, target: Target) -> Outcome:
        """Take them away."""
        hands = self.means.into(target.account_id, target)
        tally = Tally()
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.account_id, hands))
            return tally.outcome()
        for name in self.means.ours.rules:
            self._remove_rule(hands, name, tally)
        for name in self.means.ours.policies:
            self._remove_policy(hands, name, tally)
        return tally.outcome()

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
        _judge(what, after, failed, tally)

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
        _judge(what, after, failed, tally)

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


def _judge(what: str, after: Fact[bool], failed: Unknown | Refusal | None, tally: Tally) -> None:
    """Believe AWS's last word on whether something is gone."""
    if isinstance(after, Known) and after.value:
        tally.did.append(f"{what} removed")
    elif isinstance(failed, Unknown):
        tally.leave(what, failed)
    elif isinstance(failed, Refusal):
        tally.leave(what, f"AWS does not delete it ({failed.code}).")
    elif isinstance(after, Unknown):
        tally.leave(what, after)
    else:
        tally.leave(what, "AWS took the deletion and still lists it. Do it again in a minute.")
