"""Members without root credentials by REST and in the terminal, from the look to the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.central_root import MEMBER, asking_aws, hold_member
from vault.cli import keyless as commands
from vault.domain.actor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws_cloud import AwsCloud
    from tests.web.api.service import Caller, Service

WHY = "nobody signs in as root of this member any more"
HERE = f"/accounts/{MEMBER}/keyless"


@pytest.fixture
def aws(quick: Service) -> Iterator[AwsCloud]:
    """Let the served vault ask an Organization, with two people who decide and one who does not."""
    with asking_aws(quick.world) as cloud:
        hold_member(quick.world)
        for name, role in (("carla", Role.CUSTODIAN), ("ada", Role.APPROVER), ("sam", Role.CSM)):
            quick.caller(name, role)
        yield cloud


def test_from_the_look_to_no_credentials(quick: Service, aws: AwsCloud) -> None:
    carla, ada, sam = (quick.callers[name] for name in ("carla", "ada", "sam"))
    (listed,) = sam.get("/keyless?state=better").json["items"]
    assert (listed["account_id"], listed["state"], listed["found"], listed["is_better"]) == (
        MEMBER,
        None,
        None,
        True,
    )
    assert sam.post(f"{HERE}/look", {}).code == "policy.denied"
    early = carla.post(
        f"{HERE}/proposal", {"act": "remove", "why": WHY, "otp": quick.world.people["carla"].otp()}
    )
    assert (early.status, early.code) == (409, "keyless.state")
    first = carla.post(f"{HERE}/look", {}, key="look-once")
    repeat = carla.post(f"{HERE}/look", {}, key="look-once")
    assert (first.status, first.json["found"]["password"], repeat.json) == (200, True, first.json)
    assert len([each for each in aws.asked() if each == "sts:AssumeRoot"]) == 1
    made = carla.did(
        f"{HERE}/proposal",
        {"act": "remove", "why": WHY, "otp": quick.world.people["carla"].otp()},
        status=201,
    )
    assert (made["kind"], json.loads(made["content"])["mfa devices"]) == (
        "keyless",
        f"arn:aws:iam::{MEMBER}:mfa/rv-1",
    )
    assert carla.post(f"{HERE}/carry-out", {}).code == "proposal.state"
    ada.did(
        f"/proposals/{made['id']}/confirm",
        {"otp": quick.world.people["ada"].otp(), "content_hash": made["content_hash"]},
    )
    aws.fail_next("DeactivateMFADevice", "ServiceFailure")
    stopped = carla.post(f"{HERE}/carry-out", {})
    assert (stopped.status, stopped.code) == (503, "keyless.unavailable")
    assert sam.get(HERE).json["state"] == "removing"
    done = ada.did(f"{HERE}/carry-out", {})
    assert (done["state"], done["custody"], done["is_better"]) == ("gone", "keyless", False)
    assert sam.get("/keyless?state=gone").json["items"] == [done]
    assert ada.get(f"/accounts/{MEMBER}").json["state"] == "keyless"


def test_the_same_in_the_terminal(quick: Service, aws: AwsCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    class Api:
        """A terminal's connection that asks the served vault in this process."""

        def __init__(self, caller: Caller) -> None:
            self.caller = caller

        def get(self, path: str, **query: Any) -> Any:
            asked = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
            return self.caller.get(f"{path}?{asked}" if asked else path).json

        def post(self, path: str, body: Any) -> Any:
            return self.caller.post(path, body).json

    carla, ada = quick.callers["carla"], quick.callers["ada"]
    monkeypatch.setattr(commands, "connect", lambda: Api(carla))
    monkeypatch.setattr(
        commands,
        "post_with_factor",
        lambda api, path, body, **_: api.post(path, {**body, "otp": quick.world.people["carla"].otp()}),
    )

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands.keyless, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def read(*words: str) -> Any:
        printed = run(*words)
        return json.loads(printed[printed.index("{\n") :])

    assert MEMBER in run()
    assert "password, MFA" in run("look", MEMBER)
    made = read("propose", MEMBER, "remove", "--why", WHY, "--json")
    assert "password, MFA" in run("show", MEMBER)
    ada.did(f"/proposals/{made['id']}/confirm", {"otp": quick.world.people["ada"].otp()})
    assert read("carry-out", MEMBER, "--json")["state"] == "gone"
    assert "nothing" in run("list", "--state", "gone")
    assert "waits for another person" in run(
        "propose", MEMBER, "allow", "--why", "the customer wants its root back"
    )
