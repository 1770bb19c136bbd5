"""A member's contacts, e-mail, membership and closing, over HTTP at the tests' AWS; and what the role may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.given_back import CONTACT, MEMBER, PAYER, ROLE, TARGET, Stand, furnish, giving_back
from tests.support.repository import ROOT
from vault.bootstrap.inspection import read_defaults
from vault.domain.offboarding import KEPT_ROLES, Deed, Outcome
from vault.domain.secret import Secret
from vault.settings import load_settings


@pytest.fixture
def stand() -> Iterator[Stand]:
    with giving_back() as made:
        yield made


@pytest.fixture
def furnished(stand: Stand) -> Stand:
    return furnish(stand)


class TestContacts:
    """Contact information becomes the customer's; alternate contacts of ours go."""

    def test_contact_information_is_written_once(self, stand: Stand) -> None:
        assert stand.preview(Deed.CONTACT).goes == ("contact information (none so far)",)
        first, again = stand.do(Deed.CONTACT), stand.do(Deed.CONTACT)
        assert first.is_whole
        assert again == first
        assert stand.aws.asked(MEMBER).count("account:PutContactInformation") == 1
        assert stand.aws.state.contacts[MEMBER]["CompanyName"] == "Shop Ltd"
        assert "Sam" not in repr(first) + repr(TARGET)

    def test_what_aws_would_not_take_is_said_before(self, stand: Stand) -> None:
        done = stand.do(Deed.CONTACT, contact=replace(CONTACT, phone="0113", country="uk", city="x" * 51))
        assert "phone" in done.left[0].why
        assert stand.aws.asked(MEMBER) == []
        assert stand.do(Deed.CONTACT, contact=None).left[0].what == "contact information"

    def test_only_contacts_under_our_addresses_go(self, stand: Stand) -> None:
        account = stand.client("account")
        for kind, address in (
            ("SECURITY", "Security@MSP.example"),
            ("BILLING", "billing@shop.example"),
            ("OPERATIONS", "ops@notmsp.example"),
        ):
            account.put_alternate_contact(
                AlternateContactType=kind, EmailAddress=address, Name="S", PhoneNumber="1", Title="T"
            )
        seen, done = stand.preview(Deed.ALTERNATE_CONTACTS), stand.do(Deed.ALTERNATE_CONTACTS)
        assert seen.goes == ("alternate contact for security, Security@MSP.example",)
        assert len(seen.stays) == 2
        assert done.did == ("alternate contact for security removed",)
        assert stand.do(Deed.ALTERNATE_CONTACTS) == Outcome()
        assert (
            account.get_alternate_contact(AlternateContactType="BILLING")["AlternateContact"]["EmailAddress"]
            == "billing@shop.example"
        )


class TestEmail:
    """A member's root e-mail takes two steps and a code that only the customer has."""

    def test_the_code_from_the_new_mailbox_changes_it(self, stand: Stand) -> None:
        assert stand.preview(Deed.EMAIL_START).goes == ("nothing: AWS mails a code to root@shop.example",)
        assert stand.do(Deed.EMAIL_START).did == ("AWS mailed a code to root@shop.example",)
        ((to, code),) = stand.aws.state.mailed
        assert to == "root@shop.example"
        assert stand.preview(Deed.EMAIL_ACCEPT).goes == ("root e-mail shop@msp.example",)
        done = stand.do(Deed.EMAIL_ACCEPT, code=Secret(code))
        assert done.is_whole
        assert code not in repr(done)
        assert stand.aws.account(MEMBER).email == "root@shop.example"
        for deed in (Deed.EMAIL_START, Deed.EMAIL_ACCEPT):
            assert stand.do(deed).did == ("root e-mail is root@shop.example",)
        assert len(stand.aws.state.mailed) == 1
        assert stand.acts().root_email(TARGET) == "root@shop.example"

    @pytest.mark.parametrize(("code", "asked"), [("000000", True), ("12 456", False), ("", False)])
    def test_another_code_changes_nothing(self, stand: Stand, code: str, asked: bool) -> None:
        stand.do(Deed.EMAIL_START)
        ((to, real),) = stand.aws.state.mailed
        stand.aws.state.pending_mail[MEMBER] = (to, "424242" if real == code else real)
        done = stand.do(Deed.EMAIL_ACCEPT, code=Secret(code))
        assert [each.what for each in done.left] == ["root e-mail"]
        assert not code or code not in repr(done)
        assert ("account:AcceptPrimaryEmailUpdate" in stand.aws.asked()) is asked
        assert stand.aws.account(MEMBER).email == "shop@msp.example"

    def test_an_address_in_use_is_refused_in_plain_words(self, stand: Stand) -> None:
        done = stand.do(Deed.EMAIL_START, email="payer@msp.example")
        assert done.left[0].why.startswith("The address is, or was, another account's.")

    def test_a_lost_answer_of_the_change_is_no_second_code(self, stand: Stand) -> None:
        stand.do(Deed.EMAIL_START)
        stand.aws.lose_next("AcceptPrimaryEmailUpdate")
        assert stand.do(Deed.EMAIL_ACCEPT, code=Secret(stand.aws.state.mailed[0][1])).is_whole

    def test_a_payers_is_changed_in_the_console(self, stand: Stand) -> None:
        done = stand.do(Deed.EMAIL_START, account_id=PAYER, payer_id="")
        assert "console" in done.left[0].why
        assert stand.acts().root_email(replace(TARGET, payer_id="")) == ""


