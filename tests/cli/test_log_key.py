"""Another key for the log: made, told by both, used by both, alone at the end; who was not told refuses."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from audit.note import Verifier, open_note
from audit.rotation import Rotation
from tests.cli.conftest import rootvault
from tests.cli.test_examining import last
from tests.cli.test_restore import set_log
from vault.bootstrap import announce, open_vault
from vault.domain.actor import Reach
from vault.errors import Refused, Unavailable
from vault.ports.store import EntryFilter, Slice
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from vault.bootstrap import Vault

ORIGIN = "vault.test.example/audit"


def opened(directory: Path) -> Vault:
    """Open the vault as a process of its own."""
    return open_vault(load_settings(str(directory), {}))


def head(vault: Vault) -> str:
    """Give the signed head."""
    with vault.units.read() as unit:
        return unit.log.checkpoint()


def rotate(directory: Path, *more: str) -> dict[str, Any]:
    """Change the key, and set what the command says."""
    done = rootvault("log", "rotate-key", "--config", str(directory), "--json", *more)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_key_is_changed_with_an_overlap(vault_directory: Path, tmp_path: Path) -> None:
    running = opened(vault_directory)
    told = rotate(vault_directory, "--overlap-days", "0")
    # a process that was not told refuses, and breaks nothing
    with pytest.raises(Unavailable) as caught:
        announce(running)
    assert caught.value.code == "log.unavailable"
    assert "log.previous_key_file" in caught.value.detail
    running.close()
    with pytest.raises(Refused) as again:
        opened(vault_directory)
    for told_by in (again.value.detail, rootvault("doctor", "--config", str(vault_directory)).stdout):
        assert "another key signs this log by now" in told_by
        assert "set log.key_file to it and log.previous_key_file to the one before" in told_by
    for more in ((), ("--deep", "--replay")):
        done = rootvault("doctor", "--json", "--config", str(vault_directory), *more)
        assert done.returncode == 1
        found = json.loads(done.stdout)
        assert "log" in [each["check"] for each in found["findings"] if each["level"] == "fail"]
    set_log(vault_directory, {"log.origin": ORIGIN, **told["settings"]})
    with closing(opened(vault_directory)) as both:
        announce(both)
        old, new = (Verifier.parse(told[name]) for name in ("previous_vkey", "vkey"))
        for verifier in (old, new):
            assert open_note(head(both), [verifier]).signatures
        with both.units.read() as unit:
            (entry,) = unit.log.page(
                EntryFilter(type="log.key.rotated"), Reach(everything=True), Slice(2)
            ).items
        detail = entry.content["detail"]
        assert isinstance(detail, dict)
        rotation = Rotation.parse(detail)
        assert (rotation.new, rotation.previous) == (new, old)
        assert both.vkey == told["vkey"]
    assert rootvault("doctor", "--deep", "--config", str(vault_directory)).returncode == 0
    ended = rootvault("log", "end-overlap", "--config", str(vault_directory), "--json")
    assert ended.returncode == 0, ended.stderr
    assert last(vault_directory, "host.command")["detail"] == {"command": "log end-overlap", "early": False}
    set_log(vault_directory, {"log.origin": ORIGIN, "log.key_file": told["settings"]["log.key_file"]})
    _forget_previous(vault_directory)
    with closing(opened(vault_directory)) as alone:
        announce(alone)
        assert open_note(head(alone), [new]).signatures
        assert len(head(alone).split("— ")) == 2
    assert rootvault("doctor", "--deep", "--config", str(vault_directory)).returncode == 0


def test_an_overlap_ends_when_it_was_said_to(vault_directory: Path) -> None:
    nothing = rootvault("log", "end-overlap", "--config", str(vault_directory))
    assert "One key signs" in nothing.stderr
    told = rotate(vault_directory)
    set_log(vault_directory, {"log.origin": ORIGIN, **told["settings"]})
    again = rootvault("log", "rotate-key", "--config", str(vault_directory))
    assert "Two keys sign already" in again.stderr
    soon = rootvault("log", "end-overlap", "--config", str(vault_directory))
    assert told["overlap_until"] in soon.stderr
    assert rootvault("log", "end-overlap", "--early", "--config", str(vault_directory)).returncode == 0
    key = vault_directory / "data" / told["settings"]["log.key_file"]
    assert key.stat().st_mode & 0o077 == 0


def test_keys_that_do_not_go_together_do_not_start(vault_directory: Path) -> None:
    set_log(vault_directory, {"log.origin": ORIGIN, "log.previous_key_file": "log.key"})
    with pytest.raises(Refused) as caught:
        opened(vault_directory)
    assert caught.value.code == "keys.settings"


def _forget_previous(directory: Path) -> None:
    file = directory / "vault.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept: list[str] = []
    for line in lines:
        name = line.partition(" = ")[0]
        if name == "previous_key_file" or (
            name == "key_file" and any(k.startswith("key_file") for k in kept)
        ):
            continue
        kept.append(line)
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
