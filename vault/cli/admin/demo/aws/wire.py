"""How AWS's services write answers: XML of the query services, JSON of the others.

Decided here: nothing of AWS's meaning. Sources: the protocols that botocore's service descriptions name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from vault.cli.admin.demo.aws.state import RefusalError

XML: Final = "text/xml"
JSON: Final = "application/x-amz-json-1.1"
_IN_JSON: Final[Mapping[str, str]] = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "InvalidClientTokenId": "UnrecognizedClientException",
}
"""AWS's common errors have other names in services that speak JSON than in those that speak XML."""


class Pairs(dict[str, Any]):
    """A map in XML: entries of key and value."""


def form_of(body: bytes) -> dict[str, Any]:
    """Read a form; a name with a number at its end is a list, as `Ids.member.1`."""
    asked: dict[str, Any] = {}
    for name, values in parse_qs(body.decode("utf-8"), keep_blank_values=True).items():
        stem, _, last = name.rpartition(".")
        if last.isdecimal() and stem.endswith(".member"):
            asked.setdefault(stem.removesuffix(".member"), []).append(values[0])
        else:
            asked[name] = values[0]
    return asked


def answer_xml(action: str, told: Mapping[str, Any], number: str) -> bytes:
    """Write an answer of a query service."""
    result = f"<{action}Result>{_elements(told)}</{action}Result>"
    meta = f"<ResponseMetadata><RequestId>{number}</RequestId></ResponseMetadata>"
    return f"<{action}Response>{result}{meta}</{action}Response>".encode()


def refusal_xml(refusal: RefusalError, number: str) -> bytes:
    """Write a refusal of a query service."""
    told = {"Type": "Sender", "Code": refusal.code, "Message": refusal.message}
    return f"<ErrorResponse><Error>{_elements(told)}</Error><RequestId>{number}</RequestId></ErrorResponse>".encode()


def refusal_s3(refusal: RefusalError, number: str) -> bytes:
    """Write a refusal of S3."""
    told = {"Code": refusal.code, "Message": refusal.message, "RequestId": number}
    return f"<Error>{_elements(told)}</Error>".encode()


def answer_json(told: Mapping[str, Any]) -> bytes:
    """Write an answer of a service that speaks JSON; times are seconds since 1970."""
    return json.dumps(told, default=_seconds).encode()


def refusal_json(refusal: RefusalError) -> bytes:
    """Write a refusal of a service that speaks JSON."""
    told = {"__type": name_in_json(refusal.code), "Message": refusal.message, "message": refusal.message}
    return json.dumps(told | ({"Reason": refusal.reason} if refusal.reason else {})).encode()


def name_in_json(code: str) -> str:
    """Give the name of an error in services that speak JSON."""
    return _IN_JSON.get(code, code)


def _seconds(value: object) -> float:
    if not isinstance(value, datetime):
        raise TypeError(type(value).__name__)
    return value.timestamp()


def _elements(told: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in told.items() if value is not None)


def _element(name: str, value: Any) -> str:
    if isinstance(value, Pairs):
        inner = "".join(
            f"<entry><key>{escape(key)}</key><value>{_text(each)}</value></entry>"
            for key, each in value.items()
        )
    elif isinstance(value, Mapping):
        inner = _elements(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        inner = "".join(_element("member", each) for each in value)
    else:
        inner = escape(_text(value))
    return f"<{name}>{inner}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)
