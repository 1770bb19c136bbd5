"""The offline recovery recipient: an age key that the service knows one half of, and wraps made for it (SECURITY S6).

Decided here: how a data key is wrapped for the recipient, and how the identity that opens it is split. A wrap is an
age file (age-encryption.org/v1) with one X25519 recipient, whose plaintext is::

    magic     4   "RVA" and the format as one byte, 0x01
    place    32   SHA-256 of the place, written as canonical JSON (`vault.crypto.context`)
    data key 32

age does not bind what it encrypts to anything, so the place is inside: a wrap that was moved to another account, part
or version is refused. Whoever knows the recipient can make such a wrap, so it proves nothing about the value: that
the body is the right one is proven by the log alone.

The identity is the 32 bytes of an X25519 key, written as ``AGE-SECRET-KEY-1…`` (Bech32, BIP 173). They are split by
SLIP-0039 into five shares of 33 words, without a passphrase; any three give them back, two tell nothing. A share has
a checksum, and the joined bytes have a digest, so that a wrong word, and a share of another set, are found.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyrage
from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics

from vault.crypto.context import canonical_pairs
from vault.domain.secret import Secret
from vault.errors import Refused, Tampered
from vault.ports.keys import Wrap

SERVICE: Final = "age"
"""The word by which these wraps are told from those of key services."""
MAGIC: Final = b"RVA\x01"
KEY_BYTES: Final = 32
SHARES: Final = 5
NEEDED: Final = 3
WORDS: Final = 33
"""Words of one share of 32 bytes (SLIP-0039, "Mnemonic")."""

_PLACE: Final = slice(len(MAGIC), len(MAGIC) + hashlib.sha256().digest_size)
_WHOLE: Final = _PLACE.stop + KEY_BYTES
_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PREFIX: Final = "age-secret-key-"


@dataclass(frozen=True, slots=True)
class Shared:
    """A fresh recipient, and the five shares of its identity, which is kept nowhere."""

    recipient: str
    shares: tuple[Secret[str], ...]


def is_recipient(text: str) -> bool:
    """Say whether a text is an X25519 recipient exactly as it is written (``age1`` and 58 letters and digits)."""
    try:
        return str(pyrage.x25519.Recipient.from_str(text)) == text
    except pyrage.RecipientError:
        return False


def wrap_for(recipient: str, key: Secret[bytes], context: Mapping[str, str]) -> Wrap:
    """Wrap a data key for a recipient, bound to its place; raises `ValueError` for what is no recipient."""
    if not is_recipient(recipient) or len(key.expose()) != KEY_BYTES:
        message = "a wrap is made of a 256-bit key, for an X25519 recipient"
        raise ValueError(message)
    plaintext = MAGIC + _place(context) + key.expose()
    return Wrap(SERVICE, recipient, pyrage.encrypt(plaintext, [pyrage.x25519.Recipient.from_str(recipient)]))


def open_wrap(identity: Secret[str], wraps: Sequence[Wrap], context: Mapping[str, str]) -> Secret[bytes]:
    """Regain a data key with the joined identity, in exactly the place it was wrapped for.

    Raises `Refused` recovery.not_wrapped where no wrap names this identity's recipient, and `Tampered`
    envelope.tampered where it does and does not open here.
    """
    opener = pyrage.x25519.Identity.from_str(identity.expose())
    recipient = str(opener.to_public())
    mine = [wrap for wrap in wraps if (wrap.service, wrap.key_id) == (SERVICE, recipient)]
    if not mine:
        others = sorted({wrap.key_id for wrap in wraps if wrap.service == SERVICE})
        words = f"It is wrapped for {', '.join(others)}." if others else "It has no wrap for any recipient."
        raise Refused("recovery.not_wrapped", f"These shares are of {recipient}. {words}")
    try:
        plaintext = pyrage.decrypt(mine[0].blob, [opener])
    except pyrage.DecryptError:
        plaintext = b""
    sound = (
        len(plaintext) == _WHOLE
        and plaintext.startswith(MAGIC)
        and hmac.compare_digest(plaintext[_PLACE], _place(context))
    )
    if not sound:
        words = "The wrap for the recipient does not open in this place: it is damaged, or another one's."
        raise Tampered("envelope.tampered", words)
    return Secret(plaintext[_PLACE.stop :])


def new_recipient() -> Shared:
    """Make an identity, split it, and see that it comes back; what is not returned is forgotten."""
    material = os.urandom(KEY_BYTES)
    identity = _identity(material)
    (words,) = generate_mnemonics(1, [(NEEDED, SHARES)], material, iteration_exponent=0)
    shares = tuple(Secret(share) for share in words)
    recipient = recipient_of(identity)
    for left_out in range(SHARES):
        three = tuple(shares[(left_out + 1 + step) % SHARES] for step in range(NEEDED))
        if recipient_of(join(three)) != recipient:  # pragma: no cover - the library would have to be wrong
            raise AssertionError("shares do not give the identity back")
    return Shared(recipient, shares)


def join(shares: Sequence[Secret[str]]) -> Secret[str]:
    """Give the identity that three shares make; raises `Refused` recovery.shares saying what is wrong with them.

    The same share given twice counts once; of more than three the first three are taken.
    """
    read = [_read(number, share) for number, share in enumerate(shares, 1)]
    if len({each.identifier for each in read}) > 1 or len({each.common_parameters() for each in read}) > 1:
        raise _refused("They are shares of different recipients; take three that were made together.")
    if any(
        (each.member_threshold, each.group_count, each.group_threshold) != (NEEDED, 1, 1) for each in read
    ):
        raise _refused("They were not made by `rootvault recovery new`.")
    different = {each.index: each.mnemonic() for each in read}
    if len(different) < NEEDED:
        words = f"{NEEDED} different shares are needed; here {'is' if len(different) == 1 else 'are'} {len(different)}."
        raise _refused(words)
    try:
        material = combine_mnemonics(list(different.values())[:NEEDED])
    except MnemonicError:
        raise _refused("They do not fit together: one of them is not of this set.") from None
    if len(material) != KEY_BYTES:
        raise _refused("They were not made by `rootvault recovery new`.")
    return _identity(material)


def recipient_of(identity: Secret[str]) -> str:
    """Give the public half of an identity."""
    return str(pyrage.x25519.Identity.from_str(identity.expose()).to_public())


def encrypt_to(recipient: str, plaintext: Secret[str]) -> bytes:
    """Encrypt a text for anybody's age recipient, as an armoured age file."""
    to = [pyrage.x25519.Recipient.from_str(recipient)]
    sealed: bytes = pyrage.encrypt(plaintext.expose().encode(), to, armored=True)
    return sealed


