"""The letter to a customer's signatory: where their page is, and that its code comes another way (H9).

Decided here: the words. The letter names no account, no e-mail of a root and no code; whoever reads it over a shoulder
has nothing. Whoever asks for a password is not us, and the letter says so.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from vault.domain.formats.visible import shown
from vault.services.letters import Letter

if TYPE_CHECKING:
    from vault.domain.release import CustomerLink
    from vault.domain.secret import Secret

_SUBJECT: Final = "Your AWS accounts are handed over: please confirm"
_CONFIRMED: Final = "Your AWS accounts are handed over: your page"
"""The subject once it was confirmed: the page still tells what was done, and gives the evidence."""


def letter_to(
    name: str, token: Secret[str], link: CustomerLink, public_url: str, origin: str, *, asks: bool = True
) -> Letter:
    """Write the letter that takes a link to the signatory; `origin` names the log, and so the house.

    `asks` says whether they are still asked to confirm.
    """
    url = f"{public_url.rstrip('/')}/handover/{token.expose()}"
    last = "what you have to do now, and you confirm that you hold the accounts:"
    if not asks:
        last = "what you have to do now, and the evidence to keep:"
    handed = (
        "we have handed the root of your AWS accounts over to you, as you asked. On this page you see what was done "
        f"and when, {last}"
    )
    code = (
        "The page asks for a code of eight characters. We give it to you another way, by phone or in the ticket, and "
        f"never by mail. The link works once, in one browser, until {link.until:%Y-%m-%d %H:%M} UTC; if it has ended, "
        "ask us for another."
    )
    never = (
        "We never ask you for a password, an MFA code or a secret: not by mail, not by phone, and not on that page. If "
        "you expected no such letter, tell us on the ticket, and do not open the link."
    )
    parts = (f"Dear {shown(name)},", handed, url, code, never)
    return Letter(
        subject=_SUBJECT if asks else _CONFIRMED,
        text="\n\n".join(parts) + "\n",
        html=_html(parts, url),
        message_id=f"{link.id}@{origin.partition('/')[0]}",
    )


_LOOK: Final = "max-width: 36em; font-family: sans-serif; line-height: 1.5"
"""Styles of its own, as programs for mail take nothing else; on a phone the link breaks and nothing is cut off."""


def _html(parts: tuple[str, ...], url: str) -> str:
    body = "".join(
        f'<p><a href="{escape(url)}" style="overflow-wrap: anywhere">{escape(url)}</a></p>\n'
        if part == url
        else f"<p>{escape(part)}</p>\n"
        for part in parts
    )
    return f'<!doctype html>\n<html lang="en"><body style="{_LOOK}">\n{body}</body></html>\n'
