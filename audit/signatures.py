"""The lines under a note: merged as witnesses add theirs, or made from a signature that a key elsewhere gave.

A checkpoint collects signatures after it was signed: of witnesses, and of a key that lives in a key service. The
text stays as it was, so every line remains valid whichever others are there.

Decided here: the order of lines, and which of several by one key stays. First those under the log's own name,
then other signers', then witnesses'; of several by one key the first stays, of a witness's the newest. Never done
here: believing a line. `merge` takes lines that were verified, for a wrong one by a key that readers ask for makes
them refuse the whole note; `attach` verifies for itself.
"""

from __future__ import annotations

from audit.errors import NoteRefused
from audit.note import COSIGNATURE, MOST_SIGNATURES, Line, Verifier, split


def merge(note: str, *lines: str) -> str:
    """Return a note with more signature lines, each with or without its newline.

    Merging the same line twice changes nothing. Raises `NoteRefused` for what is no line, and for more than
    `MOST_SIGNATURES`, the most that any reader here accepts.
    """
    text, present = split(note)
    kept: dict[tuple[str, bytes], Line] = {}
    for line in [*present, *(Line.parse(each.removesuffix("\n")) for each in lines)]:
        before = kept.setdefault((line.name, line.key_id), line)
        if (line.time or 0) > (before.time or 0):
            kept[line.name, line.key_id] = line
    if len(kept) > MOST_SIGNATURES:
        raise NoteRefused("note.form", f"a note bears at most {MOST_SIGNATURES} signatures")
    origin = text.partition("\n")[0]
    ordered = sorted(kept.values(), key=lambda each: (each.time is not None, each.name != origin))
    return f"{text}\n{''.join(each.format() for each in ordered)}"


def attach(note: str, verifier: Verifier, signature: bytes) -> str:
    """Return a note with a signature that was made elsewhere over its text (Ed25519, the raw message).

    What has to be signed is `split(note)[0]` as UTF-8. Raises `NoteRefused` if the signature is not by that key
    over this text, or the key is a witness's: a witness's line comes whole, with its time.
    """
    if verifier.type == COSIGNATURE:
        raise NoteRefused("note.key", f"{verifier.name} is a witness, who gives whole lines")
    verifier.check(split(note)[0], signature)
    return merge(note, Line(verifier.name, verifier.key_id, signature).format())
