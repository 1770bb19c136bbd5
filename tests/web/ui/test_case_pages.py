"""Pages of cases, on the made-up kind: the board, one case, words on steps, two people, AWS, batches, the calendar."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.support.cases import KIND, Bench, bench_of
from tests.support.people import House, Member
from tests.web.ui.test_views import Browser
from vault.domain.actor import Role
from vault.domain.outlook import Standing
from vault.services.case_opening import Opening
from vault.web.app import create_app
from vault.web.ui import case_batch

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from vault.domain.case import CaseFile

A, B, C = "111122223333", "222233334444", "333344445555"


@dataclass
class Room:
    """A house that knows the made-up kind, with three held accounts, a browser for each of four people."""

    house: House
    bench: Bench
    csm: Browser
    operator: Browser
    approver: Browser

    def open(self, *accounts: str) -> CaseFile:
        """Open a case as the one who prepares it."""
        with self.house.vault.units.read() as unit:
            customer = unit.customers.by_ddi("900001")
        assert customer is not None
        given = {("", "who"): {"name": "Sam Signs", "email": "sam@customer.example"}}
        opening = Opening(KIND, customer.id, accounts, "T-77", given=given)
        return self.bench.rooms.opening.open(self.house.actor(self.csm.member), opening)

    def standing(self, case: CaseFile, step: str, account: str) -> Standing:
        """Say how a step stands."""
        view = self.bench.rooms.work.get(self.house.actor(self.csm.member), case.id)
        return next(
            each.standing for each in view.items if (each.step.name, each.account_id) == (step, account)
        )


@pytest.fixture
def room(house: House, admins: tuple[Member, Member]) -> Room:
    roles = (Role.CSM, Role.OPERATOR, Role.APPROVER)
    people = [house.appoint(admins, f"{role}@msp.example", role) for role in roles]
    for number in (A, B, C):
        house.world.held(number)
    bench = bench_of(house.world)
    house.vault = replace(house.vault, cases=bench.rooms)
    application = create_app(house.vault)
    for limiter in application.extensions["limiter"]:
        limiter.enabled = False
    return Room(house, bench, *(Browser(application, each) for each in people))


def at(case: CaseFile, step: str, act: str = "", account: str = A) -> str:
    """Give the address of a step."""
    return f"/cases/{case.id}/steps/{step}{act and '/'}{act}?account={account}"


def said(
    browser: Browser, case: CaseFile, step: str, act: str = "say", account: str = A, **fields: str
) -> TestResponse:
    """Send one of a step's forms."""
    return browser.post(at(case, step, act, account), page=at(case, step, "", account), **fields)


