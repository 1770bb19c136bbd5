"""The import contracts hold, and each of them would notice: one violation of each is planted in a copy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# (contract, module to plant in, the forbidden import)
VIOLATIONS = [
    ("layers", "vault.domain.planted", "vault.services"),
    ("layers", "vault.web.planted", "vault.cli"),
    ("audit-alone", "audit.planted", "vault.errors"),
    ("one-composition-root", "vault.web.planted_adapter", "vault.adapters"),
    ("people-speak-http", "vault.cli.planted", "vault.services"),
    ("flask-in-web", "vault.services.planted", "flask"),
    ("click-in-cli", "vault.web.planted_terminal", "click"),
    ("boto-in-adapters", "vault.crypto.planted", "boto3"),
    ("cryptography-in-crypto", "vault.adapters.planted", "cryptography"),
    ("webauthn-in-one-module", "vault.services.planted_webauthn", "webauthn"),
    ("identity-provider-in-one-adapter", "vault.services.planted_provider", "authlib"),
    ("smtp-in-one-adapter", "vault.services.planted_mail", "aiosmtpd"),
    ("argon2-in-one-adapter", "vault.services.planted_hash", "argon2"),
    ("sql-in-storage", "vault.adapters.planted_sql", "sqlalchemy"),
]


def contracts() -> dict[str, str]:
    """Return the contracts of pyproject.toml: id to name."""
    configuration = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    return {
        contract["id"]: contract["name"] for contract in configuration["tool"]["importlinter"]["contracts"]
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the contracts are about."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    for package in ("vault", "audit"):
        shutil.copytree(REPOSITORY / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def lint(tree: Path) -> str:
    """Run import-linter over a tree, away from the installed packages, and return what it printed."""
    program = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def plant(tree: Path, module: str, imported: str) -> None:
    """Write a module that imports what it must not, with the packages around it and what it imports."""
    *packages, name = module.split(".")
    directory = tree.joinpath(*packages)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "__init__.py").touch()
    (directory / f"{name}.py").write_text(f"import {imported}\n")


def verdicts(output: str) -> dict[str, str]:
    """Read `name KEPT|BROKEN` lines."""
    return dict(re.findall(r"^(\S.*?) (KEPT|BROKEN)\b", output, re.MULTILINE))


def test_every_contract_is_kept(tree: Path) -> None:
    output = lint(tree)
    assert verdicts(output) == dict.fromkeys(contracts().values(), "KEPT"), output


def test_every_contract_has_its_planted_violation() -> None:
    assert contracts().keys() == {contract for contract, _, _ in VIOLATIONS}


def test_every_contract_notices_its_violation(tree: Path, tmp_path: Path) -> None:
    planted = shutil.copytree(tree, tmp_path / "planted")
    for _, module, imported in VIOLATIONS:
        plant(planted, module, imported)
    output = lint(planted)
    assert verdicts(output) == dict.fromkeys(contracts().values(), "BROKEN"), output
    details = output.partition("Broken contracts")[2]
    unseen = [
        violation
        for violation in VIOLATIONS
        if not re.search(rf"{violation[1]} -> {violation[2]}\b", details)
    ]
    assert unseen == [], details
