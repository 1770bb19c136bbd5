"""On which line of a TOML text a key stands: `tomllib` gives values without their places, people need the line.

Decided here: how a text that `tomllib` has read already is walked again for its keys (TOML 1.0: tables, arrays of
tables, dotted and quoted keys, values of several lines). Nothing is checked: what is not TOML was refused before.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""A place in the document: names of keys, and positions in arrays of tables from 0."""

_PART: Final = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
_KEY: Final = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_PARTS: Final = re.compile(_PART)
_HEAD: Final = re.compile(rf"(\[\[?)[ \t]*({_KEY.pattern})[ \t]*\]\]?")
_STRING: Final = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"{3,5}|'''.*?'{3,5}|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|#[^\n]*", re.DOTALL
)


def lines_of(text: str) -> dict[Path, int]:
    """Give the line, from 1, of each table and key of a well-formed TOML text, keys of inline tables included."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        if head := _HEAD.match(text, at):
            table = _within(_parts(head[2]), counts, is_array=head[1] == "[[")
            found.setdefault(table, line)
            at = _end_of_line(text, head.end())
        elif key := _KEY.match(text, at):
            path = (*table, *_parts(key[0]))
            found.setdefault(path, line)
            at = _end_of_value(text, key.end(), path, found)
        else:
            at = _end_of_line(text, at) if text[at] == "#" else at + 1
    return found


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Give the line of a place, or of the nearest that it lies in: what is missing has no line of its own."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PARTS.findall(key))


def _within(names: tuple[str, ...], counts: dict[Path, int], *, is_array: bool) -> Path:
    """Give the place that a header opens: below an array of tables, in its last one."""
    path: Path = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, names[-1])
    if not is_array:
        return path
    counts[path] = counts.get(path, -1) + 1
    return (*path, counts[path])


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _end_of_value(text: str, at: int, path: Path, found: dict[Path, int]) -> int:
    """Walk over a value to the end of its last line; note the keys of inline tables, and of those in an array."""
    depth, inline, place = 0, 0, -1
    while at < len(text):
        here = text[at]
        if skipped := _STRING.match(text, at):
            key = _KEY.match(text, at) if inline and here in "\"'" else None
            at = skipped.end()
            if key is None or not text[key.end() :].lstrip(" \t").startswith("="):
                continue
            at = key.end()
            _note(text, key, (*path, place) if depth > 1 else path, found)
            continue
        if here == "\n" and not depth:
            return at + 1
        if here in "[{":
            depth += 1
            inline += here == "{"
            place += here == "{"
        elif here in "]}":
            depth -= 1
            inline -= here == "}"
        elif inline and (key := _KEY.match(text, at)):
            at = key.end()
            if text[at:].lstrip(" \t").startswith("="):
                _note(text, key, (*path, place) if depth > 1 else path, found)
            continue
        at += 1
    return at


def _note(text: str, key: re.Match[str], base: Path, found: dict[Path, int]) -> None:
    found.setdefault((*base, *_parts(key[0])), text.count("\n", 0, key.start()) + 1)
