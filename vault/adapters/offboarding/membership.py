"""A member's root e-mail, its leaving and its closing, asked of its Organization.

Decided here: the e-mail is the payer's to change, in two steps, because AWS mails a code to the new mailbox that only
the customer reads (Account Management, StartPrimaryEmailUpdate). Leaving is tried as the payer first, as the member
itself where the payer may not. What AWS says against it is told in plain words, with whose turn it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.adapters.offboarding.work import Hands, Means, Refusal, Tally, asked, do, having, words
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import AGAINST_CLOSING, AGAINST_LEAVING, CODE, Left, Outcome, Preview
from vault.domain.trail_text import object_in, plain

if TYPE_CHECKING:
    from vault.domain.offboarding import Target

NOT_IN_USE: Final = "AWSOrganizationsNotInUseException"
NOT_FOUND: Final = "AccountNotFoundException"
CONSTRAINT: Final = "ConstraintViolationException"
CLOSED: Final = frozenset({"PENDING_CLOSURE", "SUSPENDED", "CLOSED"})
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
class Email:
    """Implements both acts on a member's root e-mail."""

    means: Means
    accept: bool = False

    def preview(self, target: Target) -> Preview:
        """Say which address would be replaced."""
        if not target.payer_id:
            return Preview(unseen=(Left("root e-mail", NO_PAYER),))
        hands = self.means.into(target.payer_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.payer_id, hands),))
        found = _email(hands, target)
        if isinstance(found, Unknown):
            return Preview(unseen=(Left("root e-mail", words(found)),))
        if _same(found.value, target.email):
            return Preview(stays=(f"root e-mail {plain(found.value, 64)}",))
        stays = (
            ("password and MFA device",)
            if self.accept
            else (f"root e-mail {plain(found.value, 64)} until then",)
        )
        goes = (
            f"root e-mail {plain(found.value, 64)}"
            if self.accept
            else f"nothing: AWS mails a code to {plain(target.email, 64)}"
        )
        return Preview((goes,), stays)

    def carry_out(self, target: Target) -> Outcome:
        """Ask for the change, or make it with the code that was mailed."""
        tally = Tally()
        if not target.payer_id or not target.email:
            tally.leave(
                "root e-mail", NO_PAYER if not target.payer_id else "The case does not say what it shall be."
            )
            return tally.outcome()
        hands = self.means.into(target.payer_id, target)
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.payer_id, hands))
            return tally.outcome()
        before = _email(hands, target)
        if isinstance(before, Unknown):
            tally.leave("root e-mail", before)
        elif _same(before.value, target.email):
            tally.did.append(f"root e-mail is {plain(target.email, 64)}")
        elif self.accept:
            _accept(hands, target, tally)
        else:
            _start(hands, target, tally)
        return tally.outcome()


def _start(hands: Hands, target: Target, tally: Tally) -> None:
    account = hands.assumed.client("account")
    call = having(account.start_primary_email_update, AccountId=target.account_id, PrimaryEmail=target.email)
    failed = do(hands.asker, call, "ConflictException", "ValidationException")
    if failed is None:
        tally.did.append(f"AWS mailed a code to {plain(target.email, 64)}")
    elif isinstance(failed, Unknown):
        tally.leave("root e-mail", failed)
    elif failed.code == "ConflictException":
        tally.leave(
            "root e-mail", "The address is, or was, another account's. The customer names another one."
        )
    else:
        tally.leave("root e-mail", "AWS does not take this for an e-mail address.")


