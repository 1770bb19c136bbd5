"""What is not settled of a checkout yet, and what became of each value that was seen under it: in sentences.

Decided here: a rotation is settled when AWS refused it, when it was dropped, or when its value was *verified*; whoever
looked at it under this checkout may settle it under another. Nothing is called replaced that is the current value.
Pure: leaves in, words out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.services.evidence_told import ENDS, ROTATIONS, is_password, next_rotation
from vault.services.knowledge_told import HOW, LIFE, STANDING, How, Life

if TYPE_CHECKING:
    from vault.services.leaves import Disclosure, Leaf

OF_ACCOUNT: Final = tuple(dict.fromkeys((*ROTATIONS, *LIFE)))
"""The types of entries of an account, of whatever checkout, that have to be read for it."""

_NAMES: Final = {PartKind.PASSWORD: "password", PartKind.MFA: "MFA device"}
_UNSETTLED: Final = {
    EventType.ROTATION_PLANNED: "The {what} was sealed and shown to nobody; it waits to be shown or dropped",
    EventType.ROTATION_DISPLAYED: "The {what} was shown to be set at AWS, and nobody has said whether AWS took it",
    EventType.ROTATION_UNKNOWN: (
        "Whether AWS took the {what} is not known: it and the one before may open the account, "
        "until somebody settles it"
    ),
    EventType.ROTATION_ACCEPTED: "The {what} was accepted by AWS, and nobody has verified it yet",
}


@dataclass(frozen=True, slots=True)
class Settled:
    """The entries of a checkout beside those of its account's rotations; `whole` is False where not all were read."""

    own: tuple[Leaf, ...]
    seen: tuple[Disclosure, ...]
    account: tuple[Leaf, ...]
    whole: bool = True

    @property
    def known(self) -> tuple[Disclosure, ...]:
        """The passwords that were, or in doubt may have been, disclosed for use."""
        return tuple(each for each in self.seen if each.counts and each.is_use and is_password(each))

    @property
    def next(self) -> str:
        """The rotation that replaced what was disclosed for use, empty where there is none."""
        return next_rotation(self.account, self.known) if self.known else ""

    @property
    def after(self) -> tuple[Leaf, ...]:
        """The entries of rotations that this checkout needs settled, written under another checkout."""
        wanted = {self.next, *self._begun()} - {""}
        mine = {leaf.index for leaf in self.own}
        return tuple(leaf for leaf in self.account if leaf.rotation in wanted and leaf.index not in mine)

    def still_open(self) -> tuple[str, ...]:
        """Say in sentences what is not settled yet."""
        found = []
        if not any(leaf.is_(*ENDS) for leaf in self.own):
            found.append("The checkout has not ended.")
        waiting = [str(each.authorized.index) for each in self.seen if each.outcome is None]
        if waiting:
            found.append(f"No outcome is written yet for the disclosure of entry {', '.join(waiting)}.")
        if self.known and not self.next:
            since = f"{self.known[0].authorized.at:%Y-%m-%d %H:%M} UTC"
            found.append(
                f"The password was disclosed and no later one was accepted: due for rotation since {since}."
            )
        begun = self._begun()
        if self.next and self.next not in begun and not self._proven(self.next):
            found.append("The next password was accepted by AWS, and nobody has verified it yet.")
        found += [words for rotation in begun if (words := self._unsettled(rotation))]
        if not self.whole:
            found.append(
                "The account has more rotations than are read at once: take an extract of its entries."
            )
        return tuple(found)

    def values(self) -> tuple[str, ...]:
        """Say of each value that somebody came to know under this checkout what became of it, each person once."""
        mine = {leaf.index for leaf in self.own}
        found: dict[tuple[str, int, str, How], str] = {}
        for each in Life.of(self.account).knowers(self.seen):
            if each.leaf.index not in mine or each.how is How.CODE:
                continue
            until = "" if each.until is None else f" That is entry {each.until.index}."
            name = _name(each.kind, each.version).strip(",")
            words = f"{name[0].upper()}{name[1:]}: {each.who_name} {HOW[each.how]} (entry {each.leaf.index})."
            found.setdefault(
                (each.kind, each.version, each.who_id, each.how), f"{words} {STANDING[each.standing]}{until}"
            )
        return tuple(found.values())

    def _begun(self) -> tuple[str, ...]:
        """Give the rotations that somebody worked on under this checkout, the first first."""
        return tuple(
            dict.fromkeys(leaf.rotation for leaf in self.own if leaf.is_(*ROTATIONS) and leaf.rotation)
        )

    def _of(self, rotation: str) -> tuple[Leaf, ...]:
        found = {
            leaf.index: leaf
            for leaf in (*self.own, *self.account)
            if leaf.rotation == rotation and leaf.is_(*ROTATIONS)
        }
        return tuple(found[index] for index in sorted(found))

    def _proven(self, rotation: str) -> bool:
        return any(leaf.is_(EventType.ROTATION_VERIFIED) for leaf in self._of(rotation))

    def _unsettled(self, rotation: str) -> str:
        """Say what a rotation waits for, empty where for nothing."""
        leaves = self._of(rotation)
        last = leaves[-1]
        words = _UNSETTLED.get(EventType(last.type))
        if words is None:
            return ""
        named = next((leaf for leaf in leaves if leaf.kind), last)
        what = _name(named.kind, named.version)
        return f"{words.format(what=what)} (since {last.at:%Y-%m-%d %H:%M} UTC, entry {last.index})."


def _name(kind: str, version: int) -> str:
    return f"{_NAMES[PartKind(kind)]}, version {version}," if kind else "new value"
