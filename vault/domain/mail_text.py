"""Reading the bytes of a mail that anybody may have written: text out of it, within bounds, or a word why not.

Decided here: headers are found and counted before a parser sees them; MIME parts are parted here, by their boundaries,
to a depth and a number, so that nothing nests a parser; text is shown, HTML is read for its words and never drawn;
attachments are named and sized and never decoded. What is beyond a bound is cut and said to be, what is no mail at all
is given as it came, as text. It never raises for what it reads. RFC 5322, 2045, 2046, 2047.
Never decided here: what a mail is, or who sent it.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr
from html import unescape
from typing import Final

from vault.domain.ids import EMAIL_MAX, fold_email, is_email
from vault.domain.mail import Attachment, Letter, Limits

LIMITS: Final = Limits()
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_LINK: Final = re.compile(r"https?://[^\s<>\"'\x00-\x1f\x7f]{1,4000}", re.IGNORECASE)
_BOUNDARY_MOST: Final = 70
"""RFC 2046 section 5.1.1."""
_PARAMETERS_MOST: Final = 4_000
"""Longest header that says what a part is: reading longer ones costs the square of their length."""
_NAME_MOST: Final = 200
_HOPS_MOST: Final = 100
_TRAIL: Final = ".,;:!?)]}>\"'"
_TEXTS: Final = ("text/plain", "text/html")


def read_letter(raw: bytes, hops: int = 1, limits: Limits = LIMITS) -> Letter:
    """Read a mail; `hops` is how many Received lines the servers in front of us add (see `results` of `Letter`)."""
    header, body = _parted(raw, limits)
    if header is None:
        return _unread(raw, "its header is longer than is read", limits)
    if header.count(b"\n") > limits.headers * 10 or _named(header) > limits.headers:
        return _unread(raw, "it has more header lines than are read", limits)
    try:
        message = _headers(header)
        reading = _Reading(limits)
        reading.part(message, body, 1)
        return _letter(message, reading, hops, limits)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError):
        # the library promises to raise nothing for what it reads, and has broken that before
        return _unread(raw, "it is not of the form of a mail", limits)


def plain(text: str, most: int) -> str:
    """Give one line of what anybody wrote: no control characters, no marks that turn writing round, bounded."""
    return " ".join(_printable(text).split())[:most]


def hashed_content(raw: bytes) -> bytes:
    """Give what makes a mail the same when it comes again: its own lines and its body, without those of its way."""
    header, body = _parted(raw, LIMITS)
    if header is None:
        return raw
    own = [line for line in _unfolded(header) if line.partition(b":")[0].strip().lower() in _OWN]
    return b"\n".join([*own, b"", body])


_OWN: Final = frozenset({b"message-id", b"from", b"to", b"date", b"subject"})


def _parted(raw: bytes, limits: Limits) -> tuple[bytes | None, bytes]:
    """Part header and body; None where no header ends within the bound."""
    found = _BLANK.search(raw, 0, limits.header_bytes)
    if found is not None:
        return raw[: found.start()], raw[found.end() :]
    return (raw, b"") if len(raw) <= limits.header_bytes else (None, b"")


def _part_of(part: bytes, limits: Limits) -> tuple[bytes | None, bytes]:
    """Part a MIME part as `_parted` does; one that begins with an empty line has no header (RFC 2046 5.1)."""
    for line_break in (b"\r\n", b"\n"):
        if part.startswith(line_break):
            return b"", part[len(line_break) :]
    return _parted(part, limits)


def _named(header: bytes) -> int:
    return sum(1 for line in header.split(b"\n") if line[:1] not in {b" ", b"\t"})


def _unfolded(header: bytes) -> list[bytes]:
    lines: list[bytes] = []
    for line in header.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] in {b" ", b"\t"} and lines:
            lines[-1] += b" " + line.strip()
        else:
            lines.append(line)
    return lines


def _headers(header: bytes) -> Message:
    """Parse a header; of those that say what a part is, one beyond a bound is not there."""
    message = BytesHeaderParser(policy=compat32).parsebytes(header + b"\n\n")
    for name in ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding"):
        if any(len(str(value)) > _PARAMETERS_MOST for value in message.get_all(name, [])):
            del message[name]
            message[name] = "application/octet-stream" if name == "Content-Type" else "attachment"
    return message


def _letter(message: Message, reading: _Reading, hops: int, limits: Limits) -> Letter:
    name, address = parseaddr(_decoded(message, "From"))
    sender = fold_email(address) if is_email(address.strip()) else ""
    if len(message.get_all("From", [])) != 1 or not sender:
        reading.faults.append("it does not name one sender")
    text = reading.text()
    return Letter(
        message_id=plain(str(message.get("Message-ID", "")), EMAIL_MAX),
        subject=plain(_decoded(message, "Subject"), limits.subject),
        sender_name=plain(name, _NAME_MOST),
        sender=sender if len(message.get_all("From", [])) == 1 else "",
        date=plain(str(message.get("Date", "")), 60),
        text=text[: limits.text],
        searched="\n".join([*reading.plain, *reading.html]),
        links=reading.links(),
        attachments=tuple(reading.attachments[: limits.attachments]),
        faults=tuple(dict.fromkeys([*reading.faults, *(["it is cut"] if len(text) > limits.text else [])])),
        results=tuple(_results(message, hops)),
    )


def _results(message: Message, hops: int) -> Iterator[str]:
    """Give the Authentication-Results above the Received line that is the first not of the servers in front."""
    seen = 0
    for name, value in message.items():
        lowered = name.lower()
        if lowered == "received":
            seen += 1
            if seen > min(hops, _HOPS_MOST):
                return
        elif lowered == "authentication-results":
            yield plain(str(value), 2_000)


def _unread(raw: bytes, fault: str, limits: Limits) -> Letter:
    """Give a mail that is not read: its bytes as text, so that whoever may open it sees what came."""
    text = _printable(raw[: limits.text].decode("ascii", "replace"))
    return Letter(
        text=text, searched=text, links=tuple(_found(text, limits)), faults=(fault,), is_whole=False
    )


def _decoded(message: Message, name: str) -> str:
    """Give a header's words (RFC 2047), whatever its charset claims to be."""
    value = str(message.get(name, ""))[:4_000]
    try:
        pieces = decode_header(value)
    except (HeaderParseError, binascii.Error, ValueError):
        return _printable(value)
    return "".join(
        each if isinstance(each, str) else _text_of(each, charset or "ascii") for each, charset in pieces
    )


