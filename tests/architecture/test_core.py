"""What import contracts cannot say: the core's third parties, its clock, its freedom from ambient state."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import files_of, text

if TYPE_CHECKING:
    from collections.abc import Iterator

# A room and the packages that its modules may import besides the standard library and the rooms below it.
THIRD_PARTIES = {
    "vault/errors.py": set[str](),
    "vault/domain": set[str](),
    "vault/ports": set[str](),
    # `override` is the standard library's own from Python 3.12 on
    "vault/services": {"structlog", "typing_extensions"},
    "vault/crypto": {"cryptography", "pyotp", "pyrage", "shamir_mnemonic", "webauthn"},
    "audit": {"cryptography", "orjson", "sqlalchemy"},
}
# The core is handed the time and its settings, and touches nothing outside; fresh identifiers are no secret.
CORE = ("vault/errors.py", "vault/domain", "vault/ports", "vault/services")
AMBIENT = {
    "date.today", "datetime.date.today", "datetime.datetime.now", "datetime.now", "datetime.today",
    "datetime.utcnow", "input", "open", "os.environ", "os.getenv", "os.urandom", "print", "random.choice",
    "random.random", "secrets.choice", "secrets.randbelow", "secrets.token_bytes", "secrets.token_hex",
    "secrets.token_urlsafe", "socket.socket", "subprocess.run", "time.monotonic", "time.sleep", "time.time",
    "time.time_ns",
}  # fmt: skip


def modules(room: str) -> list[Path]:
    """List the room's Python files."""
    return [name for name in files_of(".py") if name.is_relative_to(room)]


def imported_packages(source: str) -> set[str]:
    """Name the top-level packages that a module imports, wherever in it."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def ambient_uses(source: str) -> Iterator[str]:
    """Yield `name:line` of what reads the world without having been handed it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute | ast.Name) and (name := ast.unparse(node)) in AMBIENT:
            yield f"{name}:{node.lineno}"


@pytest.mark.parametrize("room", THIRD_PARTIES)
def test_a_room_of_the_core_imports_only_its_own_third_parties(room: str) -> None:
    allowed = THIRD_PARTIES[room] | {"vault", "audit"} | sys.stdlib_module_names
    strange = {
        str(name): packages for name in modules(room) if (packages := imported_packages(text(name)) - allowed)
    }
    assert strange == {}


@pytest.mark.parametrize("room", CORE)
def test_the_core_has_no_ambient_state(room: str) -> None:
    found = {str(name): uses for name in modules(room) if (uses := list(ambient_uses(text(name))))}
    assert found == {}


def test_the_finders_find() -> None:
    assert imported_packages("def f():\n    import flask.json\n    from a.b import c") == {"flask", "a"}
    assert list(ambient_uses("import datetime\nnow = datetime.datetime.now(tz)")) == [
        "datetime.datetime.now:2"
    ]
