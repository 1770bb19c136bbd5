"""The account's contact information, which becomes the customer's, and alternate contacts of ours, which go.

Decided here: an alternate contact is ours by its e-mail address alone; whatever stands under another address is the
customer's. What is written into the contact information is not told: it is a person's name, address and phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.adapters.offboarding.work import Hands, Means, Refusal, Tally, asked, do, having, words
from vault.domain.inspection import Contact as Place
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import Left, Outcome, Preview
from vault.domain.trail_text import object_in, plain

if TYPE_CHECKING:
    from vault.domain.offboarding import Contact, Target

ABSENT: Final = "ResourceNotFoundException"
NO_CONTACT: Final = Left("contact information", "The case does not say what it shall be.")


@dataclass(frozen=True, slots=True)
class PrimaryContact:
    """Implements the act on the account's contact information."""

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say whose contact information would be replaced."""
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.account_id, hands),))
        found = _contact(hands)
        if isinstance(found, Unknown):
            return Preview(unseen=(Left("contact information", words(found)),))
        if target.contact is None:
            return Preview(unseen=(NO_CONTACT,))
        if found.value == _as_aws(target.contact):
            return Preview(stays=("contact information, which is the customer's already",))
        who = plain(found.value.get("CompanyName") or found.value.get("FullName"), 64)
        return Preview(
            goes=(f"contact information of {who}" if who else "contact information (none so far)",)
        )

    def carry_out(self, target: Target) -> Outcome:
        """Replace it."""
        tally = Tally()
        if target.contact is None:
            tally.left.append(NO_CONTACT)
            return tally.outcome()
        if faults := target.contact.faults():
            tally.leave("contact information", f"AWS would not take it: {'; '.join(faults)}.")
            return tally.outcome()
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.account_id, hands))
            return tally.outcome()
        wanted = _as_aws(target.contact)
        before = _contact(hands)
        if isinstance(before, Unknown):
            tally.leave("contact information", before)
            return tally.outcome()
        if before.value == wanted:
            tally.did.append("contact information is the customer's")
            return tally.outcome()
        account = hands.assumed.client("account")
        failed = do(hands.asker, having(account.put_contact_information, ContactInformation=wanted))
        after = _contact(hands)
        if isinstance(after, Known) and after.value == wanted:
            tally.did.append("contact information is the customer's")
        elif isinstance(failed, Unknown):
            tally.leave("contact information", failed)
        elif isinstance(after, Unknown):
            tally.leave("contact information", after)
        else:
            tally.leave("contact information", "AWS took it and shows another. Do it again in a minute.")
        return tally.outcome()


@dataclass(frozen=True, slots=True)
class AlternateContacts:
    """Implements the act on alternate contacts."""

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say which would go."""
        hands = self.means.into(target.account_id, target)
        if isinstance(hands, Unknown):
            return Preview(unseen=(self.means.shut_out(target.account_id, hands),))
        goes: list[str] = []
        stays: list[str] = []
        unseen: list[Left] = []
        for place in Place:
            found = _alternate(hands, place)
            if isinstance(found, Unknown):
                unseen.append(Left(f"alternate contact for {place}", words(found)))
            elif found.value:
                said = f"alternate contact for {place}, {plain(found.value, 64)}"
                (goes if self.means.ours.has_address(found.value) else stays).append(said)
        return Preview(tuple(goes), tuple(stays), tuple(unseen))

    def carry_out(self, target: Target) -> Outcome:
        """Take ours away."""
        hands = self.means.into(target.account_id, target)
        tally = Tally()
        if isinstance(hands, Unknown):
            tally.left.append(self.means.shut_out(target.account_id, hands))
            return tally.outcome()
        for place in Place:
            what = f"alternate contact for {place}"
            found = _alternate(hands, place)
            if isinstance(found, Unknown):
                tally.leave(what, found)
            elif found.value and self.means.ours.has_address(found.value):
                account = hands.assumed.client("account")
                failed = do(
                    hands.asker,
                    having(account.delete_alternate_contact, AlternateContactType=place.value.upper()),
                    ABSENT,
                )
                after = _alternate(hands, place)
                if isinstance(after, Known) and not self.means.ours.has_address(after.value):
                    tally.did.append(f"{what} removed")
                elif isinstance(failed, Unknown):
                    tally.leave(what, failed)
                else:
                    tally.leave(what, after if isinstance(after, Unknown) else STILL)
        return tally.outcome()


STILL: Final = "AWS took the deletion and still shows it. Do it again in a minute."


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


def _as_aws(contact: Contact) -> dict[str, str]:
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
