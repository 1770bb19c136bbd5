"""Texts as people may send them, by form or by JSON: nothing in them acts instead of being seen (S27).

Decided here: which characters those are: controls, halves of surrogate pairs, and whatever turns the direction of a
reader's page. Line ends and tabs only where a text may have lines.
"""

from __future__ import annotations

import unicodedata
from typing import Final

REFUSED: Final = "No control or direction characters, and no line breaks."
_DECEIVING: Final = frozenset({"Cc", "Cs"})
_DIRECTIONS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES: Final = frozenset("\r\n\t")


def deceives(text: str, *, lines: bool = False) -> bool:
    """Say whether a text has a character that acts; with `lines`, line ends and tabs are none."""
    return any(
        (unicodedata.category(each) in _DECEIVING or each in _DIRECTIONS) and not (lines and each in _LINES)
        for each in text
    )
