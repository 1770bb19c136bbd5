"""What a notice says by mail: one line, when it was, and where to look; the same again as HTML, all of it escaped.

Decided here: the words. A letter holds no secret, no link that does anything, no reason, ticket or sentence, and
nothing in it is markup but what stands here. Its id is the notice's, so a letter that comes twice is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from vault.domain.formats.visible import shown

if TYPE_CHECKING:
    from vault.domain.notice import Notice

_SUBJECT_MOST: Final = 150
_LAST: Final = (
    "This letter asks for nothing. No password, code or secret is ever asked for, or sent, by mail.",
    "How you are told of what is not urgent is yours to choose:",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to one person."""

    subject: str
    text: str
    html: str
    message_id: str


def letter_of(notices: Sequence[Notice], public_url: str, origin: str) -> Letter:
    """Write one letter about one notice, or a digest about several, oldest first."""
    first = notices[0]
    base = public_url.rstrip("/")
    told = sorted(notices, key=lambda each: (each.at, each.id))
    mark = "Rootvault, urgent" if first.urgent else "Rootvault"
    words = line_of(first) if len(told) == 1 else f"{len(told)} notices"
    subject = f"[{mark}] {words}"
    return Letter(
        subject=subject if len(subject) <= _SUBJECT_MOST else subject[: _SUBJECT_MOST - 1] + "…",
        text=_text(told, base),
        html=_html(told, base),
        message_id=f"{first.id}@{origin.partition('/')[0]}",
    )


def line_of(notice: Notice) -> str:
    """Give the line of a notice, with how many more it stands for."""
    title = shown(notice.title)
    return title if notice.count == 1 else f"{title} (and {notice.count - 1} more like it)"


def _text(told: Sequence[Notice], base: str) -> str:
    parts = [f"{line_of(each)}\n{_when(each)}\n{base}{each.path}\n" for each in told]
    return "\n".join([*parts, *_LAST, f"{base}/notices/settings", ""])


def _html(told: Sequence[Notice], base: str) -> str:
    parts = "".join(
        f"<p><strong>{escape(line_of(each))}</strong><br>{escape(_when(each))}<br>{_link(base + each.path)}</p>\n"
        for each in told
    )
    last = f"<p>{escape(_LAST[0])}<br>{escape(_LAST[1])} {_link(base + '/notices/settings')}</p>\n"
    return f'<!doctype html>\n<html lang="en"><body>\n{parts}{last}</body></html>\n'


def _when(notice: Notice) -> str:
    return f"{notice.at:%Y-%m-%d %H:%M:%S} UTC, entry {notice.entry}"


def _link(url: str) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>'
