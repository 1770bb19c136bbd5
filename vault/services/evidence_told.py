"""A checkout's entries, sorted into the questions that somebody asks of it.

Decided here: which type of entry answers which question, that the answers stand in the log's own order, and the words
of each line. What is still open is decided in `evidence_open`. Pure: leaves in, words out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.event import EventType, stamp

if TYPE_CHECKING:
    from vault.services.leaves import Disclosure, Leaf

ROTATIONS: Final = (
    EventType.ROTATION_PLANNED,
    EventType.ROTATION_DISPLAYED,
    EventType.ROTATION_ACCEPTED,
    EventType.ROTATION_REFUSED,
    EventType.ROTATION_UNKNOWN,
    EventType.ROTATION_ABANDONED,
    EventType.SECRET_PROMOTED,
    EventType.ROTATION_VERIFIED,
)
ENDS: Final = frozenset(
    {
        EventType.CHECKOUT_RETURNED,
        EventType.CHECKOUT_EXPIRED,
        EventType.CHECKOUT_LAPSED,
        EventType.CHECKOUT_CANCELLED,
        EventType.CHECKOUT_REVOKED,
        EventType.CHECKOUT_REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in the evidence, with what it says in words: pairs of a name and a value."""

    leaf: Leaf
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines that answer one question, or `empty` in words where there are none."""

    name: str
    title: str
    lines: tuple[Line, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Told:
    """The entries of a checkout, sorted into the questions that they answer."""

    own: tuple[Leaf, ...]
    seen: tuple[Disclosure, ...]
    after: tuple[Leaf, ...]

    def sections(self) -> tuple[Section, ...]:
        """Give the sections in the order in which somebody asks."""
        return (
            Section("asked", "Who asked, and why", self._asked(), "No entry."),
            Section(
                "approvals", "Whose word was given", self._approvals(), "The reason needed nobody's approval."
            ),
            Section("factors", "Second factors", self._factors(), "No second factor was given."),
            Section("disclosures", "What was disclosed", self._disclosures(), "Nothing was disclosed."),
            Section("work", "Rotations under this checkout", self._work(), "None."),
            Section("refused", "What was refused", self._refused(), "Nothing was refused."),
            Section("end", "How it ended", self._end(), "It has not ended."),
            Section("after", "What followed under other checkouts", self._after(), self._no_rotation()),
            Section("read", "Who took this evidence along", self._read(), "Nobody yet."),
        )

    def _of(self, *types: EventType) -> tuple[Leaf, ...]:
        return tuple(leaf for leaf in self.own if leaf.is_(*types))

    def _asked(self) -> tuple[Line, ...]:
        return tuple(
            Line(
                leaf,
                (
                    ("reason", leaf.reason.get("code", "")),
                    ("ticket", leaf.reason.get("ticket", "")),
                    ("sentence", leaf.reason.get("text", "")),
                    ("seconds asked for", leaf.told("seconds")),
                    ("approvals needed", leaf.told("approvals_needed")),
                    ("policy version", leaf.policy.get("id", "")),
                    ("policy rule", leaf.policy.get("rule", "")),
                    ("content hash", leaf.told("content_hash")),
                ),
            )
            for leaf in self._of(EventType.CHECKOUT_REQUESTED)
        )

    def _approvals(self) -> tuple[Line, ...]:
        asked = self.own[0].told("content_hash")
        lines = []
        for leaf in self._of(EventType.CHECKOUT_APPROVED, EventType.CHECKOUT_REJECTED):
            saw = leaf.told("content_hash")
            same = "the content that was asked for" if saw == asked else f"ANOTHER content: {saw}"
            lines.append(
                Line(
                    leaf,
                    (
                        ("word", "approved" if leaf.type == EventType.CHECKOUT_APPROVED else "denied"),
                        ("comment", leaf.told("comment") or leaf.told("note") or "none"),
                        *((("content seen", same),) if saw else ()),
                        *((("seconds allowed", leaf.told("seconds")),) if leaf.told("seconds") else ()),
                    ),
                )
            )
        return tuple(lines)

    def _factors(self) -> tuple[Line, ...]:
        lines = []
        for leaf in self._of(EventType.CHECKOUT_GRANTED, EventType.STEPPED_UP):
            facts = [("begins the lease, seconds", leaf.told("seconds"))] if leaf.told("seconds") else []
            if leaf.is_(EventType.CHECKOUT_GRANTED) and (proof := self._step_up_of(leaf)) is not None:
                facts.append(
                    ("rests on", f"the second factor of entry {proof.index}, written in the same transaction")
                )
            lines.append(Line(leaf, tuple(facts)))
        return tuple(lines)

    def _step_up_of(self, granted: Leaf) -> Leaf | None:
        """Find the second factor that began the lease: written together with it, right after it."""
        passed = (leaf for leaf in self._of(EventType.STEPPED_UP) if leaf.index > granted.index)
        return next((leaf for leaf in passed if leaf.at == granted.at), None)

    def _disclosures(self) -> tuple[Line, ...]:
        lines = []
        for each in self.seen:
            what = "password" if is_password(each) else "MFA code"
            why = "to use root" if each.is_use else "to set a new value at AWS"
            facts = (("what", f"{what}, version {each.authorized.version}"), ("why", why))
            lines.append(Line(each.authorized, (*facts, ("outcome", each.state))))
            if each.outcome is not None:
                lines.append(Line(each.outcome, (("outcome of entry", str(each.authorized.index)),)))
        return tuple(sorted(lines, key=lambda line: line.leaf.index))

    def _work(self) -> tuple[Line, ...]:
        return tuple(_rotation_line(leaf) for leaf in self._of(*ROTATIONS))

    def _refused(self) -> tuple[Line, ...]:
        return tuple(
            Line(leaf, (("code", leaf.told("code") or leaf.outcome),))
            for leaf in self.own
            if leaf.outcome in {"denied", "failed"} and leaf.type != EventType.REVEAL_FAILED
        )

    def _end(self) -> tuple[Line, ...]:
        return tuple(
            Line(leaf, (("note", leaf.told("note")),) if leaf.told("note") else ())
            for leaf in self._of(*ENDS)
        )

    def _after(self) -> tuple[Line, ...]:
        return tuple(_rotation_line(leaf) for leaf in self.after)

    def _read(self) -> tuple[Line, ...]:
        return tuple(Line(leaf) for leaf in self._of(EventType.AUDIT_EXPORTED))

    def _no_rotation(self) -> str:
        if any(each.counts and each.is_use and is_password(each) for each in self.seen):
            if any(
                leaf.is_(EventType.ROTATION_ACCEPTED) and leaf.kind == PartKind.PASSWORD for leaf in self.own
            ):
                return "It was rotated under this very checkout: see above."
            return "Nobody has rotated it since."
        return "No password was disclosed for use, so none was due."


def _rotation_line(leaf: Leaf) -> Line:
    facts = [("part and version", f"{leaf.kind}, version {leaf.version}")] if leaf.kind else []
    facts += [("evidence", leaf.told("evidence").replace("_", " "))] if leaf.told("evidence") else []
    facts += [("note", leaf.told("note"))] if leaf.told("note") else []
    facts += [("rotation", leaf.rotation)] if leaf.rotation else []
    return Line(leaf, tuple(facts))


def is_password(each: Disclosure) -> bool:
    """Say whether a disclosure is of the password."""
    return each.authorized.kind == PartKind.PASSWORD


def next_rotation(leaves: tuple[Leaf, ...], known: tuple[Disclosure, ...]) -> str:
    """Give the id of the first rotation of the password that AWS took after the last of these disclosures."""
    last = max(each.authorized.index for each in known)
    return next(
        (
            leaf.rotation
            for leaf in leaves
            if leaf.index > last and leaf.is_(EventType.ROTATION_ACCEPTED) and leaf.kind == PartKind.PASSWORD
        ),
        "",
    )


def state_of(own: tuple[Leaf, ...]) -> str:
    """Give the state that the checkout's last change leads to."""
    moved = [change for leaf in own for change in leaf.changes if change.entity == "checkout"]
    return moved[-1].now if moved else "requested"


def line_json(line: Line) -> dict[str, object]:
    """Write one line for programs."""
    leaf, who = line.leaf, line.leaf.who
    return {
        "index": leaf.index,
        "leaf_hash": leaf.leaf_hash,
        "time": stamp(leaf.at),
        "type": leaf.type,
        "outcome": leaf.outcome,
        "actor": {"id": who.id, "name": who.name, "role": who.role, "ip": who.ip, "mfa": who.mfa},
        "facts": [{"name": name, "value": value} for name, value in line.facts],
    }
