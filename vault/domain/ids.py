"""Identifiers as they come from outside: what is well formed, and nothing about what exists."""

from __future__ import annotations

import re
import uuid
from typing import Final

ACCOUNT_ID: Final = re.compile(r"[0-9]{12}", re.ASCII)
DDI: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
EMAIL_MAX: Final = 254
"""Longest e-mail address that can be delivered (RFC 5321 section 4.5.3.1)."""


def new_id() -> str:
    """Make a fresh identifier (UUID version 4, lower case with dashes)."""
    return str(uuid.uuid4())


def is_account_id(text: str) -> bool:
    """Say whether `text` is an AWS account number: exactly twelve ASCII digits."""
    return ACCOUNT_ID.fullmatch(text) is not None


def is_ddi(text: str) -> bool:
    """Say whether `text` is a customer's DDI number: up to ten ASCII digits, no leading zero (C1)."""
    return DDI.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Say whether `text` can be an e-mail address of ours or a customer's (RFC 5321, ASCII only)."""
    return len(text) <= EMAIL_MAX and EMAIL.fullmatch(text) is not None


def fold_email(text: str) -> str:
    """Give the form under which two spellings of one address are equal (case is not told apart)."""
    return text.strip().lower()
