"""The account's contact information, which becomes the customer's, and alternate contacts of ours, which go.

Decided here: an alternate contact is ours by its e-mail address alone; whatever stands under another address is the
customer's. What is written into the contact information is not told: it is a person's name, address and phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.adapters.offboarding.work import Act, Hands, Refusal, Seen, Tally, asked, do, having, told
from vault.domain.inspection import Contact as Place
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import Left
from vault.domain.trail_text import object_in, plain

if TYPE_CHECKING:
    from vault.domain.offboarding import Target

ABSENT: Final = "ResourceNotFoundException"
WHAT: Final = "contact information"


@dataclass(frozen=True, slots=True)
class PrimaryContact(Act):
    """Implements the act on the account's contact information."""

    @override
    def against(self, target: Target) -> Left | None:
        """Say that the case does not name the contact, or one that AWS does not take."""
        if target.contact is None:
            return Left(WHAT, "The case does not say what it shall be.")
        faults = "; ".join(target.contact.faults())
        return Left(WHAT, f"AWS would not take it: {faults}.") if faults else None

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say whose contact information would be replaced."""
        found = _contact(hands)
        if isinstance(found, Unknown):
            seen.miss(WHAT, found)
        elif found.value == _as_aws(target):
            seen.stays.append(f"{WHAT}, which is the customer's already")
        else:
            who = plain(found.value.get("CompanyName") or found.value.get("FullName"), 64)
            seen.goes.append(f"{WHAT} of {who}" if who else f"{WHAT} (none so far)")

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Replace it."""
        wanted = _as_aws(target)
        before = _contact(hands)
        if isinstance(before, Unknown):
            tally.leave(WHAT, before)
            return
        failed: Unknown | Refusal | None = None
        if before.value != wanted:
            account = hands.assumed.client("account")
            failed = do(hands.asker, having(account.put_contact_information, ContactInformation=wanted))
            before = _contact(hands)
        tally.judge(
            WHAT,
            told(before, lambda found: found == wanted),
            failed,
            did=f"{WHAT} is the customer's",
            still="AWS took it and shows another. Do it again in a minute.",
        )


@dataclass(frozen=True, slots=True)
class AlternateContacts(Act):
    """Implements the act on alternate contacts."""

    @override
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Say which would go."""
        for place in Place:
            found = _alternate(hands, place)
            if isinstance(found, Unknown):
                seen.miss(f"alternate contact for {place}", found)
            elif found.value:
                said = f"alternate contact for {place}, {plain(found.value, 64)}"
                (seen.goes if self._is_ours(found.value) else seen.stays).append(said)

    @override
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Take ours away."""
        for place in Place:
            what = f"alternate contact for {place}"
            found = _alternate(hands, place)
            if isinstance(found, Unknown):
                tally.leave(what, found)
            elif self._is_ours(found.value):
                account = hands.assumed.client("account")
                call = having(account.delete_alternate_contact, AlternateContactType=place.value.upper())
                failed = do(hands.asker, call, ABSENT)
                is_gone = told(_alternate(hands, place), lambda address: not self._is_ours(address))
                tally.judge(what, is_gone, failed)

    def _is_ours(self, address: str) -> bool:
        return bool(address) and self.means.ours.has_address(address)


def _alternate(hands: Hands, place: Place) -> Fact[str]:
    """Give an alternate contact's e-mail address; empty where there is none."""
    account = hands.assumed.client("account")
    call = having(account.get_alternate_contact, AlternateContactType=place.value.upper())
    answer = hands.asker.ask(call, ABSENT)
    if isinstance(answer, Unknown):
        return answer
    if answer.value is None:
        return Known("")
    found = object_in(answer.value, "AlternateContact").get("EmailAddress")
    return Known(found) if isinstance(found, str) and found else Unknown(Reason.UNREADABLE)


def _contact(hands: Hands) -> Fact[dict[str, str]]:
    """Give the account's contact information as AWS has it; nothing where there is none."""
    answer = asked(hands.asker, hands.assumed.client("account").get_contact_information, ABSENT)
    if isinstance(answer, Unknown):
        return answer
    if isinstance(answer, Refusal):
        return Known({})
    found = object_in(answer.value, "ContactInformation")
    read = {name: value for name, value in found.items() if isinstance(value, str)}
    return Known(read) if read else Unknown(Reason.UNREADABLE)


def _as_aws(target: Target) -> dict[str, str]:
    contact = target.contact
    if contact is None:  # `against` has said so
        return {}
    named = {
        "FullName": contact.full_name,
        "AddressLine1": contact.address,
        "AddressLine2": contact.more_address,
        "City": contact.city,
        "StateOrRegion": contact.state,
        "PostalCode": contact.postal_code,
        "CountryCode": contact.country,
        "PhoneNumber": contact.phone,
        "CompanyName": contact.company,
    }
    return {name: value for name, value in named.items() if value}
