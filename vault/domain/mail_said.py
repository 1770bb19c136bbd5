"""What the mail server in front of us says of a sender: RFC 8601's Authentication-Results, and SES's verdicts.

Decided here: only the server that the settings name is heard, and of each method what it says topmost; a sender is
proven by DMARC, or by a signature (DKIM) or a path (SPF) of the very domain in From, or one above it. Anything else is
no proof. Header lines of that name which others wrote have to be removed by the server (RFC 8601 section 5); those
further down than its own are not even read (`Letter.results`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from vault.domain.mail import Said, Verdict

_COMMENT: Final = re.compile(r"\([^()]*\)")
_RESULT: Final = re.compile(r"\A\s*([A-Za-z0-9-]{1,40})(?:/\d+)?\s*=\s*([A-Za-z]{1,20})\b(.*)\Z", re.DOTALL)
_PROPERTY: Final = re.compile(
    r"\b(header\.d|header\.i|header\.from|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?([^\s;\"]{1,320})"
)
_METHODS: Final = ("dmarc", "dkim", "spf")
_GOOD: Final = "pass"
_BAD: Final = frozenset({"fail", "softfail", "permerror", "policy"})
_PIECES_MOST: Final = 60


def heard(lines: Sequence[str], authserv_id: str, sender: str) -> Said:
    """Read the lines of a mail, topmost first; `authserv_id` is the one server that is believed, `sender` is From's."""
    found: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
    for line in lines if authserv_id else ():
        for method, results in _read(line, authserv_id).items():
            found.setdefault(method, results)
    return judged(found, sender)


def judged(found: Mapping[str, Sequence[tuple[str, Mapping[str, str]]]], sender: str) -> Said:
    """Judge results by method, each with its properties, for the domain of `sender`."""
    domain = sender.rpartition("@")[2].lower()
    methods = {name: results[0][0] for name, results in found.items() if results}
    if not methods:
        return Said()
    passed = bool(domain) and any(
        result == _GOOD and _is_aligned(method, properties, domain)
        for method, results in found.items()
        for result, properties in results
    )
    # whoever publishes DMARC decides what its own signatures are worth
    if methods.get("dmarc") in _BAD:
        passed = False
    is_bad = any(methods.get(method) in _BAD for method in _METHODS)
    verdict = Verdict.PASSED if passed else Verdict.FAILED if is_bad or not domain else Verdict.UNSAID
    return Said(verdict, methods)


def heard_of_ses(receipt: Mapping[str, object], sender: str) -> Said:
    """Read the verdicts of an SES receipt; they are SES's own, about the domain in From (DMARC) and the way it came."""
    words = {"PASS": "pass", "FAIL": "fail", "GRAY": "none", "PROCESSING_FAILED": "temperror"}
    methods: dict[str, str] = {}
    for method in _METHODS:
        verdict = receipt.get(f"{method}Verdict")
        status = verdict.get("status") if isinstance(verdict, Mapping) else None
        if isinstance(status, str) and status in words:
            methods[method] = words[status]
    if not methods:
        return Said()
    # DKIM and SPF of SES do not say for which domain: without DMARC they prove nothing about From
    if methods.get("dmarc") == _GOOD and sender:
        return Said(Verdict.PASSED, methods)
    is_bad = any(each in _BAD for each in methods.values())
    return Said(Verdict.FAILED if is_bad else Verdict.UNSAID, methods)


def _read(line: str, authserv_id: str) -> dict[str, list[tuple[str, Mapping[str, str]]]]:
    """Read one line; nothing where it is another server's."""
    for _ in range(5):  # comments may hold comments
        line = _COMMENT.sub(" ", line)
    pieces = line.split(";")[:_PIECES_MOST]
    named = pieces[0].split()
    if not named or named[0].lower() != authserv_id.lower():
        return {}
    found: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
    for piece in pieces[1:]:
        read = _RESULT.match(piece)
        if read is not None and read.group(1).lower() in _METHODS:
            properties = {name.lower(): value.lower() for name, value in _PROPERTY.findall(read.group(3))}
            found.setdefault(read.group(1).lower(), []).append((read.group(2).lower(), properties))
    return found


def _is_aligned(method: str, properties: Mapping[str, str], domain: str) -> bool:
    """Say whether what passed is about the domain in From (RFC 7489 section 3.1, relaxed downwards alone)."""
    if method == "dmarc":
        about = properties.get("header.from", domain)
    elif method == "dkim":
        about = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
    else:
        about = properties.get("smtp.mailfrom", "").rpartition("@")[2]
    return bool(about) and (about == domain or (domain.endswith(f".{about}") and "." in about))
