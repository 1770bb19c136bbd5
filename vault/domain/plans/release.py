"""The last steps of a handover: our password is dead, released, acknowledged (H9, H10, S30).

Decided here: what counts as evidence that nothing of ours opens the account, and that two people release. AWS's own
record, or that the vault deleted a member's root credentials, is looked up by the vault; a word of the signatory takes
two of our people, both of whom saw it. So does a letter that somebody else than the signatory signed.
"""

from __future__ import annotations

from typing import Final

from vault.domain.case import Field, Form, Step
from vault.domain.policy import Permission

RESET: Final = "reset"
RELEASE: Final = "release"
ACKNOWLEDGE: Final = "acknowledge"

CONFIRMED_BY: Final = "confirmed_by"
CONFIRMED_ON: Final = "confirmed_on"
WHERE: Final = "where"
SIGNED: Final = "signed"
INSTEAD: Final = "instead"
"""Pieces of evidence: the signatory's confirmation, the name under an acknowledgement, and why it is another's."""
AWS_EVENT: Final = "aws_event"
AWS_SHA256: Final = "aws_sha256"
"""What is kept of AWS's record of a reset: the id of the event, and the hex SHA-256 of its text as it was read."""


def reset_step(*needs: str, section: str) -> Step:
    """Make the step that proves our password dead."""
    return Step(
        RESET,
        "Our password opens nothing any more",
        "H9",
        Permission.HANDOVER_CARRY_OUT,
        second=Permission.CASE_AGREE,
        second_with=CONFIRMED_BY,
        needs=needs,
        evidence=(
            Field(CONFIRMED_BY, "Confirmed by", optional=True, help="The signatory, as named in this case."),
            Field(CONFIRMED_ON, "Confirmed on", Form.DATE, optional=True),
            Field(WHERE, "Where the confirmation is kept", Form.LONG, optional=True),
        ),
        acts=True,
        section=section,
        help="The vault looks for AWS's record of the customer's own reset, or for the deletion of a member's root "
        "credentials. Where AWS tells of neither, the signatory confirms it, and two people say that they saw it.",
    )


def release_step(*needs: str, section: str) -> Step:
    """Make the step that ends our custody of an account."""
    return Step(
        RELEASE,
        "Released",
        "H9",
        Permission.HANDOVER_CARRY_OUT,
        second=Permission.CASE_AGREE,
        needs=(RESET, *needs),
        evidence=(Field("note", "Anything to note", Form.LONG, optional=True),),
        reversible=False,
        section=section,
        help="Two people. From here on nothing of ours opens the account, and no checkout is possible.",
    )


def acknowledge_step(section: str) -> Step:
    """Make the step by which the signatory says that they hold the root of every account."""
    return Step(
        ACKNOWLEDGE,
        "Acknowledged by the signatory",
        "H9",
        Permission.HANDOVER_PREPARE,
        per_account=False,
        second=Permission.CASE_AGREE,
        second_with=INSTEAD,
        needs=(RELEASE,),
        evidence=(
            Field(SIGNED, "Signed by"),
            Field(CONFIRMED_ON, "Signed on", Form.DATE),
            Field(WHERE, "Where the letter is kept", Form.LONG),
            Field(
                INSTEAD,
                "Why somebody else than the signatory signed",
                Form.LONG,
                optional=True,
                help="Only where another name is under it. Then two people say so.",
            ),
        ),
        reversible=False,
        section=section,
        help="The signatory does it on their page, by the link and its code; or by a letter that is entered here. "
        "What we keep is destroyed then, or when the grace is over.",
    )
