"""The recovery identity in shares, as an operator makes it; receipts of what was opened with it; whom keys are for."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from tests.support.desk import NUMBER, PASSWORD, SEED
from tests.support.events import entries
from tests.support.mailbox import came, reset, with_mailbox
from vault.cli import keys as people
from vault.cli.admin import recovery as host
from vault.cli.admin.recovery import recovery
from vault.cli.exits import Failure
from vault.crypto.recovery import new_recipient
from vault.domain.actor import Role, system_actor
from vault.domain.credential import Due, PartKind
from vault.domain.event import EventType
from vault.errors import Invalid, Refused
from vault.services.knowledge_told import How
from vault.services.receipts import FORMAT, Receipts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.world import World

SECOND: Final = "444455556666"


def test_a_new_identity_goes_into_five_private_files_and_three_of_them_check(tmp_path: Path) -> None:
    into = tmp_path / "shares"
    made = CliRunner().invoke(recovery, ["new", "--into", str(into), "--json"])
    assert made.exit_code == 0, made.output
    told = json.loads(made.output)
    assert [len(told["files"]), told["needed"]] == [5, 3]
    words = {file.read_text("utf-8") for file in into.iterdir()}
    assert len(words) == 5
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in into.iterdir())
    shares = [argument for file in told["files"][1:4] for argument in ("--share", file)]
    checked = CliRunner().invoke(recovery, ["check", *shares, "--json"])
    assert json.loads(checked.output) == {"recipient": told["recipient"]}
    again = CliRunner().invoke(recovery, ["new", "--into", str(into)])
    assert isinstance(again.exception, Refused)
    for wrong in ([], ["--show"], ["--show", "--into", str(into)]):
        assert isinstance(CliRunner().invoke(recovery, ["new", *wrong]).exception, Refused)


def test_shares_are_shown_one_at_a_time_to_somebody_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    made = new_recipient()
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(host, "new_recipient", lambda: made)
    monkeypatch.setattr(host, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    shown = CliRunner().invoke(recovery, ["new", "--show"], input="\n" * 5)
    assert shown.exit_code == 0, shown.output
    screens = shown.output.split("Press Enter")
    assert len(screens) == 6
    for screen, share in zip(screens, made.shares, strict=False):
        found = re.findall(r"(\d+) ([a-z]+)", screen.partition("write it down.")[2])
        assert [word for _, word in found] == share.expose().split()
    assert made.recipient in screens[-1]


# --- the receipt


def receipt(world: World) -> dict[str, Any]:
    """Write what `rootvault recover` writes, of both parts of an account; two lines are of what is not here."""
    world.held(NUMBER, PASSWORD, SEED)
    with world.vault.units.read() as unit:
        mine = unit.vault_id
        versions = {kind: unit.versions.current(NUMBER, kind) for kind in PartKind}
    opened: list[dict[str, Any]] = [
        {"account": NUMBER, "kind": kind, "version": 1, "sha256": version.sha256}
        for kind, version in versions.items()
        if version is not None
    ]
    opened += [{"account": SECOND, "kind": "mfa", "version": 1, "sha256": "0" * 64}]
    opened += [{"account": NUMBER, "kind": "password", "version": 9, "sha256": "0" * 64}]
    return {
        "format": FORMAT,
        "vault": mine,
        "by": ["Ada", "Bob"],
        "why": "both keys are gone",
        "opened": opened,
    }


def test_what_was_opened_offline_is_due_once_the_receipt_is_entered(quick_world: World) -> None:
    facts = receipt(quick_world)
    house = with_mailbox(quick_world)
    mails = [came(house, reset()), came(house, reset(), "nobody@msp.example")]
    facts["mails"] = [{"account": each.account_id, "mail": each.id, "sha256": each.sha256} for each in mails]
    receipts = Receipts(quick_world.vault.units, quick_world.clock)
    done = receipts.enter(system_actor("host"), json.dumps(facts))
    assert (done.versions, done.gone, done.known, done.mails) == (2, 2, 0, 2)
    read = entries(quick_world, type=EventType.MAIL_RECOVERED)
    assert {each["detail"]["mail"] for each in read} == {each.id for each in mails}
    olga = quick_world.human("oscar", Role.OPERATOR)
    view = quick_world.vault.accounts.get(olga.actor, NUMBER)
    assert all(Due.DISCLOSED in part.due for part in view.parts)
    told = entries(quick_world, type=EventType.CREDENTIAL_RECOVERED)
    assert [entry["detail"]["by"] for entry in told] == ["Ada, Bob"] * 2
    uma = quick_world.human("uma", Role.AUDITOR)
    known = quick_world.vault.knowledge.of_account(uma.actor, NUMBER).knowers
    told_by = {(each.kind, each.who_name) for each in known if each.how is How.RECOVERED}
    assert told_by == {("password", "Ada, Bob"), ("mfa", "Ada, Bob")}
    again = receipts.enter(system_actor("host"), json.dumps(facts))
    assert (again.versions, again.known, again.mails) == (0, 2, 0)
    assert len(entries(quick_world, type=EventType.CREDENTIAL_RECOVERED)) == 2


def test_what_is_no_receipt_of_this_vault_makes_nothing_due(quick_world: World) -> None:
    facts = receipt(quick_world)
    receipts = Receipts(quick_world.vault.units, quick_world.clock)
    wrong = (
        "no receipt",
        "[]",
        json.dumps({**facts, "format": "another"}),
        json.dumps({**facts, "vault": "x"}),
        json.dumps({**facts, "opened": [{}]}),
        json.dumps({**facts, "mails": [{}]}),
        json.dumps({**facts, "opened": [{"account": 1, "kind": "pin", "version": 1, "sha256": ""}]}),
    )
    for text in wrong:
        with pytest.raises(Invalid):
            receipts.enter(system_actor("host"), text)
    assert not entries(quick_world, type=EventType.CREDENTIAL_RECOVERED)


def test_the_command_enters_a_receipt(
    quick_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt(quick_world)), "utf-8")
    monkeypatch.setattr(host, "settings_of", lambda _config: quick_world.vault.settings)
    monkeypatch.setattr(host, "open_vault", lambda _settings: quick_world.vault)
    done = CliRunner().invoke(recovery, ["enter", str(file), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["versions"] == 2
    assert "accounts had it already" in CliRunner().invoke(recovery, ["enter", str(file)]).output


# --- for people


class Answers:
    """An API that answers what it is told to."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    def get(self, path: str) -> Mapping[str, Any]:
        """Answer."""
        assert path == "/keys/recipient"
        return self.found


def test_people_see_and_propose_the_recipient_at_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [{"recipient": "age1other", "effective_at": "2026-11-24T09:00:00Z"}]
    found = {"recipient": "", "versions": 4, "wrapped": 0, "held": held, "fault": ""}
    sent: list[object] = []

    def post(_api: object, path: str, word: object, *, wait: bool) -> Mapping[str, Any]:
        sent.append((path, word, wait))
        return {"id": "p1", "kind": "recipient", "state": "waiting"}

    monkeypatch.setattr(people, "connect", lambda: Answers(found))
    monkeypatch.setattr(people, "post_with_factor", post)
    run = CliRunner().invoke
    shown = run(people.keys, ["recipient"])
    assert "nobody" in shown.output
    assert "age1other" in shown.output
    assert json.loads(run(people.keys, ["recipient", "--json"]).output) == found
    made = run(people.keys, ["recipient", "--propose", "age1x", "--why", "so that it lasts"])
    assert "letter by letter" in made.output
    assert sent == [("/keys/recipient", {"recipient": "age1x", "why": "so that it lasts"}, False)]
    assert isinstance(run(people.keys, ["recipient", "--propose", "age1x"]).exception, Failure)
