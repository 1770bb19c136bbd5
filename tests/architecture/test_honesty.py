"""No test is put aside in silence, no line is exempt without a reason; the browser rule is the one skip."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.support.repository import files_of, text

BROWSER_RULE = Path("tests/support/browser.py")
SKIPS = {"skip", "skipif", "xfail", "importorskip", "skipTest", "SkipTest", "expectedFailure"}


def skips(source: str) -> list[int]:
    """Find the lines that put a test aside, whatever way they spell it."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name) if name in SKIPS:
                lines.append(node.lineno)
            case ast.ImportFrom(module="pytest" | "unittest" | "unittest.case", names=names):
                lines += [node.lineno for alias in names if alias.name in SKIPS]
            case _:
                pass
    return lines


def unasserted(source: str) -> list[str]:
    """Name the tests in which nothing can fail: no assert, no `raises`, no call of something that checks."""
    silent = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        inner = list(ast.walk(node))
        speaks = any(isinstance(part, ast.Assert | ast.Raise) for part in inner)
        calls = [part.func for part in inner if isinstance(part, ast.Call)]
        names = [func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls]
        checks = any(
            re.match(r"(raises|refus|warns|fail|check|assert|expect|verify|run_state_machine)", name)
            for name in names
        )
        if not speaks and not checks:
            silent.append(node.name)
    return silent


def test_no_test_is_skipped_outside_the_browser_rule() -> None:
    found = {str(name): lines for name in files_of(".py") if (lines := skips(text(name)))}
    assert list(found) == [str(BROWSER_RULE)]


def test_every_test_can_fail() -> None:
    tests = [name for name in files_of(".py") if name.name.startswith("test_")]
    assert {str(name): silent for name in tests if (silent := unasserted(text(name)))} == {}


def test_every_exemption_says_why() -> None:
    """`# noqa: X` and `# type: ignore[x]` name what they silence and are followed by a reason."""
    exemption = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
    justified = re.compile(r"(: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*|\[[a-z0-9, -]+\])\s+(#|-|:)\s*\S.{5,}")
    bare = [
        f"{name}:{number}"
        for name in files_of(".py")
        for number, line in enumerate(text(name).splitlines(), 1)
        if (match := exemption.search(line)) and name != Path("tests/architecture/test_honesty.py")
        if not justified.search(match["rest"])
    ]
    assert bare == []


def test_the_finders_find() -> None:
    assert skips("import pytest\n@pytest.mark.skipif(True)\ndef test(): pass") == [2]
    assert skips("from pytest import importorskip") == [1]
    assert skips("values = data[1:]") == []
    assert unasserted("def test_a():\n    compute()") == ["test_a"]
    assert unasserted("def test_a():\n    with pytest.raises(E): compute()") == []
