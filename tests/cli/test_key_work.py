"""`rootvault rewrap` and `rootvault drill`, as an operator runs them on the host, with what two people agreed to."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tests.cli.conftest import settings_directory
from tests.support.key_work import NEW, NUMBERS, OLD, Changing
from tests.support.mailbox import came, reset, with_mailbox
from tests.support.world import HandClock, World
from vault.adapters.local_keys import create_local_keys
from vault.bootstrap import open_vault
from vault.cli.admin.checks import Level, check_keys
from vault.cli.admin.founding import found
from vault.cli.admin.wraps_check import check_wraps
from vault.cli.exits import of_error
from vault.cli.main import cli
from vault.domain.ids import new_id
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from vault.domain.proposal import Proposal

VALUES = 2 * len(NUMBERS)


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found a vault that holds two accounts under two of four keys; for copies."""
    directory = settings_directory(tmp_path_factory.mktemp("holding") / "config")
    (directory / "data").mkdir(mode=0o700)
    create_local_keys(directory / "data" / "local-keys.json", (*OLD, *NEW))
    with (directory / "vault.toml").open("a", encoding="utf-8") as file:
        file.write("[people]\nhold_seconds = 0\n")
    retire(directory, *NEW)
    settings = load_settings(str(directory), {})
    clock = HandClock(datetime.now(UTC) - timedelta(hours=1))
    vault = found(settings, (("one@vault.example", "One"), ("two@vault.example", "Two")), clock).vault
    world = World(vault, clock)
    for number in NUMBERS:
        world.held(number)
    world.close()
    return directory


@pytest.fixture
def directory(holding: Path, tmp_path: Path) -> Path:
    """Lend a copy of it."""
    return shutil.copytree(holding, tmp_path / "vault")


