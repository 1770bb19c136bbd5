"""The one door by which secrets reach a page: what a template may show, made of what a use case disclosed.

Decided here: nothing of this outlives its response; it is never logged, stored or put into an address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import qrcode

from vault.domain.mail_rules import host_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vault.domain.mail import Attachment, Mail
    from vault.domain.secret import Secret
    from vault.ports.store import Receipt
    from vault.services.enrolment import Enrolling
    from vault.services.mail_opening import OpenedMail
    from vault.services.reveals import Revealed, RevealedCode
    from vault.services.rotations import Displayed


@dataclass(frozen=True, slots=True, repr=False)
class ShownCode:
    """A code with the time in which it is good."""

    code: str
    valid_from: datetime | None
    valid_until: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """What one answer shows: a password, one code, or two consecutive ones."""

    version: int
    receipt: Receipt
    password: str | None = None
    code: str | None = None
    valid_until: datetime | None = None
    codes: tuple[ShownCode, ...] = field(default=())


@dataclass(frozen=True, slots=True, repr=False)
class QrCode:
    """A seed for an authenticator: as characters, and as the path of a picture of `size` units."""

    seed: str
    path: str
    size: int


@dataclass(frozen=True, slots=True, repr=False)
class ShownLink:
    """A link of a mail: as it stands there, where it leads, and whether the page offers to follow it."""

    url: str
    host: str
    can_be_followed: bool


@dataclass(frozen=True, slots=True, repr=False)
class ShownMail:
    """What one answer shows of an opened mail; its words are anybody's."""

    mail: Mail
    subject: str
    sender_name: str
    text: str
    links: tuple[ShownLink, ...]
    attachments: tuple[Attachment, ...]
    faults: tuple[str, ...]
    receipt: Receipt


def of_password(revealed: Revealed) -> Shown:
    """Show a password."""
    return Shown(revealed.version, revealed.receipt, password=revealed.value.expose())


def of_code(revealed: RevealedCode) -> Shown:
    """Show a code."""
    return Shown(
        revealed.version, revealed.receipt, code=revealed.code.expose(), valid_until=revealed.valid_until
    )


def of_mail(opened: OpenedMail, can_be_followed: Callable[[str], bool]) -> ShownMail:
    """Show a mail; `can_be_followed` says of each link whether it may be one on the page."""
    links = tuple(each.expose() for each in opened.links)
    return ShownMail(
        opened.mail,
        opened.subject.expose(),
        opened.sender_name,
        opened.text.expose(),
        tuple(ShownLink(each, host_of(each) or "", can_be_followed(each)) for each in links),
        opened.attachments,
        opened.faults,
        opened.receipt,
    )


def of_rotation(displayed: Displayed) -> Shown:
    """Show a staged password, or two codes of a staged seed."""
    codes = tuple(
        ShownCode(each.code.expose(), each.valid_from, each.valid_until) for each in displayed.codes
    )
    password = None if displayed.password is None else displayed.password.expose()
    return Shown(displayed.rotation.version, displayed.receipt, password=password, codes=codes)


def of_enrolment(enrolling: Enrolling) -> QrCode:
    """Show the seed of one of our own people, as characters and as a QR code (four units of quiet zone)."""
    picture = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    picture.add_data(enrolling.uri.expose())
    picture.make(fit=True)
    rows = picture.get_matrix()
    path = "".join(
        f"M{column} {line}h1v1h-1z"
        for line, row in enumerate(rows)
        for column, dark in enumerate(row)
        if dark
    )
    return QrCode(enrolling.seed.expose(), path, len(rows))


def of_text(text: Secret[str]) -> str:
    """Show an API token or an enrolment link's token, once."""
    return text.expose()
