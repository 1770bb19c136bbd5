"""The REST API under ``/api/v1``: views that translate, models of the wire, and the document made of both.

`blueprint` is complete when this module is imported: each module of views adds its nouns to it.
"""

from vault.web.api import (
    accounts,
    checkouts,
    confirmations,
    customers,
    disclosures,
    document,
    emergency,
    evidence,
    exports,
    incidents,
    knowledge,
    me,
    notices,
    outside,
    people,
    proposals,
    reasons,
    reviews,
    rotations,
    samples,
    tokens,
    trail,
)
from vault.web.api.routes import OPERATIONS, blueprint

__all__ = [
    "OPERATIONS",
    "accounts",
    "blueprint",
    "checkouts",
    "confirmations",
    "customers",
    "disclosures",
    "document",
    "emergency",
    "evidence",
    "exports",
    "incidents",
    "knowledge",
    "me",
    "notices",
    "outside",
    "people",
    "proposals",
    "reasons",
    "reviews",
    "rotations",
    "samples",
    "tokens",
    "trail",
]
