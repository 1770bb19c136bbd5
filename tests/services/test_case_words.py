"""One word on many accounts with one fresh factor, on a made-up kind: repeated, refused, killed, shut out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.cases import KIND, Bench, bench_of
from tests.support.replay import check_replay
from vault.domain.actor import Reach, Role, Scope
from vault.domain.ids import new_id
from vault.domain.outlook import Standing
from vault.domain.person import PersonState, Session, Token
from vault.errors import Conflict, Invalid, NotFound, Unauthenticated
from vault.ports.store import EntryFilter, Slice
from vault.services.case_compare import compare
from vault.services.case_ground import CaseGround
from vault.services.case_words import MOST, Many

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.support.world import Human, World
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Scene
    from vault.ports.store import Entry, Unit
    from vault.services.case_kinds import Given
    from vault.services.case_words import Answer

A, B, C = "111122223333", "222233334444", "333344445555"
ALL = (A, B, C)
NOTE = {"note": "seen on the page of the bank"}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def bench(quick_world: World) -> Bench:
    for number in ALL:
        quick_world.held(number)
    return bench_of(quick_world)


def begun(bench: Bench, *numbers: str) -> CaseFile:
    """Open a case of all, and bring these to where it takes two people."""
    case = bench.open(*ALL)
    for number in numbers:
        bench.begin(case, number)
    return case


def first(bench: Bench, case: CaseFile, *numbers: str, otp: str | None = None) -> tuple[Answer, ...]:
    olga = bench.world.human("olga", Role.OPERATOR)
    code = olga.otp() if otp is None else otp
    return bench.rooms.many.attest(olga.actor, case.id, "no_return", numbers, NOTE, code)


def second(
    bench: Bench, case: CaseFile, said: tuple[Answer, ...], otp: str | None = None
) -> tuple[Answer, ...]:
    ada = bench.world.human("ada", Role.APPROVER)
    seen = {each.account_id: each.item.done.at for each in said if each.item and each.item.done}
    return bench.rooms.many.agree(ada.actor, case.id, "no_return", seen, ada.otp() if otp is None else otp)


def outcomes(answers: tuple[Answer, ...]) -> list[str]:
    return [each.code or each.outcome.value for each in answers]


def standings(bench: Bench, case: CaseFile) -> list[Standing]:
    view = bench.rooms.work.get(bench.csm, case.id)
    return [each.standing for each in view.items if each.step.name == "no_return"]


def entries(bench: Bench, type_: str) -> list[Entry]:
    with bench.world.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(type=type_), Reach(everything=True), Slice(limit=50))
    return list(page.items)


def at_the_second(bench: Bench, do: Callable[[Unit], None]) -> None:
    """Let something happen while the second account of a request is looked at."""
    seen: list[str] = []

    def check(unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> None:
        seen.append(given.account_id)
        if len(seen) == 2:
            do(unit)

    bench.toy.check = check  # type: ignore[method-assign]  # as if it were another request, in between


def test_one_factor_carries_a_word_on_each_account(bench: Bench) -> None:
    case = begun(bench, *ALL)
    said = first(bench, case, *ALL)
    assert outcomes(said) == ["said"] * 3
    asked = [each for each in entries(bench, "case.step.asked") if b'"no_return"' in each.leaf]
    assert len({each.content["account"]["id"] for each in asked}) == len(asked) == 3  # type: ignore[index]  # an account's entry names it
    assert {each.content["actor"]["mfa"] for each in asked} == {"totp"}  # type: ignore[index]  # an entry has its actor
    assert outcomes(first(bench, case, *ALL, otp="")) == ["same"] * 3, "said already takes no factor"
    assert outcomes(second(bench, case, said)) == ["said"] * 3
    assert standings(bench, case) == [Standing.DONE] * 3
    assert outcomes(second(bench, case, said, "")) == ["same"] * 3
    check_replay(bench.world)


def test_what_speaks_against_one_stops_no_other_and_the_same_in_a_row_all(bench: Bench) -> None:
    case = begun(bench, A, C)
    said = first(bench, case, B, A, C)
    assert outcomes(said) == ["case.state", "said", "said"]
    assert "first comes The day begins" in said[0].detail
    late = {each.account_id: each.item.done.at for each in said if each.item and each.item.done}
    late[A] -= timedelta(seconds=1)
    ada = bench.world.human("ada", Role.APPROVER)
    agreed = bench.rooms.many.agree(ada.actor, case.id, "no_return", late, ada.otp())
    assert outcomes(agreed) == ["approval.changed", "said"]
    why = "the ticket says otherwise of both"
    refused = bench.rooms.many.disagree(ada.actor, case.id, "no_return", (A, C), why)
    assert outcomes(refused) == ["said", "case.state"]
    assert outcomes(bench.rooms.many.disagree(ada.actor, case.id, "no_return", (A,), why)) == ["same"]
    chris = bench.world.human("chris", Role.CSM)
    none = ("400000000001", *ALL)
    waived = bench.rooms.many.waive(chris.actor, case.id, "letter", none, "they want no letter", chris.otp())
    assert outcomes(waived) == ["not_found", "case.state", "case.state", "case.state"]
    again = bench.rooms.many.waive(chris.actor, case.id, "letter", ALL[::-1] + none[:1], "they want none", "")
    assert outcomes(again) == ["case.state", "case.state", "case.state", "left"]


def test_where_the_vault_can_look_it_looks_at_each(bench: Bench) -> None:
    case = begun(bench, *ALL)
    looks = {(KIND, "no_return"): bench.shed}
    bench.shed.things = {B: {"role"}}
    olga = bench.world.human("olga", Role.OPERATOR)
    many = Many(replace(bench.rooms.work.ground, looks=looks))
    said = many.attest(olga.actor, case.id, "no_return", ALL, NOTE, olga.otp())
    assert outcomes(said) == ["said", "case.state", "said"]
    assert "AWS still lists role" in said[1].detail


def test_a_factor_that_does_not_count_says_nothing(bench: Bench) -> None:
    case = begun(bench, *ALL)
    with pytest.raises(Unauthenticated):
        first(bench, case, *ALL, otp="000000")
    assert standings(bench, case) == [Standing.OPEN] * 3
    for numbers in ((), (A, A), tuple(f"{400_000_000_000 + at}" for at in range(MOST + 1))):
        with pytest.raises(Invalid, match="each once"):
            first(bench, case, *numbers, otp="")
    with pytest.raises(NotFound):
        bench.rooms.many.attest(bench.operator, case.id, "end", ALL, NOTE)
    with pytest.raises(Invalid):
        bench.rooms.many.attest(bench.operator, case.id, "no_return", ALL, {"other": "thing"})


@pytest.mark.parametrize("done", [0, 1])
def test_killed_in_the_middle_the_rest_takes_another_factor(
    bench: Bench, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = begun(bench, *ALL)
    olga = bench.world.human("olga", Role.OPERATOR)
    code, settle, settled = olga.otp(), CaseGround.settle, []

    def killed(*args: object) -> object:
        settled.append(settle(*args))  # type: ignore[arg-type]  # as it was called
        if len(settled) > done:
            raise Killed  # written and claimed, and not committed
        return settled[-1]

    with monkeypatch.context() as patch:
        patch.setattr(CaseGround, "settle", killed)
        with pytest.raises(Killed):
            first(bench, case, *ALL, otp=code)
    assert standings(bench, case).count(Standing.ASKED) == done
    if done:
        with pytest.raises(Conflict) as caught:
            first(bench, case, *ALL, otp=code)
        assert caught.value.code == "otp.used"
        code = olga.otp()
    assert outcomes(first(bench, case, *ALL, otp=code)) == ["same"] * done + ["said"] * (3 - done)
    check_replay(bench.world)


def removed(human: Human, bench: Bench) -> Callable[[Unit], None]:
    def do(unit: Unit) -> None:
        (grant,) = unit.people.grants(human.actor.id)
        unit.people.update_grant(replace(grant, removed_at=bench.world.clock.now()))

    return do


def shut_out(human: Human, _: Bench) -> Callable[[Unit], None]:
    def do(unit: Unit) -> None:
        person = unit.people.get(human.actor.id)
        assert person is not None
        unit.people.update(replace(person, state=PersonState.DISABLED))

    return do


def late(_: Human, bench: Bench) -> Callable[[Unit], None]:
    return lambda _: bench.world.clock.advance(seconds=21)


@pytest.mark.parametrize(
    ("meanwhile", "last"), [(removed, "not_found"), (shut_out, "policy.denied"), (late, "left")]
)
def test_each_account_is_looked_at_anew(
    bench: Bench, meanwhile: Callable[[Human, Bench], Callable[[Unit], None]], last: str
) -> None:
    case = begun(bench, *ALL)
    at_the_second(bench, meanwhile(bench.world.human("olga", Role.OPERATOR), bench))
    assert outcomes(first(bench, case, *ALL))[-1] == last
    assert standings(bench, case)[-1] is Standing.OPEN


@pytest.mark.parametrize("browser", [True, False], ids=["signed out", "token's time is over"])
def test_whose_session_ends_in_the_middle_says_no_more(bench: Bench, browser: bool) -> None:
    case, olga, now = begun(bench, *ALL), bench.world.human("olga", Role.OPERATOR), bench.world.clock.now()
    number, until = new_id(), now + timedelta(seconds=5)
    actor = replace(olga.actor, origin=replace(olga.actor.origin, session=number, browser=browser))
    with bench.world.vault.units.write() as unit:
        if browser:
            unit.sessions.add(
                Session(number, "s" * 64, olga.actor.id, now, now, "192.0.2.7", "agent", "totp")
            )
        else:
            token = Token(
                number,
                "",
                "t",
                olga.actor.id,
                frozenset(),
                Scope(),
                olga.actor.id,
                now,
                until,
                effective_at=now,
            )
            bench.world.vault.tokens.put(unit, olga.actor, token, now)
        unit.commit()

    def out(unit: Unit) -> None:
        unit.sessions.end_all(olga.actor.id, now)
        bench.world.clock.advance(seconds=10)

    at_the_second(bench, out)
    with pytest.raises(Unauthenticated):
        bench.rooms.many.attest(actor, case.id, "no_return", ALL, NOTE, olga.otp())
    assert standings(bench, case) == [Standing.ASKED, Standing.ASKED, Standing.OPEN]
    (refused,) = entries(bench, "access.denied")
    assert refused.content["detail"]["code"] == "auth.required"  # type: ignore[index]  # a refusal has its code


def test_first_words_stand_side_by_side_those_unlike_most_first(bench: Bench) -> None:
    case = begun(bench, *ALL)
    olga = bench.world.human("olga", Role.OPERATOR)
    for number, note in ((A, "by mail"), (B, "by mail"), (C, "on the phone")):
        bench.rooms.work.attest(olga.actor, case.id, "no_return", number, {"note": note}, olga.otp())
    ada = bench.world.human("ada", Role.APPROVER).actor
    whole = bench.rooms.reading.whole(ada, case.id)
    waiting = whole.second_words("no_return")
    assert [each.account_id for each in waiting] == [*ALL]
    found = compare(whole, waiting)
    assert [(fact.title, fact.label) for fact in found.facts] == [
        ("From here nobody goes back", "How it was done, and where that can be seen")
    ]
    assert [(line.account.id, line.values, line.differs) for line in found.lines] == [
        (C, ("on the phone",), True),
        (A, ("by mail",), False),
        (B, ("by mail",), False),
    ]

    def unlike(*notes: str) -> list[str]:
        given = (
            replace(each, done=replace(each.done, evidence={"note": note}))
            for each, note in zip(waiting, notes, strict=True)
            if each.done is not None
        )
        return [line.account.id for line in compare(whole, tuple(given)).lines if line.differs]

    assert unlike("by mail", "by phone", "in person") == [], "each its own"
    assert unlike("a@customer.example", "b@customer.example", "c@customer.example") == []
    assert unlike("a@customer.example", "b@customer.example", "c@custorner.example") == [C]
    assert ("The day begins", "", "olga") in [(fact.title, fact.label, value) for fact, value in found.same]
    assert bench.rooms.reading.whole(olga.actor, case.id).second_words("no_return") == ()
