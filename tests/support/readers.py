"""Readers of other people's formats, written from their documents and not from our writers.

CEF: ArcSight Common Event Format, revision 25, "Header Information" and "The Extension Field". Syslog: RFC 5424
section 6, strictly, and the frames of RFC 6587 section 3.4.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_FIELDS = 7
_KEY = re.compile(r"(?:^| )([A-Za-z0-9_.\[\]]+)=")
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)",
    re.ASCII,
)
_HEAD = re.compile(
    r"<(0|[1-9]\d{0,2})>([1-9]\d{0,2}) (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) ",
    re.ASCII,
)
_NAME = re.compile(r"[!#-<>-\\^-~]{1,32}", re.ASCII)


@dataclass(frozen=True)
class CefEvent:
    """One event as CEF: the header's seven fields, and the extension."""

    header: tuple[str, ...]
    extension: dict[str, str]


def read_cef(line: str) -> CefEvent:
    """Read one line, without its newline."""
    assert not re.search(r"[\r\n]", line)
    assert line.startswith("CEF:")
    fields: list[str] = []
    rest = line.removeprefix("CEF:")
    while len(fields) < _FIELDS:
        field, rest = _until_bar(rest)
        fields.append(field)
    keys = [match for match in _KEY.finditer(rest) if not _is_escaped(rest, match.end() - 1)]
    ends = [*(match.start() for match in keys[1:]), len(rest)] if keys else []
    assert not keys or keys[0].start() == 0
    found = {match[1]: _plain(rest[match.end() : end]) for match, end in zip(keys, ends, strict=True)}
    assert len(found) == len(keys), "a key came twice"
    return CefEvent(tuple(fields), found)


def _until_bar(text: str) -> tuple[str, str]:
    field = ""
    at = 0
    while text[at] != "|":
        if text[at] == "\\":
            at += 1
            assert text[at] in "\\|", "an escape that CEF's header does not have"
        field += text[at]
        at += 1
    return field, text[at + 1 :]


def _is_escaped(text: str, at: int) -> bool:
    before = len(text[:at]) - len(text[:at].rstrip("\\"))
    return before % 2 == 1


def _plain(value: str) -> str:
    found = ""
    at = 0
    while at < len(value):
        assert value[at] != "=", "an equals sign that is not escaped"
        if value[at] == "\\":
            at += 1
            found += {"\\": "\\", "=": "=", "n": "\n", "r": "\r"}[value[at]]
        else:
            found += value[at]
        at += 1
    return found


@dataclass(frozen=True)
class SyslogMessage:
    """One message as RFC 5424 has it."""

    facility: int
    severity: int
    time: datetime
    host: str
    app: str
    process: str
    kind: str
    elements: dict[str, dict[str, str]]
    text: str


def read_syslog(message: bytes) -> SyslogMessage:
    """Read one message; whatever RFC 5424 does not allow is an error."""
    whole = message.decode("ascii")
    head = _HEAD.match(whole)
    assert head is not None, whole[:120]
    priority, version, time, host, app, process, kind = head.groups()
    assert int(priority) <= 191
    assert version == "1"
    assert _TIME.fullmatch(time), time
    elements, rest = _elements(whole[head.end() :])
    assert rest == "" or rest.startswith(" ")
    told = datetime.fromisoformat(time)
    return SyslogMessage(
        int(priority) >> 3, int(priority) & 7, told, host, app, process, kind, elements, rest[1:]
    )


def _elements(text: str) -> tuple[dict[str, dict[str, str]], str]:
    if text.startswith("-"):
        return {}, text[1:]
    found: dict[str, dict[str, str]] = {}
    assert text.startswith("[")
    while text.startswith("["):
        name = _name(text[1:])
        text = text[1 + len(name) :]
        assert name not in found
        found[name] = {}
        while text.startswith(" "):
            key = _name(text[1:])
            text = text[1 + len(key) :]
            assert text.startswith('="')
            value, text = _value(text[2:])
            found[name][key] = value
        assert text.startswith("]")
        text = text[1:]
    return found, text


def _name(text: str) -> str:
    match = _NAME.match(text)
    assert match is not None, text[:40]
    return match[0]


def _value(text: str) -> tuple[str, str]:
    found, at = "", 0
    while text[at] != '"':
        assert text[at] != "]", "a bracket that is not escaped"
        if text[at] == "\\" and text[at + 1] in '"\\]':
            at += 1
        found += text[at]
        at += 1
    return found, text[at + 1 :]


def read_frames(stream: bytes) -> list[bytes]:
    """Read octet-counted frames; what is left over is an error."""
    found = []
    while stream:
        count, blank, stream = stream.partition(b" ")
        assert blank
        assert re.fullmatch(rb"[1-9][0-9]*", count), count
        assert len(stream) >= int(count), "a frame that is cut off"
        found.append(stream[: int(count)])
        stream = stream[int(count) :]
    return found
