"""What follows when a rotation is proven, whoever or whatever proved it.

Decided here: a proof of a version is one of every version before it, which AWS holds no more; what came before is
retired. The caller holds the account's row.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vault.domain.credential import VERSION, VersionEvent, VersionLabel
from vault.domain.event import Change, Event, EventType
from vault.domain.rotation import ROTATION, Evidence, Rotation, RotationEvent
from vault.domain.told import changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.credential import Version
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class Proven:
    """What proves a rotation: the kind of evidence, the same in words, and what an entry tells of it beside that."""

    evidence: Evidence
    note: str
    detail: Mapping[str, str] = field(default_factory=dict)


def verify(unit: Unit, actor: Actor, rotation: Rotation, proven: Proven, now: datetime) -> Rotation | None:
    """Write that a rotation, and those before it that wait, are verified; None where it does not wait any more."""
    done: Rotation | None = None
    for each in unit.rotations.unverified(rotation.account_id, rotation.kind):
        if each.version <= rotation.version:
            settled = _verified(unit, actor, each, proven, now)
            done = settled if each.id == rotation.id else done
    return done


def relabelled(unit: Unit, version: Version, event: VersionEvent) -> tuple[Change, ...]:
    """Move a version's label, and say what changed."""
    label = VERSION.transitions[version.label, event]
    unit.versions.relabel(version, label)
    return changes(version, replace(version, label=label))


def _verified(unit: Unit, actor: Actor, rotation: Rotation, proven: Proven, now: datetime) -> Rotation:
    done = replace(
        rotation,
        state=ROTATION.transitions[rotation.state, RotationEvent.VERIFIED],
        verified_by=actor.id,
        verified_at=now,
        evidence=proven.evidence,
        evidence_note=proven.note,
    )
    unit.rotations.update(done)
    told = changes(rotation, done)
    for version in unit.versions.of(rotation.account_id, rotation.kind):
        if version.label is VersionLabel.PREVIOUS and version.number < rotation.version:
            told += relabelled(unit, version, VersionEvent.PROVEN_DEAD)
    unit.log.record(
        Event(
            EventType.ROTATION_VERIFIED,
            actor,
            account_id=rotation.account_id,
            checkout_id=rotation.attested_in or rotation.checkout_id,
            changes=told,
            detail={
                "rotation": rotation.id,
                "evidence": proven.evidence,
                "note": proven.note,
                **proven.detail,
            },
            subject=f"rotation:{rotation.id}",
        ),
        now,
    )
    return done
