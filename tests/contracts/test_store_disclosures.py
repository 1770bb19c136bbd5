"""The store's contract: disclosures and rotations, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.support.builders import HOUR, NOW, NUMBER, checkout, reveal, rotation, stand, version
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.rotation import UNSETTLED, Evidence, RotationState
from vault.errors import Conflict, VaultError
from vault.ports.records import RevealPurpose, RevealState

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits
    from vault.domain.checkout import Checkout
    from vault.domain.credential import Version
    from vault.ports.store import Unit

PASSWORD, MFA = PartKind.PASSWORD, PartKind.MFA
SHOWN: dict[str, Any] = {"displayed_by": "olga", "displayed_at": NOW}
ATTESTED: dict[str, Any] = SHOWN | {"attested_by": "olga", "attested_at": NOW}


def leased(unit: Unit) -> tuple[Checkout, Version]:
    made = stand(unit)
    asked, shown = checkout(made.person.id), version(label=VersionLabel.CURRENT, current_since=NOW)
    unit.checkouts.add(asked)
    unit.versions.add(shown)
    return asked, shown


def test_a_disclosure_gets_one_outcome(units: SqlUnits) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        first = reveal(asked, shown)
        second = reveal(asked, shown, purpose=RevealPurpose.DISPLAY, authorized_at=NOW + HOUR)
        unit.reveals.add(second)
        unit.reveals.add(first)
        assert unit.reveals.of_checkout(asked.id) == (first, second)
        assert unit.reveals.end(first.id, RevealState.RELEASED, NOW + HOUR)
        assert not unit.reveals.end(first.id, RevealState.UNKNOWN, NOW + HOUR)
        assert not unit.reveals.end("nothing", RevealState.UNKNOWN, NOW + HOUR)
        released = replace(first, state=RevealState.RELEASED, ended_at=NOW + HOUR)
        assert unit.reveals.of_checkout(asked.id) == (released, second)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("UPDATE reveal SET state = 'failed'", "reveal_outcome_once"),
        ("UPDATE reveal SET state = 'authorized', ended_at = NULL", "reveal_outcome_once"),
        ("UPDATE reveal SET person_id = 'someone'", "reveal_fixed"),
        ("DELETE FROM reveal", "reveal_kept"),
    ],
)
def test_an_outcome_stays(units: SqlUnits, change: str, rule: str) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        done = reveal(asked, shown)
        unit.reveals.add(done)
        unit.reveals.end(done.id, RevealState.RELEASED, NOW)
        with pytest.raises(VaultError) as refused:
            unit.reveals.db.change(text(change))
    assert refused.value.facts["rule"] in {rule, "reveal_outcome_once"}


def test_disclosures_without_outcome_are_found(units: SqlUnits) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        kept = [reveal(asked, shown, authorized_at=NOW + timedelta(minutes=number)) for number in range(4)]
        for each in kept:
            unit.reveals.add(each)
        unit.reveals.end(kept[1].id, RevealState.FAILED, NOW)
        assert unit.reveals.unfinished(NOW, 10) == ()
        assert unit.reveals.unfinished(NOW + timedelta(minutes=3), 10) == (kept[0], kept[2])
        assert unit.reveals.unfinished(NOW + HOUR, 1) == (kept[0],)


@pytest.mark.parametrize(
    ("state", "knows"),
    [
        (RevealState.AUTHORIZED, True),
        (RevealState.RELEASED, True),
        (RevealState.UNKNOWN, True),
        (RevealState.FAILED, False),
    ],
)
def test_who_may_have_seen_a_version_knows_it(units: SqlUnits, state: RevealState, knows: bool) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        ended = None if state is RevealState.AUTHORIZED else NOW
        unit.reveals.add(reveal(asked, shown, state=state, ended_at=ended))
        assert unit.reveals.knows(asked.requester_id, NUMBER, PASSWORD, 1) is knows
        assert not unit.reveals.knows(asked.requester_id, NUMBER, PASSWORD, 2)
        assert not unit.reveals.knows(asked.requester_id, NUMBER, MFA, 1)
        assert not unit.reveals.knows("someone", NUMBER, PASSWORD, 1)


def test_a_rotation_comes_back_with_all_that_happened(units: SqlUnits) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        planned = rotation(asked, shown, recovering=True)
        unit.rotations.add(planned)
        assert unit.rotations.get(planned.id) == planned
        verified = replace(
            planned,
            state=RotationState.VERIFIED,
            **ATTESTED,
            attested_in=asked.id,
            verified_by="pat",
            verified_at=NOW,
            evidence=Evidence.SECOND_PERSON,
            evidence_note="seen",
        )
        unit.rotations.update(verified)
        assert unit.rotations.get(planned.id) == verified
        assert unit.rotations.get("nothing") is None
        with pytest.raises(Conflict):
            unit.rotations.update(rotation(asked, shown))


@pytest.mark.parametrize("state", sorted(UNSETTLED))
def test_a_part_has_one_unsettled_rotation(units: SqlUnits, state: RotationState) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        seed = version(kind=MFA)
        unit.versions.add(seed)
        first, other = rotation(asked, shown, state=state, **SHOWN), rotation(asked, seed)
        unit.rotations.add(first)
        unit.rotations.add(other)
        assert set(unit.rotations.unsettled(NUMBER)) == {first, other}
        with pytest.raises(Conflict) as refused:
            unit.rotations.add(rotation(asked, shown))
    assert refused.value.code == "rotation.conflict"


def test_settled_rotations_are_listed_newest_first(units: SqlUnits) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        kept = [
            rotation(asked, shown, state=state, planned_at=NOW + timedelta(minutes=number), **ATTESTED)
            for number, state in enumerate(
                (
                    RotationState.ACCEPTED,
                    RotationState.REFUSED,
                    RotationState.ACCEPTED,
                    RotationState.ABANDONED,
                )
            )
        ]
        for each in kept:
            unit.rotations.add(each)
        assert unit.rotations.of_account(NUMBER, 3) == tuple(reversed(kept))[:3]
        assert unit.rotations.unverified(NUMBER, PASSWORD) == (kept[2], kept[0])
        assert unit.rotations.unverified(NUMBER, MFA) == ()
        assert unit.rotations.unverified_of((NUMBER, "999999999999")) == {(NUMBER, PASSWORD)}
        assert unit.rotations.unsettled(NUMBER) == ()


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"state": RotationState.DISPLAYED}, "rotation_displayed_first"),
        ({"state": RotationState.ACCEPTED} | SHOWN, "rotation_attested_first"),
        ({"state": RotationState.VERIFIED} | ATTESTED, "rotation_verified_by_evidence"),
    ],
)
def test_the_database_refuses_steps_that_did_not_happen(
    units: SqlUnits, facts: dict[str, Any], rule: str
) -> None:
    with units.write() as unit:
        asked, shown = leased(unit)
        with pytest.raises(VaultError) as refused:
            unit.rotations.add(rotation(asked, shown, **facts))
    assert refused.value.facts == {"rule": rule}
