"""One word on many accounts by REST and in the terminal: the list, repeats, what a passkey signs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.passkeys import enrol, pressed, sending
from tests.web.api.service import Service
from tests.web.api.test_cases import NOTE, A, B, Connected, stage  # noqa: F401 - the fixture is used by its name
from vault.cli import case_many as commands
from vault.errors import Unauthenticated
from vault.services.case_words import MOST
from vault.web.api.schemas.case_words import StepWords
from vault.web.asked import _CONTENT_MAX, _readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.cases import Bench
    from tests.web.api.service import Caller

Stage = tuple[Service, "Bench"]


def begun(bench: Bench) -> str:
    case = bench.open(A, B)
    for number in (A, B):
        bench.begin(case, number)
    return f"/cases/{case.id}/steps/no_return/words"


def test_a_list_is_said_agreed_to_and_repeated(stage: Stage) -> None:  # noqa: F811 - the fixture
    service, bench = stage
    olga, ada = service.callers["olga"], service.callers["ada"]
    at = begun(bench)
    both = [{"account_id": A}, {"account_id": B}]
    for wrong in (
        {"accounts": both},
        {"accounts": both, "evidence": NOTE, "disagree": "they do not want it"},
        {"accounts": both, "agree": True, "otp": "123456"},
        {"accounts": [{"account_id": A, "at": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2)], "agree": True},
        {
            "accounts": [{"account_id": str(400_000_000_000 + each)} for each in range(MOST + 1)],
            "evidence": NOTE,
        },
    ):
        assert olga.post(at, wrong).status == 422, wrong
    untrue = olga.post(at, {"accounts": both, "agree": False})
    assert untrue.json["errors"] == [{"pointer": "/agree", "detail": "Give one of true."}]
    for name in (
        "waive",
        "disagree",
    ):  # blanks are no sentence, and the place that is named is one that was sent
        blank = olga.post(at, {"accounts": both, name: " " * 12, "otp": "123456"})
        assert [each["pointer"] for each in blank.json["errors"]] == [f"/{name}"]
    first = {"accounts": [*both, {"account_id": "4" * 12}], "evidence": NOTE, "otp": service.otp("olga")}
    said = olga.call("POST", at, first, key="once").json
    assert [(each["outcome"], each["standing"]) for each in said["items"][:2]] == [("said", "asked")] * 2
    assert (said["said"], said["refused"], said["left"]) == (2, 1, 0)
    again = olga.call("POST", at, first, key="once")
    assert (again.status, again.json["items"][2]) == (
        200,
        said["items"][2],
    )  # what has no such step, as before
    assert [each["outcome"] for each in again.json["items"]] == ["same", "same", "refused"]
    assert ada.get(f"{at}?accounts={B}").json["waiting"] == 1
    looked = ada.get(at).json
    assert (looked["waiting"], looked["facts"], [each["values"] for each in looked["items"]]) == (
        2,
        [],
        [[], []],
    )
    assert {"title": "The day begins", "label": "", "value": "olga"} in looked["same"]
    seen = [{"account_id": each["account_id"], "at": each["at"]} for each in looked["items"]]
    word = {"accounts": [seen[0], {**seen[1], "at": "2026-01-01T00:00:00Z"}], "agree": True}
    agreed = ada.did(at, {**word, "otp": service.otp("ada")})
    assert [each["code"] for each in agreed["items"]] == [None, "approval.changed"]
    why = "the bank tells another story"
    refused = ada.did(at, {"accounts": both[1:], "disagree": why})
    assert (refused["items"][0]["outcome"], refused["items"][0]["standing"]) == ("said", "failed")
    assert olga.get(f"{at}?accounts=1").status == 422


def test_a_passkey_signs_the_list_and_no_other(stage: Stage) -> None:  # noqa: F811 - the fixture
    _, bench = stage
    case_id = begun(bench).split("/")[2]
    olga, many = bench.world.people["olga"], bench.rooms.many
    key = enrol(bench.world.vault, olga)
    actor = sending(olga.actor, f"{A} {B}")
    signed = pressed(bench.world.vault, key, actor)
    with pytest.raises(Unauthenticated):
        many.attest(sending(olga.actor, A), case_id, "no_return", (A,), NOTE, signed)
    program = sending(olga.actor, f"{A} {B}", content="{}")
    with pytest.raises(Unauthenticated) as asked:
        many.attest(program, case_id, "no_return", (A, B), NOTE, "123456")
    with bench.world.vault.units.read() as unit:
        kept = unit.passkeys.confirmation(str(asked.value.facts["confirmation"]))
    assert kept is not None
    assert kept.account_id is None, "who confirms it is not told that it is about the first one alone"
    signed = pressed(bench.world.vault, key, actor)
    said = many.attest(actor, case_id, "no_return", (A, B), NOTE, signed)
    assert [each.outcome for each in said] == ["said", "said"]
    with bench.world.vault.units.read() as unit:
        size = int(unit.log.checkpoint().split("\n")[1])
        last = [unit.log.entry(size - back) for back in (1, 2)]
    factors = {json.loads(each.leaf)["actor"]["mfa"] for each in last if each is not None}
    assert len(factors) == 1
    assert factors.pop().startswith("passkey:")


def test_who_confirms_for_a_terminal_reads_every_account() -> None:
    at = datetime(2026, 12, 1, 9, 0, 0, 123456, tzinfo=UTC).isoformat()
    named = [{"account_id": str(400_000_000_000 + each), "at": at} for each in range(MOST)]
    shown = _readable(StepWords.model_validate_json(json.dumps({"accounts": named, "agree": True})))
    assert len(shown) < _CONTENT_MAX
    assert [each[:12] for each in json.loads(shown)["accounts"]] == [each["account_id"] for each in named]


def test_no_text_beside_the_list_hides_it_from_who_confirms() -> None:
    at = datetime(2026, 12, 1, 9, 0, 0, 123456, tzinfo=UTC).isoformat()
    named = [{"account_id": str(400_000_000_000 + each), "at": at} for each in range(MOST)]
    long = {f"field {each}": "x" * 2_000 for each in range(40)}
    bare = [{"account_id": each["account_id"]} for each in named]
    shown = json.loads(
        _readable(StepWords.model_validate_json(json.dumps({"accounts": bare, "evidence": long})))
    )
    assert shown["accounts"] == [each["account_id"] for each in named]
    assert shown["evidence"].startswith("(")


def terminal(
    monkeypatch: pytest.MonkeyPatch, caller: Caller, otp: Callable[[], str]
) -> Callable[..., tuple[int, str]]:
    """Give a terminal of somebody, who types their next code whenever they are asked."""

    def with_factor(api: Connected, path: str, body: dict[str, Any], *, wait: bool) -> Any:
        assert not wait
        return api.post(path, {**body, "otp": otp()})

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(commands, "connect", lambda: Connected(caller))
        monkeypatch.setattr(commands, "post_with_factor", with_factor)
        done = CliRunner().invoke(commands.say, words)
        return done.exit_code, done.output

    return run


def test_a_terminal_says_it_of_all_by_the_hundred(
    stage: Stage,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, bench = stage
    _, _, case_id, *_ = begun(bench).split("/")
    monkeypatch.setattr(commands, "AT_ONCE", 1)
    olga = terminal(monkeypatch, service.callers["olga"], lambda: service.otp("olga"))
    assert olga(case_id, "no_return", "--all")[0] == 2
    assert olga(case_id, "no_return", "--done")[0] == 2
    status, output = olga(case_id, "no_retrun", "--all", "--done")
    assert (status, "has no step 'no_retrun'" in output) == (2, True)
    told = olga(case_id, "no_return", "--all", "--evidence", "note=by mail")
    assert told[0] == 0, told
    assert "Said of 2 accounts." in told[1]
    ada = terminal(monkeypatch, service.callers["ada"], lambda: service.otp("ada"))
    status, output = ada(case_id, "no_return", "--account", B, "--agree")
    assert status == 0, output
    assert "The same of all 1" in output
    assert "Said of 1 account." in output
    status, output = ada(case_id, "no_return", "--account", B, "--account", "4" * 12, "--agree")
    assert (status, f"Not said of {B}, {'4' * 12}" in output) == (1, True), (
        "nothing waits there any more, and this is told"
    )
    status, output = ada(case_id, "no_return", "--all", "--disagree", "the bank says otherwise", "--json")
    assert (status, json.loads(output[output.index("{") :])["said"]) == (0, 1)
