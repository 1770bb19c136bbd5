"""Which mail to a root address is security mail, as data; what is not known to be harmless counts as such (C7).

Decided here: the words by which AWS's security mails are known, the few kinds of mail that are harmless, whom we take
for AWS, and what the mail server's word makes of a sender. A mail is ordinary only if the server says that it is from
where it claims (RFC 7489, or a signature or path of the same domain), the sender is one that is listed, and nothing in
it looks like a code, a reset or a link that signs somebody in. Everything else is security mail. Changing these tables
is changing what reaches tickets: a test names each row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from vault.domain.credential import PartKind
from vault.domain.ids import fold_email
from vault.domain.mail import Letter, Mail, MailKind, Said, Verdict

UNKNOWN: Final = "unknown"
UNPROVEN: Final = "unproven"
FORGED: Final = "forged"
UNREAD: Final = "unread"


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """One kind of security mail: its name, how people call it, which half of a credential it stands for, its marks.

    `marks` are looked for in subject and words, without case; one is enough.
    """

    name: str
    title: str
    half: PartKind
    marks: re.Pattern[str]
    is_way_in: bool = True
    """Whether AWS sends it because somebody is at the sign-in page, so that without a lease it is worth a word."""


@dataclass(frozen=True, slots=True)
class OrdinaryRule:
    """One kind of harmless mail: whom it comes from, and what its subject begins with or holds."""

    name: str
    title: str
    senders: tuple[str, ...]
    """Addresses, or domains with an @ before them."""
    subject: re.Pattern[str]


def _marks(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


SECURITY: Final[tuple[SecurityRule, ...]] = (
    SecurityRule(
        "password_reset",
        "Password reset",
        PartKind.PASSWORD,
        _marks(
            r"password (assistance|recovery|reset)",
            r"(reset|recover|forgot|change)\w* (your |the |my )?(aws |root |root user |account )*password",
            r"resetpassword",
            r"forgotpassword",
            r"password (was|has been|is) (changed|reset|updated)",
        ),
    ),
    SecurityRule(
        "sign_in_code",
        "Sign-in or verification code",
        PartKind.MFA,
        _marks(
            r"(verification|one[- ]time|security|confirmation|sign[- ]?in|login|access|authentication) (pass)?code",
            r"\botp\b",
            r"passcode",
            r"verify (your )?(identity|e-?mail|sign)",
            r"code (is|below|to verify)",
        ),
    ),
    SecurityRule(
        "mfa",
        "Multi-factor authentication",
        PartKind.MFA,
        _marks(r"multi-?factor", r"\bmfa\b", r"authenticat(or|ion) (app|device)", r"passkey"),
        is_way_in=False,
    ),
    SecurityRule(
        "email_change",
        "Change of the root e-mail",
        PartKind.PASSWORD,
        _marks(
            r"(change|update|confirm|verif)\w* (of |to |your |the )*(aws |account |root |user )*e-?mail( address)?",
            r"e-?mail address (was|has been|is) (changed|updated)",
            r"primary e-?mail",
        ),
    ),
    SecurityRule(
        "sign_in_link",
        "Link that signs somebody in or agrees to something",
        PartKind.PASSWORD,
        _marks(
            r"(sign|log)[- ]?in (link|attempt)",
            r"invit(e|ation|ed)\b",
            r"(accept|approve|confirm)\w* (the |this |your )*(request|handshake|transfer|invitation)",
            r"magic link",
        ),
    ),
)
"""In the order in which they are tried; what fits none and is not ordinary is security mail all the same."""

_CODE: Final = re.compile(r"(?<![\w.,/$-])(?:\d{6,8}|\d{3}[ -]\d{3})(?![\w.,/%:-]*\w)", re.ASCII)
"""What could be a code: six to eight digits that stand alone. Account numbers have twelve."""
_KEYED: Final = re.compile(
    r"(?:[?&#](?:token|code|otp|key|ticket|nonce|auth|session|sig|signature|state)=)|/(?:reset|verify|confirm|activate)",
    re.IGNORECASE,
)
"""What a link that does something carries."""
_SIGN_IN_HOSTS: Final = ("signin.aws", "signin.aws.amazon.com", "signin.amazonaws.com", "verify.signin.aws")

AWS_DOMAINS: Final = ("amazon.com", "amazonaws.com", "aws.com", "aws", "amazonaws.cn")
"""Domains whose mail we take for AWS's, those below them too."""
LINK_DOMAINS: Final = ("aws.amazon.com", "signin.aws")
"""Where a link may be followed; not amazonaws.com, below which anybody has a bucket or an API."""
_CLAIMS: Final = re.compile(r"\b(aws|amazon(?:\s+web\s+services)?|amazonaws)\b", re.IGNORECASE)

