"""Organizations and the account service of the demonstration.

Rules: their API references. Leaving has to wait for what a standalone account needs; a member's root e-mail is changed
by its payer with a code that the new mailbox alone gets; what is closed stays closed.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from vault.cli.admin.demo.aws.state import REGIONS, RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.admin.demo.aws.state import Account, Caller, Cloud

ABSENT: Final = "ResourceNotFoundException"
CONSTRAINT: Final = "ConstraintViolationException"
NOT_IN_USE: Final = "AWSOrganizationsNotInUseException"


def describe_organization(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Tell which Organization an account is in."""
    payer = cloud.account(caller.account).payer
    if not payer:
        raise RefusalError(NOT_IN_USE)
    told = {
        "Id": f"o-{payer[:10]}",
        "Arn": f"arn:aws:organizations::{payer}:organization/o-{payer[:10]}",
        "FeatureSet": "ALL",
        "MasterAccountId": payer,
        "MasterAccountEmail": cloud.account(payer).email,
    }
    return {"Organization": told}


def list_accounts(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List the accounts of an Organization to its payer."""
    if cloud.account(caller.account).payer != caller.account:
        raise RefusalError("AccessDeniedException")
    return {"Accounts": [_told(each) for each in cloud.members(caller.account)]}


def describe_account(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of one account to its payer."""
    found = cloud.account(str(asked.get("AccountId")))
    if found.payer != caller.account:
        raise RefusalError("AccountNotFoundException")
    return {"Account": _told(found)}


def leave_organization(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Let the account that asks leave."""
    return _part(cloud.account(caller.account))


def remove_account_from_organization(
    cloud: Cloud, caller: Caller, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Let a member leave, as its payer wants."""
    found = cloud.account(str(asked.get("AccountId")))
    if found.payer != caller.account:
        raise RefusalError("AccountNotFoundException")
    return _part(found)


def close_account(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Close a member's account."""
    number = str(asked.get("AccountId"))
    if number == caller.account:
        raise RefusalError(CONSTRAINT, reason="CANNOT_CLOSE_MANAGEMENT_ACCOUNT")
    found = cloud.member(caller, number)
    if found.state != "ACTIVE":
        raise RefusalError("AccountAlreadyClosedException")
    found.state = "PENDING_CLOSURE"
    return {}


def get_primary_email(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a member's root e-mail to its payer."""
    return {"PrimaryEmail": cloud.member(caller, str(asked.get("AccountId"))).email}


def start_primary_email_update(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Mail a code to the address that a member's root shall have."""
    found, fresh = cloud.member(caller, str(asked.get("AccountId"))), str(asked.get("PrimaryEmail", ""))
    if any(each.email.lower() == fresh.lower() for each in cloud.accounts.values()):
        raise RefusalError("ConflictException", 409)
    code = f"{secrets.randbelow(10**6):06d}"
    cloud.pending[found.number] = (fresh, code)
    cloud.mailed.append((fresh, code))
    return {"Status": "PENDING"}


def accept_primary_email_update(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Change a member's root e-mail, with that code."""
    found = cloud.member(caller, str(asked.get("AccountId")))
    if found.number not in cloud.pending:
        raise RefusalError(ABSENT, 404)
    if cloud.pending[found.number] != (asked.get("PrimaryEmail"), asked.get("Otp")):
        raise RefusalError("AccessDeniedException", 403)
    found.email = cloud.pending.pop(found.number)[0]
    return {"Status": "ACCEPTED"}


def list_regions(_: Cloud, __: Caller, ___: Mapping[str, Any]) -> dict[str, Any]:
    """List the regions that are enabled."""
    return {"Regions": [{"RegionName": each, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for each in REGIONS]}


def get_contact_information(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the contact information of the account that asks."""
    found = cloud.account(caller.account).contact
    if not found:
        raise RefusalError(ABSENT, 404)
    return {"ContactInformation": found}


def put_contact_information(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Set it."""
    cloud.account(caller.account).contact = dict(asked.get("ContactInformation") or {})
    return {}


def get_alternate_contact(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell an alternate contact."""
    kind = str(asked.get("AlternateContactType"))
    found = cloud.account(caller.account).contacts.get(kind)
    if found is None:
        raise RefusalError(ABSENT, 404)
    return {"AlternateContact": found | {"AlternateContactType": kind}}


def delete_alternate_contact(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete one."""
    if cloud.account(caller.account).contacts.pop(str(asked.get("AlternateContactType")), None) is None:
        raise RefusalError(ABSENT, 404)
    return {}


def _part(found: Account) -> dict[str, Any]:
    if not found.payer:
        raise RefusalError(NOT_IN_USE)
    if found.payer == found.number:
        raise RefusalError("MasterCannotLeaveOrganizationException")
    if not found.standalone:
        raise RefusalError(CONSTRAINT, reason="MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED")
    found.payer = ""
    return {}


def _told(each: Account) -> dict[str, Any]:
    number = f"o-{each.payer[:10]}"
    return {
        "Id": each.number,
        "Arn": f"arn:aws:organizations::{each.payer}:account/{number}/{each.number}",
        "Name": each.name,
        "Email": each.email,
        "State": each.state,
        "JoinedMethod": "INVITED",
    }
