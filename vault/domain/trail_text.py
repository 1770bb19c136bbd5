"""The text of a record of CloudTrail as it is kept: whole, or what is read of it.

Decided here: how long and how deep a kept record may be. Whoever writes a record chooses how deep its parts lie in each
other; one that a reader with less room than ours could not read again would stop that reader, so it is not kept whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, TypeAlias

from vault.domain.formats.visible import shown

RECORD_MAX: Final = 16_384
"""Characters of a record that are kept as they are; of a larger one, what is read here is kept."""
SELECTED_MAX: Final = 65_536
WORDS_MAX: Final = 256
NESTED_MAX: Final = 64
"""How deep the parts of a record that is kept whole lie in each other; AWS's own stay far below."""

Object: TypeAlias = Mapping[str, object]

RECOVERIES: Final = frozenset(
    {"EmailUpdated", "PasswordRecoveryCompleted", "PasswordRecoveryRequested", "PasswordUpdated"}
)
"""What changes how root gets in; the sign-in service knows these of the root user only."""


def plain(value: object, longest: int = WORDS_MAX) -> str:
    """Give text that can deceive nobody who reads it: one line, printable, bounded; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    return shown(value[:longest])[:longest]


def pairs_in(context: Object) -> dict[str, str]:
    """Give those members of an object that are short texts."""
    return {
        name: value
        for name, value in context.items()
        if isinstance(value, str) and len(name) <= WORDS_MAX and len(value) <= WORDS_MAX
    }


def object_in(raw: Object, name: str) -> Object:
    """Give a member that is an object; {} for whatever else."""
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


_SELECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "userIdentity": ("type", "arn", "accountId", "principalId", "accessKeyId", "invokedBy"),
    "requestParameters": ("keyId", "sourceKeyId", "destinationKeyId", "targetPrincipal", "serialNumber"),
    "responseElements": ("ConsoleLogin", *sorted(RECOVERIES)),
    "additionalEventData": ("MFAUsed", "MFAIdentifier", "LoginTo"),
    "addendum": ("reason",),
}
_CONTEXTS: Final = ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext")


def written(raw: Object) -> str | None:
    """Write a record as pure ASCII, whole or, where it is too large or too deep, with what is read of it.

    Gives None for what is too large even so.
    """
    try:
        whole = _json(raw)
    except (RecursionError, ValueError, TypeError):
        whole = None
    if whole is not None and len(whole) <= RECORD_MAX and _depth(whole) <= NESTED_MAX:
        return whole
    selected: dict[str, object] = {
        name: value[:WORDS_MAX]
        for name, value in raw.items()
        if isinstance(value, str) and len(name) < 64  # noqa: PLR2004 - a member's name
    }
    for name, members in _SELECTED.items():
        inner = object_in(raw, name)
        told = {each: value for each in members if isinstance(value := inner.get(each), str)}
        selected[name] = {each: value[:WORDS_MAX] for each, value in told.items()}
    asked = object_in(raw, "requestParameters")
    contexts = {each: pairs_in(object_in(asked, each)) for each in _CONTEXTS}
    kept = {each: pairs for each, pairs in contexts.items() if pairs}
    selected["requestParameters"] = {**_as_object(selected["requestParameters"]), **kept}
    session = object_in(object_in(object_in(raw, "userIdentity"), "sessionContext"), "attributes")
    told_mfa = {"attributes": {"mfaAuthenticated": plain(session.get("mfaAuthenticated"))}}
    selected["userIdentity"] = {**_as_object(selected["userIdentity"]), "sessionContext": told_mfa}
    issued = object_in(object_in(raw, "responseElements"), "credentials").get("accessKeyId")
    answered = _as_object(selected["responseElements"])
    selected["responseElements"] = {**answered, "credentials": {"accessKeyId": plain(issued)}}
    resources = raw.get("resources")
    arns = (
        [each.get("ARN") for each in resources if isinstance(each, Mapping)]
        if isinstance(resources, list)
        else []
    )
    selected["resources"] = [{"ARN": plain(arn)} for arn in arns[:8]]
    selected["trimmedByTheVault"] = True
    text = _json(selected)
    return text if len(text) <= SELECTED_MAX else None


def _as_object(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _depth(text: str) -> int:
    """Count the brackets that are open at once, those within texts too: more than there are is harmless."""
    return max(accumulate((each in "[{") - (each in "]}") for each in text))