ORDINARY: Final[tuple[OrdinaryRule, ...]] = (
    OrdinaryRule(
        "billing",
        "Billing",
        (
            "no-reply-aws@amazon.com",
            "aws-receivables-support@email.amazon.com",
            "aws-billing@amazon.com",
            "invoicing@aws.com",
            "no-reply@invoicing.aws.com",
        ),
        _marks(r"invoice", r"billing statement", r"\bbill\b", r"payment", r"budget", r"tax document", r"receipt"),
    ),
    OrdinaryRule(
        "support_case",
        "Support case",
        ("no-reply-aws@amazon.com", "aws-support@amazon.com", "no-reply@support.aws.com", "case@support.aws.com"),
        _marks(r"\[?case:? ?(id:? ?)?\d", r"support case"),
    ),
    OrdinaryRule(
        "health",
        "Health and maintenance",
        ("no-reply-aws@amazon.com", "health@aws.com", "no-reply@health.aws.com", "aws-health@amazon.com"),
        _marks(
            r"maintenance", r"health", r"retire", r"deprecat", r"end of (life|support)", r"degrad",
            r"action (required|may be)", r"notification", r"service (event|change)",
        ),
    ),
    OrdinaryRule(
        "abuse",
        "Abuse report",
        ("ec2-abuse@amazon.com", "trustandsafety@support.aws.com", "abuse@amazonaws.com", "no-reply@abuse.aws.com"),
        _marks(r"abuse", r"report", r"security bulletin", r"compromis"),
    ),
    OrdinaryRule(
        "subscription",
        "Subscribed notice",
        ("no-reply@sns.amazonaws.com",),
        _marks(r"^(?!.*subscription confirmation).+"),
    ),
    OrdinaryRule(
        "news",
        "News",
        ("aws-marketing-email-replies@amazon.com", "aws-marketing@amazon.com", "@marketing.aws.com"),
        _marks(r".+"),
    ),
)  # fmt: skip
"""Mail that becomes a ticket with its words."""


@dataclass(frozen=True, slots=True)
class Classed:
    """What a mail is, by which rule, which half it stands for, and whether it claims to be AWS's and is not."""

    kind: MailKind
    rule: str
    half: PartKind = PartKind.PASSWORD
    forged: bool = False


def classify(letter: Letter, said: Said, more_ordinary: Sequence[str] = ()) -> Classed:
    """Say what a mail to an account's address is; `more_ordinary` are senders that the host adds to the harmless."""
    forged = is_forged(letter, said)
    if not letter.is_whole:
        return Classed(MailKind.SECURITY, UNREAD, forged=forged)
    if forged:
        return Classed(MailKind.SECURITY, FORGED, forged=True)
    words = f"{letter.subject}\n{letter.searched}"
    for rule in SECURITY:
        if rule.marks.search(words) is not None:
            return Classed(MailKind.SECURITY, rule.name, rule.half)
    if said.verdict is not Verdict.PASSED:
        return Classed(MailKind.SECURITY, UNPROVEN)
    if not _is_dangerous(letter, words):
        for ordinary in ORDINARY:
            if _sent_by(letter.sender, ordinary.senders) and ordinary.subject.search(letter.subject):
                return Classed(MailKind.ORDINARY, ordinary.name)
        if _sent_by(letter.sender, more_ordinary):
            return Classed(MailKind.ORDINARY, "agreed_sender")
    return Classed(MailKind.SECURITY, UNKNOWN)


def is_way_in(mail: Mail) -> bool:
    """Say whether a mail is AWS's own answer to somebody who is at its sign-in page."""
    proven = mail.verdict is Verdict.PASSED and is_aws_domain(mail.sender.rpartition("@")[2])
    return proven and any(rule.name == mail.rule and rule.is_way_in for rule in SECURITY)


def title_of(rule: str) -> str:
    """Give what people call a kind of mail; never a word of the mail's own."""
    return _TITLES.get(rule, "Mail of a kind that is not known")


_TITLES: Final = {
    **{rule.name: rule.title for rule in SECURITY},
    **{rule.name: rule.title for rule in ORDINARY},
    "agreed_sender": "Mail of a sender that the host named",
    UNPROVEN: "Mail whose sender is not proven",
    FORGED: "Forged: claims to be AWS's and is not",
    UNREAD: "Mail that could not be read",
    "unmatched": "Mail to an address of no account",
}
RULES: Final = tuple(_TITLES)
"""Every name that a mail's rule can have, but `unknown`, which stands for the rest."""


def is_aws_domain(domain: str) -> bool:
    """Say whether a domain is AWS's, or below one."""
    return _is_below(domain, AWS_DOMAINS)


def is_aws_link(link: str) -> bool:
    """Say whether a link leads to AWS by TLS, as its host says, with no name or port that could mislead."""
    try:
        parts = urlsplit(link)
        named = parts.hostname or ""
        plain = parts.username is None and parts.port in {None, 443}
    except ValueError:
        return False
    return parts.scheme == "https" and plain and "\\" not in link and _is_below(named, LINK_DOMAINS)


def _is_below(domain: str, domains: Sequence[str]) -> bool:
    domain = domain.lower().rstrip(".")
    return any(domain == each or domain.endswith(f".{each}") for each in domains)


def claims_aws(letter: Letter) -> bool:
    """Say whether a mail gives itself out as AWS's: by its address, or by the name beside it."""
    domain = letter.sender.rpartition("@")[2]
    return is_aws_domain(domain) or _CLAIMS.search(letter.sender_name) is not None


def is_forged(letter: Letter, said: Said) -> bool:
    """Say whether it claims to be AWS's, and what the server says is that it is not."""
    if not claims_aws(letter):
        return False
    if not is_aws_domain(letter.sender.rpartition("@")[2]):
        return True
    return said.verdict is Verdict.FAILED


def _sent_by(sender: str, senders: Sequence[str]) -> bool:
    domain = f"@{sender.rpartition('@')[2]}"
    return bool(sender) and any(fold_email(each) in {sender, domain} for each in senders)


def _is_dangerous(letter: Letter, words: str) -> bool:
    """Say whether anything in it could be a code, or a link that does something for whoever follows it."""
    if _CODE.search(words) is not None:
        return True
    hosts = [(host_of(link), link) for link in letter.links]
    return any(
        host is None
        or host in _SIGN_IN_HOSTS
        or host.endswith(".signin.aws")
        or _KEYED.search(link) is not None
        for host, link in hosts
    )


def host_of(link: str) -> str | None:
    """Give a link's host in lower case, None where it has none that can be read."""
    try:
        return (urlsplit(link).hostname or "").lower() or None
    except ValueError:
        return None
