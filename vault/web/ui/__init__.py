"""The pages that people use: forms in, use cases, HTML out; the same rules as the REST API, in the same services.

Decided here: nothing but words and places. `blueprint` is all that the application needs. Never done
here: deciding who may do what, keeping a secret, answering a GET with one.
"""

from vault.web.ui import (
    accounts,
    approvals,
    asking,
    checkouts,
    copies,
    emergency,
    evidence,
    incidents,
    intake,
    knowledge,
    notices,
    outside,
    passkeys,
    people,
    policy,
    proposals,
    provider,
    reviews,
    rotations,
    samples,
    session,
    timelines,
    tokens,
    trail,
    work,
)
from vault.web.ui.site import blueprint

__all__ = [
    "accounts",
    "approvals",
    "asking",
    "blueprint",
    "checkouts",
    "copies",
    "emergency",
    "evidence",
    "incidents",
    "intake",
    "knowledge",
    "notices",
    "outside",
    "passkeys",
    "people",
    "policy",
    "proposals",
    "provider",
    "reviews",
    "rotations",
    "samples",
    "session",
    "timelines",
    "tokens",
    "trail",
    "work",
]
