"""Our roles taken away, the one that we work through last.

Decided here: the order AWS wants (managed policies detached, inline ones deleted, then the role: IAM DeleteRole). A
role in an instance profile is left for a person to decide, because a machine may run under it (H8); one that a
recorder of AWS Config still uses stays (A5). Policies that were attached are not ours by that and stay.

The role that we work through shuts its own trust, then loses what it may do, and then it asks AWS to delete it. AWS
decides by the permissions that it still sees: where it sees none any more, a role is left that nobody may take on. So
it is over when the role is shut, and done again it finds a role that cannot be assumed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from vault.adapters.offboarding.regions import across, enabled
from vault.adapters.offboarding.work import (
    NO_SUCH,
    Act,
    Hands,
    Refusal,
    Seen,
    Tally,
    asked,
    do,
    gone,
    having,
    names,
)
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import KEPT_ROLES, named
from vault.domain.trail_text import object_in

if TYPE_CHECKING:
    from vault.adapters.inspection.asking import Asker
    from vault.domain.offboarding import Target

RECORDER: Final = "config.amazonaws.com"
"""The service that takes on the role of a recorder (AWS Config, IAM permissions)."""
SHUT: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
"""A trust policy under which nobody takes a role on."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One role as it is: what it may do, and why it may not go, if so."""

    name: str
    arn: str
    managed: tuple[str, ...]
    inline: tuple[str, ...]
    profiles: tuple[str, ...]
    recorded: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    """Regions that did not say whether a recorder there uses it."""

    @property
    def stays(self) -> str:
        """Say why it stays by rule; empty where it does not."""
        where = ", ".join(self.recorded)
        return f"role {self.name}, which the recorder of AWS Config in {where} uses" if where else ""

    @property
    def hindrance(self) -> str:
        """Say what has to be decided first; empty where nothing has."""
        if self.profiles:
            listed = ", ".join(self.profiles)
            return f"It is in the instance profile {listed}: a machine may run under it. Take it out there first."
        if self.unseen:
            return f"Whether a recorder of AWS Config uses it was not seen in {', '.join(self.unseen)}."
        return ""


@dataclass(frozen=True, slots=True)
class Roles(Act):
    """Implements the acts on roles: with `last`, those through which we look and the one that we work through."""

    last: bool = False

    @property
    def _names(self) -> tuple[str, ...]:
        own = self.means.own_role
        eyes = tuple(name.rpartition("/")[2] for name in self.means.ours.eyes if name)
        roles = eyes if self.last else self.means.ours.roles
        wanted = dict.fromkeys(name for name in roles if name != own and (self.last or name not in eyes))
        return tuple(name for name in wanted if name not in KEPT_ROLES)

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say which roles would go."""
        for name in (*self._names, *((self.means.own_role,) if self.last else ())):
            found = _look(hands, name)
            if isinstance(found, Unknown):
                seen.miss(f"role {name}", found)
            elif found is not None and (found.stays or found.hindrance):
                seen.stays.append(found.stays or f"role {name}: {found.hindrance}")
            elif found is not None:
                seen.goes.append(f"role {name}")
        ours = {each.removeprefix("role ") for each in seen.goes} | {*self._names, self.means.own_role}
        listed = names(hands.asker, hands.assumed.client("iam").list_roles, "Roles", "RoleName")
        if isinstance(listed, Unknown):
            seen.miss("the other roles", listed)
        else:
            seen.stays += named([each for each in listed.value if each not in ours], "role")

    @override
    def shut(self, why: Unknown, target: Target, tally: Tally) -> None:
        """Tell that the role cannot be had: for the last act, that is what it wants."""
        if self.last and why.reason is Reason.NO_ROLE:
            tally.did.append(
                f"role {self.means.own_role}: AWS does not let us take it on any more ({why.code})"
            )
        else:
            Act.shut(self, why, target, tally)

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Take them away."""
        for name in self._names:
            _take_away(hands, name, tally)
        if self.last and not tally.left:
            _take_own(hands, tally)
        elif self.last:
            tally.leave(f"role {self.means.own_role}", "It goes when nothing else is left.")


