"""Characters that act instead of being seen, written so that they are seen: ``[U+202E]``.

Decided here: the escape. A control, formatting, unassigned or private character becomes its code point in
brackets, and so does the bracket of a text that already looks like one: the way back is the same for every
character, and `reveal` finds exactly what `conceal` was given.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ACTING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LOOKS_ESCAPED: Final = re.compile(r"\[(?=U\+[0-9A-F]{4,6}\])")
_ESCAPED: Final = re.compile(r"\[U\+([0-9A-F]{4,6})\]")


def named(character: str) -> str:
    """Write one character as its code point."""
    return f"[U+{ord(character):04X}]"


def conceal(text: str) -> str:
    """Write every character of `text` that would act as its code point."""
    if text.isascii() and text.isprintable() and "[U+" not in text:
        return text
    return shown(_LOOKS_ESCAPED.sub(named("["), text))


def shown(text: str) -> str:
    """Write what would act as its code point, for people: doing it twice is as once, and there is no way back."""
    return "".join(named(each) if unicodedata.category(each) in _ACTING else each for each in text)


def reveal(text: str) -> str:
    """Give back what `conceal` was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
