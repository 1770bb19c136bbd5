"""A member's root e-mail, its leaving and its closing, asked of its Organization.

Decided here: the e-mail is the payer's to change, in two steps, because AWS mails a code to the new mailbox that only
the customer reads (Account Management, StartPrimaryEmailUpdate). Leaving is tried as the payer first, as the member
itself where the payer may not. What AWS says against it is told in plain words, with whose turn it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.adapters.offboarding.work import Act, Hands, Means, Refusal, Seen, Tally, asked, do, having, told
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import AGAINST_CLOSING, AGAINST_LEAVING, CODE, Left
from vault.domain.trail_text import object_in, plain

if TYPE_CHECKING:
    from vault.domain.offboarding import Target

NOT_IN_USE: Final = "AWSOrganizationsNotInUseException"
NOT_FOUND: Final = "AccountNotFoundException"
CONSTRAINT: Final = "ConstraintViolationException"
CLOSED: Final = frozenset({"PENDING_CLOSURE", "SUSPENDED", "CLOSED"})
ADDRESS: Final = "root e-mail"
NO_PAYER: Final = (
    "Only a member's is changed by its payer. A payer's or a single account's root changes it in the console."
)


def root_email(means: Means, target: Target) -> str:
    """Give a member's root e-mail as AWS has it; empty where AWS does not say."""
    hands = means.into(target.payer_id, target) if target.payer_id else None
    if hands is None or isinstance(hands, Unknown):
        return ""
    found = _email(hands, target)
    return found.value if isinstance(found, Known) else ""


@dataclass(frozen=True, slots=True)
class _ByPayer(Act):
    """An act on a member that its payer does."""

    @override
    def door(self, target: Target) -> str:
        """Name the payer."""
        return target.payer_id


@dataclass(frozen=True, slots=True)
class Email(_ByPayer):
    """Implements both acts on a member's root e-mail."""

    accept: bool = False

    @override
    def against(self, target: Target) -> Left | None:
        """Say that nobody may change it for us, or that the new one is not known."""
        if not target.payer_id:
            return Left(ADDRESS, NO_PAYER)
        return None if target.email else Left(ADDRESS, "The case does not say what it shall be.")

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say which address would be replaced."""
        found = _email(hands, target)
        if isinstance(found, Unknown):
            seen.miss(ADDRESS, found)
            return
        present = f"{ADDRESS} {plain(found.value, 64)}"
        if _same(found.value, target.email):
            seen.stays.append(present)
        elif self.accept:
            seen.goes.append(present)
            seen.stays.append("password and MFA device")
        else:
            seen.goes.append(f"nothing: AWS mails a code to {plain(target.email, 64)}")
            seen.stays.append(f"{present} until then")

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Ask for the change, or make it with the code that was mailed."""
        before = _email(hands, target)
        if isinstance(before, Unknown):
            tally.leave(ADDRESS, before)
        elif _same(before.value, target.email):
            tally.did.append(f"{ADDRESS} is {plain(target.email, 64)}")
        elif self.accept:
            _accept(hands, target, tally)
        else:
            _start(hands, target, tally)


def _start(hands: Hands, target: Target, tally: Tally) -> None:
    account = hands.assumed.client("account")
    call = having(account.start_primary_email_update, AccountId=target.account_id, PrimaryEmail=target.email)
    failed = do(hands.asker, call, "ConflictException", "ValidationException")
    if failed is None:
        tally.did.append(f"AWS mailed a code to {plain(target.email, 64)}")
    elif isinstance(failed, Unknown):
        tally.leave(ADDRESS, failed)
    elif failed.code == "ConflictException":
        tally.leave(ADDRESS, "The address is, or was, another account's. The customer names another one.")
    else:
        tally.leave(ADDRESS, "AWS does not take this for an e-mail address.")


def _accept(hands: Hands, target: Target, tally: Tally) -> None:
    code = target.code.expose().strip() if target.code is not None else ""
    if CODE.fullmatch(code) is None:
        tally.leave(ADDRESS, "Six letters or digits are needed: the code that AWS mailed to the new address.")
        return
    account = hands.assumed.client("account")
    call = having(
        account.accept_primary_email_update, AccountId=target.account_id, PrimaryEmail=target.email, Otp=code
    )
    refused = (
        "AccessDeniedException",
        "ValidationException",
        "ConflictException",
        "ResourceNotFoundException",
    )
    failed = do(hands.asker, call, *refused)
    after = _email(hands, target)
    if failed is None or (isinstance(after, Known) and _same(after.value, target.email)):
        tally.did.append(
            f"root e-mail is {plain(target.email, 64)}; AWS says so everywhere within four hours"
        )
    elif isinstance(failed, Unknown):
        tally.leave(ADDRESS, failed)
    else:
        said = f"AWS did not take the code ({failed.code}). Ask for a new one, and hand on the newest."
        tally.leave(ADDRESS, said)


