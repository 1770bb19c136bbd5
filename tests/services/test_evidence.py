"""The evidence of one checkout: read from leaves, complete, honest about what is open and about tables that differ."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.desk import NUMBER
from tests.support.events import entries
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import Decision
from vault.domain.rotation import Outcome
from vault.errors import NotFound
from vault.services.approvals import Word

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.desk import Desk
    from tests.support.world import World
    from vault.services.evidence import Evidence
    from vault.services.evidence_told import Section


def of(world: World, checkout_id: str) -> Evidence:
    return world.vault.evidences.of_checkout(world.human("uma", Role.AUDITOR).actor, checkout_id)


def section(evidence: Evidence, name: str) -> Section:
    return next(each for each in evidence.sections if each.name == name)


def told(evidence: Evidence, name: str) -> list[str]:
    return [line.leaf.type for line in section(evidence, name).lines]


def test_a_whole_use_of_root_is_told_with_the_entry_of_each_line(desk: Desk) -> None:
    desk.held()
    desk.rotate(desk.alice, lease := desk.lease(desk.alice))
    desk.check_in(desk.alice, lease)
    desk.vault.attestations.verify(
        desk.bob.actor, desk.vault.views.checkout(desk.bob.actor, lease.id).rotations[0].id, "x"
    )
    used = desk.lease(desk.alice, "BILL_ROOT")
    desk.reveal(desk.alice, used)
    desk.vault.reveals.code(desk.alice.actor, used.id)
    desk.check_in(desk.alice, used)
    evidence = of(desk.world, used.id)
    assert told(evidence, "asked") == ["checkout.requested"]
    assert told(evidence, "factors") == ["checkout.granted", "stepup.passed"]
    assert told(evidence, "disclosures") == ["secret.reveal.authorized", "secret.reveal.released"] * 2
    assert told(evidence, "end") == ["checkout.returned"]
    assert evidence.state == "checked_in"
    facts = dict(section(evidence, "asked").lines[0].facts)
    assert facts["ticket"] == "T-1001"
    assert facts["sentence"] == "a task for this test"
    assert len(facts["policy version"]) == 64
    assert facts["policy rule"] == "BILL_ROOT"
    assert evidence.asked.who.ip == "192.0.2.7"
    assert evidence.disagreements == ()
    assert len(evidence.still_open) == 1
    assert "due for rotation since 2026-11-23 " in evidence.still_open[0]
    log = {entry["seq"]: entry for entry in entries(desk.world, checkout_id=used.id)}
    assert [leaf.index for leaf in evidence.leaves] == sorted(log)


def test_the_next_rotation_belongs_to_it_and_closes_it_only_when_proven(desk: Desk) -> None:
    desk.held()
    used = desk.lease(desk.alice)
    desk.reveal(desk.alice, used)
    desk.check_in(desk.alice, used)
    again = desk.lease(desk.bob)
    rotation = desk.rotate(desk.bob, again)
    desk.check_in(desk.bob, again)
    evidence = of(desk.world, used.id)
    assert told(evidence, "after") == ["rotation.planned", "rotation.displayed", "rotation.accepted"]
    assert evidence.still_open == ("The next password was accepted by AWS, and nobody has verified it yet.",)
    desk.vault.attestations.verify(desk.alice.actor, rotation.id, "signed in with it")
    evidence = of(desk.world, used.id)
    assert told(evidence, "after")[-1] == "rotation.verified"
    line = section(evidence, "after").lines[-1]
    assert line.leaf.who.name == "alice"
    assert dict(line.facts)["note"] == "signed in with it"
    assert evidence.still_open == ()


def test_a_rotation_whose_outcome_nobody_knows_is_open_until_somebody_settles_it_elsewhere(
    desk: Desk,
) -> None:
    desk.held()
    first = desk.lease(desk.alice)
    rotation = desk.plan(desk.alice, first)
    desk.console.reset_password(desk.show(desk.alice, rotation))
    desk.attest(desk.alice, rotation, Outcome.UNKNOWN)
    desk.check_in(desk.alice, first)
    (open_,) = of(desk.world, first.id).still_open
    assert "Whether AWS took the password, version 2, is not known" in open_
    again = desk.lease(desk.bob)
    desk.attest(desk.bob, rotation, Outcome.ACCEPTED)
    desk.check_in(desk.bob, again)
    evidence = of(desk.world, first.id)
    assert (
        "The password, version 2, was accepted by AWS, and nobody has verified it" in evidence.still_open[0]
    )
    assert told(evidence, "after") == ["rotation.accepted"]
    desk.vault.attestations.verify(desk.world.human("cleo", Role.OPERATOR).actor, rotation.id, "signed in")
    evidence = of(desk.world, first.id)
    assert evidence.still_open == ()
    assert told(evidence, "after") == ["rotation.accepted", "rotation.verified"]


def test_a_value_that_was_set_is_open_until_proven_and_then_never_called_replaced(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    planned = desk.plan(desk.alice, lease)
    assert "was sealed and shown to nobody" in of(desk.world, lease.id).still_open[-1]
    desk.console.reset_password(desk.show(desk.alice, planned))
    assert "nobody has said whether AWS took it" in of(desk.world, lease.id).still_open[-1]
    desk.attest(desk.alice, planned, Outcome.ACCEPTED)
    desk.check_in(desk.alice, lease)
    (open_,) = of(desk.world, lease.id).still_open
    assert open_.startswith(
        "The password, version 2, was accepted by AWS, and nobody has verified it yet (since "
    )
    desk.vault.attestations.verify(desk.bob.actor, planned.id, "signed in with it")
    evidence = of(desk.world, lease.id)
    assert evidence.still_open == ()
    shown, verified = evidence.values
    assert shown.startswith("Password, version 2: alice was shown it, to set it at AWS (entry ")
    assert shown.endswith("It is the current value.")
    assert "bob verified it, by signing in with it or seeing it work" in verified
    again = desk.lease(desk.bob)
    later = desk.rotate(desk.bob, again)
    desk.vault.attestations.verify(desk.alice.actor, later.id, "signed in with it")
    assert "A later value was verified: it opens nothing any more." in of(desk.world, lease.id).values[0]


def test_every_part_tells_its_entries_in_the_logs_own_order(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    evidence = of(desk.world, lease.id)
    for each in evidence.sections:
        indexes = [line.leaf.index for line in each.lines]
        assert indexes == sorted(indexes), each.name
    granted, passed = section(evidence, "factors").lines
    assert f"the second factor of entry {passed.leaf.index}," in dict(granted.facts)["rests on"]


def test_an_approval_is_told_with_what_its_giver_saw(world: World) -> None:
    world.held()
    alice, pat = world.human("alice", Role.OPERATOR), world.human("pat", Role.APPROVER)
    checkout = world.ask(alice, reason="INCIDENT")
    world.vault.approvals.decide(pat.actor, checkout.id, Word(Decision.APPROVE, "seen it", 600), pat.otp())
    line = section(of(world, checkout.id), "approvals").lines[0]
    facts = dict(line.facts)
    assert (line.leaf.who.name, line.leaf.who.mfa) == ("pat", "totp")
    assert facts["comment"] == "seen it"
    assert facts["content seen"] == "the content that was asked for"
    assert facts["seconds allowed"] == "600"


def test_tables_that_tell_another_story_are_named(world: World) -> None:
    world.held()
    lease = world.lease(world.human("alice", Role.OPERATOR), reason="CRED_ROTATE")
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    with engine.begin() as connection:
        connection.execute(text("UPDATE checkout SET state = 'checked_in' WHERE id = :id"), {"id": lease.id})
    evidence = of(world, lease.id)
    assert evidence.state == "active"
    assert evidence.disagreements == ("state: the table has checked_in, the log active",)


def test_the_file_checks_offline_and_leaves_an_entry(world: World, tmp_path: Path) -> None:
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, reason="CRED_ROTATE")
    world.vault.reveals.password(alice.actor, lease.id)
    file = io.BytesIO()
    uma = world.human("uma", Role.AUDITOR).actor
    world.vault.evidences.file(uma, lease.id, file)
    assert entries(world, checkout_id=lease.id)[-1]["type"] == "audit.exported"
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        tar.extractall(tmp_path, filter="data")
    place = tmp_path / f"evidence-{lease.id}"
    written = json.loads((place / "evidence.json").read_text())
    assert written["account"] == NUMBER
    named = {line["index"] for section in written["sections"] for line in section["lines"]}
    leaves = sorted(place.glob("entry-*.json"))
    assert {int(leaf.stem.partition("-")[2]) for leaf in leaves} == named
    for leaf in leaves:
        proof = leaf.with_suffix(".tlog-proof")
        command = [
            sys.executable,
            "-m",
            "audit",
            "receipt",
            str(proof),
            "--leaf",
            str(leaf),
            "--key",
            world.vault.vkey,
        ]
        assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_others_evidence_is_as_absent_as_none(world: World) -> None:
    account = world.held()
    lease = world.lease(world.human("alice", Role.OPERATOR), reason="CRED_ROTATE")
    mine = world.human("sue", Role.AUDITOR, Scope(ScopeKind.CUSTOMER, account.customer_id)).actor
    other = world.human("eve", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, "999999999999")).actor
    assert world.vault.evidences.of_checkout(mine, lease.id).account_id == NUMBER
    for name in (lease.id, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound):
            world.vault.evidences.of_checkout(other, name)