def retire(directory: Path, *names: str) -> None:
    """Let some keys retire by the settings, as the operator does."""
    file = directory / "vault.toml"
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("retiring")]
    lines.insert(lines.index("[keys]") + 1, f"retiring = {json.dumps(list(names))}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def agree(directory: Path, *, remove_old: bool = True, drill: bool = False) -> Proposal:
    """Let two people agree, as they do at the service, half an hour ago."""
    clock = HandClock(datetime.now(UTC) - timedelta(minutes=30))
    vault = open_vault(load_settings(str(directory), {}), clock)
    try:
        two = (f"amy{new_id()}", f"ann{new_id()}")
        people = Changing(World(vault, clock), directory / "data" / "local-keys.json", two)
        return people.agreed_drill() if drill else people.agreed(remove_old=remove_old)
    finally:
        vault.close()


def run(directory: Path, *arguments: str) -> Result:
    """Run a command of the host in this process."""
    return CliRunner().invoke(cli, [*arguments, "--config", str(directory)])


def test_keys_are_changed_from_the_agreement_to_the_drill(directory: Path) -> None:
    proposal = agree(directory)
    assert json.loads(proposal.content)["from"] == sorted((*OLD, *NEW))
    retire(directory, *OLD)
    added = run(directory, "rewrap", proposal.id)
    assert added.exit_code == 0, added.output
    assert f"rootvault rewrap {proposal.id} --remove-old" in added.output
    removed = run(directory, "rewrap", proposal.id, "--remove-old", "--json")
    assert removed.exit_code == 0, removed.output
    told = json.loads(removed.stdout)
    assert (told["complete"], told["removed"], told["old_left"], told["keys"]) == (True, VALUES, 0, list(NEW))
    assert told["calls"] == {"Decrypt": 2 * VALUES}
    again = run(directory, "rewrap", proposal.id)
    assert status(again) == (6, "proposal.state")
    drill = agree(directory, drill=True)
    opened = run(directory, "drill", drill.id, "--json")
    assert opened.exit_code == 0, opened.output
    told = json.loads(opened.stdout)
    assert (told["opened"], told["failed"], told["accounts"]) == (VALUES, 0, 2)
    assert told["keys"] == dict.fromkeys(NEW, VALUES)


def test_doctor_says_what_is_wrapped_under_which_keys_sealed_mail_too(directory: Path) -> None:
    """The way of a change of keys, as doctor sees it, and the mistake that loses what is sealed."""

    def told() -> list[tuple[Level, str]]:
        return [(each.level, each.words) for each in check_wraps(load_settings(str(directory), {}))]

    settings = load_settings(str(directory), {})
    vault = open_vault(settings)
    came(with_mailbox(World(vault, HandClock(datetime.now(UTC)))), reset(), "nobody@msp.example")
    vault.close()
    every = VALUES + 1
    assert told() == [
        (Level.OK, f"all {every} sealed values are wrapped under each key"),
        (Level.OK, "nothing is wrapped under retiring keys any more"),
    ]
    proposal = agree(directory)
    retire(directory, *OLD)
    lacking = f"{every} of {every} sealed values, credentials and mail, are not wrapped under each key"
    assert told()[0] == (Level.WARN, lacking)
    assert run(directory, "rewrap", proposal.id).exit_code == 0
    old = f"{every} of {every} sealed values, credentials and mail, still have wraps under retiring keys"
    assert told()[1] == (Level.WARN, old)
    done = run(directory, "rewrap", proposal.id, "--remove-old", "--json")
    assert json.loads(done.stdout)["mails"] == 1
    assert [level for level, _ in told()] == [Level.OK, Level.OK]
    # somebody puts another file of keys there, and nothing opens any more
    file = directory / "data" / "local-keys.json"
    file.unlink()
    create_local_keys(file, ("other-1", "other-2"))
    retire(directory)
    level, words = told()[0]
    assert level is Level.FAIL
    assert words.startswith(f"{every} of {every} sealed values are wrapped under no key")


def test_settings_that_name_other_keys_do_nothing(directory: Path) -> None:
    proposal = agree(directory)
    assert status(run(directory, "rewrap", proposal.id)) == (2, "keys.settings")
    retire(directory, *OLD)
    assert status(run(directory, "rewrap", "00000000-0000-4000-8000-000000000000")) == (5, "not_found")
    assert status(run(directory, "drill", proposal.id)) == (5, "not_found")
    unagreed = agree(directory, remove_old=False)
    assert status(run(directory, "rewrap", unagreed.id, "--remove-old")) == (2, "keys.settings")


def test_a_credential_that_lost_its_keys_is_named_and_nothing_is_removed(directory: Path) -> None:
    proposal, drill = agree(directory), agree(directory, drill=True)
    retire(directory, *OLD)
    clock = HandClock(datetime.now(UTC))
    vault = open_vault(load_settings(str(directory), {}), clock)
    people = Changing(World(vault, clock), directory / "data" / "local-keys.json")
    first, second = people.versions()[:2]
    people.store(first, second.wraps)
    vault.close()
    place = f"{first.account_id}/{first.kind}/{first.number}"
    failed = run(directory, "rewrap", proposal.id, "--remove-old")
    assert failed.exit_code == 1
    assert f"{place}: envelope.tampered" in failed.output
    assert "no old wrap was removed" in failed.output
    shown = run(directory, "drill", drill.id)
    assert shown.exit_code == 1
    assert (
        f"{VALUES - 1} of {VALUES} open under each of their keys: {VALUES} versions of 2 accounts"
        in shown.output
    )
    assert first.account_id in shown.output
    assert "drill.wrap_missing" in shown.output


def test_doctor_tells_of_keys_that_retire_and_counts_them_for_nothing(directory: Path) -> None:
    found = [each for each in check_keys(load_settings(str(directory), {})) if "retiring" in each.words]
    assert [each.level for each in found] == [Level.WARN]
    assert all(name in found[0].words for name in NEW)
    arns = tuple(
        f"arn:aws:kms:eu-west-1:{number}:key/{'0' * 8}-0000-4000-8000-{'0' * 12}" for number in NUMBERS
    )
    settings = load_settings(str(directory), {})
    keys = replace(settings.keys, service="aws-kms", kms_keys=arns[:1], retiring=arns[1:])
    words = [
        each.words
        for each in check_keys(replace(settings, keys=replace(keys, endpoint="http://127.0.0.1:1")))
    ]
    assert any("in one AWS account" in each for each in words)


def status(result: Result) -> tuple[int, str]:
    """Give the exit status and the code that a refusal leads to."""
    assert isinstance(result.exception, Exception)
    failure = of_error(result.exception)
    assert failure is not None
    return failure.exit_status, failure.code
