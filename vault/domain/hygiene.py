"""Findings: what an account should be and is not, by rule, until it is mended or accepted.

Decided here: the rules, what each judges and which weighs most; that an unknown fact opens nothing and closes
nothing; that what weighs most is never accepted. `judge` looks at one account, `drift` at an Organization's list.
Never decided here: how facts are seen (`inspection`), who handles a finding (`vault.services.findings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.account import Account, Custody, Kind
from vault.domain.inspection import (
    Contact,
    Fact,
    Inspection,
    Known,
    PasswordPolicy,
    Place,
    Reason,
    Unknown,
)

ENDING_MIN: Final = 10
ENDING_MAX: Final = 500
ACCEPTED_MOST: Final = timedelta(days=366)
"""How long a finding may be accepted before somebody has to say so again."""


class Rule(StrEnum):
    """What a finding is about; the names are for ever."""

    ROOT_KEYS = "root_keys"
    """Root has access keys (C3)."""
    MFA_OFF = "mfa_off"
    """Root has no MFA although the vault holds its device (C3)."""
    PASSWORD_GONE = "password_gone"  # noqa: S105 - the name of a rule
    """Root has no password although the vault holds one."""
    ROOT_BACK = "root_back"
    """An account without root credentials has some again."""
    ROOT_CERTIFICATES = "root_certificates"
    """Root has signing certificates, which are access keys by another name (C3)."""
    PLACE = "place"
    """AWS has the account elsewhere in an Organization than the vault (A2, C2)."""
    UNSEEN = "unseen"
    """Nothing of the account can be seen, because its role cannot be assumed."""
    PASSWORD_POLICY = "password_policy"  # noqa: S105 - the name of a rule
    """IAM's password policy is weaker than the default, or there is none (C6)."""
    CONTACT = "contact"
    """An alternate contact is missing."""
    DEFAULT = "default"
    """Something that was applied at onboarding is missing (A5)."""
    NOT_IN_VAULT = "not_in_vault"
    """The Organization lists an account that the vault does not know."""
    NOT_IN_ORGANIZATION = "not_in_organization"
    """The vault has a member that no Organization of its customer lists."""
    OTHER_CUSTOMER = "other_customer"
    """An Organization lists an account that the vault has under another customer."""
    EMAIL_DIFFERS = "email_differs"
    """The root e-mail at AWS is another than the vault's."""
    NAME_DIFFERS = "name_differs"
    """The account's name at AWS is another than the vault's."""
    STATE_DIFFERS = "state_differs"
    """AWS has the account open and the vault closed, or the other way round."""


WEIGHT: Final[Mapping[Rule, int]] = {
    Rule.ROOT_KEYS: 1,
    Rule.MFA_OFF: 1,
    Rule.PASSWORD_GONE: 1,
    Rule.ROOT_BACK: 1,
    Rule.EMAIL_DIFFERS: 1,
    Rule.ROOT_CERTIFICATES: 2,
    Rule.PLACE: 2,
    Rule.UNSEEN: 2,
    Rule.NOT_IN_VAULT: 2,
    Rule.NOT_IN_ORGANIZATION: 2,
    Rule.OTHER_CUSTOMER: 2,
    Rule.STATE_DIFFERS: 2,
    Rule.PASSWORD_POLICY: 3,
    Rule.CONTACT: 3,
    Rule.DEFAULT: 3,
    Rule.NAME_DIFFERS: 3,
}
"""How much each rule weighs; 1 comes first."""
NEVER_ACCEPTED: Final = frozenset(rule for rule, weight in WEIGHT.items() if weight == 1)
"""Rules whose findings are mended and never accepted."""
DRIFT: Final = frozenset(
    {
        Rule.NOT_IN_VAULT,
        Rule.NOT_IN_ORGANIZATION,
        Rule.OTHER_CUSTOMER,
        Rule.EMAIL_DIFFERS,
        Rule.NAME_DIFFERS,
        Rule.STATE_DIFFERS,
    }
)
"""Rules about the vault's list of accounts and the Organization's."""
INSPECTED: Final = frozenset(
    {Custody.ONBOARDING, Custody.HELD, Custody.IN_TRANSFER, Custody.CLOSING, Custody.KEYLESS}
)
"""Custodies under which an account is looked at."""


