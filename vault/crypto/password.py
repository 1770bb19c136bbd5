"""Passwords: how root passwords are made, and what is wrong with one that was not made here.

Decided here: the alphabet and length of generated passwords, AWS's rules for the root user and the
default IAM policy (DOMAIN C6), and the rule for our own people's login passwords. Never done here:
hashing (that is an adapter) and storing.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
from typing import Final

from vault.domain.secret import Secret

SYMBOLS: Final = "!@#$%^&*()<>[]{}|_+-="
"""The symbols that AWS lists for root passwords (accounts guide, "Change the root user password")."""
ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + SYMBOLS
CLASSES: Final = (
    ("an upper-case letter", frozenset(string.ascii_uppercase)),
    ("a lower-case letter", frozenset(string.ascii_lowercase)),
    ("a digit", frozenset(string.digits)),
    (f"a symbol out of {SYMBOLS}", frozenset(SYMBOLS)),
)
LENGTH: Final = 40
"""40 characters out of 83 are 255 bits; AWS takes up to 128 characters."""

ROOT_MIN: Final = 8
ROOT_MAX: Final = 128
ROOT_CLASSES: Final = 3
IAM_MIN: Final = 12

LOGIN_MIN: Final = 15
LOGIN_MAX: Final = 256
LOGIN_DISTINCT: Final = 6


def generate() -> Secret[str]:
    """Make a root password: 40 characters, each class present, every such password equally likely.

    Whole passwords are drawn again until one has all classes (about 1 in 170 is refused): putting
    missing classes in afterwards would make some passwords likelier than others.
    """
    while True:
        candidate = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if all(not members.isdisjoint(candidate) for _, members in CLASSES):
            return Secret(candidate)


def weaknesses(password: Secret[str], *, root_email: str = "", account_name: str = "") -> tuple[str, ...]:
    """Say in words which rules a taken-in root password breaks: AWS's own, then the IAM policy (C6).

    Empty means that it meets both. AWS's rules: 8 to 128 characters, three of four classes, not the
    account's name or e-mail. IAM policy: 12 characters, all four classes. That it is none of the last
    24 is for whoever knows those.
    """
    text = password.expose()
    missing = [name for name, members in CLASSES if members.isdisjoint(text)]
    found: list[str] = []
    if not ROOT_MIN <= len(text) <= ROOT_MAX:
        found.append(f"AWS takes root passwords of {ROOT_MIN} to {ROOT_MAX} characters.")
    if len(CLASSES) - len(missing) < ROOT_CLASSES:
        found.append(f"AWS asks for at least {ROOT_CLASSES} of four classes of characters.")
    if text and text.casefold() in {root_email.casefold(), account_name.casefold()}:
        found.append("It is the account's name or e-mail address, which AWS refuses.")
    if len(text) < IAM_MIN:
        found.append(f"It has fewer than {IAM_MIN} characters (default password policy).")
    found.extend(f"It lacks {name} (default password policy)." for name in missing)
    if not set(text) <= set(ALPHABET):
        found.append("It holds a character that is not a letter, a digit or one of the symbols AWS lists.")
    return tuple(found)


def login_weaknesses(password: Secret[str], *, email: str = "") -> tuple[str, ...]:
    """Say in words why a person may not sign in with this password; empty means that they may.

    Length instead of composition (NIST SP 800-63B section 3.1.1.2): 15 to 256 characters of which at
    least 6 differ, without the person's own e-mail name in it.
    """
    text = unicodedata.normalize("NFKC", password.expose()).casefold()
    found: list[str] = []
    if not LOGIN_MIN <= len(text) <= LOGIN_MAX:
        found.append(f"Choose {LOGIN_MIN} to {LOGIN_MAX} characters; several unrelated words are easiest.")
    if len(set(text)) < LOGIN_DISTINCT:
        found.append(f"Use at least {LOGIN_DISTINCT} different characters.")
    own_names = [name for name in re.split(r"[@.+_-]", email.casefold()) if len(name) >= 4]  # noqa: PLR2004 - shorter names are in too many words
    if any(name in text for name in own_names):
        found.append("Leave your own name or e-mail address out of it.")
    return tuple(found)
