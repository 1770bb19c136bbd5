"""Answers that are not AWS's, to whoever gives accounts back: nothing is done by them, and nothing is raised."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contracts.test_inspection_hostile import answering
from tests.support.given_back import MEMBER, furnish, giving_back
from vault.domain.offboarding import Deed

JUNK: tuple[tuple[Deed, str, Any], ...] = (
    (Deed.ROLES, "GetRole", {"Role": 3}),
    (Deed.ROLES, "GetRole", {"Role": {"Arn": 7}}),
    (Deed.ROLES, "ListAttachedRolePolicies", {"AttachedPolicies": [{"PolicyArn": 3}]}),
    (Deed.ROLES, "ListInstanceProfilesForRole", {"InstanceProfiles": "web"}),
    (Deed.TOPICS, "ListTopics", {"Topics": [None, {"TopicArn": 7}]}),
    (Deed.DISPATCHER, "ListEntitiesForPolicy", {"PolicyRoles": [{"RoleName": None}]}),
    (Deed.DISPATCHER, "DescribeRule", ValueError("x")),
    (Deed.CONTACT, "GetContactInformation", {"ContactInformation": [1]}),
    (Deed.ALTERNATE_CONTACTS, "GetAlternateContact", {"AlternateContact": "x"}),
    (Deed.EMAIL_START, "GetPrimaryEmail", {"PrimaryEmail": 3}),
    (Deed.LEAVE, "DescribeOrganization", {"Organization": 3}),
    (Deed.CLOSE, "DescribeAccount", {"Account": []}),
    (Deed.LAST_ROLE, "GetRole", {}),
)
DOES: Final = ("Put", "Delete", "Remove", "Detach", "Start", "Leave", "Close", "Update")


def test_nothing_is_raised_and_nothing_done_of_which_the_state_is_not_known() -> None:
    with giving_back() as stand:
        furnish(stand)
        stand.aws.root(MEMBER).standalone = True
        for deed, operation, junk in JUNK:
            before = len(stand.aws.state.calls)
            with pytest.MonkeyPatch.context() as patch:
                answering(patch, operation, junk)
                assert stand.preview(deed).unseen, operation
                done = stand.do(deed)
            assert any("cannot be read" in each.why for each in done.left), operation
            asked = {call.action.partition(":")[2] for call in stand.aws.state.calls[before:]}
            if (
                deed is not Deed.DISPATCHER
            ):  # where a rule is unclear the policy goes, and the other way round
                assert not any(each.startswith(DOES) for each in asked), operation
        assert {"Rackspace", "AWSConfig", "RackspaceDefaultEC2Role"} <= stand.roles()
        assert "rackspace-support" in stand.topics("us-east-1")


def test_a_name_that_differs_in_case_alone_is_the_customers() -> None:
    """IAM's names are one whatever their case: asked for ours, it might tell of theirs."""
    theirs = {
        "Role": {"RoleName": "rackspace", "Arn": f"arn:aws:iam::{MEMBER}:role/rackspace"},
        "Policy": {
            "PolicyName": "Rackspace-Dispatcher",
            "Arn": f"arn:aws:iam::{MEMBER}:policy/Rackspace-Dispatcher",
        },
    }
    with giving_back() as stand:
        furnish(stand)
        before = len(stand.aws.state.calls)
        for deed, operation in ((Deed.ROLES, "GetRole"), (Deed.DISPATCHER, "GetPolicy")):
            with pytest.MonkeyPatch.context() as patch:
                answering(patch, operation, theirs)
                assert not any("role" in each or "policy" in each for each in stand.preview(deed).goes)
                stand.do(deed)
        asked = {call.action.partition(":")[2] for call in stand.aws.state.calls[before:]}
        assert {each for each in asked if each.startswith(DOES)} == {"RemoveTargets", "DeleteRule"}


def test_text_that_acts_is_shown_as_what_it_is() -> None:
    with giving_back() as stand, pytest.MonkeyPatch.context() as patch:
        answering(patch, "ListTopics", {"Topics": [{"TopicArn": "arn:x:y:z:1:\x1b[2J\u202eevil"}]})
        assert all(each.isprintable() and "\u202e" not in each for each in stand.preview(Deed.TOPICS).stays)
