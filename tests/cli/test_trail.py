"""`trail` and `sample`: every filter is sent, and hostile text reaches no terminal."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from vault.cli.admin.doctor import _counted
from vault.cli.evidence import evidence
from vault.cli.exits import Failure
from vault.cli.sample import sample
from vault.cli.trail import trail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "\x1b[2J\x1b]0;owned\x07 evil\u202etxt\r\nENTRY 9 \x9b31m"


@dataclass
class Asked:
    """Stands where the API is, and remembers what it was asked."""

    answer: Any
    path: str = ""
    asked: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Any:
        self.path, self.asked = path, {name: value for name, value in query.items() if value is not None}
        return self.answer

    @contextmanager
    def download(self, path: str, body: Any) -> Iterator[BytesIO]:
        self.path, self.asked = path, body
        yield BytesIO(self.answer)


def entry() -> dict[str, Any]:
    content = {
        "time": "2026-11-23T09:00:00.000000Z",
        "type": "checkout.requested",
        "outcome": "success",
        "actor": {"name": HOSTILE},
        "account": {"id": "111122223333"},
        "reason": {"code": HOSTILE},
    }
    return {
        "index": 7,
        "leaf_hash": "ab" * 32,
        "leaf": json.dumps(content, ensure_ascii=False),
        "content": content,
    }


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked({"items": [entry()], "next": "WzdD", "reached": 7})
    monkeypatch.setattr("vault.cli.trail.connect", lambda: made)
    monkeypatch.setattr("vault.cli.sample.connect", lambda: made)
    return made


def harmless(text: str) -> bool:
    return all(each == "\n" or (each.isprintable() and each != "\u202e") for each in text)


@pytest.mark.parametrize("how", [[], ["--json"], ["--lines"]])
def test_what_somebody_typed_steers_no_terminal(api: Asked, how: list[str]) -> None:
    done = CliRunner().invoke(trail, how, color=False)
    assert done.exit_code == 0
    assert harmless(done.output)
    assert "evil" in done.output
    api.answer = entry()
    shown = CliRunner().invoke(
        trail, ["show", "7", *[each for each in how if each != "--lines"]], color=False
    )
    assert shown.exit_code == 0
    assert harmless(shown.output)
    assert "ab" * 32 in shown.output
    assert api.path == "/audit/entries/7"


def test_every_filter_is_sent(api: Asked) -> None:
    given = {
        "--type": "checkout.requested,checkout.granted",
        "--without": "audit.viewed",
        "--outcome": "denied,failed",
        "--actor": "olga",
        "--checkout": "c1",
        "--reason": "BILL_ROOT",
        "--ticket": "T-1",
        "--since": "2026-11-01T00:00:00Z",
        "--until": "2026-12-01T00:00:00Z",
        "--text": "some words",
        "--cursor": "Wzdd",
    }
    done = CliRunner().invoke(trail, ["111122223333", *[each for pair in given.items() for each in pair]])
    assert done.exit_code == 0
    assert api.asked == {
        "account_id": "111122223333",
        "type": "checkout.requested,checkout.granted",
        "without": "audit.viewed",
        "outcome": "denied,failed",
        "actor": "olga",
        "checkout_id": "c1",
        "reason": "BILL_ROOT",
        "ticket": "T-1",
        "since": "2026-11-01T00:00:00Z",
        "until": "2026-12-01T00:00:00Z",
        "q": "some words",
        "limit": 50,
        "cursor": "Wzdd",
    }
    assert "Looked back to entry 7, and there is more; go on with --cursor WzdD" in done.output


@pytest.mark.parametrize("arguments", [["show"], ["show", "-1"], ["show", "x"], ["111122223333", "7"]])
def test_an_entry_is_named_by_its_number(api: Asked, arguments: list[str]) -> None:
    done = CliRunner().invoke(trail, arguments)
    assert isinstance(done.exception, Failure | SystemExit)
    assert api.path == ""


def test_a_sample_is_written_for_its_owner_alone_and_never_over_a_file(api: Asked, tmp_path: Path) -> None:
    api.answer = b"a tar"
    out = tmp_path / "s.tar"
    done = CliRunner().invoke(
        sample, ["--out", str(out), "--type", "checkout.granted", "--n", "3", "--seed", "x"]
    )
    assert done.exit_code == 0, done.output
    assert (api.path, api.asked) == (
        "/audit/samples",
        {"type": "checkout.granted", "n": 3, "random_seed": "x"},
    )
    assert out.read_bytes() == b"a tar"
    assert out.stat().st_mode & 0o777 == 0o600
    again = CliRunner().invoke(sample, ["--out", str(out)])
    assert again.exit_code != 0
    assert out.read_bytes() == b"a tar"


def test_evidence_takes_an_accounts_number_for_its_last_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    class Two:
        def get(self, path: str, **query: Any) -> Any:
            asked.append((path, query))
            return {"items": [{"id": "c9"}]} if path == "/checkouts" else {"checkout": "c9"}

    monkeypatch.setattr("vault.cli.evidence.connect", Two)
    for name in ("111122223333", "c9"):
        asked.clear()
        done = CliRunner().invoke(evidence, [name, "--json"])
        assert done.exit_code == 0
        assert asked[-1][0] == "/checkouts/c9/evidence"
        assert (len(asked) == 2) is (name == "111122223333")
    monkeypatch.setattr(Two, "get", lambda *_, **__: {"items": []})
    none = CliRunner().invoke(evidence, ["111122223333"])
    assert isinstance(none.exception, Failure)
    assert none.exception.exit_status == 5


@pytest.mark.parametrize(("number", "words"), [(0, "0 faults"), (1, "1 fault"), (2, "2 faults")])
def test_one_is_counted_as_one(number: int, words: str) -> None:
    assert _counted(number, "fault") == words