def words(answer: TestResponse) -> str:
    """Give a page's text."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_a_case_goes_its_way_on_pages(room: Room) -> None:
    case = room.open(A)
    board = words(room.csm.get("/cases/moves"))
    assert "Nothing is owed 1111 2222 3333" in board.replace("1111  2222  3333", "1111 2222 3333")
    assert "You" in board
    assert "Nothing fits" in words(room.operator.get("/cases?turn=mine"))
    page = words(room.csm.get(f"/cases/{case.id}"))
    assert "Waits for you" in page
    assert "2 of 8" in page
    assert said(room.csm, case, "balance", e_note="the bill of today is paid").status_code == 303
    assert said(room.operator, case, "begin", e_note="we begin").status_code == 303
    device = room.operator.member
    assert said(room.operator, case, "no_return", e_note="all seen", otp=device.code()).status_code == 303
    own = words(room.operator.get(at(case, "no_return")))
    assert "Take my word back" in own
    assert "Agree" not in own.replace("Do not agree", "")
    looked = room.approver.get(at(case, "no_return"))
    assert "What it rests on" in words(looked)
    assert re.search("we begin by operator", words(looked)), "who gave it is named"
    moment = re.search(r'name="at" value="([^"]+)"', looked.text)
    assert moment is not None
    wrong = said(
        room.approver,
        case,
        "no_return",
        "agree",
        at="2026-01-01T00:00:00+00:00",
        otp=room.approver.member.code(),
    )
    assert (wrong.status_code, "not what you looked at" in wrong.text) == (409, True)
    agreed = said(room.approver, case, "no_return", "agree", at=moment[1], otp=room.approver.member.code())
    assert agreed.status_code == 303
    history = words(room.approver.get(at(case, "no_return")))
    assert history.index("Step done") < history.index("Step said by the first of two")
    room.bench.shed.things, room.bench.shed.keeps = {A: {"role", "topic"}}, {"topic"}
    dry = words(said(room.operator, case, "remove", "look"))
    assert "Goes (1) role" in dry
    assert "Stays (1) topic" in dry
    assert "Your word is held against what AWS has" in dry
    by_hand = said(room.operator, case, "remove", "say", e_note="removed in the console")
    assert (by_hand.status_code, "AWS still lists role" in by_hand.text) == (409, True)
    room.bench.shed.shut = "The role cannot be assumed."
    alone = said(room.operator, case, "remove", "say", e_note="removed in the console")
    assert (alone.status_code, "it takes another person as well" in alone.text) == (422, True)
    room.bench.shed.shut = ""
    failed = said(room.operator, case, "remove", "run", e_code="123456")
    assert (failed.status_code, "topic: refused" in failed.text) == (503, True)
    assert "123456" not in failed.text
    room.bench.shed.keeps = set()
    assert said(room.operator, case, "remove", "run", e_code="123456").status_code == 303
    waived = said(
        room.csm, case, "letter", "waive", why="the customer wants none", otp=room.csm.member.code()
    )
    assert waived.status_code == 303
    no = said(room.approver, case, "letter", "disagree", why="they do want one, see the ticket")
    assert no.status_code == 303
    assert room.standing(case, "letter", A) is Standing.FAILED


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(room: Room) -> None:
    case = room.open(A)
    answer = said(room.csm, case, "who", account="", e_name="Pat <b>", e_email="no address")
    assert answer.status_code == 422
    assert 'value="Pat &lt;b&gt;"' in answer.text
    assert re.search(r'id="say-e_email-wrong">.*an e-mail address', answer.text, re.DOTALL)
    hidden = said(room.csm, case, "balance", e_note="good\u202eluck")
    assert hidden.status_code == 422
    assert room.standing(case, "balance", A) is Standing.OPEN


def test_what_is_not_there_or_not_ones_own(room: Room) -> None:
    case = room.open(A)
    for path in (
        f"/cases/{case.id}/steps/nothing",
        at(case, "balance", account=B),
        "/cases/7f3e0000-0000-4000-8000-000000000000",
    ):
        assert room.csm.get(path).status_code == 404, path
    assert said(room.operator, case, "balance", e_note="not mine to say").status_code == 403
    assert "Not yours to do" in words(room.operator.get(at(case, "balance")))
    assert room.csm.get(at(case, "balance", "say")).status_code == 303


def test_many_accounts_have_pages_and_filters(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    case = room.open(A, B, C)
    monkeypatch.setattr("vault.web.ui.cases.ACCOUNTS", 2)
    first = words(room.csm.get(f"/cases/{case.id}"))
    assert "Page 1 of 2, 3 accounts" in first
    assert "3 accounts" in first
    found = room.csm.get(f"/cases/{case.id}?q=2222%203333%204444")
    assert found.text.count("grid__row") == 1
    assert said(room.csm, case, "balance", account=A, e_note="paid today").status_code == 303
    mine = room.csm.get(f"/cases/{case.id}?show=mine")
    assert mine.text.count("grid__row") == 2
    assert room.operator.get(f"/cases/{case.id}?show=mine").text.count("grid__row") == 1


def test_a_batch_goes_on_where_it_was(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    case = room.open(A, B, C)
    address = f"/cases/{case.id}/steps/balance/all"
    monkeypatch.setattr(case_batch, "SECONDS", 0.0)
    after, told, last = "0", [], ""
    for _ in range(3):  # one account in each request
        answer = room.csm.post(
            address, page=address, how="say", after=after, e_note="the bills of today are paid"
        )
        told.append("data-batch" in answer.text)
        found = re.search(r'name="after" value="(\d+)"', answer.text)
        after = after if found is None else found[1]
        last = words(answer)
    assert told == [True, True, False]
    assert "3 of 3 accounts done" in last
    assert {room.standing(case, "balance", number) for number in (A, B, C)} == {Standing.DONE}


def test_one_code_says_a_word_of_many_and_a_batch_stops_where_the_same_goes_wrong_in_a_row(
    room: Room,
) -> None:
    case = room.open(A, B, C)
    for number in (A, B, C):
        said(room.csm, case, "balance", account=number, e_note="paid today")
        said(
            room.operator,
            case,
            "begin",
            account=number,
            e_note=f"begun, {'late' if number == C else 'early'}",
        )
    address, none = f"/cases/{case.id}/steps/no_return/all", "000000"
    first = {"account": [A, B, C], "e_note": "all seen"}
    wrong = room.operator.post(f"{address}/say", page=address, otp=none, **first)
    assert (wrong.status_code, "The code is not right" in words(wrong)) == (401, True)
    code = room.operator.member.code()
    assert "Said of 3 accounts" in words(
        room.operator.post(f"{address}/say", page=address, otp=code, **first)
    )
    assert "Take my words back" in words(room.operator.get(address))
    looked = room.approver.get(address)
    told = words(looked)
    assert "Second words: 3" in told
    assert "1 unlike most others, then the rest" in told
    shown = re.findall(r'name="account" value="(\d{12} [^"]+)" checked', looked.text)
    assert [each[:12] for each in shown] == [C, A, B]
    stale = [f"{C} 2026-01-01T00:00:00+00:00", *shown[1:]]
    code = room.approver.member.code()
    some = words(room.approver.post(f"{address}/agree", page=address, otp=code, account=stale))
    assert "Said of 2 accounts" in some
    assert "not what you looked at" in some
    assert room.approver.get(f"{address}/agree").headers["Location"] == address
    code = room.approver.member.code()
    room.approver.post(f"{address}/agree", page=address, otp=code, account=shown[:1])
    assert {room.standing(case, "no_return", number) for number in (A, B, C)} == {Standing.DONE}
    room.bench.shed.things = {number: {"role"} for number in (A, B, C)}
    room.bench.shed.stops = 0
    address = f"/cases/{case.id}/steps/remove/all"
    room.bench.shed.shut = "The role cannot be assumed."
    unseen = words(room.operator.post(address, page=address, how="say", after="0", e_note="by hand"))
    assert "it takes another person as well" in unseen
    room.bench.shed.shut = ""
    stopped = words(room.operator.post(address, page=address, how="run", after="0"))
    assert "Stopped: the same went wrong several times in a row" in stopped
    assert "The shed is locked" in stopped
    room.bench.shed.stops = None
    done = words(room.operator.post(address, page=address, how="run", after="0"))
    assert "3 of 3 accounts done" in done


def test_a_case_is_opened_and_cancelled_on_pages(room: Room) -> None:
    with room.house.vault.units.read() as unit:
        customer = unit.customers.by_ddi("900001")
    assert customer is not None
    address = f"/cases/moves/new?customer={customer.id}"
    empty = room.csm.post(address, page=address, ticket="")
    assert (empty.status_code, "Choose at least one." in empty.text) == (422, True)
    fields = {"accounts": [A, B], "ticket": "T-9", "e_who_name": "Sam Signs", "e_who_email": "x"}
    wrong = room.csm.post(address, page=address, **fields)
    assert wrong.status_code == 422
    assert re.search(r'id="new-e_who_email-wrong"', wrong.text)
    opened = room.csm.post(address, page=address, **(fields | {"e_who_email": "sam@customer.example"}))
    assert opened.status_code == 303
    again = room.csm.post(address, page=address, **(fields | {"e_who_email": ""}))
    assert again.status_code in {409, 422}
    busy = room.csm.post(address, page=address, **(fields | {"e_who_email": "sam@customer.example"}))
    assert re.search(
        rf'id="new-accounts-wrong">.*Account {A} is in a case.*Account {B} is', busy.text, re.DOTALL
    )
    assert room.operator.get(address).status_code == 404
    case = opened.headers["Location"]
    assert room.operator.post(f"{case}/cancel", page=case, why="it is not theirs to end").status_code == 403
    ended = room.csm.post(f"{case}/cancel", page=case, why="the customer stays with us")
    assert ended.status_code == 303
    assert "Cancelled" in words(room.csm.get(case))


def test_the_calendar_says_for_whom_a_day_is_free(room: Room) -> None:
    page = words(room.csm.get("/cases/calendar?month=2026-12"))
    assert "December 2026" in page
    assert "Christmas Day" in page
    assert "Not for payers" in page
    assert re.search(r"Wed 16 Dec\s+to\s+Fri 18 Dec", page)  # the weekend after is not free
    assert "November 2026" in words(room.csm.get("/cases/calendar?month=never"))
