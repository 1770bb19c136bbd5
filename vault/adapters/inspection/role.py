"""Accounts looked at with boto3, through one role of the same name in each.

Decided here: the session of the role is kept no longer than one look (`vault.adapters.assumed_role`). Every question is
asked by itself, so that one that is refused leaves the others answered. All four facts about root come from one answer
(IAM GetAccountSummary), which is fresh; the credential report may be four hours old.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from vault.adapters.assumed_role import HOME, Assumed, Role
from vault.adapters.inspection.asking import Asker
from vault.domain.hygiene import Wanted, bucket_pattern
from vault.domain.ids import new_id
from vault.domain.inspection import (
    Contact,
    Fact,
    Inspection,
    Known,
    Listed,
    Membership,
    PasswordPolicy,
    Place,
    Reason,
    ReportRow,
    Roster,
    Unknown,
    unseen,
)
from vault.domain.trail_text import plain

if TYPE_CHECKING:
    from vault.ports.inspection import Target

LOOK_SECONDS: Final = 90.0
"""The longest that one account is looked at."""
ROSTER_SECONDS: Final = 300.0
REPORT_TRIES: Final = 5
REPORT_PAUSE: Final = 2.0
ROOT: Final = "<root_account>"
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_SESSION: Final = "rootvault-inspection"


@dataclass(frozen=True, slots=True)
class RoleInspector:
    """Implements `Inspector`; `external_id` may hold `{ddi}`."""

    role: str
    external_id: str = ""
    endpoint: str = ""
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def look(self, target: Target, wanted: Wanted, at: datetime) -> Inspection:
        """See what can be seen of an account; see `Inspector`."""
        asker = Asker(LOOK_SECONDS, self.sleep, self.monotonic)
        session = self._assume(target, asker)
        if isinstance(session, Unknown):
            return unseen(new_id(), target.account_id, at, session, wanted.names())
        summary = _summary(session, asker)
        return Inspection(
            id=new_id(),
            account_id=target.account_id,
            at=at,
            root_keys=_flag(summary, "AccountAccessKeysPresent"),
            root_mfa=_flag(summary, "AccountMFAEnabled"),
            root_password=_flag(summary, "AccountPasswordPresent"),
            root_certificates=_flag(summary, "AccountSigningCertificatesPresent"),
            policy=_policy(session, asker),
            membership=_membership(session, asker, target.account_id),
            contacts=_contacts(session, asker),
            report=_report(session, asker),
            defaults=dict(_defaults(session, asker, target.account_id, wanted)),
            request_ids=asker.request_ids,
        )

    def roster(self, target: Target, at: datetime) -> Roster:
        """Read an Organization's list of accounts; see `Inspector`."""
        asker = Asker(ROSTER_SECONDS, self.sleep, self.monotonic)
        session = self._assume(target, asker)
        if isinstance(session, Unknown):
            return Roster(target.account_id, at, session)
        client = session.client("organizations")
        pages = asker.pages(
            lambda token: client.list_accounts(**({"NextToken": token} if token else {})), "NextToken"
        )
        if isinstance(pages, Unknown):
            return Roster(target.account_id, at, pages, asker.request_ids)
        found = tuple(_listed(each) for page in pages.value for each in page.get("Accounts") or ())
        whole = all(_ACCOUNT.fullmatch(each.id) for each in found)
        return Roster(
            target.account_id, at, Known(found) if whole else Unknown(Reason.UNREADABLE), asker.request_ids
        )

    def _assume(self, target: Target, asker: Asker) -> Assumed | Unknown:
        role = Role(self.role, self.external_id, self.endpoint, _SESSION)
        return role.assume(target.account_id, target.ddi, target.source, asker)


def _summary(session: Assumed, asker: Asker) -> Fact[Mapping[str, Any]]:
    answer = asker.answer(session.client("iam").get_account_summary)
    return answer if isinstance(answer, Unknown) else Known(answer.value.get("SummaryMap") or {})


def _flag(summary: Fact[Mapping[str, Any]], name: str) -> Fact[bool]:
    """Read one of the summary's flags (IAM GetAccountSummary: 0 or 1)."""
    if isinstance(summary, Unknown):
        return summary
    value = summary.value.get(name)
    return Known(bool(value)) if value in (0, 1) else Unknown(Reason.UNREADABLE)


def _policy(session: Assumed, asker: Asker) -> Fact[PasswordPolicy | None]:
    answer = asker.ask(session.client("iam").get_account_password_policy, "NoSuchEntity")
    if isinstance(answer, Unknown) or answer.value is None:
        return answer if isinstance(answer, Unknown) else Known(None)
    found = answer.value.get("PasswordPolicy", {})
    if "MinimumPasswordLength" not in found:
        return Unknown(Reason.UNREADABLE)
    return Known(
        PasswordPolicy(
            length=int(found["MinimumPasswordLength"]),
            upper=bool(found.get("RequireUppercaseCharacters")),
            lower=bool(found.get("RequireLowercaseCharacters")),
            number=bool(found.get("RequireNumbers")),
            symbol=bool(found.get("RequireSymbols")),
            remembers=int(found.get("PasswordReusePrevention") or 0),
        )
    )


def _membership(session: Assumed, asker: Asker, account_id: str) -> Fact[Membership]:
    client = session.client("organizations")
    answer = asker.ask(client.describe_organization, "AWSOrganizationsNotInUseException")
    if isinstance(answer, Unknown):
        return answer
    if answer.value is None:
        return Known(Membership(Place.ALONE))
    found = answer.value.get("Organization", {})
    payer = str(found.get("MasterAccountId", ""))
    if _ACCOUNT.fullmatch(payer) is None:
        return Unknown(Reason.UNREADABLE)
    place = Place.PAYER if payer == account_id else Place.MEMBER
    return Known(Membership(place, plain(found.get("Id")), payer))


