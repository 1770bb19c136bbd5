"""Starting is cheap: what each command may not import, what the overview lists, how statuses come about."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.conftest import rootvault
from tests.support.repository import ROOT
from vault import errors
from vault.cli.exits import of_error
from vault.cli.main import OPERATOR, PEOPLE, cli

HEAVY = {
    "alembic", "argon2", "boto3", "botocore", "cryptography", "flask", "gunicorn", "pydantic", "pyotp", "rich",
    "sqlalchemy", "werkzeug",
}  # fmt: skip
NEEDED = {
    "doctor": {"alembic", "argon2", "boto3", "botocore", "cryptography", "pyotp", "sqlalchemy"},
    "import": {"alembic", "argon2", "boto3", "botocore", "cryptography", "pyotp", "sqlalchemy"},
}
STATUSES = {
    errors.Refused: 2, errors.Unauthenticated: 3, errors.Forbidden: 4, errors.NotFound: 5, errors.Conflict: 6,
    errors.Invalid: 7, errors.Blocked: 8, errors.Limited: 9, errors.Unavailable: 10, errors.KeysUnavailable: 10,
    errors.Tampered: 10,
}  # fmt: skip


def imported(arguments: str) -> set[str]:
    """Name the heavy packages that a command's help imports."""
    program = (
        f"import sys; sys.argv = ['rootvault', {arguments}]\n"
        "from vault.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('MODULES', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    modules = done.stderr.partition("MODULES ")[2].split()
    return {module.partition(".")[0] for module in modules} & HEAVY


def test_the_overview_imports_nothing_heavy() -> None:
    assert imported("'--help'") == set()


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_a_peoples_command_imports_nothing_heavy(name: str) -> None:
    assert imported(f"'{name}', '--help'") == set()


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_an_operators_command_imports_no_web(name: str) -> None:
    assert imported(f"'{name}', '--help'") <= NEEDED[name]


def test_every_command_in_the_overview_is_there_and_knows_json() -> None:
    text = rootvault("--help").stdout
    for name in (*PEOPLE, *OPERATOR):
        assert re.search(rf"^  {name} ", text, re.MULTILINE), name
        command = cli.get_command(cli.make_context("rootvault", ["me"]), name)
        assert command is not None
        leaves = list(getattr(command, "commands", {"": command}).values())
        assert [leaf.name for leaf in leaves if "--json" not in _options(leaf)] == []


def test_every_command_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `rootvault ([a-z-]+)", text, re.MULTILINE))
    assert documented == {*PEOPLE, *OPERATOR}


def test_every_status_is_in_the_documentation() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = {int(number) for number in re.findall(r"^\| ([0-9]+) \|", text, re.MULTILINE)}
    assert documented == {0, 1, 130, *STATUSES.values()}


@pytest.mark.parametrize("family", STATUSES, ids=lambda family: family.__name__)
def test_each_family_of_errors_has_its_status(family: type[errors.VaultError]) -> None:
    failure = of_error(family("internal", "Something."))
    assert failure is not None
    assert failure.exit_status == STATUSES[family]


def test_an_unforeseen_error_is_not_dressed_up() -> None:
    assert of_error(ValueError("x")) is None


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("accounts", "nonsense"), ("checkout", "ask"), ("me", "--no")]
)
def test_wrong_usage_is_status_two(arguments: tuple[str, ...]) -> None:
    done = rootvault(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def _options(command: object) -> list[str]:
    return [option for parameter in getattr(command, "params", ()) for option in parameter.opts]
