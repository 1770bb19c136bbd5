"""What the repository may hold: the owner's top level, short files, nothing of anybody else's, no address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT, files, files_of, text

TOP_LEVEL = {"audit", "config", "docs", "pyproject.toml", "README.md", "tests", "vault"}
LINE_LIMIT = 400
TEXT = (
    ".py",
    ".toml",
    ".md",
    ".txt",
    ".html",
    ".css",
    ".js",
    ".json",
    ".ini",
    ".conf",
    ".service",
    ".sh",
    "",
)

# Written in pieces, so that this file does not find itself.
REGISTRY_HOST = re.compile(
    r"|".join(
        [
            r"\bpypi\." + r"(org|io)",
            r"files\.python" + r"hosted",
            r"registry\.npm" + r"js",
            r"\bdeb\.deb" + r"ian",
            r"--(extra-)?index" + r"-url",
            r"--find" + r"-links",
            r"\bindex" + r"-url\s*=",
        ]
    ),
    re.IGNORECASE,
)
VENDORED_FOLDERS = {
    "node_modules",
    "third_party",
    "vendor",
    "vendored",
    "site-packages",
    "dist",
    "bower_components",
}
VENDORED_FILE = re.compile(
    r"\.min\.(js|css)$|\.(whl|jar|so|dll|exe|woff2?|ttf|map)$|^(bootstrap|jquery|htmx|alpine)\b.*\.(js|css)$"
)
OUR_LICENCE_ONLY = re.compile(r"^\W*(@license|Copyright (\(c\)|©) \d{4})", re.IGNORECASE | re.MULTILINE)
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def test_the_top_level_is_the_owners() -> None:
    top = {name.parts[0] for name in files()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_configuration_of_tools_is_in_pyproject_alone() -> None:
    elsewhere = {
        "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml",
        "alembic.ini", ".importlinter", ".coveragerc", ".flake8", "conftest.ini",
    }  # fmt: skip
    assert [name for name in files() if name.name in elsewhere] == []


def test_config_holds_data_and_no_code() -> None:
    assert [name for name in files_of(".py") if name.parts[0] == "config"] == []


@pytest.mark.parametrize("suffix", TEXT)
def test_no_file_names_a_package_registry(suffix: str) -> None:
    found = [(str(name), REGISTRY_HOST.findall(text(name))) for name in files_of(suffix)]
    assert [pair for pair in found if pair[1]] == []


def test_no_file_is_somebody_elses() -> None:
    names = [
        name
        for name in files()
        if VENDORED_FOLDERS.intersection(name.parts[:-1]) or VENDORED_FILE.search(name.name)
    ]
    assert names == []
    assert [
        name for name in files_of(".py", ".js", ".css", ".html") if OUR_LICENCE_ONLY.search(text(name))
    ] == []


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(name): lines
        for name in files_of(".py", ".js", ".css", ".html")
        if "versions" not in name.parts and (lines := text(name).count("\n")) > LINE_LIMIT
    }
    assert long == {}, f"a file that passes {LINE_LIMIT} lines is asking to be two"


def test_nothing_is_left_unfinished() -> None:
    assert [
        str(name) for name in files_of(".py", ".js", ".css", ".html") if UNFINISHED.search(text(name))
    ] == []


def test_no_file_leans_on_what_lies_beside_the_repository() -> None:
    """Only the tests of published vectors may look there, and they say what they do without it."""
    beside = re.compile(r"\.\./sha" + r"red|/wo" + r"rk/")
    leaning = [name for name in files_of(*TEXT) if beside.search(text(name))]
    assert [str(name) for name in leaning if not name.is_relative_to("tests/vectors")] == []


def test_no_file_holds_a_key() -> None:
    private = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bAGE-SECRET-KEY-1[0-9A-Z]{50}"
    )
    found = {
        str(name): {key for key in private.findall(text(name)) if not re.search("EXAMPLE|TEST", key)}
        for name in files_of(*TEXT)
    }
    assert {name: keys for name, keys in found.items() if keys} == {}


@pytest.mark.parametrize("name", ["README.md", ".ci/run", "pyproject.toml"])
def test_what_a_newcomer_needs_is_there(name: str) -> None:
    assert (ROOT / name).is_file()
    assert Path(name) in files()
