"""Drift: the vault's list of accounts held against an Organization's, both ways.

Decided here: what differs. A list that could not be read whole says nothing, neither that an account is there nor
that it is not; that a member is missing is said only where the lists of all payers of its customer are known. AWS's
state is the account's `State`, and `Status` where there is none (AWS retired that in 2026).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from vault.domain.account import Account, Custody, Kind
from vault.domain.hygiene import Rule, Verdict
from vault.domain.ids import fold_email
from vault.domain.inspection import Known, Listed, Roster

ACTIVE: Final = "ACTIVE"
ENDING: Final = frozenset({"SUSPENDED", "PENDING_CLOSURE", "CLOSED"})
GONE: Final = frozenset({Custody.RELEASED, Custody.CLOSED, Custody.DEAD})
"""Custodies under which no Organization has to list an account."""


def drift(
    payers: Collection[Account], rosters: Collection[Roster], known: Mapping[str, Account]
) -> tuple[Verdict, ...]:
    """Judge the lists of one customer's payers; `known` are the vault's accounts that are listed or its members."""
    customers = {payer.customer_id for payer in payers}
    found: dict[tuple[str, Rule, str], Verdict] = {}
    listed: set[str] = set()
    for roster in rosters:
        if isinstance(roster.listed, Known):
            listed |= {each.id for each in roster.listed.value}
            for verdict in _of_roster(roster.payer_id, roster.listed.value, known, customers):
                found[verdict.account_id, verdict.rule, verdict.subject] = verdict
    whole = {roster.payer_id for roster in rosters if isinstance(roster.listed, Known)} >= {
        payer.id for payer in payers
    }
    for account in known.values():
        if account.kind is Kind.MEMBER and account.customer_id in customers and account.custody not in GONE:
            there = True if account.id in listed else False if whole and payers else None
            words = "The vault has it as a member, and no Organization of its customer lists it."
            verdict = Verdict(account.id, Rule.NOT_IN_ORGANIZATION, "", there, words)
            found[verdict.account_id, verdict.rule, verdict.subject] = verdict
    return tuple(found.values())


def _of_roster(
    payer_id: str, listed: Collection[Listed], known: Mapping[str, Account], customers: Collection[str]
) -> Iterator[Verdict]:
    for each in listed:
        account = known.get(each.id)
        words = (
            f"The Organization of {payer_id} lists {each.id} ({each.state}), which the vault does not know."
        )
        yield Verdict(payer_id, Rule.NOT_IN_VAULT, each.id, account is not None, words)
        if account is not None:
            yield from _differences(payer_id, each, account, customers)


def _differences(
    payer_id: str, at_aws: Listed, ours: Account, customers: Collection[str]
) -> Iterator[Verdict]:
    words = f"The Organization of {payer_id} lists it, whose customer is another."
    yield Verdict(ours.id, Rule.OTHER_CUSTOMER, "", ours.customer_id in customers, words)
    same = fold_email(at_aws.email) == fold_email(ours.root_email) if at_aws.email else None
    words = f"AWS has the root e-mail {at_aws.email}; the vault has {ours.root_email}."
    yield Verdict(ours.id, Rule.EMAIL_DIFFERS, "", same, words)
    named = at_aws.name.strip() == ours.name.strip() if at_aws.name else None
    yield Verdict(ours.id, Rule.NAME_DIFFERS, "", named, f"AWS calls it {at_aws.name!r}.")
    words = f"AWS has it as {at_aws.state}; the vault has it as {ours.custody}."
    yield Verdict(ours.id, Rule.STATE_DIFFERS, "", _state_fits(at_aws.state, ours.custody), words)


def _state_fits(state: str, custody: Custody) -> bool | None:
    """Say whether a state of AWS's fits a custody; None for a state that nobody knows."""
    if state == ACTIVE:
        return custody not in {Custody.CLOSED, Custody.DEAD}
    if state in ENDING:
        return custody in {Custody.CLOSING, Custody.CLOSED, Custody.DEAD, Custody.RELEASED}
    return None
