"""Draw a sample again, from a copy of the whole log and nothing else.

    python3 redo_sample.py LOG.tar population.json

This program stands alone: copy it away from the vault, read it, run it where you trust the machine. It takes the
entries out of the bundle (docs/formats-log.md), picks those that the population names, orders them by
SHA-256(seed, newline, leaf hash), takes the first, and says whether they are the ones that population.json lists.
Check the bundle itself with `python -m audit verify` first. Exit status 0: the same; 1: not the same; 2: not
understood.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ENTRIES = "tile/entries/"
ARGUMENTS = 2
MEMBERS = {"tree_size": int, "seed": str, "n": int, "count": int, "filter": dict, "items": list}
LISTS = ("types", "outcomes", "accounts", "actors", "checkouts", "reasons", "tickets")
TEXTS = ("since", "until", "text")


def population(file: str) -> dict[str, Any]:
    """Read population.json; raise TypeError or ValueError saying what is wrong with it."""
    told = json.loads(Path(file).read_text(encoding="utf-8"))
    if not isinstance(told, dict):
        raise TypeError("it is no JSON object")
    for name, kind in MEMBERS.items():
        if not isinstance(told.get(name), kind):
            raise TypeError(f"{name} is missing or of another kind than {kind.__name__}")
    for name in LISTS + TEXTS:
        if name not in told["filter"]:
            raise ValueError(f"filter does not say {name}")
        kind = list if name in LISTS else str
        if not isinstance(told["filter"][name], kind | None):
            raise TypeError(f"{name} of filter is neither null nor {kind.__name__}")
    for item in told["items"]:
        if not isinstance(item, dict) or not {"index", "leaf_hash"} <= item.keys():
            raise ValueError("one of items has no index and leaf_hash")
    return told


def leaves(bundle: str) -> Iterator[bytes]:
    """Read the leaves of a bundle in their order."""
    found: dict[int, bytes] = {}
    with tarfile.open(bundle) as tar:
        for member in tar:
            if member.name.startswith(ENTRIES):
                number = member.name[len(ENTRIES) :].partition(".p/")[0].replace("x", "").replace("/", "")
                file = tar.extractfile(member)
                found[int(number)] = b"" if file is None else file.read()
    for place in sorted(found):
        tile = found[place]
        while tile:
            length = int.from_bytes(tile[:2], "big")
            yield tile[2 : 2 + length]
            tile = tile[2 + length :]


def texts(value: Any) -> Iterator[str]:
    """Give all values in an entry, without its keys."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)


def belongs(entry: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Say whether an entry is in the population; a member that is null does not narrow."""
    reason, account = entry.get("reason", {}), entry.get("account", {}).get("id")
    one_of = (
        ("types", entry["type"]),
        ("outcomes", entry["outcome"]),
        ("accounts", account),
        ("actors", entry["actor"]["id"]),
        ("checkouts", entry.get("checkout")),
        ("reasons", reason.get("code")),
        ("tickets", reason.get("ticket")),
    )
    return (
        all(wanted[name] is None or value in wanted[name] for name, value in one_of)
        and (wanted["since"] is None or entry["time"] >= wanted["since"])
        and (wanted["until"] is None or entry["time"] < wanted["until"])
        and (wanted["text"] is None or any(wanted["text"].lower() in each.lower() for each in texts(entry)))
    )


def drawn(bundle: str, told: dict[str, Any]) -> tuple[int, list[tuple[int, str]]]:
    """Give the size of the population, and the sample as (index, leaf hash)."""
    ranked = []
    for index, leaf in enumerate(leaves(bundle)):
        if index >= told["tree_size"]:
            break
        if belongs(json.loads(leaf), told["filter"]):
            digest = hashlib.sha256(b"\0" + leaf).digest()
            rank = hashlib.sha256(told["seed"].encode() + b"\n" + digest).hexdigest()
            ranked.append((rank, index, digest.hex()))
    ranked.sort()
    return len(ranked), [(index, digest) for _, index, digest in ranked[: told["n"]]]


def main(arguments: list[str]) -> int:
    """Compare, say so, and give the exit status."""
    if len(arguments) != ARGUMENTS:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        told = population(arguments[1])
    except (OSError, TypeError, ValueError, RecursionError) as error:
        sys.stderr.write(f"{arguments[1]!r} is no population of a sample: {error}\n")
        return 2
    try:
        count, sample = drawn(arguments[0], told)
    except (
        OSError,
        tarfile.TarError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        sys.stderr.write(f"{arguments[0]!r} is no log that can be read: {type(error).__name__}: {error}\n")
        return 2
    listed = [(item["index"], item["leaf_hash"]) for item in told["items"]]
    if (count, sample) == (told["count"], listed):
        sys.stdout.write(f"The same: {count} entries, and the {len(sample)} that the seed picks from them.\n")
        return 0
    sys.stdout.write(f"NOT the same: {count} entries here, {told['count']} told; drawn here: {sample}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
