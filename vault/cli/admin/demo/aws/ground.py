"""Accounts of the demonstration's AWS as they are when a handover begins: what was applied, and what the customer has.

Decided here: the customer's things bear names that are much like ours, so that it shows that only exact names go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.cli.admin.demo.aws.state import REGIONS, Role, Rule

if TYPE_CHECKING:
    from vault.cli.admin.demo.aws.state import Account
    from vault.domain.hygiene import Wanted

INSTANCES = "RackspaceDefaultEC2Role"
BUCKET = "0a1b2c3d-0000-4000-8000-{number}"


def let_in(account: Account, role: str, vault: str, external_id: str = "") -> None:
    """Give an account a role that the vault's account may take on."""
    account.roles[role] = Role(role, vault, external_id, inline=["work"])


def furnish(account: Account, wanted: Wanted) -> None:
    """Put in what onboarding applies (A5), as the file of defaults names it."""
    for name in wanted.roles:
        service = "config.amazonaws.com" if name == "AWSConfig" else "ec2.amazonaws.com"
        account.roles[name] = Role(name, service=service, inline=["access"])
    account.roles[INSTANCES] = Role(INSTANCES, service="ec2.amazonaws.com", profiles=[INSTANCES])
    for name in wanted.policies:
        account.policies[name] = ["v1", "v2"]
        if name in account.roles:
            account.roles[name].managed.append(f"arn:aws:iam::{account.number}:policy/{name}")
    account.rules[wanted.rule_region] = {name: Rule(name, ["dispatcher"]) for name in wanted.rules}
    for region in REGIONS:
        account.topics[region] = set(wanted.topics)
    for pattern in wanted.buckets:
        name = pattern.replace("{uuid}", BUCKET.format(number=account.number))
        account.buckets[name] = wanted.bucket_region
    rules = wanted.policy
    account.password_policy = {
        "MinimumPasswordLength": rules.length,
        "RequireUppercaseCharacters": rules.upper,
        "RequireLowercaseCharacters": rules.lower,
        "RequireNumbers": rules.number,
        "RequireSymbols": rules.symbol,
        "PasswordReusePrevention": rules.remembers,
    }


def live_in(account: Account, ours: str) -> None:
    """Put in what the customer has, and a security contact under an address of ours."""
    account.roles["web-server"] = Role("web-server", service="ec2.amazonaws.com", profiles=["web-server"])
    account.roles["Rackspace-readers"] = Role(
        "Rackspace-readers", service="lambda.amazonaws.com", inline=["read"]
    )
    account.rules.setdefault("us-east-1", {})["rackspace-dispatcher-of-ours"] = Rule(
        "rackspace-dispatcher-of-ours"
    )
    for region in REGIONS:
        account.topics.setdefault(region, set()).update({"orders", "rackspace-support-copies"})
    account.buckets[f"shop-{account.number}"] = "eu-west-1"
    for kind, address in (("SECURITY", f"security@{ours}"), ("BILLING", "billing@customer.example")):
        contact = {"EmailAddress": address, "Name": "Desk", "PhoneNumber": "+1 555 0100", "Title": "Desk"}
        account.contacts[kind] = contact