def _place(context: Mapping[str, str]) -> bytes:
    return hashlib.sha256(canonical_pairs(context)).digest()


def _read(number: int, share: Secret[str]) -> Share:
    words = share.expose().lower().split()
    if len(words) != WORDS:
        raise _refused(f"Share {number} has {len(words)} words; a share has {WORDS}.")
    try:
        return Share.from_mnemonic(" ".join(words))
    except MnemonicError:  # its own words may quote the share
        raise _refused(f"A word of share {number} is wrong: its checksum does not fit.") from None


def _refused(words: str) -> Refused:
    return Refused("recovery.shares", f"The shares do not open anything. {words}")


def _identity(material: bytes) -> Secret[str]:
    """Write 32 bytes as an age identity: Bech32 with the prefix ``age-secret-key-``, in upper case."""
    bits = int.from_bytes(material, "big") << 4
    length = KEY_BYTES * 8 // 5 + 1
    groups = [(bits >> 5 * (length - 1 - place)) & 31 for place in range(length)]
    expanded = [ord(letter) >> 5 for letter in _PREFIX] + [0] + [ord(letter) & 31 for letter in _PREFIX]
    residue = _polymod([*expanded, *groups, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [(residue >> 5 * (5 - place)) & 31 for place in range(6)]
    return Secret((_PREFIX + "1" + "".join(_ALPHABET[each] for each in (*groups, *checksum))).upper())


def _polymod(values: Sequence[int]) -> int:
    """Compute Bech32's checksum (BIP 173, "Checksum")."""
    residue = 1
    for value in values:
        top = residue >> 25
        residue = (residue & 0x1FFFFFF) << 5 ^ value
        for place, each in enumerate(_GENERATOR):
            residue ^= each if (top >> place) & 1 else 0
    return residue
