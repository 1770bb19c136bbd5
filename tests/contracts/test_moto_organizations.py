"""The tests' Organizations and account service keep AWS's rules (docs/aws-stand-in.md).

Each rule is the Organizations, IAM or Account Management API reference's as botocore ships it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.test_moto_root import MEMBER, OTHER, PAYER, VAULT, Hands, organized, refused, summary
from tests.support.aws_cloud import AwsCloud


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def aws(clock: Hands) -> Iterator[AwsCloud]:
    with organized(clock) as cloud:
        yield cloud


class TestFeatures:
    """Centralized root access is switched by the management account."""

    @pytest.mark.parametrize(
        ("by", "code"),
        [
            (VAULT, "OrganizationNotFoundException"),
            (MEMBER, "AccountNotManagementOrDelegatedAdministratorException"),
        ],
    )
    def test_who_may_see_them(self, aws: AwsCloud, by: str, code: str) -> None:
        with refused(code):
            aws.client("iam", by).list_organizations_features()
        assert aws.client("iam", PAYER).list_organizations_features()["EnabledFeatures"] == [
            "RootCredentialsManagement",
            "RootSessions",
        ]

    def test_a_member_cannot_switch_them_and_trust_and_all_features_come_first(self, aws: AwsCloud) -> None:
        with refused("CallerIsNotManagementAccountException"):
            aws.client("iam", MEMBER).enable_organizations_root_sessions()
        aws.organization("222233334444", feature_set="CONSOLIDATED_BILLING")
        with refused("OrganizationNotInAllFeaturesModeException"):
            aws.client("iam", "222233334444").enable_organizations_root_sessions()
        aws.organization("333344445555")
        with refused("ServiceAccessNotEnabledException"):
            aws.client("iam", "333344445555").list_organizations_features()


class TestOrganizations:
    """Who is in it, in which state, and what leaving wants."""

    def test_the_list_is_for_the_management_account_and_comes_in_pages(self, aws: AwsCloud) -> None:
        organizations = aws.client("organizations", PAYER)
        first = organizations.list_accounts(MaxResults=2)
        second = organizations.list_accounts(MaxResults=2, NextToken=first["NextToken"])
        assert [each["Id"] for each in first["Accounts"] + second["Accounts"]] == [MEMBER, OTHER, PAYER]
        assert "NextToken" not in second
        with refused("InvalidInputException"):
            organizations.list_accounts(MaxResults=21)
        with refused("AccessDeniedException"):
            aws.client("organizations", MEMBER).list_accounts()
        with refused("AWSOrganizationsNotInUseException"):
            aws.client("organizations", VAULT).list_accounts()

    def test_an_account_has_a_state_and_closes_slowly(self, aws: AwsCloud) -> None:
        organizations = aws.client("organizations", PAYER)
        organizations.close_account(AccountId=MEMBER)
        told = {each["Id"]: each for each in organizations.list_accounts()["Accounts"]}
        assert [told[each]["State"] for each in (MEMBER, OTHER)] == ["PENDING_CLOSURE", "ACTIVE"]
        assert all("Status" not in each for each in told.values())
        with refused("AccountAlreadyClosedException"):
            organizations.close_account(AccountId=MEMBER)
        with refused("ConstraintViolationException"):
            organizations.close_account(AccountId=PAYER)

    def test_any_account_may_ask_where_it_belongs(self, aws: AwsCloud) -> None:
        for each in (PAYER, MEMBER):
            told = aws.client("organizations", each).describe_organization()["Organization"]
            assert told["MasterAccountId"] == PAYER
        with refused("AWSOrganizationsNotInUseException"):
            aws.client("organizations", VAULT).describe_organization()

    def test_leaving_wants_a_standalone_account_that_is_old_enough(self, aws: AwsCloud, clock: Hands) -> None:
        aws.member(PAYER, "777788889999", "New", "new@msp.example", invited=False)
        new = aws.client("organizations", "777788889999")
        with refused("ConstraintViolationException"):
            new.leave_organization()
        aws.root("777788889999").standalone = True
        clock.at += timedelta(days=4) - timedelta(seconds=1)
        with refused("ConstraintViolationException"):
            new.leave_organization()
        clock.at += timedelta(seconds=1)
        new.leave_organization()
        with refused("AWSOrganizationsNotInUseException"):
            new.leave_organization()
        with refused("MasterCannotLeaveOrganizationException"):
            aws.client("organizations", PAYER).leave_organization()
        aws.root(OTHER).standalone = True
        aws.client("organizations", PAYER).remove_account_from_organization(AccountId=OTHER)
        assert [each["Id"] for each in aws.client("organizations", PAYER).list_accounts()["Accounts"]] == [
            MEMBER,
            PAYER,
        ]


class TestPrimaryEmail:
    """The root e-mail of a member changes with a code from the new mailbox."""

    def test_only_the_new_mailbox_gets_the_code(self, aws: AwsCloud) -> None:
        account = aws.client("account", PAYER)
        asked: dict[str, Any] = {"AccountId": MEMBER, "PrimaryEmail": "root@customer.example"}
        account.start_primary_email_update(**asked)
        ((to, code),) = aws.state.mailed
        assert to == "root@customer.example"
        with refused("AccessDeniedException"):
            account.accept_primary_email_update(**asked, Otp=f"{(int(code) + 1) % 10**6:06d}")
        account.accept_primary_email_update(**asked, Otp=code)
        with refused("ResourceNotFoundException"):
            account.accept_primary_email_update(**asked, Otp=code)

        assert account.get_primary_email(AccountId=MEMBER)["PrimaryEmail"] == "root@customer.example"
        assert (summary(aws), aws.account(MEMBER).email) == ((1, 0, 0, 0), "root@customer.example")

    @pytest.mark.parametrize("about", [PAYER, VAULT])
    def test_it_is_for_members(self, aws: AwsCloud, about: str) -> None:
        with refused("AccessDeniedException"):
            aws.client("account", PAYER).get_primary_email(AccountId=about)

    def test_an_address_in_use_is_refused(self, aws: AwsCloud) -> None:
        with refused("ConflictException"):
            aws.client("account", PAYER).start_primary_email_update(
                AccountId=MEMBER, PrimaryEmail="till@msp.example"
            )