@dataclass(frozen=True, slots=True)
class Leaving(Act):
    """Implements the leaving of a member."""

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say which Organization would be left."""
        found = _organization(hands)
        if isinstance(found, Unknown):
            seen.miss("membership", found)
        elif found.value is None:
            seen.stays.append("everything: the account is in no Organization")
        else:
            number, payer = found.value
            seen.goes += (
                f"membership in the Organization {number} of payer {payer}",
                "tags that the Organization has of it",
            )
            seen.stays.append("everything in the account")

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Let it leave."""
        before = _organization(hands)
        if isinstance(before, Unknown):
            tally.leave("membership", before)
            return
        if before.value is None:
            tally.did.append("the account is in no Organization")
            return
        number, payer = before.value
        if payer == target.account_id:
            tally.leave(
                "membership", "A payer cannot leave its own Organization: its members leave, or it is kept."
            )
            return
        if target.payer_id and payer != target.payer_id:
            said = f"AWS has it in the Organization of payer {payer}, the vault under {target.payer_id}. Look first."
            tally.leave("membership", said)
            return
        failed = self._part(hands, target)
        tally.judge(
            "membership",
            told(_organization(hands), lambda found: not found),
            failed,
            did=f"the Organization {number} of payer {payer} left",
            refused=_against(failed, AGAINST_LEAVING, "AWS does not let it leave"),
            still="AWS took it and still lists the account. Do it again in a minute.",
        )

    def _part(self, hands: Hands, target: Target) -> Unknown | Refusal | None:
        """Take the member out as its payer, or let it leave by itself."""
        expected = (CONSTRAINT, NOT_IN_USE, NOT_FOUND, "MasterCannotLeaveOrganizationException")
        failed: Unknown | Refusal | None = Unknown(Reason.NOT_ASKED)
        payer = self.means.into(target.payer_id, target) if target.payer_id else None
        if isinstance(payer, Hands):
            organizations = payer.assumed.client("organizations")
            call = having(organizations.remove_account_from_organization, AccountId=target.account_id)
            failed = do(payer.asker, call, *expected)
        if isinstance(failed, Unknown):
            failed = do(hands.asker, hands.assumed.client("organizations").leave_organization, *expected)
        return failed


@dataclass(frozen=True, slots=True)
class Closing(_ByPayer):
    """Implements the closing of a member's account by its payer (L1)."""

    @override
    def against(self, target: Target) -> Left | None:
        """Say that AWS closes no payer this way."""
        if target.payer_id:
            return None
        return Left("the account", AGAINST_CLOSING["CANNOT_CLOSE_MANAGEMENT_ACCOUNT"])

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say that the account would be closed."""
        state = _state(hands, target)
        if isinstance(state, Unknown):
            seen.miss("the account", state)
        elif state.value in CLOSED:
            seen.stays.append(f"the account: AWS has it as {state.value}")
        else:
            seen.goes.append(f"account {target.account_id} with everything in it, for good after 90 days")
            seen.stays.append("everything, for 90 days, in which AWS Support reopens it")

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Close it."""
        state = _state(hands, target)
        if isinstance(state, Unknown):
            tally.leave("the account", state)
            return
        failed: Unknown | Refusal | None = None
        if state.value not in CLOSED:
            organizations = hands.assumed.client("organizations")
            call = having(organizations.close_account, AccountId=target.account_id)
            failed = do(hands.asker, call, CONSTRAINT, "AccountAlreadyClosedException", "ConflictException")
            state = _state(hands, target)
        known = state.value if isinstance(state, Known) else ""
        tally.judge(
            "the account",
            told(state, CLOSED.__contains__),
            failed,
            did=f"account {target.account_id} closed; AWS has it as {known}",
            refused=_against(failed, AGAINST_CLOSING, "AWS does not close it"),
            still="AWS took it and still has the account open. Do it again in a minute.",
        )


def _against(failed: Unknown | Refusal | None, reasons: Mapping[str, str], otherwise: str) -> str:
    """Say AWS's no in plain words, by its finer reason; empty for what is no refusal."""
    if not isinstance(failed, Refusal):
        return ""
    return reasons.get(failed.reason) or f"{otherwise} ({failed.reason or failed.code})."


def _same(one: str, other: str) -> bool:
    return bool(one) and one.strip().lower() == other.strip().lower()


def _email(hands: Hands, target: Target) -> Fact[str]:
    account = hands.assumed.client("account")
    answer = hands.asker.answer(having(account.get_primary_email, AccountId=target.account_id))
    if isinstance(answer, Unknown):
        return answer
    found = answer.value.get("PrimaryEmail")
    return Known(found) if isinstance(found, str) and found else Unknown(Reason.UNREADABLE)


def _organization(hands: Hands) -> Fact[tuple[str, str] | None]:
    """Give the Organization and its payer; None for an account in none."""
    answer = asked(hands.asker, hands.assumed.client("organizations").describe_organization, NOT_IN_USE)
    if isinstance(answer, Unknown):
        return answer
    if isinstance(answer, Refusal):
        return Known(None)
    found = object_in(answer.value, "Organization")
    payer = plain(found.get("MasterAccountId"), 64)
    return Known((plain(found.get("Id"), 64), payer)) if payer else Unknown(Reason.UNREADABLE)


def _state(hands: Hands, target: Target) -> Fact[str]:
    """Give the account's state (`State`, before 2026-09 `Status`)."""
    organizations = hands.assumed.client("organizations")
    answer = hands.asker.answer(having(organizations.describe_account, AccountId=target.account_id))
    if isinstance(answer, Unknown):
        return answer
    found = object_in(answer.value, "Account")
    state = plain(found.get("State") or found.get("Status"), 64)
    return Known(state) if state else Unknown(Reason.UNREADABLE)
