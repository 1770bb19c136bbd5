"""The walk by REST and in a terminal: both parts in one go, against a simulated AWS console."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, Desk
from vault.cli import rotate as command
from vault.cli.client import Api
from vault.cli.exits import Failure
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.api.service import Service


@pytest.fixture
def desk(quick: Service, tmp_path: Path) -> Desk:
    """Begin with an account in custody, and Alice with its lease."""
    return Desk(quick.world, AwsConsole(tmp_path / "aws.json")).held()


@pytest.fixture
def terminal(quick: Service, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Give a terminal of Alice's, whose calls reach the application without a network."""
    alice = quick.caller("alice", Role.OPERATOR)

    class Direct(Api):
        """The command line's client, without a network."""

        def __init__(self) -> None:
            """Need no address."""

        def _call(self, method: str, path: str, body: Any, **_: Any) -> Any:
            answer = alice.call(method, path, body)
            if answer.status >= 300:
                raise Failure(answer.code, answer.json["detail"], exit_status=1, problem=answer.json)
            return answer.json

    monkeypatch.setattr(command, "connect", Direct)
    return CliRunner()


def test_both_are_rotated_in_a_terminal(quick: Service, desk: Desk, terminal: CliRunner) -> None:
    lease = desk.lease(desk.alice)
    seed = desk.console.offer_seed()
    given = f"c\n{quick.otp('alice')}\n\n{seed}\naccepted\n\ny\n\naccepted\nn\n"
    done = terminal.invoke(command.rotate, [lease.id, "--both", "--show", "--json"], input=given)
    assert done.exit_code == 0, done.output
    walk = json.loads(done.stdout[done.stdout.index("{") :])
    stands = {each["act"]: (each["stand"], each["version"]) for each in walk["steps"]}
    assert (stands["codes"], stands["set"], stands["remove"][0]) == (("done", 2), ("done", 2), "done")
    assert walk["checked_in"] is False
    assert [device["old"] for device in walk["devices"]] == [False, False]
    for words in ("Step 1 of 7: Sign in as root", "Name it rv-2", "“Add MFA” in", "Press “Add MFA” now."):
        assert words in done.stderr
    # no value but what was asked to be shown, and the seed never
    assert seed not in done.output
    # begun again, nothing but the sign-in with the new device is left
    rest = terminal.invoke(command.rotate, [lease.id, "--both"], input="\ny\n")
    assert rest.exit_code == 0, rest.output
    assert "Step 4 of 7: Sign in with the new device" in rest.stderr
    assert quick.world.vault.views.checkout(desk.alice.actor, lease.id).checkout.ended_at is not None


def test_somebody_elses_unknown_outcome_is_found_out_first(desk: Desk, terminal: CliRunner) -> None:
    lease = desk.lease(desk.bob)
    rotation = desk.plan(desk.bob, lease)
    new = desk.show(desk.bob, rotation)
    desk.check_in(desk.bob, lease)
    lease = desk.lease(desk.alice)
    code = desk.alice.otp()
    done = terminal.invoke(command.rotate, [lease.id, "--show"], input=f"n\n{code}\n\nnew\ny\n")
    assert done.exit_code == 0, done.output
    assert new in done.stderr
    assert "Find out which value AWS has" in done.stderr
    view = desk.vault.accounts.get(desk.alice.actor, NUMBER)
    assert view.parts[0].current is not None
    assert view.parts[0].current.number == rotation.version


def test_a_short_seed_changes_nothing_and_says_why(quick: Service, desk: Desk, terminal: CliRunner) -> None:
    lease = desk.lease(desk.alice)
    given = f"c\n{quick.otp('alice')}\n\nJBSWY3DPEHPK3PXP\n"
    done = terminal.invoke(command.rotate, [lease.id, "--part", "mfa", "--show"], input=given)
    assert isinstance(done.exception, Failure)
    assert done.exception.code == "seed.invalid"
    assert "fewer than 112 bits" in done.exception.detail
    stand = terminal.invoke(command.rotate, [lease.id, "--part", "mfa", "--steps"])
    assert "Add the new device" in stand.stdout
    assert [len(desk.labels(kind)) for kind in PartKind] == [1, 1]


def test_at_eight_devices_one_goes_first(quick: Service, desk: Desk) -> None:
    lease = desk.lease(desk.alice)
    for _ in range(7):
        rotation = desk.plan(desk.alice, lease, PartKind.MFA)
        desk.vault.rotations.display(desk.alice.actor, rotation.id)
        desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    alice = quick.caller("alice", Role.OPERATOR)
    path = f"/checkouts/{lease.id}/walk?part=mfa"
    walk = alice.did(path, method="GET")
    assert (walk["full"], len(walk["devices"]), walk["next_device"]) == (True, 8, "rv-9")
    left = alice.did(f"/accounts/{NUMBER}/devices/1/removed")
    assert (left["limit"], [each["version"] for each in left["items"] if not each["old"]]) == (8, [8, 1])
    assert alice.did(path, method="GET")["full"] is False
    assert alice.post(f"/accounts/{NUMBER}/devices/1/removed").code == "device.state"
    assert alice.post(f"/accounts/{NUMBER}/devices/8/removed").code == "device.state"
    assert alice.post(f"/accounts/{NUMBER}/devices/99/removed").code == "version.absent"
    assert alice.post(f"/accounts/{NUMBER}/devices/x/removed").status == 404
