"""Setting up is one command for each purpose, pinned by hash (S29); CI runs what README.md tells people."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import alembic.config
import pytest

from tests.support.repository import ROOT, files_of, text

README = text(Path("README.md"))
LOCKS = ["config/requirements/run.txt", "config/requirements/test.txt"]
PINNED = re.compile(r"^[a-z0-9-]+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+$", re.MULTILINE)


def commands() -> dict[str, str]:
    """Return README's marked commands by name."""
    return dict(re.findall(r"^<!-- command: (\w+) -->\n```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


def pins(lock: str) -> dict[str, set[str]]:
    """Return the requirements of a lock: name to the versions it pins (one for each range of Python)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text(Path(lock)), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_readme_needs_two_commands() -> None:
    assert commands().keys() == {"demo", "test"}
    assert commands()["demo"].rstrip().endswith("rootvault demo")
    assert README.count("```sh") == len(commands())


@pytest.mark.parametrize("purpose", ["demo", "test"])
def test_a_command_is_one_and_installs_by_hash(purpose: str) -> None:
    lines = commands()[purpose].rstrip().splitlines()
    assert all(line.endswith(" &&") for line in lines[:-1])
    installs = [line for line in lines if "pip install" in line]
    assert all(
        "--require-hashes" in line or ("--no-deps" in line and "--no-build-isolation" in line)
        for line in installs
    )
    assert subprocess.run(["bash", "-n", "-c", "\n".join(lines)], check=False).returncode == 0


def test_ci_installs_and_tests_by_readme_alone() -> None:
    script = text(Path(".ci/run"))
    assert "pip install" not in script
    assert "readme_command test" in script
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=False).returncode == 0


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_by_hash(lock: str) -> None:
    lines = "\n".join(line for line in text(Path(lock)).splitlines() if not line.startswith("#"))
    assert PINNED.sub("", lines).strip() == ""
    assert len(pins(lock)) > 0


def test_tests_run_on_what_is_shipped() -> None:
    run, test = (pins(lock) for lock in LOCKS)
    assert {name: versions for name, versions in run.items() if test.get(name) != versions} == {}


def test_the_locks_hold_every_declared_dependency() -> None:
    project = tomllib.loads(text(Path("pyproject.toml")))
    groups = project["dependency-groups"]
    for lock, declared in zip(
        LOCKS,
        [
            project["project"]["dependencies"] + groups["build"],
            project["project"]["dependencies"] + groups["build"] + groups["dev"],
        ],
        strict=True,
    ):
        names = {re.split(r"[\[<>=; ]", requirement)[0] for requirement in declared}
        assert names - pins(lock).keys() == set()


def test_the_wheel_ships_settings_and_policy() -> None:
    wheel = tomllib.loads(text(Path("pyproject.toml")))["tool"]["hatch"]["build"]["targets"]["wheel"]
    settings = {str(name) for name in files_of(".toml") if name.parent == Path("config")}
    assert wheel["shared-data"] == {name: f"share/rootvault/{name}" for name in settings}


def test_alembic_finds_the_migrations_by_pyproject() -> None:
    configuration = alembic.config.Config(toml_file=ROOT / "pyproject.toml")
    assert configuration.get_alembic_option("script_location") == str(ROOT / "vault/adapters/db/migrations")
    assert configuration.get_alembic_option("file_template") == "%(rev)s_%(slug)s"
