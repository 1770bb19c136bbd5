"""How values are written on pages: numbers in groups, times with their zone, texts that cannot deceive.

Decided here: that a text which somebody typed stands alone in its direction (``bdi``) and that its control
and formatting characters are shown instead of obeyed (S27): a right-to-left override in a ticket must
not turn the account number beside it around.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup, escape

from vault.domain.approving import told

LOOK_ALIKES: Final[Mapping[str, str]] = {
    "0": "zero",
    "O": "capital o",
    "o": "small o",
    "1": "one",
    "l": "small L",
    "I": "capital i",
    "|": "upright bar",
    "5": "five",
    "S": "capital s",
    "2": "two",
    "Z": "capital z",
    "8": "eight",
    "B": "capital b",
    "-": "hyphen",
    "_": "underscore",
}
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_GROUP: Final = 4


def number(account_id: str) -> Markup:
    """Write an account number in groups of four; the gaps are style, so a copy has none."""
    groups = Markup("").join(
        Markup("<span>{}</span>").format(account_id[start : start + _GROUP])
        for start in range(0, len(account_id), _GROUP)
    )
    return Markup('<span class="number" translate="no">{}</span>').format(groups)


def spoken(account_id: str) -> str:
    """Write an account number in groups of four where only plain text can stand, such as a title."""
    return " ".join(account_id[start : start + _GROUP] for start in range(0, len(account_id), _GROUP))


def iso(time: datetime) -> str:
    """Write a time for programs: RFC 3339 in UTC, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(time: datetime | None) -> Markup:
    """Write a time for people, always with its zone: the log's, which is everybody's."""
    if time is None:
        return Markup('<span class="soft">never</span>')
    return Markup('<time datetime="{}">{}</time>').format(iso(time), f"{time:%-d %b %Y, %H:%M} UTC")


def moment(text: object) -> Markup:
    """Write a time as the log keeps it, for people."""
    return when(datetime.fromisoformat(str(text)))


def members(content: str) -> tuple[tuple[str, str], ...]:
    """Give the members of a JSON object as names and texts, a list with commas; nothing for whatever else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(found, dict):
        return ()
    return tuple((str(name).replace("_", " "), _plain(value)) for name, value in found.items())


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def second(text: object) -> Markup:
    """Write a time as the log keeps it, to the second, for people who put entries into an order."""
    time = datetime.fromisoformat(str(text))
    return Markup('<time datetime="{}">{}</time>').format(iso(time), f"{time:%-d %b %Y, %H:%M:%S} UTC")


def clock(time: datetime) -> Markup:
    """Write the time of day to the second, for what ends soon."""
    return Markup('<time datetime="{}">{}</time>').format(iso(time), f"{time:%H:%M:%S} UTC")


def left(until: datetime, now: datetime) -> str:
    """Write what is left until `until`, as the countdowns do."""
    seconds = max(0, int((until - now).total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{seconds % 60:02}"


def age(since: datetime, now: datetime) -> str:
    """Write for how long something has been so, in the greatest unit that fits."""
    seconds = max(0, int((now - since).total_seconds()))
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "just now"


def duration(seconds: int) -> str:
    """Write a length of time in the units people say."""
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"


def text(value: object) -> Markup:
    """Write a text that somebody else typed: isolated in its direction, with nothing hidden in it."""
    pieces = (
        Markup('<span class="control">U+{}</span>').format(f"{ord(character):04X}")
        if unicodedata.category(character) in _HIDDEN and character != "\n"
        else escape(character)
        for character in str(value)
    )
    return Markup("<bdi>{}</bdi>").format(Markup("").join(pieces))


def plain(value: object) -> str:
    """As `text`, where only plain text can stand."""
    return "".join(
        f"[U+{ord(character):04X}]" if unicodedata.category(character) in _HIDDEN else character
        for character in str(value)
    )


def lookup(key: object, table: Mapping[object, object]) -> object:
    """Give what a table says of a key, for lists in templates."""
    return table[key]


def but(given: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Give a filter with one of its members as said, or without it where nothing is said."""
    return {key: held for key, held in {**given, name: value}.items() if held}


def groups(value: str) -> Markup:
    """Write a password in groups of four, digits and symbols told apart; a copy of it has no blanks."""
    written: list[Markup] = []
    for start in range(0, len(value), _GROUP):
        inner = Markup("").join(_character(character) for character in value[start : start + _GROUP])
        written.append(Markup('<span class="secret__group">{}</span>').format(inner))
    return Markup("").join(written)


def halves(code: str) -> Markup:
    """Write a six-digit code in two halves; a copy has no blank."""
    middle = len(code) // 2
    return Markup("<span>{}</span><span>{}</span>").format(code[:middle], code[middle:])


def look_alikes(value: str) -> tuple[tuple[str, str], ...]:
    """Name the characters of a password that are easily taken for others."""
    return tuple((character, name) for character, name in LOOK_ALIKES.items() if character in value)


def _character(character: str) -> Markup:
    if character == " ":
        return Markup('<span class="symbol" title="blank">&nbsp;</span>')
    if character.isdigit():
        return Markup('<span class="digit">{}</span>').format(character)
    if not character.isalpha():
        return Markup('<span class="symbol">{}</span>').format(character)
    return escape(character)


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "number": number,
    "spoken": spoken,
    "iso": iso,
    "when": when,
    "members": members,
    "moment": moment,
    "second": second,
    "clock": clock,
    "left": left,
    "age": age,
    "duration": duration,
    "text": text,
    "told": told,
    "but": but,
    "plain": plain,
    "lookup": lookup,
    "groups": groups,
    "halves": halves,
    "look_alikes": look_alikes,
}
