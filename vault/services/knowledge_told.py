"""Who could have known a credential: derived from an account's leaves alone, as of one moment.

Decided here: what makes somebody know a value (being shown it, about to be shown it without a written outcome,
entering it, having verified a password for somebody else, having had it before us), and what ends that: only a later
value that was *verified*. One that AWS took and nobody verified ends nothing, because a mistaken word must not make
a person look harmless. A code of an MFA device is known for its time step and no longer. Where no entry can name who
knew, that is said. Pure: leaves in, values out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.rotation import Evidence

if TYPE_CHECKING:
    from vault.services.leaves import Disclosure, Leaf

LIFE: Final = (
    EventType.CREDENTIAL_TAKEN_IN,
    EventType.ROTATION_PLANNED,
    EventType.ROTATION_ACCEPTED,
    EventType.ROTATION_REFUSED,
    EventType.ROTATION_UNKNOWN,
    EventType.ROTATION_ABANDONED,
    EventType.ROTATION_VERIFIED,
    EventType.CREDENTIAL_RECOVERED,
)
"""The types of entries that tell the life of versions."""

DISCLOSED: Final = (
    EventType.REVEAL_AUTHORIZED,
    EventType.REVEAL_RELEASED,
    EventType.REVEAL_FAILED,
    EventType.REVEAL_UNKNOWN,
)
"""The types of entries that tell of disclosures."""


class How(StrEnum):
    """By what somebody could have come to know a value."""

    SHOWN = "shown"
    IN_DOUBT = "in_doubt"
    SHOWN_TO_SET = "shown_to_set"
    ENTERED = "entered"
    VERIFIED = "verified"
    BEFORE_US = "before_us"
    RECOVERED = "recovered"
    CODE = "code"


HOW: Final[Mapping[How, str]] = {
    How.SHOWN: "was shown the password",
    How.IN_DOUBT: "was about to be shown it, and no outcome is written: counts as shown",
    How.SHOWN_TO_SET: "was shown it, to set it at AWS",
    How.ENTERED: "entered it into the vault",
    How.VERIFIED: "verified it, by signing in with it or seeing it work",
    How.BEFORE_US: "unknown others: it existed before us",
    How.RECOVERED: "opened it offline with shares of the recovery identity, by a receipt",
    How.CODE: "received one code, good for its time step only",
}


class Standing(StrEnum):
    """What became of a version, as of the moment that was asked for."""

    CURRENT = "current"
    STAGED = "staged"
    UNVERIFIED = "unverified"
    ENDED = "ended"
    NEVER = "never"


STANDING: Final[Mapping[Standing, str]] = {
    Standing.CURRENT: "It is the current value.",
    Standing.STAGED: "It may be set at AWS: its outcome is not settled.",
    Standing.UNVERIFIED: "A later value was accepted, and nobody verified it: still counted.",
    Standing.ENDED: "A later value was verified: it opens nothing any more.",
    Standing.NEVER: "AWS never took it, or nobody ever saw it.",
}


@dataclass(frozen=True, slots=True)
class Knower:
    """One way in which somebody could know a version. `leaf` says so; `until` is the entry that ended it."""

    how: How
    kind: str
    version: int
    who_id: str
    who_name: str
    since: datetime | None
    leaf: Leaf
    standing: Standing
    until: Leaf | None

    @property
    def lasts(self) -> bool:
        """Whether it gives a way in at the moment that was asked for: not for a code, nor for what has ended."""
        over = self.standing in {Standing.ENDED, Standing.NEVER}
        return not over and self.how is not How.CODE


@dataclass(frozen=True, slots=True)
class _Version:
    kind: str
    number: int
    began: Leaf
    taken_in: bool
    accepted: Leaf | None
    dropped: Leaf | None
    verified: Leaf | None
    recovered: Leaf | None


@dataclass(frozen=True, slots=True)
class Life:
    """The versions of one account, as its leaves tell them up to a moment."""

    versions: Mapping[tuple[str, int], _Version]

    @classmethod
    def of(cls, leaves: tuple[Leaf, ...]) -> Life:
        """Read entries of the types `LIFE`, oldest first."""
        began: dict[tuple[str, int], Leaf] = {}
        place_of: dict[str, tuple[str, int]] = {}
        found: dict[EventType, dict[tuple[str, int], Leaf]] = {each: {} for each in LIFE}
        for leaf in leaves:
            if not leaf.is_(*LIFE):
                continue
            if leaf.is_(EventType.ROTATION_PLANNED, EventType.CREDENTIAL_TAKEN_IN):
                began.setdefault((leaf.kind, leaf.version), leaf)
                place_of.setdefault(leaf.rotation, (leaf.kind, leaf.version))
            place = (leaf.kind, leaf.version) if leaf.version else place_of.get(leaf.rotation)
            if place is not None:
                found[EventType(leaf.type)].setdefault(place, leaf)
        return cls(
            {
                place: _Version(
                    *place,
                    began=leaf,
                    taken_in=leaf.type == EventType.CREDENTIAL_TAKEN_IN,
                    accepted=leaf
                    if leaf.type == EventType.CREDENTIAL_TAKEN_IN
                    else found[EventType.ROTATION_ACCEPTED].get(place),
                    dropped=found[EventType.ROTATION_REFUSED].get(place)
                    or found[EventType.ROTATION_ABANDONED].get(place),
                    verified=found[EventType.ROTATION_VERIFIED].get(place),
                    recovered=found[EventType.CREDENTIAL_RECOVERED].get(place),
                )
                for place, leaf in began.items()
            }
        )

    def standing(self, kind: str, number: int) -> tuple[Standing, Leaf | None]:
        """Say what became of a version, and by which entry it ended."""
        version = self.versions.get((kind, number))
        later = [each for each in self.versions.values() if each.kind == kind and each.number > number]
        proofs = [each.verified for each in later if each.verified is not None]
        if proofs:
            return Standing.ENDED, min(proofs, key=lambda leaf: leaf.index)
        if version is None:
            return Standing.STAGED, None
        if version.dropped is not None and version.accepted is None:
            return Standing.NEVER, version.dropped
        if version.accepted is None:
            return Standing.STAGED, None
        if any(each.accepted is not None for each in later):
            return Standing.UNVERIFIED, None
        return Standing.CURRENT, None

    def first_of_use(self) -> int:
        """Give the index from which disclosures matter: no version that has not ended began before it."""
        return min(
            (
                version.began.index
                for place, version in self.versions.items()
                if self.standing(*place)[0] is not Standing.ENDED
            ),
            default=0,
        )

    def knowers(self, seen: tuple[Disclosure, ...]) -> tuple[Knower, ...]:
        """Give everyone who could know any version, by part, version and entry."""
        found = [*self._by_origin(), *self._by_word(), *self._by_receipt(), *self._by_disclosure(seen)]
        return tuple(sorted(found, key=lambda each: (each.kind, each.version, each.leaf.index, each.how)))

    def _by_origin(self) -> Iterator[Knower]:
        for (kind, number), version in self.versions.items():
            standing, until = self.standing(kind, number)
            leaf = version.began
            if version.taken_in:
                yield Knower(How.BEFORE_US, kind, number, "", "unknown others", None, leaf, standing, until)
            if version.taken_in or kind == PartKind.MFA:
                who = leaf.who
                yield Knower(How.ENTERED, kind, number, who.id, who.name, leaf.at, leaf, standing, until)

    def _by_word(self) -> Iterator[Knower]:
        """Give who verified a password that somebody else set: a later use is told by its own disclosure.

        A record of AWS's made nobody know anything. Who verifies a device signs in with one of its codes, which tells
        nothing of its key.
        """
        for (kind, number), version in self.versions.items():
            leaf = version.verified
            if leaf is None or kind != PartKind.PASSWORD or leaf.told("evidence") != Evidence.SECOND_PERSON:
                continue
            standing, until = self.standing(kind, number)
            who = leaf.who
            yield Knower(How.VERIFIED, kind, number, who.id, who.name, leaf.at, leaf, standing, until)

    def _by_receipt(self) -> Iterator[Knower]:
        """Give those who opened a version offline, as their receipt names them: they are held against nobody here."""
        for (kind, number), version in self.versions.items():
            leaf = version.recovered
            if leaf is not None:
                standing, until = self.standing(kind, number)
                names = leaf.told("by") or "unknown others"
                yield Knower(How.RECOVERED, kind, number, "", names, leaf.at, leaf, standing, until)

    def unreached(self) -> tuple[str, ...]:
        """Say of which part unknown others could have known the value, though no entry can name them."""
        found = []
        for kind, name in ((PartKind.PASSWORD, "password"), (PartKind.MFA, "MFA device")):
            ours = [each for each in self.versions.values() if each.kind == kind]
            if not any(each.accepted is not None for each in ours):
                found.append(f"We did not hold the {name} then: unknown others could have known it.")
            elif not any(each.taken_in or each.verified is not None for each in ours):
                found.append(
                    f"Ours was the first {name} and nobody had verified it: "
                    "unknown others could have known the one before."
                )
        return tuple(found)

    def _by_disclosure(self, seen: tuple[Disclosure, ...]) -> Iterator[Knower]:
        for each in seen:
            leaf = each.authorized
            if not each.counts:
                continue
            standing, until = self.standing(leaf.kind, leaf.version)
            who = leaf.who
            yield Knower(
                how_of(each), leaf.kind, leaf.version, who.id, who.name, leaf.at, leaf, standing, until
            )


def how_of(each: Disclosure) -> How:
    """Say what a disclosure made its person know."""
    if each.authorized.kind == PartKind.MFA:
        return How.CODE
    if each.state != "released":
        return How.IN_DOUBT
    return How.SHOWN if each.is_use else How.SHOWN_TO_SET
