"""Rotations that wait for their proof: listed by REST and in a terminal, counted, and told how they ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, generate_latest

from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, Desk
from tests.support.trails import found_at, root
from tests.web.api.service import Service
from vault.cli import rotations as command
from vault.cli.client import Api
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome, Rotation
from vault.web.proof_numbers import ProofNumbers

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@pytest.fixture
def accepted(quick: Service, tmp_path: Path) -> tuple[Rotation, datetime]:
    """Rotate a password to acceptance; give the rotation and when AWS took the value."""
    desk = Desk(quick.world, AwsConsole(tmp_path / "aws.json")).held()
    lease = desk.lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.PASSWORD)
    desk.show(desk.alice, rotation)
    at = quick.world.clock.now()
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    desk.check_in(desk.alice, lease)
    return rotation, at


def test_they_are_listed_with_their_age_within_ones_scope(
    quick: Service, accepted: tuple[Rotation, datetime]
) -> None:
    rotation, _ = accepted
    reader = quick.caller("cora", Role.CSM)
    (item,) = reader.did("/rotations?state=unverified", method="GET")["items"]
    assert (item["id"], item["state"], item["account_name"]) == (rotation.id, "accepted", f"account {NUMBER}")
    assert (item["waiting_seconds"], item["overdue"], item["evidence"]) == (0, False, None)
    assert reader.did("/rotations?overdue=true", method="GET")["items"] == []
    quick.world.clock.advance(days=8)
    (late,) = reader.did(f"/rotations?overdue=true&part=password&account_id={NUMBER}", method="GET")["items"]
    assert (late["waiting_seconds"], late["overdue"]) == (8 * 86_400, True)
    assert reader.did("/rotations?part=mfa", method="GET")["items"] == []
    other = quick.caller("olaf", Role.CSM, Scope(ScopeKind.ACCOUNT, "999999999999"))
    assert other.did("/rotations", method="GET")["items"] == []
    assert reader.get("/rotations?state=verified").status == 422
    assert reader.get("/rotations?cursor=nonsense").code == "cursor.invalid"


def test_the_numbers_tell_how_many_wait_and_for_how_long(
    quick: Service, accepted: tuple[Rotation, datetime]
) -> None:
    assert accepted
    registry = CollectorRegistry()
    registry.register(ProofNumbers(quick.world.vault))
    quick.world.clock.advance(days=8)
    assert quick.world.vault.proving.once().overdue == 1
    told = generate_latest(registry).decode()
    assert "rootvault_rotations_unverified 1.0" in told
    assert "rootvault_rotations_unverified_overdue 1.0" in told
    assert f"rootvault_rotations_unverified_oldest_seconds {float(8 * 86_400)}" in told


def test_what_proved_it_is_told_with_source_event_and_time(
    quick: Service, accepted: tuple[Rotation, datetime], tmp_path: Path
) -> None:
    rotation, at = accepted
    record = root(NUMBER, at, "PasswordUpdated")
    found_at(quick.world.vault, tmp_path / "trail", [record], at)
    quick.world.clock.advance(minutes=20)
    assert quick.world.vault.proving.once().verified == 1
    reader = quick.caller("cora", Role.CSM)
    found = reader.did(f"/rotations/{rotation.id}", method="GET")
    assert (found["state"], found["evidence"]) == ("verified", "aws_record")
    for words in ("CloudTrail", "PasswordUpdated", f"{at:%Y-%m-%d %H:%M:%S}", record["eventID"]):
        assert words in found["evidence_note"]
    assert reader.did("/rotations", method="GET")["items"] == []


def test_the_command_lists_them(
    quick: Service, accepted: tuple[Rotation, datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation, _ = accepted
    reader = quick.caller("cora", Role.CSM)

    class Direct(Api):
        """The command line's client, without a network."""

        def __init__(self) -> None:
            """Need no address."""

        def _call(self, method: str, path: str, body: Any, **_: Any) -> Any:
            return reader.did(path, body, method=method)

    monkeypatch.setattr(command, "connect", Direct)
    shown = CliRunner().invoke(command.rotations, ["--part", "password"])
    assert shown.exit_code == 0, shown.output
    assert rotation.id in shown.output
    assert "less than a day" in shown.output
    quick.world.clock.advance(days=8)
    shown = CliRunner().invoke(command.rotations, ["--overdue", "--account", NUMBER])
    assert "8 days, too long" in shown.output
    as_json = CliRunner().invoke(command.rotations, ["--json"])
    assert json.loads(as_json.stdout[as_json.stdout.index("{") :])["items"][0]["id"] == rotation.id