class FindingState(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found of one account; `subject` tells several of one rule apart.

    There is one for each account, rule and subject, for ever: seen again after it was closed, it is opened again.
    `opened_at` is when it was opened last, `seen_at` when it was seen last; `ending` is why it is closed or accepted,
    `accepted_until` the end of that acceptance.
    """

    id: str
    rule: Rule
    account_id: str
    subject: str
    summary: str
    state: FindingState
    first_at: datetime
    opened_at: datetime
    seen_at: datetime
    owner_id: str | None = None
    owned_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ending: str | None = None
    accepted_until: datetime | None = None

    @property
    def weight(self) -> int:
        """How much it weighs; 1 comes first."""
        return WEIGHT[self.rule]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one account and subject: `ok` is None where nobody knows."""

    account_id: str
    rule: Rule
    subject: str
    ok: bool | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What accounts should have, as data (A5, C6): `digest` names the text it was read from.

    `topics` are wanted in each of `regions`; `buckets` are patterns with `{uuid}`, in `bucket_region`; `rules` are of
    `rule_region`; `policies` are IAM policies of the account's own.
    """

    policy: PasswordPolicy
    contacts: frozenset[Contact] = frozenset()
    roles: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rule_region: str = "us-east-1"
    buckets: tuple[str, ...] = ()
    bucket_region: str = "us-west-2"
    topics: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    digest: str = ""

    def names(self) -> tuple[str, ...]:
        """Name every default, as an inspection's facts do; behind an @ stands the region."""
        return (
            *(f"role:{name}" for name in self.roles),
            *(f"policy:{name}" for name in self.policies),
            *(f"rule:{name}@{self.rule_region}" for name in self.rules),
            *(f"bucket:{name}@{self.bucket_region}" for name in self.buckets),
            *(f"topic:{name}@{region}" for name in self.topics for region in self.regions),
        )


def bucket_pattern(name: str) -> re.Pattern[str]:
    """Give what a bucket's name has to be, where `{uuid}` stands for any UUID."""
    uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    return re.compile(re.escape(name).replace(re.escape("{uuid}"), uuid), re.ASCII)


def judge(account: Account, seen: Inspection, wanted: Wanted) -> tuple[Verdict, ...]:
    """Judge what was seen of an account; every rule that applies to it has its verdict, also where it is fine."""
    return tuple(Verdict(account.id, *each) for each in _judged(account, seen, wanted))


_Judged = tuple[Rule, str, bool | None, str]
_HELD: Final = frozenset({Custody.HELD, Custody.CLOSING})


def _judged(account: Account, seen: Inspection, wanted: Wanted) -> Iterator[_Judged]:
    yield (
        Rule.UNSEEN,
        "",
        _assumed(seen),
        "The role cannot be assumed: nothing of the account can be checked.",
    )
    yield Rule.ROOT_KEYS, "", _not(seen.root_keys), "Root has access keys. Delete them: none may exist."
    yield Rule.ROOT_CERTIFICATES, "", _not(seen.root_certificates), "Root has signing certificates."
    if account.custody in _HELD:
        yield Rule.MFA_OFF, "", _is(seen.root_mfa), "Root has no MFA device, although the vault holds one."
        words = "Root has no password, although the vault holds one."
        yield Rule.PASSWORD_GONE, "", _is(seen.root_password), words
    if account.custody is Custody.KEYLESS:
        yield from _back(seen)
    yield _place(account, seen)
    if account.custody is not Custody.HELD and account.custody is not Custody.KEYLESS:
        return
    yield _policy(seen.policy, wanted.policy)
    for contact in sorted(wanted.contacts):
        there = contact in seen.contacts.value if isinstance(seen.contacts, Known) else None
        yield Rule.CONTACT, contact, there, f"The alternate contact for {contact} is missing."
    yield from _defaults(seen.defaults, wanted)


def _assumed(seen: Inspection) -> bool | None:
    """Say whether the role was assumed: a refusal of one question shows that it was; silence shows nothing."""
    if isinstance(seen.root_keys, Known) or seen.root_keys.reason is Reason.DENIED:
        return True
    return False if seen.root_keys.reason is Reason.NO_ROLE else None


def _back(seen: Inspection) -> Iterator[_Judged]:
    for name, fact in (("password", seen.root_password), ("mfa", seen.root_mfa)):
        words = f"The account is kept without root credentials, and root has a {name} again."
        yield Rule.ROOT_BACK, name, _not(fact), words


def _place(account: Account, seen: Inspection) -> _Judged:
    expected = {Kind.PAYER: Place.PAYER, Kind.MEMBER: Place.MEMBER, Kind.STANDALONE: Place.ALONE}[
        account.kind
    ]
    if isinstance(seen.membership, Unknown):
        return Rule.PLACE, "", None, ""
    place = seen.membership.value.place
    at = {
        Place.ALONE: "in no Organization",
        Place.PAYER: "the payer of an Organization",
        Place.MEMBER: f"a member under {seen.membership.value.payer_id}",
    }[place]
    return (
        Rule.PLACE,
        "",
        place is expected,
        f"AWS has the account as {at}; the vault has it as {account.kind}.",
    )


def _policy(fact: Fact[PasswordPolicy | None], wanted: PasswordPolicy) -> _Judged:
    if isinstance(fact, Unknown):
        return Rule.PASSWORD_POLICY, "", None, ""
    if fact.value is None:
        return Rule.PASSWORD_POLICY, "", False, "The account has no password policy for IAM users."
    weak = weaker(fact.value, wanted)
    return (
        Rule.PASSWORD_POLICY,
        "",
        not weak,
        f"The password policy for IAM users is weaker: {', '.join(weak)}.",
    )


def weaker(found: PasswordPolicy, wanted: PasswordPolicy) -> tuple[str, ...]:
    """Name in which ways a password policy is weaker than another; nothing where it is as strong."""
    ways = [f"{found.length} characters" if found.length < wanted.length else ""]
    for name, words in (
        ("upper", "capitals"),
        ("lower", "small letters"),
        ("number", "numbers"),
        ("symbol", "symbols"),
    ):
        ways.append(f"no {words} asked for" if getattr(wanted, name) and not getattr(found, name) else "")
    ways.append(f"{found.remembers} remembered" if found.remembers < wanted.remembers else "")
    return tuple(way for way in ways if way)


def _defaults(facts: Mapping[str, Fact[bool]], wanted: Wanted) -> Iterator[_Judged]:
    """Judge each default over all its regions: missing where it is known to be missing in one."""
    by_name: dict[str, dict[str, Fact[bool]]] = {}
    for full in wanted.names():
        name, _, region = full.partition("@")
        by_name.setdefault(name, {})[region] = facts.get(full, Unknown(Reason.NOT_ASKED))
    for name, places in by_name.items():
        missing = [region for region, fact in places.items() if _is(fact) is False]
        unknown = any(isinstance(fact, Unknown) for fact in places.values())
        where = f" in {', '.join(missing)}" if any(missing) else ""
        ok = False if missing else None if unknown else True
        yield (
            Rule.DEFAULT,
            name,
            ok,
            f"{name.partition(':')[2]} ({name.partition(':')[0]}) is missing{where}.",
        )


def _is(fact: Fact[bool]) -> bool | None:
    return fact.value if isinstance(fact, Known) else None


def _not(fact: Fact[bool]) -> bool | None:
    return not fact.value if isinstance(fact, Known) else None


def missing_facts(seen: Inspection, names: Iterable[str]) -> tuple[tuple[str, Unknown], ...]:
    """List what of an inspection is not known, by name."""
    all_facts = {name: getattr(seen, name) for name in names} | dict(seen.defaults)
    return tuple((name, fact) for name, fact in all_facts.items() if isinstance(fact, Unknown))