def _text_of(data: bytes, charset: str) -> str:
    """Decode bytes as what they claim to be, else as UTF-8; what is neither is shown as a mark."""
    for name in (charset, "utf-8"):
        # a charset is a name of Python's codecs here: those that are not of text are not tried
        if re.fullmatch(r"[A-Za-z0-9_.:-]{1,40}", name) is None:
            continue
        try:
            return data.decode(name, "replace" if name == "utf-8" else "strict")
        except (LookupError, ValueError, TypeError, AttributeError):
            continue
    return data.decode("ascii", "replace")


_TURNED: Final = frozenset(
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad"
)


def _printable(text: str) -> str:
    """Give text without control characters, lone surrogates, and marks that turn or hide writing."""
    return "".join(
        each
        for each in text.replace("\r\n", "\n").replace("\r", "\n")
        if each in "\n\t" or (each.isprintable() and each not in _TURNED) or each in "\u00a0\u2003\u2009"
    )


def _found(text: str, limits: Limits) -> Iterator[str]:
    count = 0
    for match in dict.fromkeys(each.group().rstrip(_TRAIL) for each in _LINK.finditer(text)):
        if count == limits.links:
            return
        if len(match) <= limits.link and match.isascii():
            count += 1
            yield match


@dataclass(slots=True)
class _Reading:
    """What is gathered of a mail's parts."""

    limits: Limits
    parts: int = 0
    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def part(self, message: Message, body: bytes, depth: int) -> None:
        """Read one part and those within it."""
        self.parts += 1
        if self.parts > self.limits.parts or depth > self.limits.depth:
            self.faults.append("it has more parts than are read")
            return
        kind = message.get_content_type()
        boundary = message.get_param("boundary")
        if kind.startswith("multipart/") and isinstance(boundary, str):
            if not 1 <= len(boundary) <= _BOUNDARY_MOST or not boundary.isascii():
                self.faults.append("its parts are not parted")
                return
            for each in self._within(body, boundary.encode("ascii")):
                if self.parts > self.limits.parts:
                    return
                header, inner = _part_of(each, self.limits)
                if header is None or _named(header) > self.limits.headers:
                    self.faults.append("a part's header is longer than is read")
                    continue
                self.part(_headers(header), inner, depth + 1)
            return
        name = message.get_filename()
        is_attached = name is not None or message.get_content_disposition() == "attachment"
        if kind not in _TEXTS or is_attached:
            self._attach(kind, name or "", len(body))
            return
        text = _printable(self._decoded(message, body))
        if kind == "text/plain":
            self.plain.append(text)
        else:
            words, anchors = _words_of(text, self.limits.text * 4)
            self.html.append(words)
            self.anchors.extend(anchors)

    def _within(self, body: bytes, boundary: bytes) -> Iterator[bytes]:
        """Part a body by its boundary; a closing one that is missing is where the body ends."""
        line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
        start: int | None = None
        for found in line.finditer(body):
            if start is not None:
                yield _inner(body, start, found.start())
            if found.group(1):
                return
            start = found.end()
        if start is not None:
            self.faults.append("its last part does not end")
            yield _inner(body, start, len(body))

    def _decoded(self, message: Message, body: bytes) -> str:
        most = self.limits.text * 8
        if len(body) > most:
            self.faults.append("it is cut")
        how = str(message.get("Content-Transfer-Encoding", "")).strip().lower()
        data = body[:most]
        try:
            if how == "base64":
                kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
                data = base64.b64decode(kept[: len(kept) // 4 * 4] + _rest(kept))
            elif how == "quoted-printable":
                data = quopri.decodestring(data)
        except (binascii.Error, ValueError):
            self.faults.append("a part is not encoded as it says")
        charset = message.get_content_charset()
        return _text_of(data, charset or "utf-8")

    def _attach(self, kind: str, name: str, size: int) -> None:
        self.attachments.append(Attachment(plain(_of_header(name), _NAME_MOST), plain(kind, 100), size))

    def text(self) -> str:
        """Give the words to read: the plain ones, or those of the HTML where there are none."""
        chosen = self.plain if any(each.strip() for each in self.plain) else self.html
        return re.sub(r"\n{3,}", "\n\n", "\n\n".join(each.strip() for each in chosen if each.strip()))

    def links(self) -> tuple[str, ...]:
        """Give every address in any text of it, those behind words too."""
        whole = "\n".join([*self.plain, *self.anchors, *self.html])
        return tuple(_found(whole, self.limits))


def _inner(body: bytes, start: int, end: int) -> bytes:
    """Give a part without the line break that belongs to the boundary before it."""
    inner = body[start:end]
    for line_break in (b"\r\n", b"\n"):
        if inner.startswith(line_break):
            return inner[len(line_break) :]
    return inner


def _rest(kept: bytes) -> bytes:
    rest = kept[len(kept) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _of_header(value: str) -> str:
    try:
        pieces = decode_header(value[:1_000])
    except (HeaderParseError, binascii.Error, ValueError):
        return value
    return "".join(
        each if isinstance(each, str) else _text_of(each, charset or "ascii") for each, charset in pieces
    )


_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})([^<>]{0,6000})>")
_LEADS: Final = re.compile(
    r"\b(?:href|action)\s*=\s*(?:\"([^\"]{1,4000})\"|'([^']{1,4000})'|([^\s\"'<>]{1,4000}))", re.IGNORECASE
)
_BREAKS: Final = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "td", "th"})
_SILENT: Final = ("script", "style", "head", "title", "template")