def _contacts(session: Assumed, asker: Asker) -> Fact[frozenset[Contact]]:
    client = session.client("account")
    there = set()
    for contact in Contact:
        kind = contact.value.upper()
        found = asker.is_there(
            lambda kind=kind: client.get_alternate_contact(AlternateContactType=kind),  # type: ignore[misc]  # mypy does not see the default
            "ResourceNotFoundException",
        )
        if isinstance(found, Unknown):
            return found
        if found.value:
            there.add(contact)
    return Known(frozenset(there))


def _report(session: Assumed, asker: Asker) -> Fact[ReportRow]:
    client = session.client("iam")
    for _ in range(REPORT_TRIES):
        made = asker.answer(client.generate_credential_report)
        if isinstance(made, Unknown):
            return made
        if made.value.get("State") == "COMPLETE":
            break
        asker.wait(REPORT_PAUSE)
    else:
        return Unknown(Reason.NO_ANSWER, "STARTED")
    answer = asker.answer(client.get_credential_report)
    return answer if isinstance(answer, Unknown) else read_report(answer.value)


def read_report(answer: Mapping[str, Any]) -> Fact[ReportRow]:
    """Read root's row of a credential report (IAM user guide, "Get credential reports")."""
    try:
        rows = csv.DictReader(io.StringIO(bytes(answer["Content"]).decode("utf-8"), newline=""))
        row = next((row for row in rows if row.get("user") == ROOT), None)
        if row is None:
            return Unknown(Reason.UNREADABLE)
        return Known(
            ReportRow(
                answer["GeneratedTime"].astimezone(UTC),
                _yes(row["password_enabled"]),
                _moment(row["password_last_used"]),
                _yes(row["mfa_active"]),
            )
        )
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
        return Unknown(Reason.UNREADABLE)


def _yes(word: str) -> bool | None:
    return {"true": True, "false": False}.get(word.lower())


def _moment(word: str) -> datetime | None:
    if word in {"N/A", "no_information", "not_supported", ""}:
        return None
    at = datetime.fromisoformat(word)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _listed(each: Mapping[str, Any]) -> Listed:
    """Take what a list says of an account; its name and e-mail are what somebody typed."""
    state = plain(each.get("State") or each.get("Status"))
    return Listed(str(each.get("Id", "")), plain(each.get("Name")), plain(each.get("Email")), state)


def _defaults(
    session: Assumed, asker: Asker, account_id: str, wanted: Wanted
) -> list[tuple[str, Fact[bool]]]:
    iam = session.client("iam")
    events = session.client("events", wanted.rule_region)
    found: list[tuple[str, Fact[bool]]] = [
        (f"role:{name}", asker.is_there(_with(iam.get_role, RoleName=name), "NoSuchEntity"))
        for name in wanted.roles
    ]
    for name in wanted.policies:
        arn = f"arn:aws:iam::{account_id}:policy/{name}"
        found.append((f"policy:{name}", asker.is_there(_with(iam.get_policy, PolicyArn=arn), "NoSuchEntity")))
    for name in wanted.rules:
        there = asker.is_there(_with(events.describe_rule, Name=name), "ResourceNotFoundException")
        found.append((f"rule:{name}@{wanted.rule_region}", there))
    return [*found, *_buckets(session, asker, wanted), *_topics(session, asker, wanted)]


def _buckets(session: Assumed, asker: Asker, wanted: Wanted) -> list[tuple[str, Fact[bool]]]:
    """Look for a bucket of each pattern in its region; where one's region is not known, nothing is said."""
    if not wanted.buckets:
        return []
    client = session.client("s3", wanted.bucket_region)
    listed = asker.answer(client.list_buckets)
    found: list[tuple[str, Fact[bool]]] = []
    for pattern in wanted.buckets:
        full = f"bucket:{pattern}@{wanted.bucket_region}"
        if isinstance(listed, Unknown):
            found.append((full, listed))
            continue
        shape = bucket_pattern(pattern)
        names = [
            str(each["Name"])
            for each in listed.value.get("Buckets", ())
            if shape.fullmatch(str(each["Name"]))
        ]
        found.append((full, _in_region(asker, client, names, wanted.bucket_region)))
    return found


def _in_region(asker: Asker, client: Any, names: list[str], region: str) -> Fact[bool]:
    unknown: Unknown | None = None
    for name in names:
        answer = asker.answer(_with(client.get_bucket_location, Bucket=name))
        if isinstance(answer, Unknown):
            unknown = answer
        elif (answer.value.get("LocationConstraint") or HOME) == region:
            return Known(value=True)
    return unknown or Known(value=False)


def _topics(session: Assumed, asker: Asker, wanted: Wanted) -> list[tuple[str, Fact[bool]]]:
    found: list[tuple[str, Fact[bool]]] = []
    for region in wanted.regions if wanted.topics else ():
        client = session.client("sns", region)
        pages = asker.pages(
            lambda token, client=client: client.list_topics(**({"NextToken": token} if token else {})),  # type: ignore[misc]  # mypy does not see the default
            "NextToken",
        )
        there: set[str] = set()
        if isinstance(pages, Known):
            arns = [str(each.get("TopicArn", "")) for page in pages.value for each in page.get("Topics", ())]
            there = {arn.rpartition(":")[2] for arn in arns}
        for name in wanted.topics:
            fact = pages if isinstance(pages, Unknown) else Known(name in there)
            found.append((f"topic:{name}@{region}", fact))
    return found


def _with(call: Callable[..., Mapping[str, Any]], **asked: str) -> Callable[[], Mapping[str, Any]]:
    return lambda: call(**asked)
