"""What leaves tell, as values with types: for whoever answers from the log and not from the tables.

Decided here: how a member of a leaf is read; what is missing is an empty text or None, never a guess. Never
done here: a look at any table, or a judgement of what was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from vault.domain.event import EventType

if TYPE_CHECKING:
    from vault.ports.store import Entry


@dataclass(frozen=True, slots=True)
class Who:
    """The actor of an entry, as the entry names them."""

    id: str
    name: str
    kind: str
    role: str
    ip: str
    mfa: str
    session: str


@dataclass(frozen=True, slots=True)
class Moved:
    """One state change that an entry tells of."""

    entity: str
    id: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry, read. `version` is 0 and `kind` empty where it names no secret."""

    index: int
    leaf_hash: str
    at: datetime
    type: str
    outcome: str
    who: Who
    account: str
    checkout: str
    kind: str
    version: int
    reason: Mapping[str, str]
    approval: Mapping[str, str]
    policy: Mapping[str, str]
    detail: Mapping[str, object]
    changes: tuple[Moved, ...]

    @classmethod
    def of(cls, entry: Entry) -> Leaf:
        """Read an entry."""
        content = entry.content
        secret = _object(content.get("secret"))
        version = secret.get("version")
        return cls(
            index=entry.index,
            leaf_hash=entry.leaf_hash,
            at=datetime.fromisoformat(_text(content.get("time"))),
            type=_text(content.get("type")),
            outcome=_text(content.get("outcome")),
            who=_who(_object(content.get("actor"))),
            account=_text(_object(content.get("account")).get("id")),
            checkout=_text(content.get("checkout")),
            kind=_text(secret.get("kind")),
            version=version if isinstance(version, int) else 0,
            reason=_texts(content.get("reason")),
            approval=_texts(content.get("approval")),
            policy=_texts(content.get("policy")),
            detail=_object(content.get("detail")),
            changes=_changes(content.get("changes")),
        )

    def told(self, name: str) -> str:
        """Give a member of `detail` as text, empty where it is not there."""
        value = self.detail.get(name)
        return "" if value is None else _text(value) or str(value)

    def change_of(self, entity: str) -> Moved | None:
        """Give the change of one kind of thing that the entry tells of."""
        return next((each for each in self.changes if each.entity == entity), None)

    @property
    def rotation(self) -> str:
        """The id of the rotation that the entry is about, empty where there is none."""
        moved = self.change_of("rotation")
        return self.told("rotation") if moved is None else moved.id

    def is_(self, *types: EventType) -> bool:
        """Say whether the entry is of one of these types and tells of something that happened."""
        return self.type in types and self.outcome not in {"denied", "failed"}


def _who(actor: Mapping[str, object]) -> Who:
    return Who(
        *(_text(actor.get(name)) for name in ("id", "name", "kind", "role", "ip", "mfa", "session")),
    )


def _changes(value: object) -> tuple[Moved, ...]:
    if not isinstance(value, list):
        return ()
    read = (_texts(each) for each in value)
    return tuple(
        Moved(each.get("entity", ""), each.get("id", ""), each.get("from", ""), each.get("to", ""))
        for each in read
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> Mapping[str, str]:
    return {name: _text(each) for name, each in _object(value).items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_OUTCOMES = {
    EventType.REVEAL_RELEASED: "released",
    EventType.REVEAL_FAILED: "failed",
    EventType.REVEAL_UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure as its entries tell it: the authorisation, and the outcome where one was written."""

    authorized: Leaf
    outcome: Leaf | None

    @property
    def state(self) -> str:
        """How it ended: released, failed, unknown, or open while no outcome is written."""
        return "open" if self.outcome is None else _OUTCOMES[EventType(self.outcome.type)]

    @property
    def counts(self) -> bool:
        """Whether the value may have come out: in doubt it has (AUDIT-LOG 3.6)."""
        return self.state != "failed"

    @property
    def is_use(self) -> bool:
        """Whether it was for using root, not for setting a new value at AWS."""
        return self.authorized.told("purpose") == "use"


def disclosures(leaves: tuple[Leaf, ...]) -> tuple[Disclosure, ...]:
    """Put each authorisation together with its outcome, oldest first."""
    outcomes = {leaf.told("reveal"): leaf for leaf in leaves if leaf.type in _OUTCOMES}
    return tuple(
        Disclosure(leaf, outcomes.get(leaf.told("reveal")))
        for leaf in leaves
        if leaf.type == EventType.REVEAL_AUTHORIZED
    )
