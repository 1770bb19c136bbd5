"""Answers that are not AWS's, to whoever looks at accounts: unknown, or shown as what they are, never an exception."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient

from tests.support.aws_cloud import aws_cloud
from tests.support.moto_kms import made_up_credentials
from tests.support.world import START
from vault.adapters.inspection.role import RoleInspector
from vault.domain.hygiene import Wanted
from vault.domain.inspection import Known, PasswordPolicy, Reason, Unknown
from vault.ports.inspection import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER, VAULT, ROLE = "444455556666", "999900001111", "RootVaultInspection"
TARGET = Target(NUMBER, "900001", "alice")
WANTED = Wanted(PasswordPolicy(14, upper=True, lower=True, number=True, symbol=True, remembers=24))


@pytest.fixture(scope="module")
def url() -> Iterator[tuple[str, dict[str, str]]]:
    """Make an account alone, which lets itself be seen."""
    with made_up_credentials(), aws_cloud(lambda: datetime.now(UTC)) as aws:
        aws.role(NUMBER, ROLE, trusts=VAULT, external_id="deal-900001")
        yield aws.url, {name.upper(): str(value) for name, value in aws.user(VAULT).items()}


@pytest.fixture
def inspector(url: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> RoleInspector:
    address, credentials = url
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return RoleInspector(ROLE, "deal-{ddi}", endpoint=address)


def answering(monkeypatch: pytest.MonkeyPatch, operation: str, answer: Any) -> None:
    """Let one operation answer what is no answer of AWS's, or raise what a parser raises over it."""
    honest = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave it out

    def call(self: Any, name: str, asked: Any) -> Any:
        if name != operation:
            return honest(self, name, asked)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.mark.parametrize("failure", [ValueError("x"), AttributeError("x"), KeyError("x"), TypeError("x")])
def test_an_answer_that_no_parser_reads_is_unknown_and_the_others_stay(
    inspector: RoleInspector, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    answering(monkeypatch, "GetAccountSummary", failure)
    seen = inspector.look(TARGET, WANTED, START)
    assert seen.root_mfa == Unknown(Reason.UNREADABLE)
    assert seen.policy == Known(None)


def test_what_acts_in_an_answer_is_shown_and_what_is_no_number_is_no_account(
    inspector: RoleInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {"Id": NUMBER, "Name": "\0\u202eevil\ud800", "Email": "a\0@b", "State": "\x1b[2J"}
    metadata = {"RequestId": "\ud800\0" * 5_000}
    answering(monkeypatch, "ListAccounts", {"Accounts": [hostile], "ResponseMetadata": metadata})
    roster = inspector.roster(TARGET, START)
    assert isinstance(roster.listed, Known)
    (listed,) = roster.listed.value
    assert (listed.name, listed.email) == ("[U+0000][U+202E]evil[U+D800]", "a[U+0000]@b")
    assert listed.state.isprintable()
    assert all(each.isprintable() and len(each) <= 128 for each in roster.request_ids)
    answering(monkeypatch, "ListAccounts", {"Accounts": [hostile | {"Id": "\0" * 12}]})
    broken = inspector.roster(TARGET, START)
    assert broken.listed == Unknown(Reason.UNREADABLE)
    answering(monkeypatch, "DescribeOrganization", {"Organization": {"MasterAccountId": "\0", "Id": "o-1"}})
    assert inspector.look(TARGET, WANTED, START).membership == Unknown(Reason.UNREADABLE)
