"""Moves: an account becomes another customer's, with everybody's sight, by two people, on its day (D1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.events import types
from tests.support.moves import NEW, ON_THE_DAY, WORD, MoveBench, bench_of
from tests.support.replay import check_replay
from vault.domain.account import Kind, Model
from vault.domain.actor import EVERYTHING, Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartKind
from vault.domain.outlook import Standing
from vault.errors import Blocked, Conflict, Forbidden, Invalid, NotFound, VaultError
from vault.ports.store import EntryFilter, Slice
from vault.services.case_board import Wanted
from vault.services.moving import Foreseen

if TYPE_CHECKING:
    from tests.support.world import Human, World

A, B, P = "111122223333", "222233334444", "999900001111"
PASSWORD = "Correct-Horse-7-Battery"


@pytest.fixture
def bench(quick_world: World) -> MoveBench:
    return bench_of(quick_world)


def readable(bench: MoveBench, who: Human, number: str = A) -> list[int]:
    """Give the indexes of the entries of an account that somebody reads."""
    page = bench.world.vault.trail.page(who.actor, EntryFilter(account_id=number), Slice(limit=100))
    return sorted(entry.index for entry in page.items)


def sealed(bench: MoveBench, number: str = A) -> list[object]:
    """Give everything that is sealed of an account, byte for byte."""
    with bench.world.vault.units.read() as unit:
        return [each for kind in PartKind for each in unit.versions.of(number, kind)]


def test_access_moves_at_once_and_nothing_is_sealed_anew(world: World) -> None:
    bench = bench_of(world)
    bench.world.held(A, PASSWORD)
    olga, nora = bench.operator("olga", bench.old), bench.operator("nora", bench.new)
    lease = bench.world.lease(olga)
    assert readable(bench, olga)
    with pytest.raises(NotFound):
        bench.world.vault.accounts.get(nora.actor, A)
    case = bench.ask(A)
    bench.prepare(case)
    olga_again = bench.world.lease(olga)
    assert bench.rooms.moves.of_account(bench.manager.actor, A)[0].foreseen == Foreseen(1, 1, 0, 1)
    before, theirs = sealed(bench), readable(bench, olga)
    assert bench.move(case).standing is Standing.DONE
    world.clock.advance(seconds=1)

    assert bench.account(A).customer_id == bench.new.id
    assert sealed(bench) == before
    with pytest.raises(NotFound):
        bench.world.vault.accounts.get(olga.actor, A)
    with pytest.raises(NotFound):
        bench.world.vault.reveals.password(olga.actor, olga_again.id)
    with world.vault.units.read() as unit:
        ended = unit.checkouts.get(olga_again.id)
    assert ended is not None
    assert (lease.state, ended.state) == (CheckoutState.ACTIVE, CheckoutState.REVOKED)
    opened = bench.world.lease(nora)
    assert bench.world.vault.reveals.password(nora.actor, opened.id).value.expose() == PASSWORD

    # the old customer's people read on what was theirs, up to the move and with it; the new ones read all of it
    mine, all_of_it = readable(bench, olga), readable(bench, nora)
    assert set(theirs) < set(mine) < set(all_of_it)
    trail = bench.world.vault.trail
    assert trail.entry(olga.actor, mine[-1]).content["type"] == "account.moved"
    assert trail.entry(olga.actor, mine[0]).content["type"] == "account.registered"
    for index in sorted(set(all_of_it) - set(mine)):
        with pytest.raises(NotFound):
            trail.entry(olga.actor, index)
    everything = trail.page(olga.actor, EntryFilter(), Slice(limit=100)).items
    assert sorted(entry.index for entry in everything) == mine
    assert bench.rooms.work.get(nora.actor, case.id).scene.case.state == "done"
    check_replay(world)


def test_a_payer_moves_with_its_members_in_one_transaction(bench: MoveBench) -> None:
    bench.world.held(A)
    bench.registered(B, Kind.MEMBER, Model.ECAM)
    bench.held(P, Kind.PAYER)
    case = bench.ask(P)
    with pytest.raises(Conflict, match="Members move with their payer") as refused:
        bench.say(case, "organization", goes="whole")
    assert (refused.value.code, refused.value.facts["rule"], B in refused.value.detail) == (
        "case.rule",
        "D1",
        True,
    )
    with pytest.raises(Invalid, match="who pays the bill"):
        bench.say(case, "organization", goes="parts")
    bench.rooms.work.cancel(bench.manager.actor, case.id, "the members were forgotten")
    with pytest.raises(Conflict, match=P):
        bench.say(bench.ask(B), "organization", goes="whole")
    (open_one,) = bench.rooms.moves.of_account(bench.manager.actor, B)
    bench.rooms.work.cancel(bench.manager.actor, open_one.case.scene.case.id, "the payer was forgotten")
    case = bench.ask(P, B)
    bench.prepare(case)
    bench.move(case)
    assert {bench.account(each).customer_id for each in (P, B)} == {bench.new.id}
    assert bench.account(A).customer_id == bench.old.id
    assert types(bench.world, B)[-1] == "account.moved"


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"day": "2026-12-11"}, "case.rule", "^D1: .*2026-12-14 is the first"),
        ({"day": "2026-12-19"}, "case.rule", "Saturday"),
        ({"day": "2026-12-25"}, "case.rule", "Christmas"),
        ({"day": "2026-11-20"}, "case.rule", "is over"),
        ({"requested": "2026-11-24"}, "case.evidence", "still to come"),
        ({"day": "the 15th"}, "case.evidence", "a day, such as"),
        ({"to": "900001"}, "case.account", "already"),
        ({"to": "900003"}, "not_found", "900003"),
        ({"to": "nobody"}, "not_found", "nobody"),
    ],
)
def test_what_speaks_against_a_request_is_said_and_nothing_is_opened(
    bench: MoveBench, asked: dict[str, str], code: str, words: str
) -> None:
    bench.world.held(A)
    with pytest.raises(VaultError, match=words) as refused:
        bench.ask(A, **asked)
    assert refused.value.code == code
    assert bench.rooms.moves.of_account(bench.manager.actor, A) == ()


def test_outside_a_window_the_fee_is_approved_for_that_very_day_by_two(bench: MoveBench) -> None:
    bench.world.held(A)
    case = bench.ask(A, day="2026-12-28")
    bench.prepare(case)
    bench.world.clock.at = datetime(2026, 12, 28, 15, tzinfo=UTC)
    with pytest.raises(Conflict, match="first comes The fee is approved"):
        bench.say(case, "move", words="without the fee")
    fee = {"amount": "500 USD", "by": "Finance", "where": "comment 9"}
    assert bench.say(case, "fee", **fee).standing is Standing.ASKED
    with pytest.raises(Conflict, match="first comes The fee is approved"):
        bench.say(case, "move", words="before the second word")
    bench.agree(case, "fee")
    bench.world.clock.advance(minutes=1)
    bench.say(case, "day", day="2026-12-29")  # another day outside takes another approval
    bench.world.clock.at = datetime(2026, 12, 29, 15, tzinfo=UTC)
    with pytest.raises(Conflict, match="a fee has to be approved"):
        bench.say(case, "move", words="with the other day's fee")
    bench.say(case, "fee", **fee | {"where": "comment 11"})
    bench.agree(case, "fee")
    bench.move(case)
    assert bench.account(A).customer_id == bench.new.id


def test_it_is_moved_on_its_day_by_another_person_who_has_both_customers(bench: MoveBench) -> None:
    bench.world.held(A)
    case = bench.ask(A)
    bench.prepare(case)
    bench.world.clock.at = ON_THE_DAY - timedelta(days=1)
    with pytest.raises(Conflict, match="its day, 2026-12-15"):
        bench.say(case, "move", words="a day early")
    (row,) = bench.rooms.board.page(bench.manager.actor, Wanted(), Slice(limit=5)).items
    assert (row.oldest, row.turns, row.day) == (None, {}, datetime(2026, 12, 15, 14, tzinfo=UTC))
    bench.world.clock.at = ON_THE_DAY
    half = bench.world.human("hans", Role.ADMIN, bench.of(bench.old))
    bench.say(case, "move", words="as both customers want it")
    with pytest.raises(Forbidden) as refused:
        bench.agree(case, who=bench.manager)
    assert refused.value.code == "policy.denied"
    with pytest.raises(NotFound, match=NEW):
        bench.agree(case, who=half)
    bench.world.clock.at = ON_THE_DAY + timedelta(days=1)
    with pytest.raises(Conflict, match="say another day first"):
        bench.agree(case)
    assert bench.account(A).customer_id == bench.old.id


def test_no_move_takes_an_account_out_of_a_freeze(bench: MoveBench) -> None:
    bench.world.held(A)
    case = bench.ask(A)
    bench.prepare(case)
    bench.say(case, "move", words="as both customers want it")
    bench.world.vault.freezes.freeze(bench.admin.actor, f"customer:{bench.old.id}", "something is wrong")
    with pytest.raises(Blocked, match="was frozen"):
        bench.agree(case)
    assert bench.account(A).customer_id == bench.old.id


def test_a_word_that_was_taken_back_leaves_the_move_to_be_cancelled_and_the_calendar_shows_its_day(
    bench: MoveBench,
) -> None:
    bench.world.held(A)
    case = bench.ask(A)
    bench.prepare(case)
    bench.say(case, "day", day="2026-12-16")
    since = ON_THE_DAY.replace(hour=0)
    with bench.world.vault.units.read() as unit:
        (booked,) = unit.cases.booked(since, since + timedelta(days=9), EVERYTHING)
    assert (booked.account_id, booked.day) == (A, datetime(2026, 12, 16, 14, tzinfo=UTC))
    bench.world.clock.at = ON_THE_DAY + timedelta(days=1)
    bench.say(case, "move", words="as both customers want it")
    bench.rooms.work.disagree(bench.admin.actor, case.id, "move", "", "the bill of last month is open")
    view = bench.rooms.work.cancel(bench.manager.actor, case.id, "the customer does not want it any more")
    assert (view.scene.case.state, bench.account(A).customer_id) == ("cancelled", bench.old.id)


def test_what_is_not_held_does_not_move_and_an_account_is_in_one_case(bench: MoveBench) -> None:
    bench.registered(B, Kind.STANDALONE)
    with pytest.raises(Conflict, match="is onboarding"):
        bench.ask(B)
    bench.world.held(A)
    first = bench.ask(A)
    with pytest.raises(Conflict, match=first.id):
        bench.ask(A)
    bench.prepare(first)
    bench.move(first)
    with pytest.raises(Conflict, match="already"):
        bench.ask(A)


def test_a_role_for_the_account_itself_stays_and_is_counted(bench: MoveBench) -> None:
    bench.world.held(A)
    omar = bench.world.human("omar", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, A))
    case = bench.ask(A)
    bench.prepare(case)
    (view,) = bench.rooms.moves.of_account(bench.manager.actor, A)
    assert view.foreseen == Foreseen(0, 0, 1, 0)
    bench.move(case)
    assert bench.world.vault.accounts.get(omar.actor, A).account.customer_id == bench.new.id
    assert bench.rooms.moves.of_account(omar.actor, A)[0].foreseen is None


def test_the_way_back_is_another_move_and_each_reads_its_own_time(bench: MoveBench) -> None:
    bench.world.held(A)
    nora = bench.operator("nora", bench.new)
    case = bench.ask(A)
    bench.prepare(case)
    bench.move(case)
    bench.world.clock.at = datetime(2027, 2, 1, 15, tzinfo=UTC)
    back = bench.ask(A, to="900001", day="2027-03-15", requested="2027-02-01")
    for step in ("consent", "acceptance"):
        bench.say(back, step, **WORD)
    bench.world.clock.at = datetime(2027, 3, 15, 15, tzinfo=UTC)
    bench.move(back)
    with bench.world.vault.units.read() as unit:
        tenures = unit.accounts.tenures(A)
    assert [each.customer_id for each in tenures] == [bench.old.id, bench.new.id]
    assert tenures[0].until == tenures[1].since
    told = [
        bench.world.vault.trail.entry(nora.actor, index).content["type"] for index in readable(bench, nora)
    ]
    assert (told[0], told[-1], "account.registered" in told) == ("account.moved", "account.moved", False)
