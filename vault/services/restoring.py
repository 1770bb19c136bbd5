"""The ceremony after a restore: a new log, and nothing of what was alive in the backup comes back to life (S7).

Decided here: what a restored vault begins with. Its log is a new one, whose first entry names the last checkpoint
of the old one in the database, and the newer one that the mark held: what lies between the two is lost, and said to
be. Sessions, tokens, links, step-ups and open checkouts end; what was displayed is unknown; every disclosure
without outcome counts as disclosed; one-time codes up to now count as used; repeated requests are not recognised.
What was destroyed after the backup was taken is destroyed once more, before anything is promoted (H9), and handovers
that the backup has of it go on without it (`given_away`); where nobody knows what that was, the whole vault is frozen.
Every current version, which has to be the one that the old log promoted last, is promoted anew, so that it can be
opened, and unchecked: a rotation after the backup may have
replaced it at AWS. The policy in force is adopted anew; the recovery recipient is the one that the old log has in
force, whatever the rows say. All of it is one transaction.
Whoever was shut out, or lost a role, after the backup has it back: nothing in the backup tells of it, so the operator
looks through people first (docs/operations.md).

Never decided here: whether the old log is sound (`vault.bootstrap.restoring` examines it first).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from audit.checkpoint import Checkpoint
from vault.crypto import totp
from vault.domain.actor import Reach
from vault.domain.checkout import OPEN, CheckoutEvent, overdue
from vault.domain.credential import VersionLabel
from vault.domain.event import Change, Event, EventType, Result, SecretRef
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.told import changes, every_session
from vault.errors import Conflict, Refused
from vault.ports.store import CheckoutFilter, RevealState, Slice
from vault.services.destruction import Destruction
from vault.services.frozen import put
from vault.services.given_away import finish_given
from vault.services.leases import end
from vault.services.policies import adopt, overtake
from vault.services.recipient_book import kept_by
from vault.services.recipients import keep
from vault.services.recipients import overtake as overtake_recipient
from vault.services.signed_leaves import signed_leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.destruction import Destroyed
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

NOTE: Final = "restored from a backup"
UNLISTED: Final = (
    "The list of destroyed credentials was not there when a backup was restored: compare it with the certificates of"
    " destruction that were given out since the backup, then lift this."
)
CHANGES_AN_ENTRY: Final = 200
_PROMOTED: Final = EventType.SECRET_PROMOTED.encode()
Promoted: TypeAlias = "dict[tuple[str, str], tuple[int, str]]"
"""By account and kind, the number and hash of the version that a log promoted last."""
EVER: Final = timedelta(days=3_650)
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Ended:
    """The log that ends: its origin, its last signed checkpoint in the database, and that which the mark held."""

    origin: str
    checkpoint: str
    marked: str | None


@dataclass(frozen=True, slots=True)
class Restored:
    """What the ceremony did, by count; `number` is the name that the old log is kept under."""

    number: int
    accounts: int
    versions: int
    checkouts: int
    reveals: int
    tokens: int
    sessions: int
    links: int
    claims: int
    destroyed: int
    is_list_known: bool
    """Whether the list of destructions was there; without it everything is frozen."""


@dataclass(frozen=True, slots=True)
class Restoring:
    """The use case of the ceremony; `units` write the new log."""

    units: Units
    clock: Clock
    origin: str
    vkey: str
    policy_text: Callable[[], str]
    """The host's policy file, for a backup from before the policy had versions."""
    destruction: Destruction = field(default_factory=Destruction)
    listed: tuple[Destroyed, ...] | None = ()
    """What the list outside tells of destructions; None where there is no list."""

    def restore(self, actor: Actor, why: str, ended: Ended) -> Restored:
        """Do all of it, or nothing.

        Raises `Conflict` if the log moved since it was examined, and `Refused` log.unavailable if its entries did.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            aside = unit.restoring.put_aside()
            if aside.note != ended.checkpoint:
                raise Conflict(
                    "concurrent.change", "The log grew meanwhile: stop the service, then try again."
                )
            self._open(unit, actor, why, ended, now)
            self._keep_policy(unit, actor, now)
            overtake_recipient(unit, actor, NOTE, now)
            leaves = signed_leaves(unit.census.leaves(aside.number), _checkpoint(ended.checkpoint))
            promoted: Promoted = {}
            keep(unit, kept_by(_noting(leaves, promoted), now), now)
            checkouts = _end_checkouts(unit, actor, now)
            reveals = _close_disclosures(unit, actor, now)
            tokens = _revoke_tokens(unit, actor, now)
            people = unit.restoring.end_sessions(now)
            links = unit.restoring.end_links()
            told = [every_session(person) for person in people]
            told += [change for before, after in links for change in changes(before, after)]
            pages = unit.releases.end_all(now)
            told += [change for before, after in pages for change in changes(before, after)]
            unit.restoring.use_up(totp.step_of(now) + 1)
            claims = unit.restoring.forget()
            destroyed = self.destruction.apply_again(unit, actor, self.listed or (), now)
            finish_given(unit, actor, unit.destructions.all(), now)
            if self.listed is None:
                unit.freezes.hold()
                put(unit, actor, Covered(FreezeKind.VAULT), UNLISTED, now)
            versions = _promote(unit, actor, promoted, now)
            done = Restored(
                number=aside.number,
                accounts=unit.accounts.count(),
                versions=versions,
                checkouts=checkouts,
                reveals=reveals,
                tokens=tokens,
                sessions=len(people),
                links=len(links) + len(pages),
                claims=claims,
                destroyed=destroyed,
                is_list_known=self.listed is not None,
            )
            self._close(unit, actor, done, told, now)
            unit.commit()
        return done

    def _open(self, unit: Unit, actor: Actor, why: str, ended: Ended, now: datetime) -> None:
        detail: dict[str, str | int | bool | None] = {
            "origin": self.origin,
            "vkey": self.vkey,
            "vault": unit.vault_id,
            "why": why,
            "previous_origin": ended.origin,
            "previous_checkpoint": ended.checkpoint,
            "previous_size": _size(ended.checkpoint),
            "previous_root": _root(ended.checkpoint),
        }
        if ended.marked is not None:
            detail |= {
                "marked_checkpoint": ended.marked,
                "marked_size": _size(ended.marked),
                "marked_root": _root(ended.marked),
            }
        unit.log.record(Event(EventType.LOG_OPENED, actor, detail=detail), now)

    def _keep_policy(self, unit: Unit, actor: Actor, now: datetime) -> None:
        """Adopt the version that was in force, so that the new log tells of it; what waited out its hold ends."""
        overtake(unit, actor, NOTE, now)
        known = unit.policies.latest(now)
        version = None if known is None else unit.policies.get(known[0])
        if version is not None and not version.is_whole:
            words = f"The text of version {version.number} of the policy is not the one agreed to. Take another backup."
            raise Refused("policy.unproven", words)
        adopt(unit, actor, self.policy_text() if version is None else version.text, now)

    def _close(self, unit: Unit, actor: Actor, done: Restored, told: list[Change], now: datetime) -> None:
        """Tell of what has no entries of its own, and last of the counts."""
        pieces = [tuple(piece) for piece in _pieces(told)]
        for piece in pieces[:-1]:
            detail: dict[str, str | int | bool | None] = {"complete": False}
            unit.log.record(Event(EventType.VAULT_RESTORED, actor, changes=piece, detail=detail), now)
        detail = {name: getattr(done, name) for name in Restored.__slots__ if name != "number"}
        detail |= {"complete": True, "kept_as": done.number}
        last = pieces[-1] if pieces else ()
        unit.log.record(Event(EventType.VAULT_RESTORED, actor, changes=last, detail=detail), now)


def _end_checkouts(unit: Unit, actor: Actor, now: datetime) -> int:
    """End every open checkout, with what follows for parts and rotations."""
    ended = 0
    wanted = CheckoutFilter(states=OPEN)
    while found := unit.checkouts.page(Reach(everything=True), wanted, Slice(_PAGE)).items:
        for checkout in found:
            event = overdue(checkout, now) or CheckoutEvent.REVOKED
            end(unit, checkout, event, now, actor, NOTE)
        ended += len(found)
    return ended


def _close_disclosures(unit: Unit, actor: Actor, now: datetime) -> int:
    """Close every disclosure without outcome as unknown."""
    closed = 0
    # also those that a clock dated ahead
    while found := unit.reveals.unfinished(now + EVER, _PAGE):
        for reveal in found:
            unit.reveals.end(reveal.id, RevealState.UNKNOWN, now)
            version = unit.versions.get(reveal.account_id, reveal.kind, reveal.version)
            event = Event(
                EventType.REVEAL_UNKNOWN,
                actor,
                Result.UNKNOWN,
                account_id=reveal.account_id,
                checkout_id=reveal.checkout_id,
                secret=None if version is None else SecretRef.of(version),
                changes=changes(reveal, replace(reveal, state=RevealState.UNKNOWN)),
                detail={"reveal": reveal.id, "purpose": reveal.purpose},
            )
            unit.log.record(event, now)
        closed += len(found)
    return closed


def _revoke_tokens(unit: Unit, actor: Actor, now: datetime) -> int:
    """Revoke every token that is not revoked."""
    revoked = 0
    cursor: str | None = None
    while True:
        page = unit.tokens.page(None, Slice(_PAGE, cursor))
        for token in page.items:
            if token.revoked_at is None:
                gone = replace(token, revoked_at=now)
                unit.tokens.update(gone)
                detail = {"token": token.id, "name": token.name, "of": token.person_id or "machine"}
                told = changes(token, gone)
                unit.log.record(Event(EventType.TOKEN_REVOKED, actor, changes=told, detail=detail), now)
                revoked += 1
        if page.next is None:
            return revoked
        cursor = page.next


def _noting(leaves: Iterable[tuple[int, bytes]], promoted: Promoted) -> Iterator[tuple[int, bytes]]:
    """Hand leaves on, and note which version of each part the log promoted last."""
    for index, leaf in leaves:
        if _PROMOTED in leaf:  # most leaves are not even parsed
            content = json.loads(leaf)
            if content["type"] == EventType.SECRET_PROMOTED:
                secret = content["secret"]
                place = (str(content["account"]["id"]), str(secret["kind"]))
                promoted[place] = (int(secret["version"]), str(secret["ciphertext_sha256"]))
        yield index, leaf


def _promote(unit: Unit, actor: Actor, told: Promoted, now: datetime) -> int:
    """Promote every current version in the new log, so that it opens, and mark it as unchecked.

    Raises `Refused` envelope.not_current where the rows call another version current than the old log promoted last:
    promoted anew, a value that was put back would be the log's own word.
    """
    promoted = 0
    for version in unit.versions.each():
        if version.label is not VersionLabel.CURRENT:
            continue
        if told.get((version.account_id, version.kind)) != (version.number, version.sha256):
            words = (
                f"In this backup, version {version.number} of the {version.kind} of {version.account_id} is current,"
                " and its log promoted another one: a row was changed. Nothing was done; take another backup."
            )
            raise Refused("envelope.not_current", words, account=version.account_id)
        event = Event(
            EventType.SECRET_PROMOTED,
            actor,
            account_id=version.account_id,
            secret=SecretRef.of(version),
            changes=changes(version, replace(version, restored_at=now)),
            detail={"restored": True},
        )
        unit.log.record(event, now)
        promoted += 1
    unit.restoring.mark_unchecked(now)
    return promoted


def _pieces(told: list[Change]) -> Iterator[list[Change]]:
    iterator = iter(told)
    while piece := list(islice(iterator, CHANGES_AN_ENTRY)):
        yield piece


def _checkpoint(note: str) -> Checkpoint:
    """Read a note whose signature was checked before."""
    return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")


def _size(note: str) -> int:
    return int(note.split("\n")[1])


def _root(note: str) -> str:
    return note.split("\n")[2]
