"""Text for a customer made of a template: facts are put into named places, and nothing else happens (A3).

Decided here: which places there are. A template is data: no place reaches into a value, none is computed, and what a
fact holds is never looked at for places again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

WHOLE: Final = frozenset(
    {
        "accounts",
        "company",
        "company_address",
        "count",
        "customer",
        "ddi",
        "payer",
        "role",
        "signatory",
        "signatory_email",
        "ticket",
    }
)
"""Places of a text; `accounts` is a line for each account."""
LINE: Final = frozenset({"account", "kind", "name", "root_email"})
"""Places of such a line."""
TEXT_MAX: Final = 20_000
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


class BadTemplate(ValueError):
    """A template with a place that there is not; the words name it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places in braces."""

    text: str
    places: Collection[str]

    def __post_init__(self) -> None:
        """Refuse a place that nobody fills, so that no customer reads of it."""
        unknown = sorted({each for each in _PLACE.findall(self.text) if each not in self.places})
        if unknown:
            known = ", ".join(sorted(self.places))
            raise BadTemplate(f"has {{{unknown[0][:40]}}}, and there is no such place; there are {known}")
        if not self.text.strip() or len(self.text) > TEXT_MAX:
            raise BadTemplate(f"is empty, or longer than {TEXT_MAX} characters")

    def fill(self, facts: Mapping[str, str]) -> str:
        """Put facts into their places, once; a fact that holds braces stays as it is."""
        return _PLACE.sub(lambda found: facts[found[1]], self.text)


@dataclass(frozen=True, slots=True)
class Instructions:
    """The templates by the way in, and of one account's line."""

    texts: Mapping[str, Template]
    line: Template