class TestLeaving:
    """A member leaves when AWS lets it; what is missing is said with whose turn it is."""

    @pytest.mark.parametrize(
        ("lacks", "words"),
        [
            ("MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED", "no payment method"),
            ("ACCOUNT_CANNOT_LEAVE_WITHOUT_PHONE_VERIFICATION", "phone number"),
            ("SOMETHING_NEW", "(SOMETHING_NEW)"),
        ],
    )
    def test_what_is_missing_is_said(self, stand: Stand, lacks: str, words: str) -> None:
        stand.aws.root(MEMBER).lacks = lacks
        done = stand.do(Deed.LEAVE)
        assert [each.what for each in done.left] == ["membership"]
        assert words in done.left[0].why
        stand.aws.root(MEMBER).standalone = True
        assert stand.do(Deed.LEAVE).is_whole
        assert stand.do(Deed.LEAVE).did == ("the account is in no Organization",)

    def test_an_account_that_is_too_new_waits(self, stand: Stand) -> None:
        stand.aws.root(MEMBER).standalone = True
        stand.aws.account(MEMBER).joined_method = "CREATED"
        assert "four days" in stand.do(Deed.LEAVE).left[0].why
        stand.aws.account(MEMBER).create_time -= timedelta(days=5)
        stand.aws.lose_next("RemoveAccountFromOrganization")
        assert stand.do(Deed.LEAVE).is_whole

    def test_the_member_leaves_by_itself_where_the_payer_may_not(self, stand: Stand) -> None:
        stand.aws.root(MEMBER).standalone = True
        stand.aws.deny(PAYER, "organizations:RemoveAccountFromOrganization")
        assert "Organization" in stand.preview(Deed.LEAVE).goes[0]
        assert stand.do(Deed.LEAVE).is_whole
        assert "organizations:LeaveOrganization" in stand.aws.asked(MEMBER)

    def test_a_payer_and_one_of_another_payer_do_not_leave(self, stand: Stand) -> None:
        assert "payer" in stand.do(Deed.LEAVE, account_id=PAYER, payer_id="").left[0].why
        assert "Look first" in stand.do(Deed.LEAVE, payer_id="222233334444").left[0].why
        assert stand.aws.account(MEMBER).id == MEMBER


class TestClosing:
    """A member's account is closed by its payer, once."""

    def test_it_is_closed_once(self, stand: Stand) -> None:
        assert stand.preview(Deed.CLOSE).goes[0].startswith(f"account {MEMBER}")
        first, again = stand.do(Deed.CLOSE), stand.do(Deed.CLOSE)
        assert first.did == again.did == (f"account {MEMBER} closed; AWS has it as PENDING_CLOSURE",)
        assert stand.aws.asked(PAYER).count("organizations:CloseAccount") == 1
        assert stand.preview(Deed.CLOSE).goes == ()
        assert not stand.do(Deed.CLOSE, account_id=PAYER, payer_id="").is_whole


LOCAL = {"ROOTVAULT_KEYS_SERVICE": "local"}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_roles_policy_allows_what_is_asked_and_nothing_else(furnished: Stand) -> None:
    """What the acts ask of AWS is what the shipped policy lets the role do, and by the names of the defaults alone."""
    statements = json.loads((ROOT / "config/deploy/offboarding-role-policy.json").read_text("utf-8"))[
        "Statement"
    ]
    by_action: dict[str, set[str]] = {}
    for statement in statements:
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            by_action[action] = {each.rpartition(":")[2] for each in listed(statement["Resource"])}
    wanted = read_defaults(load_settings(environment={"ROOTVAULT_ENVIRONMENT": "demo"} | LOCAL))
    ours = {f"role/{name}" for name in (*wanted.roles, "RootVaultInspection", "RootVaultKeyless", ROLE)}
    for action, resources in (
        ("iam:DeleteRole", ours),
        ("iam:DetachRolePolicy", ours),
        ("iam:DeleteRolePolicy", ours),
        ("iam:UpdateAssumeRolePolicy", {f"role/{ROLE}"}),
        ("iam:DeletePolicy", {f"policy/{name}" for name in wanted.policies}),
        ("iam:DeletePolicyVersion", {f"policy/{name}" for name in wanted.policies}),
        ("sns:DeleteTopic", set(wanted.topics)),
        ("events:DeleteRule", {f"rule/{name}" for name in wanted.rules}),
        ("events:RemoveTargets", {f"rule/{name}" for name in wanted.rules}),
    ):
        assert by_action[action] == resources, action
    assert not ours & {f"role/{name}" for name in KEPT_ROLES}
    allowed = set(by_action)
    before = len(furnished.aws.state.calls)
    furnished.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", EmailAddress="s@msp.example", Name="S", PhoneNumber="1", Title="T"
    )
    furnished.aws.root(MEMBER).standalone = True
    furnished.aws.state.lag = 20
    furnished.do(Deed.EMAIL_START)
    code = Secret(furnished.aws.state.mailed[0][1])
    furnished.do(Deed.CLOSE)
    furnished.aws.account(MEMBER).state = "ACTIVE"
    furnished.aws.fail_next("RemoveAccountFromOrganization", "InternalFailure")
    for deed in (*(each for each in Deed if each not in {Deed.LEAVE, Deed.LAST_ROLE}), Deed.LEAVE):
        furnished.preview(deed)
        furnished.do(deed, code=code)
    furnished.do(Deed.LAST_ROLE)
    by_role = {call.action for call in furnished.aws.state.calls[before:] if call.key_id.startswith("ASIA")}
    assert allowed == by_role
