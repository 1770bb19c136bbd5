"""What is asked of the log over REST: in words where it is wrong, and with the header as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from tests.web.api.test_main_path import held
from vault.domain.actor import Role, Scope, ScopeKind
from vault.web.wording import words_of

if TYPE_CHECKING:
    from tests.web.api.service import Service


def test_a_copy_goes_on_by_the_header_as_it_came(quick: Service) -> None:
    held(quick)
    alma = quick.caller("alma", Role.AUDITOR)
    answer = alma.post("/audit/exports", {"format": "jsonl"})
    rows = answer.data.splitlines(keepends=True)
    wish = {"format": "jsonl", "after": 3, "checkpoint": answer.headers["Rootvault-Checkpoint"]}
    rest = alma.post("/audit/exports", wish)
    assert b"".join(rows[:4]) + rest.data == answer.data
    wrong = alma.post("/audit/exports", {**wish, "checkpoint": "bm90aGluZw=="})
    assert wrong.status == 422
    assert "Send the first answer's header Rootvault-Checkpoint as it is" in wrong.json["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("query", "place", "words"),
    [
        ("type=nonsense", "/type", "There is no type of entry nonsense. Known are: access.denied,"),
        ("without=audit.viewd", "/without", "Did you mean audit.viewed"),
        ("outcome=fine", "/outcome", "Give one or several of success, denied"),
        ("account_id=1", "/account_id", "Give an account's number: 12 digits."),
        ("limit=0", "/limit", "Give 1 or more."),
    ],
)
def test_a_slip_is_told_in_words(quick: Service, query: str, place: str, words: str) -> None:
    answer = quick.caller("alma", Role.AUDITOR).get(f"/audit/entries?{query}")
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == place
    assert answer.json["errors"][0]["detail"].startswith(words[:40]) or words in str(answer.json)


def test_an_account_nobody_registered_is_not_there_whoever_asks(quick: Service) -> None:
    alma = quick.caller("alma", Role.AUDITOR)
    part = quick.caller("part", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, "444455556666"))
    for caller in (alma, part):
        answer = caller.get("/audit/entries?account_id=999999999999")
        assert (answer.status, answer.code) == (404, "not_found")


def test_readings_are_left_out_and_no_search_finds_itself(quick: Service) -> None:
    alma = quick.caller("alma", Role.AUDITOR)
    assert alma.get("/audit/entries?q=zzzznothing").json["items"] == []
    kinds = [
        each["content"]["type"] for each in alma.get("/audit/entries?without=audit.viewed").json["items"]
    ]
    assert kinds
    assert "audit.viewed" not in kinds


class _Model(BaseModel):
    number: int = Field(default=1, ge=1, le=9)
    words: str = Field(default="long", min_length=3, max_length=5)
    several: list[int] = Field(default=[1], min_length=1, max_length=2)
    pattern: str = Field(default="a", pattern="^a$")
    many: Any = Field(default="0123456789", min_length=10)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"number": 0}, "Give 1 or more."),
        ({"number": 10}, "Give 9 or less."),
        ({"number": "x"}, "Give a whole number."),
        ({"words": "a"}, "Give at least 3 characters."),
        ({"words": "abcdef"}, "Give at most 5 characters."),
        ({"words": 1}, "Give a text."),
        ({"several": []}, "Give at least 1 items."),
        ({"several": [1, 2, 3]}, "Give at most 2 items."),
        ({"many": "short"}, "Give at least 10 characters."),
        ({"pattern": "b"}, "This has not the form that is asked for; see the API's document."),
    ],
)
def test_nobody_reads_what_a_pattern_looks_like(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        _Model.model_validate(given)
    assert [words_of(each) for each in wrong.value.errors()] == [words]
