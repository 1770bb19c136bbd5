"""Settings are read from one file and the environment, and what is wrong with them is named."""

from __future__ import annotations

import pickle
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from vault.errors import Refused
from vault.settings import (
    FILE,
    SECTIONS,
    Environment,
    Settings,
    load_settings,
    parse_settings,
    setting_names,
    variable,
)

GOOD: dict[str, object] = {
    "environment": "development",
    "data_directory": "data",
    "keys": {"service": "local"},
    "log": {"origin": "vault.test.example/audit"},
}


def parsed(changed: Mapping[str, object] | None = None, **environment: str) -> Settings:
    """Parse the good document with some of it changed."""
    return parse_settings({**GOOD, **(changed or {})}, Path("/etc/vault"), environment)


def test_defaults_fill_what_is_left_out() -> None:
    settings = parsed()
    assert settings.environment is Environment.DEVELOPMENT
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8400)
    assert settings.session.idle_seconds == 900


def test_the_shipped_file_shows_every_setting_with_its_default_where_it_has_one() -> None:
    document = tomllib.loads((ROOT / "config" / FILE).read_text(encoding="utf-8"))
    shown = {name for name, value in document.items() if not isinstance(value, dict)}
    shown |= {f"{section}.{name}" for section in SECTIONS if section for name in document[section]}
    assert shown == set(setting_names())
    differing = {
        f"{section}.{name}".lstrip(".")
        for section, kind in SECTIONS.items()
        for name, value in (document[section] if section else document).items()
        if not isinstance(value, dict)
        if getattr(kind(), name) != (tuple(value) if isinstance(value, list) else value)
    }
    assert differing == {"server.public_url", "log.origin"}


def test_the_shipped_file_is_refused_until_keys_are_named() -> None:
    with pytest.raises(Refused, match=r"keys\.kms_keys must name"):
        load_settings(str(ROOT / "config"), {})


def test_every_setting_has_a_line_in_the_documentation() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    assert rows == set(setting_names())


def test_the_environment_wins_over_the_file() -> None:
    settings = parsed(
        {"server": {"port": 1234}},
        ROOTVAULT_SERVER_PORT="4321",
        ROOTVAULT_SERVER_TRUSTED_PROXIES="10.0.0.0/8, ::1",
        ROOTVAULT_KEYS_ACCEPT_INSECURE_LOCAL_KEYS="true",
        ROOTVAULT_URL="https://elsewhere.example",
    )
    assert settings.server.port == 4321
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.keys.accept_insecure_local_keys is True


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"servr": {}}, "The setting servr is not known"),
        ({"server": {"prot": 1}}, "The setting server.prot is not known"),
        ({"server": 7}, "The setting server must be a section"),
        ({"server": {"port": "8400"}}, "The setting server.port must be a whole number"),
        ({"server": {"port": True}}, "The setting server.port must be a whole number"),
        ({"server": {"port": 65536}}, "The setting server.port must be from 0 to 65535"),
        ({"server": {"public_url": "vault.example.com"}}, "The setting server.public_url must be an address"),
        ({"server": {"public_url": "https://x.example/vault"}}, "server.public_url must be an address"),
        ({"server": {"trusted_proxies": ["10.0.0.1/8"]}}, "server.trusted_proxies holds '10.0.0.1/8'"),
        ({"server": {"trusted_proxies": "10.0.0.1"}}, "server.trusted_proxies must be a list of texts"),
        ({"database": {"url": "mysql://x"}}, "The setting database.url must begin with"),
        ({"keys": {"service": "vault"}}, "The setting keys.service must be one of aws-kms, local"),
        ({"keys": {"service": "aws-kms"}}, "The setting keys.kms_keys must name"),
        ({"log": {"origin": "https://x"}}, "The setting log.origin must name the log"),
        ({"log": {}}, "The setting log.origin must name the log"),
        ({"environment": "prod"}, "The setting environment must be one of"),
        (
            {"session": {"idle_seconds": 3000, "longest_seconds": 2000}},
            "session.idle_seconds must not be longer",
        ),
        ({"data_directory": " "}, "The setting data_directory must name a directory"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=re.escape(words)) as refused:
        parsed(changed)
    assert refused.value.code == "settings.invalid"


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(Refused, match="ROOTVAULT_SERVER_PROT is not known"):
        parsed(ROOTVAULT_SERVER_PROT="1")


@pytest.mark.parametrize("text", ["eight", "", "٨", "1.0", "1" * 20])
def test_a_number_in_the_environment_is_ascii_digits(text: str) -> None:
    with pytest.raises(Refused, match=r"server\.port must be a whole number"):
        parsed(ROOTVAULT_SERVER_PORT=text)


def test_production_refuses_local_keys_unless_someone_answers_for_them() -> None:
    production: dict[str, object] = {
        "environment": "production",
        "server": {"public_url": "https://vault.example.com"},
    }
    with pytest.raises(Refused, match=r"keys\.service is local, which is refused in production"):
        parsed(production)
    accepted: dict[str, object] = {
        **production,
        "keys": {"service": "local", "accept_insecure_local_keys": True},
    }
    assert parsed(accepted).environment is Environment.PRODUCTION


def test_production_refuses_plain_http() -> None:
    document: dict[str, object] = {
        "environment": "production",
        "keys": {"service": "aws-kms", "kms_keys": ["a"]},
    }
    with pytest.raises(Refused, match=r"server\.public_url must begin with https"):
        parsed({**document, "server": {"public_url": "http://vault.example.com"}})


def test_relative_names_begin_at_the_file_and_in_the_data_directory() -> None:
    settings = parsed({"log": {"origin": "v.example/audit", "key_file": "/keys/log.key"}})
    assert settings.data_directory == Path("/etc/vault/data")
    assert settings.policy_file == Path("/etc/vault/policy.toml")
    assert settings.file(settings.log.key_file) == Path("/keys/log.key")
    assert settings.database_url == "sqlite+pysqlite:////etc/vault/data/vault.db"


def test_a_database_password_is_in_no_repr() -> None:
    settings = parsed({"database": {"url": "postgresql+psycopg://vault:hunter2hunter2@db/vault"}})
    assert "hunter2" not in repr(settings)


def test_settings_can_be_sent_to_another_process() -> None:
    settings = parsed()
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes, made in this line


def test_a_directory_without_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=re.escape(f"There is no vault.toml in {tmp_path}")):
        load_settings(str(tmp_path), {})


def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("environment = \n", encoding="utf-8")
    with pytest.raises(Refused, match=re.escape(str(tmp_path / FILE)) + ".*line 1"):
        load_settings(str(tmp_path), {})


def test_the_variable_of_a_setting() -> None:
    assert variable("server.public_url") == "ROOTVAULT_SERVER_PUBLIC_URL"
    assert len({variable(name) for name in setting_names()}) == len(setting_names())