def _words_of(html: str, most: int) -> tuple[str, list[str]]:
    """Give the words of HTML, line by line, and the addresses that it leads to.

    Not by a parser: those cost the square of what is written to make them. Tags are what looks like one.
    """
    html = html[:most]
    for name in _SILENT:
        html = _without(html, f"<{name}", f"</{name}")
    html = _without(html, "<!--", "-->")
    anchors: list[str] = []
    words: list[str] = []
    at = 0
    for tag in _TAG.finditer(html):
        words.append(html[at : tag.start()])
        at = tag.end()
        name = tag.group(2).lower()
        if name in _BREAKS:
            words.append("\n")
        if name in {"a", "area", "form"} and not tag.group(1):
            anchors.extend(unescape(next(filter(None, each))) for each in _LEADS.findall(tag.group(3)))
    words.append(html[at:])
    lines = (" ".join(line.split()) for line in unescape("".join(words)).split("\n"))
    return _printable("\n".join(line for line in lines if line)), anchors


def _without(html: str, begin: str, end: str) -> str:
    """Leave out what stands between two marks, each time; one that has no end is left where it is, as words."""
    folded = html.lower()
    if len(folded) != len(html):  # a letter that has no lower case of its own length: positions would not fit
        folded = html
    kept: list[str] = []
    at = 0
    while (start := folded.find(begin, at)) >= 0:
        stop = folded.find(end, start + len(begin))
        if stop < 0:
            break
        kept.append(html[at:start])
        closed = folded.find(">", stop)
        at = len(html) if closed < 0 else closed + 1
    kept.append(html[at:])
    return "".join(kept)