def _look(hands: Hands, name: str) -> _Found | Unknown | None:
    """Look at a role; None where there is none."""
    iam, asker = hands.assumed.client("iam"), hands.asker
    role = asker.ask(having(iam.get_role, RoleName=name), NO_SUCH)
    if isinstance(role, Unknown) or role.value is None:
        return role if isinstance(role, Unknown) else None
    told = object_in(role.value, "Role")
    arn, known = told.get("Arn"), told.get("RoleName")
    if not isinstance(arn, str) or not isinstance(known, str):
        return Unknown(Reason.UNREADABLE)
    if (
        known != name
    ):  # IAM's names are one whatever their case, and a name that is not exactly ours is the customer's
        return None
    lists = (
        names(asker, iam.list_attached_role_policies, "AttachedPolicies", "PolicyArn", RoleName=name),
        names(asker, iam.list_role_policies, "PolicyNames", RoleName=name),
        names(
            asker,
            iam.list_instance_profiles_for_role,
            "InstanceProfiles",
            "InstanceProfileName",
            RoleName=name,
        ),
    )
    for fact in lists:
        if isinstance(fact, Unknown):
            return fact
    managed, inline, profiles = (fact.value for fact in lists if isinstance(fact, Known))
    recorded: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    if RECORDER in json.dumps(told.get("AssumeRolePolicyDocument", {})):
        recorded, unseen = _recorders(hands, arn)
    return _Found(
        name,
        arn,
        tuple(managed),
        tuple(inline),
        tuple(profiles),
        recorded,
        unseen,
    )


def _recorders(hands: Hands, arn: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the regions in which a recorder uses a role, and those that did not say."""
    regions, why = enabled(hands)

    def one(_: str, client: Any, asker: Asker) -> Fact[bool]:
        answer = names(asker, client.describe_configuration_recorders, "ConfigurationRecorders", "roleARN")
        return answer if isinstance(answer, Unknown) else Known(arn in answer.value)

    told = across(hands, "config", regions, one)
    using = tuple(region for region, fact in told if isinstance(fact, Known) and fact.value)
    unseen = tuple(region for region, fact in told if isinstance(fact, Unknown))
    return using, (*unseen, *(("further regions",) if why else ()))


def _take_away(hands: Hands, name: str, tally: Tally) -> None:
    found = _look(hands, name)
    what = f"role {name}"
    if isinstance(found, Unknown):
        tally.leave(what, found)
    elif found is None:
        pass
    elif found.stays:
        tally.kept.append(found.stays)
    elif found.hindrance:
        tally.leave(what, found.hindrance)
    else:
        iam, asker = hands.assumed.client("iam"), hands.asker
        failed: Unknown | Refusal | None = _empty(hands, found)
        if failed is None:
            failed = do(asker, having(iam.delete_role, RoleName=name), NO_SUCH, "DeleteConflict")
        tally.judge(what, gone(asker, having(iam.get_role, RoleName=name), NO_SUCH), failed)


def _empty(hands: Hands, found: _Found) -> Unknown | None:
    """Take from a role what it may do, what may be the most last; None where nothing failed."""
    iam, asker = hands.assumed.client("iam"), hands.asker
    much = [arn for arn in found.managed if "Administrator" in arn or "IAM" in arn]
    calls = [
        *(
            having(iam.detach_role_policy, RoleName=found.name, PolicyArn=arn)
            for arn in found.managed
            if arn not in much
        ),
        *(having(iam.delete_role_policy, RoleName=found.name, PolicyName=each) for each in found.inline),
        *(having(iam.detach_role_policy, RoleName=found.name, PolicyArn=arn) for arn in much),
    ]
    for call in calls:
        failed = do(asker, call, NO_SUCH)
        if isinstance(failed, Unknown):
            return failed
    return None


def _take_own(hands: Hands, tally: Tally) -> None:
    """Let the role that we work through take itself away: shut, emptied, deleted, as far as AWS lets it."""
    name = hands.means.own_role
    what = f"role {name}"
    found = _look(hands, name)
    if found is None:
        tally.did.append(f"{what} removed")
        return
    if isinstance(found, Unknown):
        tally.leave(what, found)
        return
    if found.stays or found.hindrance:
        tally.leave(what, found.stays or found.hindrance)
        return
    iam, asker = hands.assumed.client("iam"), hands.asker
    shut = do(asker, having(iam.update_assume_role_policy, RoleName=name, PolicyDocument=SHUT))
    if shut is not None:
        tally.leave(what, shut if isinstance(shut, Unknown) else f"AWS does not shut it ({shut.code}).")
        return
    tally.did.append(f"{what}: nobody can take it on any more")
    _empty(hands, found)
    deleted = asked(asker, having(iam.delete_role, RoleName=name), NO_SUCH, "DeleteConflict")
    if isinstance(deleted, Known) or (isinstance(deleted, Refusal) and deleted.code == NO_SUCH):
        tally.did.append(f"{what} removed")
        return
    # it may do less with each policy that it loses, so AWS may refuse its last wish
    tally.kept.append(
        f"{what}, shut: nobody can take it on, and AWS does not let it delete itself. Whoever is signed in to the "
        "account may delete it"
    )