def _accept(hands: Hands, target: Target, tally: Tally) -> None:
    code = target.code.expose().strip() if target.code is not None else ""
    if CODE.fullmatch(code) is None:
        tally.leave(
            "root e-mail", "Six letters or digits are needed: the code that AWS mailed to the new address."
        )
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
        tally.leave("root e-mail", failed)
    else:
        said = f"AWS did not take the code ({failed.code}). Ask for a new one, and hand on the newest."
        tally.leave("root e-mail", said)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Implements the leaving of a member."""

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say which Organization would be left."""
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.account_id, hands),))
        found = _organization(hands)
        if isinstance(found, Unknown):
            return Preview(unseen=(Left("membership", words(found)),))
        if found.value is None:
            return Preview(stays=("everything: the account is in no Organization",))
        number, payer = found.value
        goes = (
            f"membership in the Organization {number} of payer {payer}",
            "tags that the Organization has of it",
        )
        return Preview(goes, ("everything in the account",))

    def carry_out(self, target: Target) -> Outcome:
        """Let it leave."""
        tally = Tally()
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.account_id, hands))
            return tally.outcome()
        before = _organization(hands)
        if isinstance(before, Unknown):
            tally.leave("membership", before)
            return tally.outcome()
        if before.value is None:
            tally.did.append("the account is in no Organization")
            return tally.outcome()
        number, payer = before.value
        if payer == target.account_id:
            tally.leave(
                "membership", "A payer cannot leave its own Organization: its members leave, or it is kept."
            )
            return tally.outcome()
        if target.payer_id and payer != target.payer_id:
            said = f"AWS has it in the Organization of payer {payer}, the vault under {target.payer_id}. Look first."
            tally.leave("membership", said)
            return tally.outcome()
        failed = self._part(hands, target)
        after = _organization(hands)
        if isinstance(after, Known) and not after.value:
            tally.did.append(f"the Organization {number} of payer {payer} left")
        elif isinstance(failed, Refusal):
            said = AGAINST_LEAVING.get(failed.reason, "AWS does not let it leave")
            tally.leave(
                "membership", said if failed.reason in AGAINST_LEAVING else f"{said} ({_finest(failed)})."
            )
        else:
            still = "AWS took it and still lists the account. Do it again in a minute."
            tally.leave("membership", failed or (after if isinstance(after, Unknown) else still))
        return tally.outcome()

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
class Closing:
    """Implements the closing of a member's account by its payer (L1)."""

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say that the account would be closed."""
        if not target.payer_id:
            return Preview(unseen=(Left("the account", AGAINST_CLOSING["CANNOT_CLOSE_MANAGEMENT_ACCOUNT"]),))
        hands = self.means.into(target.payer_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.payer_id, hands),))
        state = _state(hands, target)
        if isinstance(state, Unknown):
            return Preview(unseen=(Left("the account", words(state)),))
        if state.value in CLOSED:
            return Preview(stays=(f"the account: AWS has it as {state.value}",))
        return Preview(
            (f"account {target.account_id} with everything in it, for good after 90 days",),
            ("everything, for 90 days, in which AWS Support reopens it",),
        )

    def carry_out(self, target: Target) -> Outcome:
        """Close it."""
        tally = Tally()
        if not target.payer_id:
            tally.leave("the account", AGAINST_CLOSING["CANNOT_CLOSE_MANAGEMENT_ACCOUNT"])
            return tally.outcome()
        hands = self.means.into(target.payer_id, target)
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.payer_id, hands))
            return tally.outcome()
        before = _state(hands, target)
        if isinstance(before, Unknown):
            tally.leave("the account", before)
            return tally.outcome()
        failed: Unknown | Refusal | None = None
        if before.value not in CLOSED:
            organizations = hands.assumed.client("organizations")
            call = having(organizations.close_account, AccountId=target.account_id)
            failed = do(hands.asker, call, CONSTRAINT, "AccountAlreadyClosedException", "ConflictException")
        after = _state(hands, target)
        if isinstance(after, Known) and after.value in CLOSED:
            tally.did.append(f"account {target.account_id} closed; AWS has it as {after.value}")
        elif isinstance(failed, Refusal):
            said = AGAINST_CLOSING.get(failed.reason)
            tally.leave("the account", said or f"AWS does not close it ({_finest(failed)}).")
        else:
            still = "AWS took it and still has the account open. Do it again in a minute."
            tally.leave("the account", failed or (after if isinstance(after, Unknown) else still))
        return tally.outcome()


def _finest(refusal: Refusal) -> str:
    return refusal.reason or refusal.code


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
